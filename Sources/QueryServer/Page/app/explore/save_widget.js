// Puts what Explore shows on a dashboard.

import { fill, h, labelled } from "../dom.js";
import { errorNote } from "../states.js";
import { openForm } from "../controls/dialog.js";
import { filtersOf } from "../controls/filters.js";
import { columnOf, metricOf } from "../controls/measure.js";
import { toast } from "../controls/toast.js";
import { newWidgetId } from "../dashboards/starter.js";
import { intervalIn, seriesName } from "./state.js";

const isNew = "new";

/** Asks for dashboard and title. A widget shows one event's kind, so of several series one is chosen. */
export async function openSaveWidget(context, state) {
    const title = h("input", { type: "text", class: "input", value: seriesName(state.series[0]), maxlength: "200" });
    const series = h("select", { class: "select" },
        state.series.map((entry, index) => h("option", { value: index }, seriesName(entry))));
    series.addEventListener("change", () => {
        title.value = seriesName(state.series[series.value]);
    });
    const target = h("select", { class: "select" }, h("option", { value: isNew }, "A new dashboard"));
    const problem = h("div", {});
    openForm("Add to a dashboard", [
        state.series.length > 1 && labelled("Series", series, "A widget shows one of them."),
        labelled("Title", title), labelled("Dashboard", target), problem,
    ].filter(Boolean), {
        submit: "Add",
        onSubmit: async () => {
            const widget = widgetOf(state, state.series[Number(series.value) || 0], title.value.trim());
            const identifier = await place(context, target.value, widget);
            toast(`“${widget.title}” is on the dashboard`);
            context.navigate("dashboards", identifier);
        },
    });
    try {
        const { dashboards } = await context.api.get("/v1/dashboards");
        const own = dashboards.filter((entry) => !entry.read_only);
        fill(target, own.map((entry) => h("option", { value: entry.dashboard_id }, entry.name)),
            h("option", { value: isNew }, "A new dashboard"));
    } catch (error) {
        fill(problem, errorNote(error));
    }
}

async function place(context, target, widget) {
    if (target === isNew) {
        const made = await context.api.post("/v1/dashboards", { name: widget.title, widgets: [widget] });
        return made.dashboard_id;
    }
    const path = `/v1/dashboards/${encodeURIComponent(target)}`;
    const dashboard = await context.api.get(path);
    const { dashboard_id: _id, read_only: _readOnly, version, created_at: _made, updated_at: _changed, ...kept }
        = dashboard;
    await context.api.put(path, { ...kept, widgets: [...dashboard.widgets, widget] }, {
        headers: { "If-Match": `"${version}"` },
    });
    return target;
}

/** The widget of a series: a number without groups, else a table or chart. */
export function widgetOf(state, series, title) {
    const filters = filtersOf(series.event, series.tests);
    const groups = [state.breakdown, intervalIn(state)].filter(Boolean);
    const metrics = [metricOf(series.measure)];
    const shared = {
        widget_id: newWidgetId(), title: title || seriesName(series), metrics, ...(filters && { filters }),
    };
    if (groups.length === 0) return { ...shared, type: "metric", trend: "7_days", width: 1 };
    const order = intervalIn(state) ? {} : { order_by: [`${columnOf(metrics[0])} DESC`], limit: 12 };
    if (state.kind === "table") {
        return { ...shared, type: "table", dimensions: groups, ...order, limit: 100, width: 2 };
    }
    return { ...shared, type: "chart", chart_type: state.kind, group_by: groups, ...order, width: 2 };
}
