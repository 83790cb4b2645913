// What is counted: events, people, or the numbers of a property.

import { fill, h } from "../dom.js";
import { propertyPicker } from "./pickers.js";

const kinds = [
    ["count", "Total events"], ["users", "Unique users"], ["count_distinct", "Distinct values of"], ["sum", "Sum of"],
    ["avg", "Average of"], ["min", "Minimum of"], ["max", "Maximum of"],
];

/** A measure is `{type, field?}`; this is the question's metric of it, under `alias`. */
export function metricOf(measure, alias = undefined) {
    const name = alias === undefined ? {} : { alias };
    if (measure.type === "count") return alias === undefined ? "count" : { type: "count", ...name };
    if (measure.type === "users") return { type: "count_distinct", field: "user_id", ...name };
    return { type: measure.type, field: measure.field, ...name };
}

/** What a question calls a metric that was given no alias: its column, and what an order names. */
export function columnOf(metric) {
    if (typeof metric === "string") return metric;
    return metric.alias ?? (metric.field ? `${metric.type}_${metric.field}` : metric.type);
}

/** The measure of a question's metric. */
export function measureOf(metric) {
    if (!metric || metric === "count" || metric.type === "count") return { type: "count" };
    if (metric.type === "count_distinct" && metric.field === "user_id") return { type: "users" };
    return { type: metric.type, field: metric.field };
}

/** Whether it names all that it needs. */
export function isComplete(measure) {
    return measure.type === "count" || measure.type === "users" || Boolean(measure.field);
}

/** What people call it. */
export function measureName(measure) {
    const [, text] = kinds.find(([type]) => type === measure.type) ?? kinds[0];
    if (!measure.field) return text.toLowerCase();
    return `${text.toLowerCase()} ${measure.field.replace(/^properties\./, "")}`;
}

/** A choice of the kind, and of the property where one is needed; `onChange(measure)` hears complete ones. */
export function measurePicker(catalog, { value, onChange, eventType = () => null }) {
    const measure = { ...value };
    const place = h("div", { class: "measure-field" });
    const tell = () => {
        if (isComplete(measure)) onChange({ ...measure });
    };
    const select = h("select", {
        class: "select", "aria-label": "Measure", onChange: () => {
            const needed = !["count", "users"].includes(select.value);
            measure.type = select.value;
            if (!needed) delete measure.field;
            draw();
            if (needed && !measure.field) place.querySelector("input").focus();
            tell();
        },
    }, kinds.map(([type, text]) => h("option", { value: type, selected: type === measure.type }, text)));
    const draw = () => {
        const isNeeded = !["count", "users"].includes(measure.type);
        fill(place, isNeeded && propertyPicker(catalog, {
            value: measure.field ?? null, eventType, isNumeric: measure.type !== "count_distinct",
            label: "Measured property",
            onChange: (field) => {
                measure.field = field;
                tell();
            },
        }));
    };
    draw();
    return h("div", { class: "measure" }, select, place);
}
