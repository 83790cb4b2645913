// The fields of each kind of widget in its form. They write into the draft.

import { fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { filterBuilder } from "../controls/filters.js";
import { measurePicker } from "../controls/measure.js";
import { eventPicker, propertyPicker } from "../controls/pickers.js";

const chartTypes = [["line", "Line"], ["area", "Area"], ["bar", "Bars"], ["stacked", "Stacked"], ["pie", "Pie"]];
const intervals = [["", "None"], ["hour", "Hour"], ["day", "Day"], ["week", "Week"], ["month", "Month"]];
const trends = [
    ["", "None"], ["1_days", "A day earlier"], ["7_days", "7 days earlier"], ["30_days", "30 days earlier"],
];

/** The fields that a draft of this type needs; `draw` draws the form anew. */
export function fieldsOf(context, draft, draw) {
    return { metric: metricFields, chart: chartFields, table: tableFields, funnel: funnelFields }[draft.type](
        context, draft, draw);
}

function choice(text, options, value, onChange) {
    const known = options.some(([code]) => code === (value ?? ""));
    const all = known ? options : [...options, [value, String(value)]];
    const select = h("select", { class: "select", onChange: () => onChange(select.value || null) },
        all.map(([code, name]) => h("option", { value: code, selected: code === (value ?? "") }, name)));
    return labelled(text, select);
}

function eventFields(context, draft) {
    return [
        labelled("Event", eventPicker(context.catalog, {
            value: draft.eventType, anyText: "All events", onChange: (name) => {
                draft.eventType = name;
            },
        })),
        h("div", { class: "field" }, h("span", { class: "label" }, "Filters"), filterBuilder(context.catalog, {
            tests: draft.tests, eventType: () => draft.eventType, onChange: (tests) => {
                draft.tests = tests;
            },
        })),
    ];
}

function measureField(context, draft) {
    draft.measure ??= { type: "count" };
    return labelled("Measure", measurePicker(context.catalog, {
        value: draft.measure, eventType: () => draft.eventType, onChange: (measure) => {
            draft.measure = measure;
            draft.order = null;
        },
    }));
}

function metricFields(context, draft) {
    return [eventFields(context, draft), h("div", { class: "form-grid" }, measureField(context, draft),
        choice("Trend, against", trends, draft.trend, (code) => {
            draft.trend = code;
        }))];
}

function chartFields(context, draft, draw) {
    if (draft.interval === undefined) draft.interval = "day";
    draft.chartType ??= "line";
    return [
        eventFields(context, draft),
        h("div", { class: "form-grid" },
            measureField(context, draft),
            choice("Over time, by", intervals, draft.interval, (code) => {
                draft.interval = code;
                draft.order = null;
                if (!code && ["line", "area"].includes(draft.chartType)) {
                    draft.chartType = "bar";
                    draw();
                }
            }),
            labelled("Broken down by", propertyPicker(context.catalog, {
                value: draft.breakdown ?? null, noneText: "Nothing", label: "Broken down by",
                eventType: () => draft.eventType, onChange: (name) => {
                    draft.breakdown = name;
                },
            })),
            choice("Drawn as", chartTypes, draft.chartType, (code) => {
                draft.chartType = code;
            })),
    ];
}

function tableFields(context, draft, draw) {
    draft.dimensions ??= [];
    draft.measures ??= [{ type: "count" }, { type: "users" }];
    const limit = h("input", {
        type: "number", class: "input", min: "1", max: "1000", value: draft.limit ?? 20, onInput: () => {
            draft.limit = Number(limit.value) || 20;
        },
    });
    const dimensions = lines(draft.dimensions, "Add a column to group by", () => null, (value, index) => propertyPicker(
        context.catalog, {
            value, label: `Group ${index + 1}`, eventType: () => draft.eventType, onChange: (name) => {
                draft.dimensions[index] = name;
            },
        }), draw);
    const blank = () => newMeasure(draft.measures);
    const measures = lines(draft.measures, "Add a number", blank, (value, index) => measurePicker(
        context.catalog, {
            value, eventType: () => draft.eventType, onChange: (measure) => {
                draft.measures[index] = measure;
                draft.order = null;
            },
        }), draw);
    return [
        eventFields(context, draft),
        h("div", { class: "field" }, h("span", { class: "label" }, "Grouped by"), dimensions),
        h("div", { class: "field" }, h("span", { class: "label" }, "Numbers"), measures),
        labelled("Rows at most", limit),
    ];
}

/** A measure that is not there yet: people, or the events; else one whose property is still to be chosen. */
function newMeasure(measures) {
    const isThere = (type) => measures.some((measure) => measure.type === type);
    return { type: ["count", "users"].find((type) => !isThere(type)) ?? "sum" };
}

/** Lines of one control each, to add and to remove. */
function lines(values, addText, blank, control, draw) {
    return h("div", { class: "stack tight" }, values.map((value, index) => h("div", { class: "line" },
        control(value, index),
        h("button", {
            type: "button", class: "button quiet square", "aria-label": `Remove line ${index + 1}`, onClick: () => {
                values.splice(index, 1);
                draw();
            },
        }, icon("close", 16)))),
    h("button", {
        type: "button", class: "button quiet add", onClick: () => {
            values.push(blank());
            draw();
        },
    }, icon("plus", 16), addText));
}

function funnelFields(context, draft, draw) {
    draft.steps = draft.steps?.length ? draft.steps : [0, 1].map(() => ({ name: "", eventType: null, tests: [] }));
    const window = h("input", {
        type: "text", class: "input", value: draft.window ?? "14d", placeholder: "7d", onInput: () => {
            draft.window = window.value.trim();
        },
    });
    const list = h("ol", { class: "step-list" });
    fill(list, draft.steps.map((step, index) => stepFields(context, draft, step, index, draw)));
    return [
        h("div", { class: "field" }, h("span", { class: "label" }, "Steps, in their order"), list,
            h("button", {
                type: "button", class: "button quiet add", onClick: () => {
                    draft.steps.push({ name: "", eventType: null, tests: [] });
                    draw();
                },
            }, icon("plus", 16), "Add step")),
        labelled("Window", window, "How long after step 1 the last step may be: 12h, 7d, 4w."),
    ];
}

function stepFields(context, draft, step, index, draw) {
    const name = h("input", {
        type: "text", class: "input", value: step.name, placeholder: "Name (optional)",
        "aria-label": `Name of step ${index + 1}`,
        onInput: () => {
            step.name = name.value;
        },
    });
    const move = (to) => {
        draft.steps.splice(to, 0, ...draft.steps.splice(index, 1));
        draw();
    };
    const button = (mark, label, action, isDisabled) => h("button", {
        type: "button", class: "button quiet square", "aria-label": `${label} step ${index + 1}`, disabled: isDisabled,
        onClick: action,
    }, icon(mark, 16));
    return h("li", { class: "step" },
        h("div", { class: "step-line" },
            eventPicker(context.catalog, {
                value: step.eventType, label: `Event of step ${index + 1}`, onChange: (event) => {
                    step.eventType = event;
                },
            }),
            name,
            h("span", { class: "step-tools" },
                button("upward", "Move up", () => move(index - 1), index === 0),
                button("downward", "Move down", () => move(index + 1), index === draft.steps.length - 1),
                button("trash", "Remove", () => {
                    draft.steps.splice(index, 1);
                    draw();
                }, draft.steps.length <= 2))),
        filterBuilder(context.catalog, {
            tests: step.tests, eventType: () => step.eventType, onChange: (tests) => {
                step.tests = tests;
            },
        }));
}
