// One person: figures, what was done and with what, traits, and the timeline.

import { fill, h } from "../dom.js";
import { chart } from "../charts.js";
import { ago, bucketLabel, counted, date, dateTime, exactNumber, percent, shortNumber } from "../format.js";
import { dateRangeOf, parseRange, rangeText, usualInterval } from "../ranges.js";
import { addressOf } from "../router.js";
import { during, empty, viewHead } from "../states.js";
import { periodPicker } from "../controls/period.js";
import { copyButton } from "../controls/copy.js";
import { answerNote } from "./answer_note.js";
import { shareList } from "./bars.js";
import { kindTag, valueGroup } from "./event_details.js";
import { copyMenu } from "./saved_questions.js";
import { timeline } from "./user_timeline.js";

const pageEvents = 100;
const allTime = { start: null, end: null };

export async function renderProfile(container, context, id, query) {
    const state = { range: parseRange(query.get("range")) ?? allTime };
    const body = h("div", { class: "profile" });
    const held = { asking: null, chart: null };
    const question = () => ({
        kind: "user", user_id: id, time_zone: context.zone, timeline: { limit: pageEvents },
        ...(dateRangeOf(state.range) && { date_range: dateRangeOf(state.range) }),
    });
    const ask = async () => {
        held.asking?.abort();
        const current = held.asking = new AbortController();
        const asked = question();
        const answer = await during(body, () => Promise.all([
            context.api.ask(asked, { signal: current.signal }),
            context.api.ask(activityQuestion(id, state.range, context.zone), { signal: current.signal }),
        ]), { retry: ask });
        if (!answer || current !== held.asking) return;
        held.chart?.destroy();
        held.chart = null;
        show(body, answer, { context, state, held, asked, signal: current.signal });
    };
    fill(container,
        viewHead(id, {
            back: { href: "#/users", text: "Users" },
            actions: [
                copyButton(id, "Copy id"), copyMenu(context, question),
                periodPicker({
                    value: state.range, zone: context.zone,
                    onChange: (range) => {
                        state.range = range;
                        context.setQuery({ range: rangeText(range) });
                        ask();
                    },
                }),
            ],
        }),
        body);
    await ask();
    return () => {
        held.asking?.abort();
        held.chart?.destroy();
    };
}

function activityQuestion(id, range, zone) {
    const interval = usualInterval(range, zone) === "hour" ? "hour" : "day";
    return {
        kind: "aggregate", metrics: ["count"], group_by: [interval], time_zone: zone,
        filters: { field: "user_id", op: "eq", value: id }, ...(dateRangeOf(range) && { date_range: dateRangeOf(range) }),
    };
}

function show(body, [answer, activity], { context, state, held, asked, signal }) {
    const { user } = answer;
    if (!user.total_events && (answer.events ?? []).length === 0) {
        fill(body, h("section", { class: "card" }, empty("Nobody of this id was active here",
            "Ids are compared letter by letter. Perhaps the dates are too narrow, or the id is of another project.",
            h("a", { class: "button", href: addressOf("users") }, "To the list of people"))));
        return;
    }
    fill(body,
        figures(user, context.zone),
        activityCard(activity, context.zone, held),
        h("div", { class: "profile-columns" },
            h("div", { class: "profile-side" },
                shares("Events by type", user.events_by_type, (name) => addressOf("events", null, {
                    event: name, where: JSON.stringify([{ field: "user_id", op: "eq", value: user.user_id }]),
                    range: rangeText(state.range),
                })),
                shares("Features used", user.feature_usage),
                groups(user)),
            h("section", { class: "card profile-timeline", "aria-label": "Timeline" },
                h("h2", {}, "Timeline"),
                timeline(answer, { zone: context.zone, more: (cursor) => context.api.ask(
                    { ...asked, timeline: { limit: pageEvents, cursor } }, { signal }) }))),
        answerNote(answer.meta, context.zone));
}

function figures(user, zone) {
    const numbers = [
        ["Events", user.total_events], ["Active days", user.unique_days], ["Sessions", user.session_count],
        ["Page views", user.page_views], ["Clicks", user.clicks], ["Purchases", user.purchases],
    ].map(([label, value]) => figure(label, shortNumber(value), exactNumber(value)));
    const times = [["First seen", user.first_seen], ["Last seen", user.last_seen]]
        .map(([label, at]) => figure(label, label === "Last seen" ? ago(at) : date(at, zone), dateTime(at, zone)));
    return h("dl", { class: "figures" }, numbers, times);
}

function figure(label, text, title) {
    return h("div", { class: "figure-tile" }, h("dt", {}, label), h("dd", { title }, text));
}

function activityCard(activity, zone, held) {
    const { rows } = activity;
    if (rows.length === 0) return null;
    const interval = "hour" in rows[0] ? "hour" : "day";
    held.chart = chart({
        kind: "bar", title: `Activity: ${counted(rows.length, `active ${interval}`)}`, hasLegend: false,
        labels: rows.map((row) => bucketLabel(row[interval], interval, zone)),
        longLabels: rows.map((row) => bucketLabel(row[interval], interval, zone, "long")),
        unfinished: rows.map((row) => row.complete === false),
        series: [{ name: "Events", values: rows.map((row) => row.count) }],
    });
    return h("section", { class: "card volume", "aria-label": "Activity" }, held.chart.element);
}

/** Counts by name as bars, largest first. `link(name)` makes the names links. */
function shares(title, counts, link = null) {
    const entries = Object.entries(counts ?? {}).sort(([, first], [, second]) => second - first);
    if (entries.length === 0) return null;
    const whole = entries.reduce((sum, [, count]) => sum + count, 0);
    return h("section", { class: "card" },
        h("h2", {}, title),
        shareList(entries.map(([name, count]) => ({
            name: link ? h("a", { href: link(name) }, kindTag(name)) : name,
            text: exactNumber(count), title: percent(count / whole), share: count / entries[0][1],
        }))));
}

function groups(user) {
    const parts = ["traits", "device", "location"].filter((name) => Object.keys(user[name] ?? {}).length > 0);
    if (parts.length === 0) return null;
    return h("section", { class: "card" }, h("h2", {}, "Known last"), parts.map((name) => valueGroup(name, user[name])));
}
