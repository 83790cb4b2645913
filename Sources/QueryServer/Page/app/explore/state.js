// What Explore is set to, as an address keeps it, and the questions it stands for.

import { filtersOf, partsOfFilters, testText } from "../controls/filters.js";
import { isComplete, measureName, measureOf, metricOf } from "../controls/measure.js";
import { groupNames, intervalOf } from "../buckets.js";
import { dateRangeOf, parseRange, rangeText, usualInterval } from "../ranges.js";

export const seriesMax = 8;
export const breakdownMax = 10;
export const intervals = ["hour", "day", "week", "month"];
export const kinds = ["line", "area", "bar", "stacked", "pie", "table"];

/** The alias of every series' number. */
export const valueAlias = "value";

export function newSeries(event = null) {
    return { event, tests: [], measure: { type: "count" } };
}

/** All events over the range. `interval` "" is the one that suits the range, "none" the whole range at once. */
export function newState(range, zone) {
    return {
        series: [newSeries()], breakdown: null, interval: "", kind: "line", isCompared: false, range, zone,
    };
}

/** The interval that counts: null for the range as a whole. A pie has no time. */
export function intervalIn(state) {
    if (state.interval === "none" || state.kind === "pie") return null;
    return state.interval || usualInterval(state.range, state.zone);
}

/** Whether every series can be asked. */
export function canAsk(state) {
    return state.series.every((series) => isComplete(series.measure));
}

/** A series in words: "purchase, sum of amount". */
export function seriesName(series) {
    const event = series.event ?? "All events";
    const name = series.measure.type === "count" ? event : `${event}, ${measureName(series.measure)}`;
    return series.tests.length > 0 ? `${name} (${series.tests.map(testText).join(", ")})` : name;
}

/**
 * The question of a series. `groups` is what it is grouped by; `more` are tests beside its own. A test may be a tree.
 */
export function questionOf(state, series, { groups, more = [], range = state.range, ...rest }) {
    const filters = filtersOf(series.event, [...series.tests, ...more]);
    const dates = dateRangeOf(range);
    return {
        kind: "aggregate", metrics: [metricOf(series.measure, valueAlias)],
        ...(filters && { filters }), ...(dates && { date_range: dates }), time_zone: state.zone,
        ...(groups.length > 0 && { group_by: groups }), ...rest,
    };
}

/** The one question that says most of what is shown: what is saved, and copied. */
export function mainQuestion(state) {
    const groups = [state.breakdown, intervalIn(state)].filter(Boolean);
    return questionOf(state, state.series[0], { groups });
}

/** The state in one text for an address, and back; null if the text is none. */
export function stateText(state) {
    return JSON.stringify({
        s: state.series.map(({ event, tests, measure }) => [event, tests, measure]),
        b: state.breakdown, i: state.interval, k: state.kind, c: state.isCompared,
        r: rangeText(state.range), z: state.zone,
    });
}

export function parseState(text) {
    try {
        const { s, b, i, k, c, r, z } = JSON.parse(text);
        const isSound = Array.isArray(s) && s.length >= 1 && s.length <= seriesMax && kinds.includes(k)
            && typeof z === "string" && s.every(([, tests, measure]) => Array.isArray(tests) && measure?.type);
        if (!isSound) return null;
        return {
            series: s.map(([event, tests, measure]) => ({ event, tests, measure })),
            breakdown: b ?? null, interval: i ?? "", kind: k, isCompared: Boolean(c),
            range: parseRange(r) ?? { start: null, end: null }, zone: z,
        };
    } catch {
        return null;
    }
}

/** The state of a saved question that came from elsewhere: as near as Explore can show it; null if it cannot. */
export function stateOfQuestion(question, zone) {
    if (question.kind !== "aggregate") return null;
    const parts = partsOfFilters(question.filters);
    if (!parts) return null;
    const groups = groupNames(question.group_by ?? question.dimensions);
    const interval = intervalOf(groups);
    const metrics = [question.metrics ?? "count"].flat();
    const { start_date: start, end_date: end } = question.filters ?? {};
    return {
        series: metrics.map((metric) => ({ event: parts.eventType, tests: parts.tests, measure: measureOf(metric) })),
        breakdown: groups.find((name) => name !== interval) ?? null,
        interval: interval ?? "none", kind: interval ? "line" : "bar", isCompared: false,
        range: { start: question.date_range?.start ?? start ?? null, end: question.date_range?.end ?? end ?? null },
        zone: question.time_zone ?? zone,
    };
}
