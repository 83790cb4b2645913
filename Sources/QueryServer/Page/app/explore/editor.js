// The controls of Explore: its series, breakdown, interval and kind of chart.

import { fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { filterBuilder } from "../controls/filters.js";
import { measurePicker } from "../controls/measure.js";
import { eventPicker, propertyPicker } from "../controls/pickers.js";
import { intervals, newSeries, seriesMax } from "./state.js";

const kindNames = { line: "Line", area: "Area", bar: "Bars", stacked: "Stacked", pie: "Pie", table: "Table" };

const intervalNames = [["", "Auto"], ...intervals.map((name) => [name, `By ${name}`]), ["none", "In total"]];

/** The column of series. `onChange()` is called after `state` was changed. */
export function seriesEditor(context, state, onChange) {
    const list = h("ol", { class: "series-list" });
    const draw = () => fill(list, state.series.map((series, index) => seriesCard(context, state, series, index, () => {
        draw();
        onChange();
    }, onChange)));
    const add = h("button", {
        type: "button", class: "button add", onClick: () => {
            if (state.series.length >= seriesMax) return;
            state.series.push(newSeries());
            draw();
            add.disabled = state.series.length >= seriesMax;
            list.lastElementChild.querySelector("input").focus();
            onChange();
        },
    }, icon("plus", 16), "Add series");
    draw();
    return h("section", { class: "card explore-series", "aria-label": "Series" },
        h("div", { class: "card-head" }, h("h2", {}, "Series")), list, add, breakdownField(context, state, onChange));
}

function seriesCard(context, state, series, index, onRedraw, onChange) {
    const remove = state.series.length > 1 && h("button", {
        type: "button", class: "button quiet square", "aria-label": `Remove series ${index + 1}`, onClick: () => {
            state.series.splice(index, 1);
            onRedraw();
        },
    }, icon("close", 16));
    return h("li", { class: "series", dataset: { series: String((index % 10) + 1) } },
        h("div", { class: "series-line" },
            h("span", { class: "series-mark", "aria-hidden": "true" }, String.fromCharCode(65 + index)),
            eventPicker(context.catalog, {
                value: series.event, anyText: "All events", label: `Event of series ${index + 1}`, onChange: (name) => {
                    series.event = name;
                    onChange();
                },
            }), remove),
        measurePicker(context.catalog, {
            value: series.measure, eventType: () => series.event, onChange: (measure) => {
                series.measure = measure;
                onChange();
            },
        }),
        filterBuilder(context.catalog, {
            tests: series.tests, eventType: () => series.event, onChange: (tests) => {
                if (JSON.stringify(tests) === JSON.stringify(series.tests)) return;
                series.tests = tests;
                onChange();
            },
        }));
}

function breakdownField(context, state, onChange) {
    const eventType = () => (state.series.length === 1 ? state.series[0].event : null);
    return h("div", { class: "breakdown" }, labelled("Break down by", propertyPicker(context.catalog, {
        value: state.breakdown, noneText: "Nothing", label: "Break down by", eventType, onChange: (name) => {
            state.breakdown = name;
            onChange();
        },
    })));
}

/** The kinds of charts as buttons, and the interval. */
export function chartControls(state, onChange) {
    const place = h("div", { class: "chart-controls" });
    const draw = () => {
        const kindButtons = Object.entries(kindNames).map(([kind, name]) => h("button", {
            type: "button", class: "button square", "aria-pressed": String(state.kind === kind), title: name,
            "aria-label": name, onClick: () => {
                state.kind = kind;
                draw();
                onChange();
                place.querySelector("[aria-pressed=true]").focus();
            },
        }, icon(kind, 17)));
        const interval = h("select", {
            class: "select", "aria-label": "Interval", disabled: state.kind === "pie", onChange: () => {
                state.interval = interval.value;
                onChange();
            },
        }, intervalNames.map(([code, name]) => h("option", { value: code, selected: code === state.interval }, name)));
        fill(place, interval,
            h("div", { class: "segments", role: "group", "aria-label": "Kind of chart" }, kindButtons));
    };
    draw();
    return place;
}
