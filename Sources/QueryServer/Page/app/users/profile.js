// One person: figures, what was done and with what, traits, and the timeline.

import { Newest } from "../api.js";
import { fill, h } from "../dom.js";
import { barList } from "../bars.js";
import { chart } from "../charts.js";
import { ago, bucketLabel, date, dateTime, exactNumber, shortNumber } from "../format.js";
import { dateRangeOf, movedDay, parseRange, rangeText, usualInterval } from "../ranges.js";
import { addressOf } from "../router.js";
import { during, empty, viewHead } from "../states.js";
import { periodPicker } from "../controls/period.js";
import { copyButton } from "../controls/copy.js";
import { answerNote } from "../questions/answer_note.js";
import { kindTag, valueGroup } from "../events/details.js";
import { copyMenu } from "../questions/saved.js";
import { timeline } from "./timeline.js";

const pageEvents = 100;
const barsMax = 120;
const allTime = { start: null, end: null };

export async function renderProfile(container, context, id, query) {
    const state = { range: parseRange(query.get("range")) ?? allTime };
    const body = h("div", { class: "profile" });
    const newest = new Newest(context.signal);
    const held = { chart: null };
    const question = () => ({
        kind: "user", user_id: id, time_zone: context.zone, timeline: { limit: pageEvents },
        ...(dateRangeOf(state.range) && { date_range: dateRangeOf(state.range) }),
    });
    const ask = async () => {
        const signal = newest.next();
        const asked = question();
        const answer = await during(body, () => Promise.all([
            context.api.ask(asked, { signal }),
            context.api.ask(activityQuestion(id, state.range, context.zone), { signal }),
        ]), { retry: ask });
        if (!answer || signal !== newest.signal) return;
        held.chart?.destroy();
        held.chart = null;
        show(body, answer, { context, state, held, asked, signal });
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
        newest.stop();
        held.chart?.destroy();
    };
}

function activityQuestion(id, range, zone) {
    const interval = usualInterval(range, zone) === "hour" ? "hour" : "day";
    return {
        kind: "aggregate", metrics: ["count"], group_by: [interval], time_zone: zone,
        filters: { field: "user_id", op: "eq", value: id },
        ...(dateRangeOf(range) && { date_range: dateRangeOf(range) }),
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

/** The rows of days with the days between them; as weeks where they would be too many. Hours stay as they are. */
function continuous(rows) {
    if ("hour" in rows[0]) return { rows, interval: "hour" };
    const known = new Map(rows.map((row) => [row.day, row]));
    const days = [];
    for (let day = rows[0].day; day <= rows.at(-1).day; day = movedDay(day, 1)) {
        days.push(known.get(day) ?? { day, count: 0, complete: true });
    }
    if (days.length <= barsMax) return { rows: days, interval: "day" };
    const weeks = [];
    for (let first = 0; first < days.length; first += 7) {
        const week = days.slice(first, first + 7);
        weeks.push({
            week: week[0].day, count: week.reduce((sum, day) => sum + day.count, 0), complete: week.length === 7,
        });
    }
    return { rows: weeks, interval: "week" };
}

function activityCard(activity, zone, held) {
    if (activity.rows.length === 0) return null;
    const { rows, interval } = continuous(activity.rows);
    held.chart = chart({
        kind: "bar", title: `Activity, one bar for each ${interval}`, hasLegend: false,
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
    const items = entries.map(([name, count]) => ({
        label: link ? h("a", { href: link(name) }, kindTag(name)) : name, value: count,
    }));
    return h("section", { class: "card" }, h("h2", {}, title), barList(items, { label: title, format: exactNumber }));
}

function groups(user) {
    const parts = ["traits", "device", "location"].filter((name) => Object.keys(user[name] ?? {}).length > 0);
    if (parts.length === 0) return null;
    return h("section", { class: "card" },
        h("h2", {}, "Known last"), parts.map((name) => valueGroup(name, user[name])));
}
