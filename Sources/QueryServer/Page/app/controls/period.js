// The picker of dates: usual ranges, or two days.

import { fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { presets, rangeName, resolvedDay, today } from "../ranges.js";
import { popover } from "./popover.js";

/** A button that names the range and opens the choice; `onChange({start, end})`. `zone` is whose today counts. */
export function periodPicker({ value, zone = "UTC", onChange, label = "Date range" }) {
    let range = value;
    const button = h("button", { type: "button", class: "button period" });
    const show = () => {
        fill(button, icon("calendar", 16), h("span", {}, rangeName(range)), icon("down", 14));
        button.setAttribute("aria-label", `${label}: ${rangeName(range)}`);
    };
    const take = (next, close) => {
        range = next;
        show();
        close();
        onChange(next);
    };
    const root = popover(button, (close) => [
        h("div", { class: "period-presets" }, presets.map((preset) => {
            const isChosen = preset.start === range.start && preset.end === range.end;
            return h("button", {
                type: "button", class: "menu-item", "aria-pressed": String(isChosen),
                dataset: isChosen ? { first: "" } : {},
                onClick: () => take({ start: preset.start, end: preset.end }, close),
            }, preset.name, isChosen && icon("check", 14));
        })),
        customForm(range, zone, (next) => take(next, close)),
    ], { label, className: "period-panel" });
    root.setValue = (next) => {
        range = next;
        show();
    };
    show();
    return root;
}

function customForm(range, zone, onTake) {
    const start = h("input", { type: "date", class: "input", value: resolvedDay(range.start, zone) ?? "" });
    const end = h("input", { type: "date", class: "input", value: resolvedDay(range.end, zone) ?? today(zone) });
    const problem = h("p", { class: "field-error", role: "alert" });
    return h("form", {
        class: "period-custom", novalidate: true, onSubmit: (event) => {
            event.preventDefault();
            if (!start.value || !end.value) problem.textContent = "Both days are needed.";
            else if (start.value > end.value) problem.textContent = "The first day is after the last.";
            else onTake({ start: start.value, end: end.value });
        },
    }, labelled("From", start), labelled("Through", end), problem,
    h("button", { type: "submit", class: "button primary" }, "Apply"));
}
