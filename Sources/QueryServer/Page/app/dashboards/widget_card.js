// A widget with its data: a metric's tile, a chart, a funnel, a table; or its error.

import { append, fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { barList, funnelBars } from "../bars.js";
import { chart, sparkline } from "../charts.js";
import { exactNumber, shortNumber, signedPercent, valueText } from "../format.js";
import { groupNames } from "../buckets.js";
import { metricColumns, metricName, pivoted, previousMeta, previousSeries } from "../pivot.js";
import { empty, errorNote, skeleton } from "../states.js";
import { table } from "../table.js";

/** How wide a widget is, in quarters of the row, where its definition does not say. */
function widthOf(widget) {
    return widget.width ?? (widget.type === "metric" ? 1 : 2);
}

/** The widths of all widgets: the last of a row that is not full takes what is left, unless its width is set. */
export function widthsOf(widgets) {
    const widths = widgets.map(widthOf);
    let taken = 0;
    widths.forEach((width, index) => {
        taken = taken + width > 4 ? width : taken + width;
        const isLast = taken + (widths[index + 1] ?? 4) > 4;
        const grows = isLast && widgets[index].type !== "metric" && !widgets[index].width;
        if (grows) widths[index] += 4 - taken;
        if (isLast) taken = 0;
    });
    return widths;
}

/**
 * The card of a widget. `definition` as saved; `data` its entry in the answer, or null while that is on its way.
 * `place` stands under its head; `kept` is an object that remembers what was opened, hidden and sorted.
 * Returns `{element, addLine(values), destroy()}`.
 */
export function widgetCard(definition, data, options = {}) {
    const { place = null, meta = null, width = widthOf(definition), kept = {} } = options;
    const body = h("div", { class: "widget-body" });
    const title = definition.title || "Untitled";
    const own = data?.dates === "widget" && h("span", {
        class: "badge own", title: "This widget has dates of its own, which win over the dashboard's",
    }, icon("calendar", 12), h("span", {}, "own dates"));
    const element = h("article", {
        class: `card widget widget-${definition.type} span-${width}`, "aria-label": title,
        dataset: { widget: definition.widget_id ?? "" },
    }, h("header", { class: "widget-head" }, h("h2", {}, title), own), place, body);
    const drawn = { chart: null };
    if (!data) append(body, skeleton(definition.type === "metric" ? "tile" : "chart"));
    else if (data.error) append(body, errorNote(data.error));
    else {
        drawn.chart = draw(body, definition, { ...data, meta: data.meta ?? meta }, kept);
        append(body, warningNotes(data.meta?.warnings));
    }
    const addLine = (values) => {
        if (drawn.chart || values.length < 3) return;
        drawn.chart = sparkline(values);
        append(body, drawn.chart.element);
    };
    if (data?.series) addLine(data.series.map((point) => point.value));
    return { element, addLine, destroy: () => drawn.chart?.destroy() };
}

function warningNotes(warnings = []) {
    return warnings.map((warning) => h("p", { class: "note widget-warning" }, icon("warning", 14),
        typeof warning === "string" ? warning : warning.message));
}

function draw(body, definition, data, kept) {
    if (definition.type === "metric") return drawMetric(body, data);
    if (definition.type === "funnel") return drawFunnel(body, data);
    if (definition.type === "table") return drawTable(body, definition, data, kept);
    return drawChart(body, definition, data, kept);
}

function drawMetric(body, data) {
    append(body, h("p", { class: "metric-value", title: exactNumber(data.value) }, shortNumber(data.value)));
    if (data.trend) append(body, trendLine(data.trend));
    return null;
}

/** An arrow, the change, and what it is compared with. */
function trendLine({ previous, change, days }) {
    const direction = change === null || change === 0 ? "flat" : change > 0 ? "up" : "down";
    const mark = { flat: "flat", up: "upward", down: "downward" }[direction];
    const words = change === null ? "nothing to compare with" : signedPercent(change);
    return h("p", { class: `trend ${direction}` },
        h("span", { class: "trend-change" }, icon(mark, 13), words),
        h("span", { class: "note", title: exactNumber(previous) },
            ` from ${shortNumber(previous)}, ${days} ${days === 1 ? "day" : "days"} earlier`));
}

function drawFunnel(body, data) {
    const steps = data.data?.steps ?? [];
    if (steps.length === 0) append(body, empty("No steps"));
    else append(body, funnelBars(steps, data.data.overall_conversion_rate ?? null));
    return null;
}

function drawTable(body, definition, data, kept) {
    const metrics = new Set(metricColumns(data.columns ?? [], groupsOf(definition, data.columns ?? [])));
    const columns = (data.columns ?? []).filter((key) => key !== "complete").map((key) => ({
        key, label: metrics.has(key) ? metricName(key) : plainName(key), type: metrics.has(key) ? "number" : "text",
    }));
    append(body, table(columns, data.data ?? [], {
        caption: definition.title, emptyText: "No events in this range.", pageSize: 10, state: kept.table ??= {},
    }));
    return null;
}

function drawChart(body, definition, data, kept) {
    const groups = groupsOf(definition, data.columns);
    const shape = pivoted({ columns: data.columns, rows: data.data, meta: data.meta }, groups);
    if (data.data.length === 0) {
        append(body, empty("No events in this range"));
        return null;
    }
    const kind = data.chart_type ?? definition.chart_type ?? "line";
    const isList = shape.interval === null && shape.series.length === 1 && (kind === "bar" || kind === "stacked");
    if (isList) {
        const items = shape.labels.map((label, index) => ({ label, value: shape.series[0].values[index] }));
        append(body, barList(items.slice(0, 12), { label: definition.title }), leftOutNote(items.length - 12));
        return null;
    }
    const before = data.previous && shape.interval && kind !== "pie" ? previousSeries(shape, pivoted(
        { columns: data.columns, rows: data.previous, meta: previousMeta(data.meta, shape.interval) }, groups)) : [];
    const drawn = chart({
        kind, title: definition.title, ...shape, series: [...shape.series, ...before],
        hiddenNames: kept.hiddenNames ??= new Set(),
    });
    append(body, drawn.element, leftOutNote(shape.leftOut), dataTable(definition.title, shape, before, groups, kept));
    return drawn;
}

function leftOutNote(count) {
    return count > 0 ? h("p", { class: "note" }, `${count} more not shown`) : null;
}

/** The chart's numbers, folded away: drawn when it is opened. */
function dataTable(title, shape, before, groups, kept) {
    const series = [...shape.series, ...before];
    const columns = [
        { key: "label", label: shape.interval ?? plainName(groupNames(groups)[0] ?? "group"), sortable: false },
        ...series.map((entry, index) => ({ key: `s${index}`, label: entry.name, type: "number" })),
    ];
    const place = h("div");
    const details = h("details", {
        class: "data-table", open: Boolean(kept.isOpen), onToggle: () => {
            kept.isOpen = details.open;
            if (!details.open || place.firstChild) return;
            const rows = shape.longLabels.map((label, row) => ({
                label, ...Object.fromEntries(series.map((entry, index) => [`s${index}`, entry.values[row]])),
            }));
            fill(place, table(columns, rows, { caption: `Data of ${title}`, pageSize: 31 }));
        },
    }, h("summary", {}, "Numbers"), place);
    return details;
}

/** A field's name without its scope. */
function plainName(field) {
    return valueText(field).replace(/^(properties|device|location|context|traits)\./, "").replaceAll("_", " ");
}

/**
 * What a widget is grouped by, as far as its rows show it. A shared link does not tell; there the columns do, since
 * groups stand first: before `complete`, or before the first that is called as a metric is.
 */
function groupsOf(definition, columns) {
    const dimensions = groupNames(definition.dimensions);
    if (dimensions.length > 0) return dimensions;
    if (definition.group_by || definition.metrics) return groupNames(definition.group_by);
    const isMetric = (name) => name === "complete" || /^(count|(count_distinct|sum|avg|min|max)_.*)$/.test(name);
    const first = columns.findIndex(isMetric);
    return columns.slice(0, first < 0 ? columns.length - 1 : first);
}
