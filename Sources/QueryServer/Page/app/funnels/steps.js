// The funnel's builder: steps in their order, each an event with tests, that can be moved by mouse and keyboard.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { filterBuilder } from "../controls/filters.js";
import { eventPicker } from "../controls/pickers.js";
import { emptyStep } from "./state.js";

const stepsMax = 32;

/**
 * Edits `steps`: [{event, tests, name}]. `onChange(steps)` hears each change; steps without an event are in it too.
 */
export function stepsBuilder(catalog, steps, onChange) {
    const list = h("ol", { class: "stage-list" });
    const status = h("p", { class: "visually-hidden", role: "status" });
    const tell = () => onChange(steps);
    const redraw = () => {
        fill(list, steps.map((step, index) => stepItem(catalog, steps, index, { tell, change })));
        add.disabled = steps.length >= stepsMax;
    };
    const change = (edit, said, focused) => {
        edit();
        redraw();
        tell();
        status.textContent = said;
        (focused && list.querySelector(focused))?.focus();
    };
    const add = h("button", {
        type: "button", class: "button", onClick: () => change(
            () => steps.push(emptyStep()), `Step ${steps.length + 1} added`, "li:last-child input"),
    }, icon("plus", 16), "Add step");
    redraw();
    return h("div", { class: "stages" }, list, add, status);
}

function stepItem(catalog, steps, index, { tell, change }) {
    const step = steps[index];
    const number = index + 1;
    const picker = eventPicker(catalog, {
        value: step.event, label: `Event of step ${number}`,
        onChange: (event) => {
            step.event = event;
            tell();
        },
    });
    const name = h("input", {
        type: "text", class: "input stage-name", value: step.name, placeholder: "Name", maxlength: "100",
        "aria-label": `Name of step ${number}`, hidden: !step.name,
        onChange: () => {
            step.name = name.value.trim();
            tell();
        },
    });
    const rename = () => {
        name.hidden = false;
        name.focus();
    };
    const move = (to, word) => change(() => steps.splice(to, 0, ...steps.splice(index, 1)),
        `Step ${number} moved ${word}`, `li:nth-child(${to + 1}) [data-move="${word}"]`);
    const actions = [
        ["edit", `Name step ${number}`, true, rename, null],
        ["upward", `Move step ${number} up`, index > 0, () => move(index - 1, "up"), "up"],
        ["downward", `Move step ${number} down`, index < steps.length - 1, () => move(index + 1, "down"), "down"],
        ["close", `Remove step ${number}`, steps.length > 2, () => change(
            () => steps.splice(index, 1), `Step ${number} removed`, `li:nth-child(${Math.max(1, index)}) input`), null],
    ];
    return h("li", { class: "stage" },
        h("span", { class: "stage-number", "aria-hidden": "true" }, String(number)),
        h("div", { class: "stage-body" },
            h("div", { class: "stage-head" }, picker, name, h("div", { class: "stage-actions" },
                actions.map(([shape, label, isPossible, onClick, way]) => h("button", {
                    type: "button", class: "button quiet square", "aria-label": label, title: label,
                    disabled: !isPossible, dataset: way ? { move: way } : {}, onClick,
                }, icon(shape, 16))))),
            filterBuilder(catalog, {
                tests: step.tests, eventType: () => step.event, addText: "Where …",
                onChange: (tests) => {
                    step.tests = tests;
                    tell();
                },
            })));
}
