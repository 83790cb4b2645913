// Who and what is behind a point: its users, and its events.

import { append, fill, h } from "../dom.js";
import { rangeOfBucket } from "../buckets.js";
import { bucketLabel, counted, valueText } from "../format.js";
import { addressOf } from "../router.js";
import { dateRangeOf } from "../ranges.js";
import { during, empty } from "../states.js";
import { openDialog } from "../controls/dialog.js";
import { table } from "../table.js";
import { filtersOf } from "../controls/filters.js";
import { EventTable } from "../events/table.js";
import { anyOf } from "./ask.js";
import { intervalIn, seriesName } from "./state.js";

const usersMax = 200;
const eventsMax = 50;

/** Opens the panel for a point: `{source, group, key, meta}` as `drawResult` gives it. */
export function openBehind(context, state, point) {
    const series = state.series[point.source];
    const interval = intervalIn(state);
    const range = point.key === null ? state.range : rangeOfBucket(interval, point.key, state.range, point.meta);
    const more = point.group.length > 0 && state.breakdown ? [anyOf(state.breakdown, point.group)] : [];
    const filters = filtersOf(series.event, [...series.tests, ...more]);
    const shared = {
        ...(filters && { filters }), time_zone: state.zone,
        ...(dateRangeOf(range) && { date_range: dateRangeOf(range) }),
    };
    const when = point.key === null ? "" : bucketLabel(point.key, interval, state.zone, "long");
    const who = point.group.length > 0 ? ` · ${point.group.map(valueText).join(", ")}` : "";
    const users = h("div", {});
    const events = h("div", {});
    const given = new AbortController();
    const dialog = openDialog(`${seriesName(series)}${who}`, h("div", { class: "behind" },
        when && h("p", { class: "note" }, when), tabs([["Users", users], ["Events", events]])),
    { isWide: true, onClose: () => given.abort() });
    dialog.element.classList.add("panel");
    showUsers(context, shared, users, given.signal);
    showEvents(context, shared, events, state.zone, given.signal);
}

/** Tabs over panels: [[text, panel]]. Arrows move between the tabs. */
function tabs(entries) {
    const buttons = entries.map(([text], index) => h("button", {
        type: "button", class: "button", role: "tab", id: `behind-tab-${index}`,
        "aria-controls": `behind-panel-${index}`,
        onClick: () => choose(index),
    }, text));
    const choose = (chosen) => {
        entries.forEach(([, panel], index) => {
            panel.hidden = index !== chosen;
            buttons[index].setAttribute("aria-selected", String(index === chosen));
            buttons[index].tabIndex = index === chosen ? 0 : -1;
        });
    };
    entries.forEach(([, panel], index) => {
        panel.id = `behind-panel-${index}`;
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", `behind-tab-${index}`);
    });
    choose(0);
    const onKeydown = (event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
        const next = (buttons.indexOf(document.activeElement) + 1) % buttons.length;
        choose(next);
        buttons[next].focus();
    };
    return [h("div", { class: "segments", role: "tablist", "aria-label": "Behind this point", onKeydown }, buttons),
        entries.map(([, panel]) => panel)];
}

async function showUsers(context, shared, place, signal) {
    const question = {
        kind: "aggregate", ...shared, metrics: [{ type: "count", alias: "events" }], group_by: ["user_id"],
        order_by: ["events DESC"], limit: usersMax + 1,
    };
    const answer = await during(place, () => context.api.ask(question, { signal }));
    if (!answer) return;
    const rows = answer.rows.filter((row) => row.user_id !== null).slice(0, usersMax);
    if (rows.length === 0) {
        fill(place, empty("No users", "The events behind this point are nobody's."));
        return;
    }
    const note = answer.rows.length > usersMax ? `The ${usersMax} with the most events` : counted(rows.length, "user");
    fill(place, h("p", { class: "note" }, note), table([
        {
            key: "user_id", label: "User",
            format: (value) => h("a", { href: addressOf("users", String(value)) }, String(value)),
        },
        { key: "events", label: "Events", type: "number" },
    ], rows, { caption: "Users behind this point", pageSize: 50 }));
}

async function showEvents(context, shared, place, zone, signal) {
    const list = new EventTable(["timestamp", "event_type", "user_id"], zone);
    const foot = h("div", { class: "table-more" });
    const load = async (cursor) => {
        const target = cursor ? foot : place;
        const question = { kind: "events", ...shared, limit: eventsMax, ...(cursor && { cursor }) };
        const answer = await during(target, () => context.api.ask(question, { signal }));
        if (!answer) return;
        if (!cursor && answer.events.length === 0) {
            fill(place, empty("No events"));
            return;
        }
        if (!cursor) fill(place, list.element, foot);
        const first = list.add(answer.events);
        if (cursor) first?.querySelector("button")?.focus();
        fill(foot);
        append(foot, answer.next_cursor && h("button", {
            type: "button", class: "button quiet", onClick: () => load(answer.next_cursor),
        }, "Show more"));
    };
    await load(null);
}
