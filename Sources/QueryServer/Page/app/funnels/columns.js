// A funnel as columns: who went on, who is on the way, who left. Each part is a button that shows its people.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { exactNumber, percent, shortNumber } from "../format.js";
import { table } from "../table.js";

/** What may have become of the people of a step: the API's word, ours, and the count's place in the answer. */
export const outcomes = {
    converted: { text: "went on", last: "converted" },
    in_progress: { text: "in progress", last: "in progress" },
    dropped: { text: "dropped", last: "dropped" },
};

/** How many people of step `index` had the outcome. */
function outcomeCount(steps, index, outcome) {
    if (outcome !== "converted") return steps[index][outcome];
    return (steps[index + 1] ?? steps[index]).users;
}

/** The columns. `onPick(index, outcome)` hears which part was chosen. */
export function funnelBars(steps, onPick) {
    const most = Math.max(1, ...steps.map((step) => step.users));
    const columns = steps.map((step, index) => h("li", { class: "conversion-column" },
        index > 0 && passage(step),
        h("div", { class: "conversion-track" },
            h("div", { class: "conversion-bar", style: { "--share": String(step.users / most) } },
                ["dropped", "in_progress", "converted"].map((outcome) => part(steps, index, outcome, onPick)))),
        h("div", { class: "conversion-text" },
            h("p", { class: "conversion-name" }, h("span", { class: "stage-number" }, String(index + 1)), step.name),
            h("p", { class: "conversion-users", title: exactNumber(step.users) }, shortNumber(step.users)),
            h("p", { class: "note" }, index === 0 ? "entered" : `${percent(step.from_first)} of all`),
            index < steps.length - 1 && left(steps, index))));
    return h("ol", { class: "conversion-columns", style: { "--columns": String(steps.length) } }, columns);
}

/** Between two columns: the part that came through. */
function passage(step) {
    return h("p", { class: "passage" }, icon("right", 14), h("strong", {}, percent(step.conversion_rate)),
        h("span", { class: "visually-hidden" }, " of the step before"));
}

function left(steps, index) {
    const { dropped, in_progress: open } = steps[index];
    return h("p", { class: "conversion-left" },
        dropped > 0 && h("span", {}, h("span", { class: "swatch dropped" }), `${shortNumber(dropped)} dropped`),
        open > 0 && h("span", {}, h("span", { class: "swatch in_progress" }), `${shortNumber(open)} in progress`));
}

function part(steps, index, outcome, onPick) {
    const count = outcomeCount(steps, index, outcome);
    const isLast = index === steps.length - 1;
    if (count === 0 || (isLast && outcome !== "converted")) return null;
    const words = outcomes[outcome][isLast ? "last" : "text"];
    const text = `${exactNumber(count)} ${words} after step ${index + 1}, ${steps[index].name}`;
    return h("button", {
        type: "button", class: `conversion-part ${outcome}`, style: { "--part": String(count) },
        title: `${text}: show who`,
        "aria-label": `${text}. Show these people`, onClick: () => onPick(index, outcome),
    });
}

/** What the colours of the columns mean. */
export function funnelLegend() {
    const item = ([outcome, { text }]) => h("li", {}, h("span", { class: `swatch ${outcome}` }), text);
    return h("ul", { class: "conversion-legend" }, Object.entries(outcomes).map(item));
}

/** The same as a table, with all rates of the answer. */
export function funnelTable(steps) {
    const columns = [
        {
            key: "step", label: "Step", format: (number, row) => h("span", { class: "conversion-name" },
                h("span", { class: "stage-number" }, String(number)), row.name),
        },
        { key: "users", label: "People", type: "number" },
        { key: "conversion_rate", label: "Conversion", type: "percent" },
        { key: "drop_off", label: "Drop-off", type: "percent" },
        { key: "from_first", label: "From first", type: "percent" },
        { key: "dropped", label: "Dropped", type: "number" },
        { key: "in_progress", label: "In progress", type: "number" },
        { key: "conversion_rate_closed", label: "Of finished", type: "percent" },
    ];
    const rows = steps.map((step, index) => ({ ...step, step: index + 1 }));
    const saved = [{ key: "step", label: "Step" }, { key: "name", label: "Name" }, ...columns.slice(1)];
    return { columns: saved, rows, element: table(columns, rows, { caption: "The funnel's steps" }) };
}
