// The table of properties: how often each is there, of which types, and what stands in it.

import { h } from "../dom.js";
import { ago, counted, dateTime, exactNumber, percent, shortNumber, valueText } from "../format.js";
import { table } from "../table.js";
import { openDialog } from "../controls/dialog.js";
import { barList } from "../bars.js";

const typeNames = ["string", "number", "boolean", "json"];

const columns = [
    { key: "name", label: "Property" }, { key: "count", label: "Events" }, { key: "fill_rate", label: "Fill rate" },
    { key: "types", label: "Types" }, { key: "distinct", label: "Values" },
    { key: "samples", label: "Frequent values" }, { key: "last_seen", label: "Last seen" },
    { key: "description", label: "Description" },
];

/** A property with texts in place of lists, for CSV. */
function flat(property) {
    return {
        ...property, types: presentTypes(property.types).join(" "),
        samples: property.samples.map((sample) => valueText(sample.value)).join(", "),
    };
}

function presentTypes(types) {
    return typeNames.filter((name) => types[name] > 0);
}

/** `edit` is the columns at the end; `zone` whose clocks count. */
function element(properties, { zone, edit }) {
    const shown = [
        {
            key: "name", label: "Property", format: (name, property) => h("span", { class: "named" },
                h("code", {}, name), property.hidden && h("span", { class: "tag" }, "hidden"),
                property.description && h("span", { class: "note" }, property.description)),
        },
        {
            key: "fill_rate", label: "Fill rate", type: "percent",
            format: (rate, { count }) => barCell(count, rate, percent(rate, rate > 0.995 || rate < 0.005 ? 1 : 0)),
        },
        {
            key: "types", label: "Types", sortable: false,
            format: (types) => h("span", { class: "types" }, presentTypes(types).map((name) => h("span", {
                class: "tag", title: counted(types[name], "value"),
            }, name))),
        },
        {
            key: "distinct", label: "Values", type: "number",
            format: (count) => (count === null ? "> 10 k" : shortNumber(count)),
        },
        {
            key: "samples", label: "Frequent values", sortable: false,
            format: (samples, property) => samplesButton(samples, property),
        },
        {
            key: "last_seen", label: "Last seen",
            format: (at) => h("time", { datetime: at, title: dateTime(at, zone) }, ago(at)),
        },
        ...edit,
    ];
    return table(shown, properties, { caption: "Properties", emptyText: "No property of that name.", pageSize: 50 });
}

function samplesButton(samples, property) {
    if (samples.length === 0) return "–";
    const text = samples.slice(0, 3).map((sample) => valueText(sample.value)).join(", ");
    return h("button", {
        type: "button", class: "samples", title: "Show how frequent they are", onClick: () => openSamples(property),
    }, text, h("span", { class: "visually-hidden" }, `: frequent values of ${property.name}`));
}

function openSamples(property) {
    const items = property.samples.map(({ value, count }) => ({ label: valueText(value), value: count }));
    openDialog(`Frequent values of ${property.name}`, [
        h("p", { class: "note" }, `${exactNumber(property.count)} events have it, `
            + (property.distinct === null ? "with more than 10,000 different values."
                : `with ${counted(property.distinct, "different value")}.`)),
        barList(items, {
            label: `Frequent values of ${property.name}`, format: (count) => percent(count / property.count),
        }),
    ]);
}

/** A number over a bar that shows its size among the others. */
export function barCell(count, share, text) {
    return h("span", { class: "bar-cell", title: exactNumber(count) }, text,
        h("span", { class: "bar-line", "aria-hidden": "true", style: { "--share": String(share) } }));
}

export const propertyTable = { columns, flat, element };
