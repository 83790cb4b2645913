// From an answer's rows to what a chart draws: labels along the axis, a series for each group.

import { bucketLabel, valueText } from "./format.js";
import { bucketName, bucketsOf, groupNames, intervalOf } from "./buckets.js";

const seriesMax = 10;
const categoriesMax = 50;

/** What people call a metric's column. */
export function metricName(alias) {
    if (alias === "count") return "Events";
    if (alias === "count_distinct_user_id") return "Users";
    const text = alias.replace(/^(count_distinct|sum|avg|min|max)_/, (_, kind) => `${kind.replace("_", " ")} `)
        .replace(/properties\.|_/g, (part) => (part === "_" ? " " : ""));
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The columns that hold metrics: all but the groups and `complete`. */
export function metricColumns(columns, groups) {
    const names = new Set([...groupNames(groups), "complete"]);
    return columns.filter((column) => !names.has(column));
}

/**
 * `{labels, longLabels, series, unfinished, interval, keys, leftOut}` of an aggregate's answer. `answer` has `columns`,
 * `rows`, `meta`; `groups` is what it is grouped by. With a bucket of time the axis is time and each other group a
 * series (the ten with the most in all); without, the first group is the axis and a second one makes the series.
 * `keys` are the buckets or the values behind the labels; `leftOut` counts groups that are not drawn.
 */
export function pivoted(answer, groups) {
    const names = groupNames(groups);
    const interval = intervalOf(names);
    const metrics = metricColumns(answer.columns, groups);
    const others = names.filter((name) => name !== interval);
    return interval ? overTime(answer, interval, others, metrics) : overCategories(answer, others, metrics);
}

function overTime({ rows, meta }, interval, others, metrics) {
    const nameOf = (row) => bucketName(interval, row[interval]);
    const keys = bucketsOf(interval, meta, rows.map(nameOf));
    const places = new Map(keys.map((key, index) => [key, index]));
    const unfinished = keys.map(() => false);
    const groups = new Map();
    for (const row of rows) {
        const place = places.get(nameOf(row));
        if (place === undefined) continue;
        if (row.complete === false) unfinished[place] = true;
        for (const metric of metrics) {
            const { key, values, name } = seriesKey(row, others, metrics, metric);
            if (!groups.has(key)) groups.set(key, blank(name, metric, values, keys));
            groups.get(key).values[place] = row[metric];
        }
    }
    if (groups.size === 0 && others.length === 0) {
        for (const metric of metrics) groups.set(metric, blank(metricName(metric), metric, [], keys));
    }
    // A last bucket without events has no row that says whether it is over.
    if (keys.length > 0 && !rows.some((row) => nameOf(row) === keys.at(-1))) unfinished[keys.length - 1] = isOpen(meta);
    const { series, leftOut } = largest([...groups.values()]);
    const zone = meta?.time_zone ?? "UTC";
    return {
        interval, keys, series, leftOut, unfinished,
        labels: keys.map((key) => bucketLabel(key, interval, zone)),
        longLabels: keys.map((key) => bucketLabel(key, interval, zone, "long")),
    };
}

function blank(name, metric, group, keys) {
    return { name, metric, group, values: keys.map(() => missing(metric)) };
}

/** Whether the range goes on after the snapshot, so that its last bucket is not over. */
function isOpen(meta) {
    if (!meta?.to) return true;
    return Date.parse(meta.to) > (Date.parse(meta.as_of?.clock ?? "") || Date.now());
}

/** A bucket without events: nothing happened, so counts and sums are 0; an average of nothing is no value. */
function missing(metric) {
    return /^(avg|min|max)(_|$)/.test(metric) ? null : 0;
}

function seriesKey(row, others, metrics, metric) {
    const values = others.map((name) => row[name]);
    const group = values.map(valueText).join(" · ");
    const name = others.length === 0 ? metricName(metric)
        : metrics.length > 1 ? `${group} · ${metricName(metric)}` : group;
    return { key: JSON.stringify([values, metric]), values, name };
}

function overCategories({ rows }, others, metrics) {
    const [axis, ...rest] = others;
    const labelOf = (row) => (axis ? valueText(row[axis]) : "All");
    const labels = [...new Set(rows.map(labelOf))].slice(0, categoriesMax);
    const places = new Map(labels.map((label, index) => [label, index]));
    const keys = labels.map((label) => rows.find((row) => labelOf(row) === label)?.[axis] ?? null);
    const groups = new Map();
    for (const row of rows) {
        const place = places.get(labelOf(row));
        if (place === undefined) continue;
        for (const metric of metrics) {
            const { key, values, name } = seriesKey(row, rest, metrics, metric);
            if (!groups.has(key)) groups.set(key, { name, metric, group: values, values: labels.map(() => null) });
            groups.get(key).values[place] = row[metric];
        }
    }
    const { series, leftOut } = largest([...groups.values()]);
    return {
        interval: null, keys, labels, longLabels: labels, series, unfinished: null,
        leftOut: leftOut + new Set(rows.map(labelOf)).size - labels.length,
    };
}

/** Groups stand largest first, and at most ten of them. */
function largest(series) {
    const totals = new Map(series.map((entry) => [entry, entry.values.reduce((sum, value) => sum + (value ?? 0), 0)]));
    const isGrouped = series.some((entry) => entry.group.length > 0);
    const kept = isGrouped
        ? [...series].sort((first, second) => totals.get(second) - totals.get(first)).slice(0, seriesMax) : series;
    return { series: kept, leftOut: series.length - kept.length };
}

/**
 * The series of the period before, laid over this one: bucket by bucket from the start. `shape` is this period's;
 * `before` the earlier one's, of the same question.
 */
export function previousSeries(shape, before) {
    return before.series.map((entry) => {
        const same = shape.series.findIndex((series) => series.name === entry.name);
        return {
            ...entry, name: `${entry.name}, before`, isPrevious: true, colorIndex: Math.max(same, 0),
            values: shape.keys.map((_, index) => entry.values[index] ?? null),
        };
    }).filter((entry) => entry.values.length > 0);
}

/** `meta` of the period before `meta`'s, of the same length, for `pivoted`. */
export function previousMeta(meta, interval) {
    if (!meta?.from || !meta?.to) return meta;
    const from = Date.parse(meta.from);
    // Where the clocks changed in between, a day's start is an hour off: three hours later it is that day for sure.
    const slack = interval === "hour" ? 0 : 3 * 3600_000;
    const start = from - (Date.parse(meta.to) - from) + slack;
    return { ...meta, from: new Date(start).toISOString(), to: meta.from, as_of: { clock: meta.from } };
}
