// The people of one part of a funnel, in a dialog: who, when they reached the step, and the way to their profiles.

import { fill, h } from "../dom.js";
import { dateTime, exactNumber } from "../format.js";
import { addressOf } from "../router.js";
import { during } from "../states.js";
import { csvButton, table } from "../table.js";
import { openDialog } from "../controls/dialog.js";
import { outcomes } from "./columns.js";

const peopleMax = 1000;

/** Opens the dialog and asks who they are. */
export function openPeople({ context, question, steps, index, outcome, zone }) {
    const isLast = index === steps.length - 1;
    const words = outcomes[outcome][isLast ? "last" : "text"];
    const asking = new AbortController();
    const body = h("div", { class: "people" });
    openDialog(`Step ${index + 1}, ${steps[index].name}: ${words}`, body, {
        isWide: true, onClose: () => asking.abort(),
    });
    const users_at = { step: index + 1, outcome, limit: peopleMax };
    const load = async () => {
        const answer = await during(body, () => context.api.ask({ ...question, users_at }, { signal: asking.signal }),
            { retry: load });
        if (answer) show(body, answer, { zone, title: `${steps[index].name} ${words}` });
    };
    load();
}

function show(body, answer, { zone, title }) {
    const columns = [
        {
            key: "user_id", label: "Person",
            format: (id, row) => h("span", {}, h("a", { href: addressOf("users", id), class: "person" }, id),
                row.anonymous && [" ", h("span", { class: "tag" }, "anonymous")]),
        },
        { key: "reached_at", label: "Reached the step", type: "time", format: (at) => dateTime(at, zone) },
    ];
    const isCut = answer.users.length < answer.user_count;
    fill(body,
        h("div", { class: "table-head" },
            h("p", {}, `${exactNumber(answer.user_count)} ${answer.user_count === 1 ? "person" : "people"}`,
                isCut && `; the first ${exactNumber(answer.users.length)} are shown`),
            csvButton(title, columns, answer.users)),
        table(columns, answer.users, { caption: title, zone }));
}
