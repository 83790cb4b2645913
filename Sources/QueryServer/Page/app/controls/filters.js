// Rows of tests: property, operator, value. They become the `filters` of a question.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { shortNumber } from "../format.js";
import { combobox } from "./combobox.js";
import { propertyPicker } from "./pickers.js";

const operators = [
    ["eq", "is"], ["ne", "is not"], ["contains", "contains"], ["starts_with", "starts with"],
    ["in", "is one of"], ["not_in", "is none of"], ["gt", ">"], ["gte", "≥"], ["lt", "<"], ["lte", "≤"],
    ["exists", "is there"], ["not_exists", "is missing"],
];

const valueless = new Set(["exists", "not_exists"]);
const several = new Set(["in", "not_in"]);

/**
 * A builder of tests that must all hold. `tests`: [{field, op, value}]; `onChange(tests)` hears every complete set
 * (rows that are not finished are left out). `eventType()` narrows which properties are offered.
 */
export function filterBuilder(catalog, { tests = [], onChange, eventType = () => null, addText = "Filter" }) {
    const rows = tests.map((test) => ({ ...test }));
    const list = h("div", { class: "filter-rows" });
    const tell = () => onChange(completeTests(rows));
    const draw = () => {
        fill(list, rows.map((row, index) => filterRow(catalog, row, eventType, {
            onChange: tell,
            onRemove: () => {
                rows.splice(index, 1);
                draw();
                tell();
                add.focus();
            },
        })));
    };
    const add = h("button", {
        type: "button", class: "button quiet add", onClick: () => {
            rows.push({ field: null, op: "eq", value: null });
            draw();
            list.lastElementChild.querySelector("input").focus();
        },
    }, icon("plus", 16), addText);
    draw();
    return h("div", { class: "filters" }, list, add);
}

function filterRow(catalog, row, eventType, { onChange, onRemove }) {
    // Only the value is drawn anew, so that the focus stays where it is.
    let value = valueField(catalog, row, eventType, onChange);
    const redraw = () => {
        const next = valueField(catalog, row, eventType, onChange);
        value.replaceWith(next);
        value = next;
        remove.setAttribute("aria-label", removeLabel(row));
    };
    const field = propertyPicker(catalog, {
        value: row.field, eventType, label: "Filter by",
        onChange: (name) => {
            row.field = name;
            row.value = null;
            redraw();
            onChange();
        },
    });
    const op = h("select", {
        class: "select", "aria-label": "Operator", onChange: () => {
            if (several.has(row.op) !== several.has(op.value)) row.value = null;
            row.op = op.value;
            redraw();
            onChange();
        },
    }, operators.map(([code, text]) => h("option", { value: code, selected: code === row.op }, text)));
    const remove = h("button", {
        type: "button", class: "button quiet square", "aria-label": removeLabel(row),
        onClick: onRemove,
    }, icon("close", 16));
    return h("div", { class: "filter-row", role: "group", "aria-label": "Filter" }, field, op, value, remove);
}

function removeLabel(row) {
    return `Remove filter ${row.field ?? ""}`.trim();
}

/** What the property is held against; nothing to be seen where the operator needs nothing. */
function valueField(catalog, row, eventType, onChange) {
    if (valueless.has(row.op)) return h("span", { hidden: true });
    return combobox({
        label: "Value", isFree: true, className: "value-picker",
        placeholder: several.has(row.op) ? "Values, by commas" : "Value",
        value: row.value === null || row.value === undefined ? null : shownText(row.value),
        options: () => sampleChoices(catalog, row.field, eventType()),
        onChange: async (text) => {
            const types = (await propertyNamed(catalog, row.field, eventType()).catch(() => null))?.types;
            const read = (part) => typed(row.field, types, part.trim());
            row.value = text === null ? null : several.has(row.op) ? text.split(",").map(read) : read(text);
            onChange();
        },
    });
}

async function propertyNamed(catalog, name, eventType) {
    if (!name) return null;
    return (await catalog.properties(eventType)).find((property) => property.name === name) ?? null;
}

async function sampleChoices(catalog, name, eventType) {
    const property = await propertyNamed(catalog, name, eventType);
    return (property?.samples ?? []).map((sample) => ({
        value: typedText(sample.value), note: shortNumber(sample.count),
    }));
}

function shownText(value) {
    return Array.isArray(value) ? value.map(typedText).join(", ") : typedText(value);
}

/** The text of a value in a field: texts that read as numbers or booleans stand in quotes. */
function typedText(value) {
    if (typeof value !== "string") return JSON.stringify(value);
    return /^(-?\d+(\.\d+)?|true|false|".*")$/.test(value) ? JSON.stringify(value) : value;
}

/** The value a text stands for. A number or boolean is one, unless the property has only texts; quotes make a text. */
function typed(name, types, text) {
    if (/^".*"$/.test(text)) return text.slice(1, -1);
    if (!/^(-?\d+(\.\d+)?|true|false)$/.test(text)) return text;
    const isText = types ? types.string > 0 && !types.number && !types.boolean : !name?.includes(".");
    return isText ? text : JSON.parse(text);
}

function completeTests(rows) {
    return rows.filter((row) => row.field && (valueless.has(row.op) || (row.value !== null && row.value !== undefined)))
        .map(({ field, op, value }) => (valueless.has(op) ? { field, op } : { field, op, value }));
}

/** The `filters` of a question: of an event's kind (or null) and tests. Undefined if there are none. */
export function filtersOf(eventType, tests = []) {
    const all = [...(eventType ? [{ field: "event_type", op: "eq", value: eventType }] : []), ...tests];
    if (all.length === 0) return undefined;
    return all.length === 1 ? all[0] : { and: all };
}

/**
 * `filters` taken apart again: {eventType, tests}, or null where they are more than the builder can show.
 * Both the object and the tree form are understood; dates at the top are left out.
 */
export function partsOfFilters(filters) {
    if (!filters) return { eventType: null, tests: [] };
    const { start_date: _start, end_date: _end, ...rest } = filters;
    const tests = testsOf(rest);
    if (!tests) return null;
    const isNaming = ({ field, op, value }) => field === "event_type" && op === "eq" && typeof value === "string";
    const named = tests.filter(isNaming);
    if (named.length > 1) return null;
    return { eventType: named[0]?.value ?? null, tests: tests.filter((test) => !named.includes(test)) };
}

function testsOf(filters) {
    const names = Object.keys(filters);
    if (names.length === 1 && Array.isArray(filters.and)) {
        const parts = filters.and.map(testsOf);
        return parts.every(Boolean) ? parts.flat() : null;
    }
    if ("field" in filters && "op" in filters) return [filters];
    if (names.some((name) => name === "or" || name === "not")) return null;
    return names.map((name) => (Array.isArray(filters[name])
        ? { field: name, op: "in", value: filters[name] }
        : { field: name, op: "eq", value: filters[name] }));
}

/** A test in words: "amount > 10". */
export function testText({ field, op, value }) {
    const words = { eq: "=", ne: "≠", gt: ">", gte: "≥", lt: "<", lte: "≤" }[op] ?? op.replaceAll("_", " ");
    const text = value === undefined ? "" : ` ${Array.isArray(value) ? value.join(", ") : value}`;
    return `${field.replace(/^properties\./, "")} ${words}${text}`;
}
