// What is shown before the first event: how to send one, and a look every three seconds whether it came.

import { isAborted } from "./api.js";
import { fill, h } from "./dom.js";
import { snippet } from "./controls/copy.js";
import { viewHead } from "./states.js";

const pollMillis = 3000;

const python = `import tidemark                    # pip install clients/python

token = open("data/default.token").read().strip()
with tidemark.Client(token=token) as client:
    client.track("page_view", "user_1", {"page_name": "pricing"})`;

const importing = `tidemark import events.csv         # CSV, NDJSON, also .gz`;

const demo = `tidemark demo                      # events of a made-up product`;

/** Shows the waiting page unless the project has events; calls `onEvent` once there are. Returns what stops it. */
export async function waitForFirstEvent(container, context, onEvent) {
    // Where the server cannot tell, the view is shown: it says better what is wrong.
    const isKnownEmpty = await hasEvents(context).then((has) => !has, (error) => {
        if (isAborted(error)) throw error;
        return false;
    });
    if (!isKnownEmpty) {
        onEvent();
        return null;
    }
    fill(container,
        viewHead("Waiting for the first event"),
        h("div", { class: "first-run" },
            h("p", { class: "waiting", role: "status" }, h("span", { class: "pulse", "aria-hidden": "true" }),
                `Project ${context.project} has no events yet. This page goes on by itself when one arrives.`),
            snippet("From Python", python), snippet("From a file", importing), snippet("Or try the demo", demo)));
    const timer = setInterval(async () => {
        if (await hasEvents(context).catch(() => false)) {
            clearInterval(timer);
            onEvent();
        }
    }, pollMillis);
    return () => clearInterval(timer);
}

async function hasEvents({ api, project, signal }) {
    const status = await api.get("/v1/status", { signal });
    const found = status.projects.find((entry) => entry.name === project);
    return found !== undefined && (found.published_events ?? 0) + (found.tail_events ?? 0) > 0;
}
