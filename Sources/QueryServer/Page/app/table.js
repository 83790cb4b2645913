// A table that sorts by its heads, grows by pages, and leaves as CSV.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { csv, fileName, saveFile } from "./download.js";
import { dateTime, exactNumber, percent, shortNumber, valueText } from "./format.js";

const pageRows = 100;

/**
 * A table of `rows` (objects) with `columns`: [{key, label, type?, format?, sortable?}]. `type`: "text" (default),
 * "number", "percent", "time"; `format(value, row)` gives a text or a node and wins over the type.
 * Options: `caption` (said by screen readers), `zone`, `onRow(row)` (rows become buttons), `sort: {key, isDescending}`,
 * `emptyText`, `pageSize`, `state` (an object that keeps order and length for the next table). Returns the element.
 */
export function table(columns, rows, options = {}) {
    const state = options.state ?? {};
    state.sort ??= options.sort ?? null;
    state.shown ??= options.pageSize ?? pageRows;
    const caption = options.caption ?? "Rows";
    const body = h("tbody");
    const foot = h("div", { class: "table-more" });
    const heads = columns.map((column) => head(column, state, () => draw()));
    const element = h("div", { class: "table" },
        h("div", { class: "table-scroll", role: "group", tabindex: "0", "aria-label": `${caption}, table` },
            h("table", {},
                options.caption && h("caption", { class: "visually-hidden" }, options.caption),
                h("thead", {}, h("tr", {}, heads.map((entry) => entry.element))),
                body)),
        foot);
    const draw = () => {
        for (const entry of heads) entry.mark();
        const ordered = sorted(rows, state.sort);
        fill(body, ordered.slice(0, state.shown).map((row) => bodyRow(columns, row, options)));
        if (rows.length === 0) {
            fill(body, h("tr", {}, h("td", { colspan: columns.length, class: "table-empty" },
                options.emptyText ?? "Nothing here.")));
        }
        fill(foot, rows.length > state.shown && h("button", {
            type: "button", class: "button quiet", onClick: () => {
                state.shown += pageRows;
                draw();
            },
        }, `Show more (${exactNumber(rows.length - state.shown)} left)`));
    };
    draw();
    return element;
}

function head(column, state, onSort) {
    const isNumber = column.type === "number" || column.type === "percent";
    const cell = h("th", { scope: "col", class: isNumber ? "number" : null });
    if (column.sortable === false) {
        cell.append(column.label);
        return { element: cell, mark: () => {} };
    }
    const arrow = h("span", { class: "sort-mark", "aria-hidden": "true" });
    cell.append(h("button", {
        type: "button", class: "sort", onClick: () => {
            const isSame = state.sort?.key === column.key;
            state.sort = { key: column.key, isDescending: isSame ? !state.sort.isDescending : isNumber };
            onSort();
        },
    }, column.label, arrow));
    const mark = () => {
        const isSorted = state.sort?.key === column.key;
        if (isSorted) cell.setAttribute("aria-sort", state.sort.isDescending ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
        fill(arrow, isSorted && icon(state.sort.isDescending ? "downward" : "upward", 12));
    };
    return { element: cell, mark };
}

function bodyRow(columns, row, { onRow, zone }) {
    const cells = columns.map((column, index) => {
        const content = cellContent(column, row, zone);
        const isNumber = column.type === "number" || column.type === "percent";
        const hasDigits = column.type === "number" && typeof row[column.key] === "number";
        const exact = hasDigits ? exactNumber(row[column.key]) : null;
        if (index > 0 || !onRow) return h("td", { class: isNumber ? "number" : null, title: exact }, content);
        return h("td", {}, h("button", { type: "button", class: "cell-button", onClick: () => onRow(row) }, content));
    });
    return h("tr", { class: onRow ? "clickable" : null, onClick: onRow && ((event) => {
        if (!event.target.closest("button, a")) onRow(row);
    }) }, cells);
}

function cellContent(column, row, zone) {
    const value = row[column.key];
    if (column.format) return column.format(value, row);
    if (column.type === "number") return shortNumber(value);
    if (column.type === "percent") return percent(value);
    if (column.type === "time") return dateTime(value, zone);
    return valueText(value);
}

/** Numbers by size, texts by the alphabet, missing values last either way. */
function sorted(rows, sort) {
    if (!sort) return rows;
    const direction = sort.isDescending ? -1 : 1;
    return [...rows].sort((first, second) => {
        const a = first[sort.key];
        const b = second[sort.key];
        const aMissing = a === null || a === undefined;
        const bMissing = b === null || b === undefined;
        if (aMissing || bMissing) return aMissing - bMissing;
        if (typeof a === "number" && typeof b === "number") return (a - b) * direction;
        return String(a).localeCompare(String(b), "en", { numeric: true }) * direction;
    });
}

/** A button that saves the rows. `rows` may be a function, for rows that are not there yet. */
export function csvButton(title, columns, rows) {
    return h("button", {
        type: "button", class: "button quiet", onClick: () => {
            const all = typeof rows === "function" ? rows() : rows;
            saveFile(fileName(title, "csv"), csv(columns, all), "text/csv");
        },
    }, icon("download"), "CSV");
}
