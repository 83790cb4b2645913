// What a new dashboard starts with.

import { uniqueId } from "../dom.js";

/** An id for a new widget: letters of the clock and of chance, since ids must not meet within a dashboard. */
export function newWidgetId() {
    return `w_${Date.now().toString(36)}${uniqueId("").replace("-", "_")}`;
}

/** Widgets that say something about any product. */
export function starterWidgets() {
    const users = { type: "count_distinct", field: "user_id" };
    return [
        { type: "metric", title: "People", metrics: [users], trend: "30_days", width: 1 },
        { type: "metric", title: "Events", metrics: ["count"], trend: "30_days", width: 1 },
        { type: "chart", title: "People a day", metrics: [users], group_by: ["day"], chart_type: "area", width: 2 },
        {
            type: "chart", title: "Events a day", metrics: ["count"], group_by: ["event_type", "day"],
            chart_type: "stacked", width: 2,
        },
        {
            type: "chart", title: "Most frequent events", metrics: ["count"], group_by: ["event_type"],
            order_by: ["count DESC"], limit: 12, chart_type: "bar", width: 2,
        },
    ].map((widget) => ({ widget_id: newWidgetId(), ...widget }));
}
