// Editing of a dashboard: every change is saved at once, with the version it was made on.

import { h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { confirmDialog, openForm } from "../controls/dialog.js";
import { filtersOf } from "../controls/filters.js";
import { toast } from "../controls/toast.js";
import { dateRangeOf } from "../ranges.js";
import { openWidgetForm } from "./widget_form.js";

/** In quarters of a row. */
const widths = [["", "Auto"], [1, "1/4"], [2, "2/4"], [3, "3/4"], [4, "4/4"]];

export class BoardEditor {
    constructor(board) {
        this.board = board;
    }

    /** Saves the dashboard with `changes`; throws the server's error. Afterwards the board shows what was saved. */
    async save(changes) {
        const { board } = this;
        const { dashboard_id: _id, read_only: _readOnly, version, created_at: _made, updated_at: _changed, ...kept }
            = board.dashboard;
        board.dashboard = await board.context.api.put(board.options.path, { ...kept, ...changes }, {
            headers: { "If-Match": `"${version}"` },
        });
        board.drawHead();
        board.drawGrid();
        await board.load();
    }

    /** As `save`, for controls without a place for an error; false if it was refused. */
    async trySave(changes, focused = null) {
        try {
            await this.save(changes);
            if (focused) this.board.grid.querySelector(focused)?.focus();
            return true;
        } catch (error) {
            const isStale = error.status === 412;
            // What a control shows already was not saved.
            this.board.drawGrid();
            toast(isStale ? "Somebody else changed it meanwhile: load the page again." : error.message, "error");
            return false;
        }
    }

    /** The line of controls under a widget's title while editing. */
    controls(definition, index) {
        const { widgets } = this.board.dashboard;
        const name = definition.title || "widget";
        const button = (mark, label, action, isDisabled = false) => h("button", {
            type: "button", class: "button quiet square", "aria-label": `${label}: ${name}`, title: label,
            disabled: isDisabled, onClick: action, dataset: { action: label },
        }, icon(mark, 16));
        const move = (to, label) => {
            const moved = [...widgets];
            moved.splice(to, 0, ...moved.splice(index, 1));
            const place = `[data-widget="${CSS.escape(definition.widget_id)}"] [data-action="${label}"]`;
            return this.trySave({ widgets: moved }, place);
        };
        const width = h("select", {
            class: "select", "aria-label": `Width: ${name}`, onChange: () => {
                const { width: _old, ...rest } = definition;
                const changed = width.value ? { ...rest, width: Number(width.value) } : rest;
                this.trySave({ widgets: widgets.with(index, changed) });
            },
        }, widths.map(([part, text]) => h("option", {
            value: part, selected: part === (definition.width ?? ""),
        }, text)));
        return h("div", { class: "widget-tools", role: "group", "aria-label": `Edit ${name}` },
            button("left", "Move before", () => move(index - 1, "Move before"), index === 0),
            button("right", "Move after", () => move(index + 1, "Move after"), index === widgets.length - 1),
            width,
            h("span", { class: "spread" }),
            button("edit", "Edit widget", () => this.edit(definition, index)),
            button("copy", "Duplicate widget", () => this.copy(definition, index)),
            button("trash", "Remove widget", () => this.remove(definition, index)));
    }

    addTile() {
        return h("button", {
            type: "button", class: "add-tile span-1", onClick: () => openWidgetForm(this.board.context, null, {
                onSubmit: (made) => this.save({ widgets: [...this.board.dashboard.widgets, made] }),
            }),
        }, icon("plus", 22), "Add widget");
    }

    edit(definition, index) {
        openWidgetForm(this.board.context, definition, {
            onSubmit: (made) => this.save({ widgets: this.board.dashboard.widgets.with(index, made) }),
        });
    }

    copy(definition, index) {
        const { widget_id: _id, ...rest } = definition;
        openWidgetForm(this.board.context, { ...rest, title: `${definition.title} (copy)` }, {
            isNew: true,
            onSubmit: (made) => this.save({ widgets: this.board.dashboard.widgets.toSpliced(index + 1, 0, made) }),
        });
    }

    remove(definition, index) {
        confirmDialog("Remove widget", `“${definition.title}” will be taken off this dashboard.`, {
            submit: "Remove",
            onSubmit: () => this.save({ widgets: this.board.dashboard.widgets.toSpliced(index, 1) }),
        });
    }

    rename() {
        const name = h("input", { type: "text", class: "input", value: this.board.dashboard.name, maxlength: "200" });
        openForm("Rename dashboard", labelled("Name", name), {
            onSubmit: () => this.save({ name: name.value.trim() }),
        });
    }

    /** The dates, zone, comparison and filters that are shown become the dashboard's own. */
    async keepSettings() {
        const { board } = this;
        const chosen = filtersOf(null, board.tests);
        const filters = [board.dashboard.filters, chosen].filter(Boolean);
        const isKept = await this.trySave({
            date_range: dateRangeOf(board.range), time_zone: board.zone, compare: board.isCompared,
            filters: filters.length > 1 ? { and: filters } : filters[0],
        });
        if (!isKept) return;
        toast("This dashboard now opens with these settings");
        if (chosen) board.dropFilters();
    }
}
