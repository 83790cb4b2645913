// Lists of bars in HTML: categories with their values, and the steps of a funnel. They are their own text alternative.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { counted, exactNumber, percent, shortNumber } from "./format.js";

/**
 * Categories as rows with a bar behind them: `items`: [{label, value}]; `format` of values; `onSelect(item, index)`
 * makes rows buttons.
 */
export function barList(items, { label, format = shortNumber, onSelect = null, isShare = false } = {}) {
    const largest = Math.max(...items.map((item) => item.value ?? 0), 0);
    const whole = items.reduce((sum, item) => sum + (item.value ?? 0), 0);
    return h("ol", { class: "bar-list", "aria-label": label }, items.map((item, index) => {
        const part = largest > 0 ? Math.max(item.value ?? 0, 0) / largest : 0;
        const content = [
            h("span", { class: "bar-fill", style: { width: `${part * 100}%` }, "aria-hidden": "true" }),
            h("span", { class: "bar-label" }, item.label),
            isShare && h("span", { class: "bar-share" }, percent(whole > 0 ? (item.value ?? 0) / whole : 0)),
            h("span", { class: "bar-value", title: exactNumber(item.value) }, format(item.value)),
        ];
        return h("li", {}, onSelect
            ? h("button", { type: "button", class: "bar-row", onClick: () => onSelect(item, index) }, content)
            : h("div", { class: "bar-row" }, content));
    }));
}

/** The steps of a funnel's answer as bars, with who went on and who did not. */
export function funnelBars(steps, overall) {
    const first = steps[0]?.users ?? 0;
    return h("div", { class: "funnel" },
        overall !== null && h("p", { class: "funnel-overall" },
            h("b", {}, percent(overall)), " of ", counted(first, "person", "people"), " went all the way"),
        h("ol", { class: "funnel-steps" }, steps.map((step, index) => funnelStep(step, index, steps))));
}

function funnelStep(step, index, steps) {
    const part = steps[0].users > 0 ? step.users / steps[0].users : 0;
    const isLast = index === steps.length - 1;
    return h("li", { class: "funnel-step" },
        h("div", { class: "funnel-line" },
            h("span", { class: "funnel-number", "aria-hidden": "true" }, index + 1),
            h("span", { class: "funnel-name" }, step.name ?? step.step),
            h("span", { class: "funnel-users", title: `${exactNumber(step.users)} people reached this step` },
                shortNumber(step.users)),
            h("span", { class: "funnel-rate" }, percent(part))),
        h("div", { class: "funnel-track", "aria-hidden": "true" },
            h("span", { class: "funnel-fill", style: { width: `${part * 100}%` } })),
        !isLast && h("p", { class: "funnel-after" },
            icon("downward", 12), percent(steps[index + 1].conversion_rate), " went on",
            step.dropped > 0 && ` · ${shortNumber(step.dropped)} dropped off`,
            step.in_progress > 0 && ` · ${shortNumber(step.in_progress)} still have time`));
}
