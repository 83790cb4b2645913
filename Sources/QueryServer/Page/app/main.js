// Starts the page: who am I, the shell, and the view that the address names.
//
// How to add a view
//   1. Write `views/NAME.js` that exports `render(container, context, params)`, like `views/not_found.js`.
//   2. Put NAME into `views` below and, if it belongs into the navigation, into `shell.js`. That is all: the module is
//      fetched when its address `#/NAME/ID?query` is opened.
// `container` is an empty element. `params` is `{id, query}`: the text after the name, and URLSearchParams.
// `render` may be async and may return a function that is called when the view is left (stop timers, destroy charts).
// `context` has
//   api          calls of the server (`api.js`); its project is set
//   me           the answer of /v1/me; `canWrite` whether its role may change things
//   project, zone, range      what was chosen last; `setZone(zone)` and `setRange(range)` keep a new choice
//   catalog      event names and properties for pickers (`catalog.js`)
//   signal       an AbortSignal that aborts when the view is left: pass it to every call
//   navigate(name, id, query)   opens another view;  `setQuery(query)` changes the address's query without opening it
//   announce(text)              says a text to screen readers;  `setTitle(text)` names the window
// Dashboards, explore, funnels, events and users show how to send a first event while there is none.

import { Api, ApiError, isAborted } from "./api.js";
import { Catalog } from "./catalog.js";
import { fill, h } from "./dom.js";
import { waitForFirstEvent } from "./first_run.js";
import { isZone, ownZone, parseRange, rangeText, usualRange } from "./ranges.js";
import { addressOf, parseAddress } from "./router.js";
import { buildShell } from "./shell.js";
import { errorNote, skeleton, viewHead } from "./states.js";
import { recall, remember } from "./storage.js";

const views = new Set([
    "dashboards", "explore", "funnels", "events", "users", "live", "data", "health", "login", "shared",
]);
const viewsWithoutAccess = new Set(["login", "shared"]);
const viewsOfEvents = new Set(["dashboards", "explore", "funnels", "events", "users"]);

const app = document.getElementById("app");
const api = new Api(() => showLogin());
const page = { me: null, shell: null, leave: null, isLeft: new AbortController(), opened: 0, hasEvents: false };

/** Shows the view of the address. A view that was asked for later wins, however long the earlier one takes. */
async function open() {
    const address = parseAddress(location.hash);
    const turn = ++page.opened;
    page.isLeft.abort();
    page.isLeft = new AbortController();
    page.leave?.();
    page.leave = null;
    if (!viewsWithoutAccess.has(address.name) && !page.me && !await enter()) return;
    if (turn !== page.opened) return;
    const container = placeFor(address);
    fill(container, skeleton("lines"));
    try {
        const context = contextFor(address);
        if (viewsOfEvents.has(address.name) && !page.hasEvents) {
            const leave = await waitForFirstEvent(container, context, () => {
                page.hasEvents = true;
                open();
            });
            if (!leave) return;
            if (turn === page.opened) {
                page.leave = leave;
                focusHeading(container, turn);
            } else leave();
            return;
        }
        const name = views.has(address.name) ? address.name : "not_found";
        const view = await fetchView(name);
        if (turn !== page.opened) return;
        fill(container);
        const leave = await view.render(container, context, { id: address.id, query: address.query });
        if (turn === page.opened) {
            page.leave = typeof leave === "function" ? leave : null;
            focusHeading(container, turn);
        } else leave?.();
    } catch (error) {
        if (turn === page.opened && !isAborted(error)) showFailure(container, address, error, turn);
    }
}

/** In the place of a view that could not be drawn: why, and a way on. */
function showFailure(container, address, error, turn) {
    const back = address.id && !viewsWithoutAccess.has(address.name)
        ? { href: addressOf(address.name), text: `To all of ${address.name}` } : null;
    const title = error.status === 404 ? "Not found" : "This could not be shown";
    fill(container, viewHead(title, { back }), errorNote(error, () => open()));
    focusHeading(container, turn);
}

/** How often each view could not be fetched: some browsers remember that of an address, so the next try has another. */
const failedFetches = new Map();

async function fetchView(name) {
    const failures = failedFetches.get(name) ?? 0;
    try {
        return await import(`./views/${name}.js${failures > 0 ? `?again=${failures}` : ""}`);
    } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        failedFetches.set(name, failures + 1);
        throw new ApiError(0, { code: "unreachable", message: "The server cannot be reached. Is queryd running?" });
    }
}

/** Asks who the caller is; false if the login is shown instead. */
async function enter() {
    try {
        page.me = await api.get("/v1/me");
    } catch (error) {
        if (error.status !== 401) fill(app, h("main", { class: "alone" }, errorNote(error, () => open())));
        return false;
    }
    const kept = recall("project");
    const projects = page.me.projects ?? [];
    api.project = projects.includes(kept) ? kept : projects.includes("default") ? "default" : projects[0] ?? null;
    return true;
}

/** The element a view is drawn in: inside the shell, or alone for those without access. */
function placeFor(address) {
    if (viewsWithoutAccess.has(address.name)) {
        page.shell = null;
        const main = h("main", { class: address.name === "login" ? "alone" : "main shared" });
        fill(app, main);
        return main;
    }
    if (!page.shell) {
        page.shell = buildShell({ me: page.me, project: api.project, onProject: changeProject, onLeave: logOut });
        fill(app, page.shell.element);
    }
    page.shell.mark(address.name);
    const place = h("div", { class: `view view-${address.name}` });
    fill(page.shell.main, place);
    return place;
}

function contextFor(address) {
    const context = {
        api,
        me: page.me,
        canWrite: page.me !== null && page.me.role !== "read",
        project: api.project,
        zone: isZone(recall("zone") ?? "") ? recall("zone") : ownZone(),
        range: parseRange(recall("range")) ?? usualRange,
        catalog: page.catalog ??= new Catalog(api),
        signal: page.isLeft.signal,
        setZone(zone) {
            context.zone = zone;
            remember("zone", zone);
        },
        setRange(range) {
            context.range = range;
            remember("range", rangeText(range));
        },
        navigate(name, id = null, query = {}) {
            const target = addressOf(name, id, query);
            if (location.hash === target) open();
            else location.hash = target;
        },
        setQuery(query) {
            history.replaceState(null, "", addressOf(address.name, address.id, query));
        },
        announce: (text) => page.shell?.announce(text),
        setTitle: (text) => {
            document.title = `${text} · Tidemark`;
        },
        // Takes the login's place in the history, so that `back` does not lead to a link that is used up.
        entered(target = null) {
            page.me = null;
            location.replace(`#${target ?? "/dashboards"}`);
        },
    };
    return context;
}

function focusHeading(container, turn) {
    const heading = container.querySelector("h1");
    if (!heading) return;
    document.title = `${heading.textContent} · Tidemark`;
    const isElsewhere = document.activeElement && document.activeElement !== document.body
        && container.contains(document.activeElement);
    if (turn > 1 && !isElsewhere) heading.focus({ preventScroll: true });
}

function changeProject(project) {
    api.project = project;
    remember("project", project);
    page.hasEvents = false;
    page.catalog.forget();
    page.shell = null;
    location.hash.split("/").length > 2 ? location.hash = addressOf(parseAddress(location.hash).name) : open();
}

async function logOut() {
    await api.delete("/v1/sessions").catch(() => {});
    showLogin();
}

function showLogin() {
    page.me = null;
    if (parseAddress(location.hash).name === "login") return;
    location.replace(addressOf("login", null, { to: location.hash.slice(1) }));
}

addEventListener("hashchange", open);
open();
