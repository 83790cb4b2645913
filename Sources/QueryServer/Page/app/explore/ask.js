// Asking for what Explore shows: each series, its breakdown, and the period before.

import { pivoted, previousSeries } from "../pivot.js";
import { previousRange } from "../ranges.js";
import { breakdownMax, intervalIn, questionOf, seriesName, valueAlias } from "./state.js";

/**
 * The answers of all series as one shape to draw: `{shape, before, metas, leftOut, warnings}`. Each drawn series knows
 * `source` (the series' place in the state) and `group` (the breakdown's value in a list, empty without one).
 */
export async function askAll(context, state, signal) {
    const interval = intervalIn(state);
    const parts = await Promise.all(state.series.map((series) => askSeries(context, state, series, interval, signal)));
    const shape = merged(parts.map((part) => part.shape), state);
    const before = !parts.some((part) => part.before) ? []
        : interval ? previousSeries(shape, alike(shape, parts, state)) : previousTotals(shape, parts);
    return {
        shape, before, interval,
        totals: parts.map((part) => part.total),
        metas: parts.map((part) => part.meta),
        leftOut: parts.reduce((sum, part) => sum + part.leftOut, 0),
    };
}

async function askSeries(context, state, series, interval, signal) {
    const ask = (options) => context.api.ask(questionOf(state, series, options), { signal });
    const top = state.breakdown ? await ask({
        groups: [state.breakdown], order_by: [`${valueAlias} DESC`], limit: breakdownMax + 1,
    }) : null;
    const kept = top?.rows.slice(0, breakdownMax).map((row) => row[state.breakdown]);
    const leftOut = top ? top.rows.length - kept.length : 0;
    const groups = [state.breakdown, interval].filter(Boolean);
    const more = kept ? [anyOf(state.breakdown, kept)] : [];
    const earlier = state.isCompared ? previousRange(state.range, state.zone) : null;
    const isEmpty = kept?.length === 0;
    if (top && !interval) {
        const answer = { ...top, rows: top.rows.slice(0, breakdownMax) };
        const before = earlier && !isEmpty ? await ask({ groups, more, range: earlier }) : null;
        return {
            shape: pivoted(answer, groups), meta: top.meta, leftOut, total: null,
            before: before ? pivoted(before, groups) : null,
        };
    }
    const [answer, before] = await Promise.all([
        isEmpty ? { ...top, columns: [...groups, valueAlias], rows: [] } : ask({ groups, more }),
        earlier && !isEmpty ? ask({ groups, more, range: earlier }) : null,
    ]);
    const shape = pivoted(answer, groups);
    // The largest group first, as the totals stand.
    const places = new Map(kept?.map((value, index) => [JSON.stringify([value]), index]));
    if (kept) shape.series.sort((first, second) => place(places, first) - place(places, second));
    return {
        shape, meta: answer.meta, leftOut, total: interval ? null : answer.rows[0]?.[valueAlias] ?? null,
        before: before ? pivoted(before, groups) : null,
    };
}

function place(places, series) {
    return places.get(JSON.stringify(series.group)) ?? places.size;
}

/** A test that a field has one of the values; a missing value is null. */
export function anyOf(field, values) {
    const scalars = values.filter((value) => value !== null && typeof value !== "object");
    const tests = scalars.length > 0 ? [{ field, op: "in", value: scalars }] : [];
    if (values.includes(null)) tests.push({ field, op: "not_exists" });
    return tests.length === 1 ? tests[0] : { or: tests };
}

/** All series along one axis: buckets of time that any of them has, or the categories. */
function merged(shapes, state) {
    const keys = [];
    const places = new Map();
    for (const shape of shapes) {
        shape.keys.forEach((key, index) => {
            const name = JSON.stringify(key);
            if (places.has(name)) return;
            places.set(name, keys.length);
            const open = Boolean(shape.unfinished?.[index]);
            keys.push({ key, label: shape.labels[index], long: shape.longLabels[index], open });
        });
    }
    if (shapes[0].interval) keys.sort((first, second) => Date.parse(first.key) - Date.parse(second.key));
    const order = new Map(keys.map((entry, index) => [JSON.stringify(entry.key), index]));
    const series = shapes.flatMap((shape, source) => shape.series.map((entry) => {
        const values = keys.map(() => null);
        shape.keys.forEach((key, index) => {
            values[order.get(JSON.stringify(key))] = entry.values[index];
        });
        return { ...entry, source, values, name: nameOf(entry, state.series[source], state) };
    }));
    return {
        interval: shapes[0].interval, keys: keys.map((entry) => entry.key), series,
        labels: keys.map((entry) => entry.label), longLabels: keys.map((entry) => entry.long),
        unfinished: keys.map((entry) => entry.open),
    };
}

function nameOf(entry, series, state) {
    const hasGroup = entry.group.length > 0;
    if (!hasGroup) return seriesName(series);
    return state.series.length > 1 ? `${seriesName(series)} · ${entry.name}` : entry.name;
}

/** The earlier answers with names as in `shape`, for laying them over it. */
function alike(shape, parts, state) {
    const series = parts.flatMap((part, source) => (part.before?.series ?? []).map((entry) => ({
        ...entry, source, name: nameOf(entry, state.series[source], state),
    })));
    return { series: series.filter((entry) => shape.series.some((now) => now.name === entry.name)) };
}

/** The earlier numbers of a range as a whole, value by value: what did not happen then counts as none. */
function previousTotals(shape, parts) {
    return shape.series.map((entry, index) => {
        const { before } = parts[entry.source];
        const places = new Map(before?.keys.map((key, place) => [JSON.stringify(key), place]));
        const values = shape.keys.map((key) => before?.series[0]?.values[places.get(JSON.stringify(key))] ?? null);
        return { ...entry, name: `${entry.name}, before`, isPrevious: true, colorIndex: index, values };
    });
}
