// A funnel as columns: who went on, who is on the way, who left. Each part is a button that shows its people.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { exactNumber, percent, shortNumber } from "../format.js";
import { table } from "../table.js";

/** What may have become of the people of a step: the API's word, ours, and the count's place in the answer. */
export const outcomes = {
    converted: { text: "went on", last: "converted" },
    in_progress: { text: "in progress", last: "in progress" },
    dropped: { text: "dropped out", last: "dropped out" },
};

/** How many people of step `index` had the outcome. */
export function outcomeCount(steps, index, outcome) {
    if (outcome !== "converted") return steps[index][outcome];
    return (steps[index + 1] ?? steps[index]).users;
}

/** The columns. `onPick(index, outcome)` hears which part was chosen. */
export function funnelBars(steps, onPick) {
    const most = Math.max(1, ...steps.map((step) => step.users));
    const columns = steps.map((step, index) => h("li", { class: "funnel-column" },
        index > 0 && passage(step),
        h("div", { class: "funnel-track" },
            h("div", { class: "funnel-bar", style: { "--share": String(step.users / most) } },
                ["dropped", "in_progress", "converted"].map((outcome) => part(steps, index, outcome, onPick)))),
        h("div", { class: "funnel-text" },
            h("p", { class: "funnel-name" }, h("span", { class: "step-number" }, String(index + 1)), step.name),
            h("p", { class: "funnel-users", title: exactNumber(step.users) }, shortNumber(step.users)),
            h("p", { class: "note" }, index === 0 ? "people entered" : `${percent(step.from_first)} of all who entered`),
            index < steps.length - 1 && left(steps, index))));
    return h("ol", { class: "funnel-columns", style: { "--columns": String(steps.length) } }, columns);
}

/** Between two columns: the part that came through. */
function passage(step) {
    return h("p", { class: "passage" }, icon("right", 14), h("strong", {}, percent(step.conversion_rate)),
        h("span", { class: "visually-hidden" }, " of the step before"));
}

function left(steps, index) {
    const { dropped, in_progress: open } = steps[index];
    return h("p", { class: "funnel-left" },
        dropped > 0 && h("span", { class: "left-dropped" }, icon("downward", 12), `${shortNumber(dropped)} dropped out`),
        open > 0 && h("span", { class: "left-open" }, icon("flat", 12), `${shortNumber(open)} in progress`));
}

function part(steps, index, outcome, onPick) {
    const count = outcomeCount(steps, index, outcome);
    const isLast = index === steps.length - 1;
    if (count === 0 || (isLast && outcome !== "converted")) return null;
    const words = outcomes[outcome][isLast ? "last" : "text"];
    const text = `${exactNumber(count)} ${words} after step ${index + 1}, ${steps[index].name}`;
    return h("button", {
        type: "button", class: `funnel-part ${outcome}`, style: { "--part": String(count) }, title: `${text}: show who`,
        "aria-label": `${text}. Show these people`, onClick: () => onPick(index, outcome),
    });
}

/** What the colours of the columns mean. */
export function funnelLegend() {
    return h("ul", { class: "legend" },
        Object.entries(outcomes).map(([outcome, { text }]) => h("li", {}, h("span", { class: `swatch ${outcome}` }), text)));
}

/** The same as a table, with all rates of the answer. */
export function funnelTable(steps) {
    const columns = [
        { key: "step", label: "Step", type: "number" },
        { key: "name", label: "Name" },
        { key: "users", label: "People", type: "number" },
        { key: "conversion_rate", label: "Conversion", type: "percent" },
        { key: "drop_off", label: "Drop-off", type: "percent" },
        { key: "from_first", label: "From first", type: "percent" },
        { key: "dropped", label: "Dropped out", type: "number" },
        { key: "in_progress", label: "In progress", type: "number" },
        { key: "conversion_rate_closed", label: "Conversion of the finished", type: "percent" },
    ];
    const rows = steps.map((step, index) => ({ ...step, step: index + 1 }));
    return { columns, rows, element: table(columns, rows, { caption: "The funnel's steps" }) };
}
