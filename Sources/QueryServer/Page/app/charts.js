// Charts over Chart.js: our colours, the unfinished bucket dashed or hatched, the theme followed, points to click.
// The text alternative of a chart is the table that the view puts below it.

import { append, fill, h } from "./dom.js";
import { axisNumber, exactNumber, percent } from "./format.js";

/**
 * A chart in a new element. `spec`:
 *   kind      "line" | "area" | "bar" | "stacked" | "pie"
 *   title     what a screen reader says the chart is
 *   labels    texts of the axis, one a bucket or category; `longLabels` the same for the tooltip
 *   series    [{name, values, isPrevious?}]; a value may be null
 *   unfinished  [bool] a label: whether the bucket is not over yet
 *   format    number → text, default "1.2 M"
 *   hiddenNames  a Set of the series that the legend hides; kept outside, it lasts longer than the chart
 *   onPoint   ({series, index}) → void, a click on a point
 * Returns `{element, update(spec), destroy(), image()}`; `image()` promises a PNG as a Blob.
 */
export function chart(spec) {
    const canvas = h("canvas", { role: "img", "aria-label": spec.title });
    const legend = h("div", { class: "legend" });
    const element = h("div", { class: "chart" }, h("div", { class: "chart-canvas" }, canvas), legend);
    const state = { spec, drawn: null, hiddenNames: spec.hiddenNames ?? new Set() };
    const draw = ({ isMoving = true } = {}) => {
        state.drawn?.destroy();
        canvas.setAttribute("aria-label", state.spec.title);
        canvas.classList.toggle("has-points", Boolean(state.spec.onPoint));
        state.drawn = new window.Chart(canvas, configuration(state.spec, state.hiddenNames, isMoving));
        drawLegend(legend, state, draw);
    };
    // At once: the colours of the whole page change at once, and before printing there is no time to move.
    const onTheme = () => draw({ isMoving: false });
    document.addEventListener("themechange", onTheme);
    // Chart.js measures the element, so it is drawn once it stands in the page.
    const frame = requestAnimationFrame(() => draw());
    return {
        element,
        update(next) {
            state.spec = next;
            draw();
        },
        destroy() {
            cancelAnimationFrame(frame);
            document.removeEventListener("themechange", onTheme);
            state.drawn?.destroy();
        },
        image: () => pngOf(canvas),
    };
}

/** The colour of series number `index`, as the style sheets define it. */
function seriesColor(index) {
    return token(`--series-${(index % 10) + 1}`);
}

function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function configuration(spec, hiddenNames, isMoving) {
    const isStill = !isMoving || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const isPie = spec.kind === "pie";
    return {
        type: isPie ? "doughnut" : spec.kind === "bar" || spec.kind === "stacked" ? "bar" : "line",
        data: {
            labels: spec.labels,
            datasets: isPie ? [pieSet(spec)]
                : spec.series.map((series, index) => dataset(spec, series, index, hiddenNames)),
        },
        options: {
            responsive: true,
            maintainAspectRatio: false,
            animation: isStill ? false : { duration: 250 },
            interaction: isPie ? { mode: "nearest" } : { mode: "index", intersect: false },
            layout: { padding: { top: 6, right: 6 } },
            cutout: isPie ? "62%" : undefined,
            scales: isPie ? {} : scales(spec),
            plugins: { legend: { display: false }, tooltip: tooltip(spec) },
            onClick: (event, _active, drawn) => clicked(spec, event, drawn),
        },
    };
}

/** Where each series' colour comes from: a previous period has the colour of the series it belongs to. */
function colorOf(series, index) {
    return seriesColor(series.colorIndex ?? index);
}

function dataset(spec, series, index, hiddenNames) {
    const color = colorOf(series, index);
    const isUnfinished = (place) => Boolean(spec.unfinished?.[place]);
    const shared = {
        label: series.name, data: series.values, borderColor: color, backgroundColor: color,
        hidden: hiddenNames.has(series.name), order: series.isPrevious ? 1 : 0,
    };
    if (spec.kind === "bar" || spec.kind === "stacked") {
        const fills = series.values.map((_, place) => (isUnfinished(place) ? hatched(color) : color));
        return {
            ...shared,
            backgroundColor: series.isPrevious ? faded(color, 0.35) : fills,
            borderRadius: spec.kind === "bar" ? 3 : 0, maxBarThickness: 44,
            categoryPercentage: 0.78, barPercentage: 0.92,
            stack: spec.kind === "stacked" ? (series.isPrevious ? "previous" : "now") : undefined,
        };
    }
    const few = series.values.length <= 2;
    return {
        ...shared,
        borderWidth: series.isPrevious ? 1.5 : 2,
        borderColor: series.isPrevious ? faded(color, 0.5) : color,
        backgroundColor: spec.kind === "area" ? faded(color, series.isPrevious ? 0.06 : 0.16) : color,
        fill: spec.kind === "area" ? "origin" : false,
        tension: 0.25, cubicInterpolationMode: "monotone", spanGaps: false,
        pointRadius: few ? 3 : 0, pointHoverRadius: 4, pointHitRadius: 12,
        segment: {
            // A range may begin within a bucket as well as end in one.
            borderDash: ({ p0DataIndex: from, p1DataIndex: to }) => (
                !series.isPrevious && (isUnfinished(from) || isUnfinished(to)) ? [5, 4] : undefined),
        },
    };
}

function pieSet(spec) {
    return {
        data: spec.series[0].values,
        backgroundColor: spec.labels.map((_, index) => seriesColor(index)),
        borderColor: token("--surface"), borderWidth: 2, hoverOffset: 4,
    };
}

function scales(spec) {
    const ticks = { color: token("--text-quiet"), font: { size: 11, family: token("--font") } };
    const isStacked = spec.kind === "stacked";
    return {
        x: {
            stacked: isStacked,
            grid: { display: false, borderColor: token("--line-strong") },
            ticks: {
                ...ticks, maxRotation: 0, autoSkipPadding: 14, callback: (_, index) => shortened(spec.labels[index]),
            },
        },
        y: {
            stacked: isStacked, beginAtZero: true,
            grid: { color: token("--line"), drawBorder: false, tickLength: 0 },
            ticks: { ...ticks, padding: 8, maxTicksLimit: 6, callback: spec.format ?? axisNumber },
        },
    };
}

function shortened(label) {
    return label.length > 18 ? `${label.slice(0, 17)}…` : label;
}

function tooltip(spec) {
    const labels = spec.longLabels ?? spec.labels;
    const isPie = spec.kind === "pie";
    const whole = isPie ? spec.series[0].values.reduce((sum, value) => sum + (value ?? 0), 0) : 0;
    return {
        backgroundColor: token("--tooltip"), titleColor: token("--tooltip-text"), bodyColor: token("--tooltip-text"),
        padding: 10, cornerRadius: 6, boxWidth: 8, boxHeight: 8, boxPadding: 5, usePointStyle: true,
        titleFont: { family: token("--font"), size: 12 }, bodyFont: { family: token("--font"), size: 12 },
        itemSort: (first, second) => (second.raw ?? 0) - (first.raw ?? 0),
        filter: (item) => item.raw !== null && item.raw !== undefined,
        callbacks: {
            title: ([item]) => {
                if (!item) return "";
                return labels[item.dataIndex] + (spec.unfinished?.[item.dataIndex] ? " (incomplete)" : "");
            },
            label: (item) => {
                const text = spec.format ? spec.format(item.raw) : exactNumber(item.raw);
                if (!isPie) return ` ${item.dataset.label}: ${text}`;
                return ` ${text} (${percent(whole ? item.raw / whole : 0)})`;
            },
        },
    };
}

function clicked(spec, event, drawn) {
    if (!spec.onPoint) return;
    const exact = drawn.getElementsAtEventForMode(event, "nearest", { intersect: spec.kind === "pie" }, true);
    if (exact.length > 0) spec.onPoint({ series: exact[0].datasetIndex, index: exact[0].index });
}

function faded(color, opacity) {
    const digits = Math.round(opacity * 255).toString(16).padStart(2, "0");
    return /^#[0-9a-f]{6}$/i.test(color) ? color + digits : color;
}

/** A fill of slanted lines, for bars that are not over yet. */
function hatched(color) {
    const tile = document.createElement("canvas");
    tile.width = 8;
    tile.height = 8;
    const context = tile.getContext("2d");
    context.fillStyle = faded(color, 0.22);
    context.fillRect(0, 0, 8, 8);
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    for (const offset of [-8, 0, 8]) {
        context.moveTo(offset, 8);
        context.lineTo(offset + 8, 0);
    }
    context.stroke();
    return context.createPattern(tile, "repeat");
}

/** Buttons that show and hide series; for a pie, its parts by name. */
function drawLegend(legend, state, draw) {
    const { spec, hiddenNames } = state;
    fill(legend);
    if (spec.kind === "pie") {
        const whole = spec.series[0].values.reduce((sum, value) => sum + (value ?? 0), 0);
        append(legend, spec.labels.map((label, index) => h("span", { class: "legend-item" },
            swatch(seriesColor(index)), label,
            h("b", {}, percent(whole ? (spec.series[0].values[index] ?? 0) / whole : 0)))));
        return;
    }
    if (spec.series.length < 2) return;
    const entry = (text, color, series) => h("button", {
        type: "button", class: "legend-item", "aria-pressed": String(!hiddenNames.has(series[0].name)),
        title: `Show or hide ${text}`,
        onClick: () => {
            const isHidden = hiddenNames.has(series[0].name);
            for (const { name } of series) isHidden ? hiddenNames.delete(name) : hiddenNames.add(name);
            draw();
        },
    }, swatch(color), text);
    const before = spec.series.filter((series) => series.isPrevious);
    append(legend,
        spec.series.map((series, index) => !series.isPrevious
            && entry(series.name, colorOf(series, index), [series])),
        before.length > 0 && entry("the period before", faded(colorOf(before[0], 0), 0.4), before));
}

function swatch(color) {
    return h("span", { class: "swatch", style: { "background-color": color } });
}

/** The canvas on the surface's colour, since a PNG without one is hard to read on other pages. */
function pngOf(canvas) {
    const copy = document.createElement("canvas");
    copy.width = canvas.width;
    copy.height = canvas.height;
    const context = copy.getContext("2d");
    context.fillStyle = token("--surface");
    context.fillRect(0, 0, copy.width, copy.height);
    context.drawImage(canvas, 0, 0);
    return new Promise((resolve) => {
        copy.toBlob(resolve, "image/png");
    });
}

/** A small line without axes. It says nothing that the number beside it does not. */
export function sparkline(values) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const element = h("div", { class: "sparkline" }, canvas);
    const state = { drawn: null };
    const draw = () => {
        state.drawn?.destroy();
        const color = seriesColor(0);
        const last = values.length - 1;
        state.drawn = new window.Chart(canvas, {
            type: "line",
            data: {
                labels: values.map(String),
                datasets: [{
                    data: values, borderColor: color, backgroundColor: faded(color, 0.12), fill: "origin",
                    borderWidth: 1.5, pointRadius: 0, tension: 0.3, cubicInterpolationMode: "monotone",
                    segment: { borderDash: (segment) => (segment.p1DataIndex === last ? [3, 3] : undefined) },
                }],
            },
            options: {
                responsive: true, maintainAspectRatio: false, animation: false, events: [],
                scales: { x: { display: false }, y: { display: false, beginAtZero: true } },
                plugins: { legend: { display: false }, tooltip: { enabled: false } },
            },
        });
    };
    document.addEventListener("themechange", draw);
    const frame = requestAnimationFrame(draw);
    return {
        element,
        destroy() {
            cancelAnimationFrame(frame);
            document.removeEventListener("themechange", draw);
            state.drawn?.destroy();
        },
    };
}
