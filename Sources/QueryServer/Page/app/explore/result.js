// What Explore shows: the chart, and the numbers as a table below it.

import { append, fill, h } from "../dom.js";
import { barList } from "../bars.js";
import { chart } from "../charts.js";
import { exactNumber, shortNumber, signedPercent } from "../format.js";
import { table } from "../table.js";
import { empty } from "../states.js";
import { seriesName } from "./state.js";

/**
 * Draws `result` (of `askAll`) into `place`. `onPoint({source, group, key, meta})` is called for a click on a point or
 * a number. Returns `{drawn, columns, rows}`: the chart (or null) and the table's data, for export.
 */
export function drawResult(place, state, result, onPoint) {
    const { shape, before } = result;
    const data = tableData(state, result);
    if (shape.series.every((series) => series.values.every((value) => !value))) {
        fill(place, empty("Nothing found", "No events match in this range. Try other dates, or fewer filters."));
        return { drawn: null, ...data };
    }
    fill(place);
    const open = (series, index) => {
        const entry = [...shape.series, ...before][series];
        if (!entry || entry.isPrevious) return;
        const key = shape.interval ? shape.keys[index] : null;
        const meta = result.metas[entry.source];
        onPoint({ source: entry.source, group: groupOf(entry, shape, state, index), key, meta });
    };
    const drawn = drawPicture(place, state, result, open);
    append(place, isNoneBefore(before) && h("p", { class: "note" }, "There are no events in the period before."),
        numbers(state, result, data, open));
    return { drawn, ...data };
}

/** Whether a comparison was asked for that has nothing to compare with. */
function isNoneBefore(before) {
    return before.length > 0 && before.every((series) => series.values.every((value) => !value));
}

/** The breakdown's value behind a point: of the series over time, of the label without time. */
function groupOf(entry, shape, state, index) {
    if (shape.interval) return entry.group;
    return state.breakdown ? [shape.keys[index]] : [];
}

function drawPicture(place, state, { shape, before, totals }, open) {
    if (state.kind === "table") return null;
    if (!shape.interval && !state.breakdown && state.kind !== "pie") {
        append(place, h("div", { class: "big-numbers" }, state.series.map((series, index) => h("div", {},
            h("p", { class: "note" }, seriesName(series)),
            h("p", { class: "metric-value", title: exactNumber(totals[index]) }, shortNumber(totals[index])),
            before[index] && h("p", { class: "note" }, beforeText(totals[index], before[index].values[0]))))));
        return null;
    }
    if (!shape.interval && shape.series.length === 1 && state.kind !== "pie") {
        const items = shape.labels.map((label, index) => ({ label, value: shape.series[0].values[index] }));
        append(place, barList(items, {
            label: seriesName(state.series[0]), isShare: state.series[0].measure.type === "count",
            onSelect: (_, index) => open(0, index),
        }));
        return null;
    }
    const pie = state.kind === "pie" && !state.breakdown ? pieOfSeries(shape) : shape;
    const kind = !shape.interval && state.kind !== "pie" ? "bar" : state.kind;
    const drawn = chart({
        ...pie, kind, title: `${state.series.map(seriesName).join(", ")}; the numbers are in the table below`,
        series: [...pie.series, ...(state.kind === "pie" ? [] : before)],
        onPoint: ({ series, index }) => (pie === shape ? open(series, index) : open(index, 0)),
    });
    drawn.element.classList.add(state.kind === "pie" ? "round" : "tall");
    append(place, drawn.element);
    return drawn;
}

/** Without a breakdown the parts of a pie are the series. */
function pieOfSeries(shape) {
    const labels = shape.series.map((series) => series.name);
    const values = shape.series.map((series) => series.values[0]);
    return { labels, longLabels: labels, series: [{ name: "All", values }] };
}

/** Columns and rows: over time a row for each bucket, else for each value of the breakdown. */
function tableData(state, { shape, before }) {
    const series = [...shape.series, ...before];
    // What grew is asked of a range as a whole: day by day the change says little.
    const changes = shape.interval ? [] : before;
    const first = shape.interval ?? state.breakdown?.replace(/^properties\./, "") ?? "range";
    const columns = [
        { key: "label", label: first, sortable: false },
        ...series.map((entry, index) => ({
            key: `s${index}`, type: "number",
            label: entry.isPrevious && shape.series.length === 1 ? "Before" : entry.name,
        })),
        ...changes.map((entry) => ({
            key: `c${entry.colorIndex}`, type: "percent", format: signedPercent,
            label: changes.length > 1 ? `${shape.series[entry.colorIndex].name}, change` : "Change",
        })),
    ];
    const rows = shape.longLabels.map((label, row) => ({
        label, index: row, key: shape.interval ? shape.keys[row] : label,
        ...Object.fromEntries(series.map((entry, index) => [`s${index}`, entry.values[row] ?? null])),
        ...Object.fromEntries(changes.map((entry) => [
            `c${entry.colorIndex}`, changeOf(shape.series[entry.colorIndex].values[row], entry.values[row])])),
    }));
    return { columns, rows };
}

function numbers(state, { shape, before }, { columns, rows }, open) {
    const clickable = columns.map((column, index) => {
        const entry = shape.series[index - 1];
        if (index === 0) {
            const isOpen = (row) => shape.interval && shape.unfinished?.[row.index];
            const lineClass = shape.interval ? "one-line" : null;
            return { ...column, format: (label, row) => h("span", { class: lineClass }, label,
                isOpen(row) && h("span", { class: "note" }, " (incomplete)")) };
        }
        if (!entry) return column;
        return { ...column, format: (value, row) => (value === null ? "–" : h("button", {
            type: "button", class: "cell-button plain", title: `${exactNumber(value)}; who is behind it?`,
            onClick: () => open(index - 1, row.index),
        }, shortNumber(value))) };
    });
    return h("div", { class: "numbers" }, totalsLine(shape, before, state),
        table(clickable, rows, { caption: "Numbers of the chart", pageSize: 31 }));
}

/** What the series over time add up to, where adding makes sense, and how that changed. */
function totalsLine(shape, before, state) {
    if (!shape.interval || !state.series.every((series) => ["count", "sum"].includes(series.measure.type))) return null;
    if (shape.series.length > 4) return null;
    return h("p", { class: "note totals" }, shape.series.map((entry, index) => {
        const sum = sumOf(entry);
        const earlier = before.find((series) => series.colorIndex === index);
        const number = h("b", { title: exactNumber(sum) }, shortNumber(sum));
        return [index > 0 && " · ", `${entry.name}: `, number, " in all", earlier && changeText(sum, sumOf(earlier))];
    }));
}

function sumOf(series) {
    return series.values.reduce((total, value) => total + (value ?? 0), 0);
}

function changeText(now, earlier) {
    return earlier === 0 ? ", none before" : `, ${signedPercent(changeOf(now, earlier))} against the period before`;
}

/** A number's change as a part of what it was; null where there was nothing. */
function changeOf(now, earlier) {
    return earlier ? ((now ?? 0) - earlier) / Math.abs(earlier) : null;
}

function beforeText(now, earlier) {
    return earlier ? `${signedPercent(changeOf(now, earlier))} from ${shortNumber(earlier)} in the period before`
        : "none in the period before";
}
