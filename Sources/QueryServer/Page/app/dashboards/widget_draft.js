// A widget's definition as the form holds it, and back.

import { filtersOf, partsOfFilters } from "../controls/filters.js";
import { columnOf, isComplete, measureName, measureOf, metricOf } from "../controls/measure.js";
import { groupNames, intervalOf } from "../buckets.js";

const handled = new Set([
    "widget_id", "type", "title", "filters", "dimensions", "metrics", "group_by", "order_by", "limit", "trend",
    "chart_type", "funnel_steps", "window", "width",
]);

/** The form's draft of a definition; null if the definition says more than the form can show. */
export function draftOf(widget) {
    if (Object.keys(widget).some((name) => !handled.has(name))) return null;
    const parts = partsOfFilters(widget.filters);
    const groups = groupNames(widget.dimensions?.length ? widget.dimensions : widget.group_by);
    const metrics = Array.isArray(widget.metrics) ? widget.metrics : widget.metrics ? [widget.metrics] : ["count"];
    const steps = (widget.funnel_steps ?? []).map(stepDraft);
    if (!parts || steps.some((step) => step === null)) return null;
    if (widget.type !== "table" && metrics.length > 1) return null;
    const interval = intervalOf(groups);
    const others = groups.filter((name) => name !== interval);
    if (widget.type === "chart" && others.length > 1) return null;
    const { start_date: start, end_date: end } = widget.filters ?? {};
    return {
        type: widget.type, title: widget.title ?? "", width: widget.width ?? null,
        eventType: parts.eventType, tests: parts.tests,
        dates: start || end ? { start: start ?? null, end: end ?? null } : null,
        measure: measureOf(metrics[0]), measures: metrics.map(measureOf), kept: metrics,
        interval, breakdown: others[0] ?? null, dimensions: others, chartType: widget.chart_type ?? "line",
        order: widget.order_by ?? null, limit: widget.limit ?? null, trend: widget.trend ?? null,
        steps, window: widget.window ?? "14d",
    };
}

function stepDraft(step) {
    const parts = partsOfFilters(step.filters);
    return parts && parts.eventType === null
        ? { name: step.name ?? "", eventType: step.event_type, tests: parts.tests } : null;
}

/** What a draft still lacks, in words; null if nothing. */
export function lackOf(draft) {
    if (draft.type === "funnel") {
        const open = (draft.steps ?? []).findIndex((step) => !step.eventType);
        return open < 0 ? null : `Step ${open + 1} has no event.`;
    }
    if (draft.type === "table" && (draft.dimensions ?? []).some((name) => !name)) {
        return "A column to group by is not chosen.";
    }
    const measures = draft.type === "table" ? draft.measures ?? [] : [draft.measure ?? { type: "count" }];
    if (!measures.every(isComplete)) return "The measured property is not chosen.";
    const isTwice = new Set(measures.map((measure) => measureName(measure))).size < measures.length;
    return isTwice ? "The same number is there twice." : null;
}

/** The definition of a draft. */
export function widgetOf(draft) {
    const filters = { ...filtersOf(draft.type === "funnel" ? null : draft.eventType, draft.tests) };
    if (draft.dates?.start) filters.start_date = draft.dates.start;
    if (draft.dates?.end) filters.end_date = draft.dates.end;
    return {
        type: draft.type, title: draft.title.trim() || "Untitled",
        ...(Object.keys(filters).length > 0 && { filters }),
        ...(draft.width && { width: draft.width }),
        ...parts[draft.type](draft),
    };
}

const parts = {
    metric: (draft) => ({
        metrics: [sameMetric(draft, draft.measure ?? { type: "count" }, 0)], ...(draft.trend && { trend: draft.trend }),
    }),
    chart: (draft) => {
        const groups = [draft.breakdown, draft.interval].filter(Boolean);
        const metrics = [sameMetric(draft, draft.measure ?? { type: "count" }, 0)];
        return {
            chart_type: draft.chartType ?? "line", metrics, group_by: groups.length > 0 ? groups : ["day"],
            ...orderOf(draft, groups.length > 0 && !draft.interval ? metrics : []),
            ...(draft.limit && { limit: draft.limit }),
        };
    },
    table: (draft) => {
        const measures = draft.measures ?? [{ type: "count" }];
        const metrics = measures.map((measure, index) => sameMetric(draft, measure, index));
        return { dimensions: draft.dimensions ?? [], metrics, ...orderOf(draft, metrics), limit: draft.limit ?? 20 };
    },
    funnel: (draft) => ({
        funnel_steps: (draft.steps ?? []).map((step) => ({
            ...(step.name && { name: step.name }), event_type: step.eventType ?? "",
            ...(step.tests.length > 0 && { filters: filtersOf(null, step.tests) }),
        })),
        window: draft.window ?? "14d",
    }),
};

/** A metric that was not changed keeps its alias, which an order may name. */
function sameMetric(draft, measure, index) {
    const known = draft.kept?.[index];
    const isSame = known !== undefined && JSON.stringify(measureOf(known)) === JSON.stringify(measure);
    return isSame ? known : metricOf(measure);
}

/** An order stands as it was while the metrics do; else the largest of the first of `metrics` come first. */
function orderOf(draft, metrics) {
    const order = draft.order ?? (metrics.length > 0 ? [`${columnOf(metrics[0])} DESC`] : null);
    return order ? { order_by: order } : {};
}
