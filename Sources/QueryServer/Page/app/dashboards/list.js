// The list of dashboards, and how one is made.

import { fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { ago, counted } from "../format.js";
import { during, empty, viewHead } from "../states.js";
import { confirmDialog, openForm } from "../controls/dialog.js";
import { moreMenu } from "../controls/menu.js";
import { toast } from "../controls/toast.js";
import { addressOf } from "../router.js";
import { starterWidgets } from "./starter.js";

export async function renderList(container, context) {
    const create = context.canWrite && h("button", {
        type: "button", class: "button primary", onClick: () => createDashboard(context),
    }, icon("plus", 16), "New dashboard");
    const body = h("div", {});
    fill(container, viewHead("Dashboards", { actions: [create] }), body);
    const load = async () => {
        const ask = () => context.api.get("/v1/dashboards", { signal: context.signal });
        const answer = await during(body, ask, { retry: load });
        if (!answer) return;
        if (answer.dashboards.length === 0) {
            fill(body, h("section", { class: "card" }, empty("No dashboards yet",
                "One shows what you want to see every day: numbers, charts, funnels and tables.")));
        } else {
            fill(body, h("ul", { class: "tiles" }, answer.dashboards.map((entry) => tile(entry, context, load))));
        }
    };
    await load();
}

function tile(entry, context, reload) {
    const items = () => [
        { text: "Open", icon: "dashboards", onSelect: () => context.navigate("dashboards", entry.dashboard_id) },
        context.canWrite && { text: "Duplicate", icon: "copy", onSelect: () => duplicate(context, entry.dashboard_id) },
        context.canWrite && !entry.read_only && {
            text: "Delete", icon: "trash", isDanger: true, onSelect: () => askToDelete(context, entry, reload),
        },
    ];
    return h("li", { class: "card tile" },
        h("span", { class: "tile-mark" }, icon("dashboards", 20)),
        h("div", { class: "tile-text" },
            h("a", { href: addressOf("dashboards", entry.dashboard_id), class: "tile-name" }, entry.name),
            h("p", { class: "note" }, counted(entry.widget_count, "widget"), " · ",
                entry.read_only ? "from a file" : `changed ${ago(entry.updated_at)}`)),
        moreMenu(items, `Actions for ${entry.name}`));
}

/** Copies a dashboard and opens the copy, ready to edit. */
export async function duplicate(context, identifier) {
    try {
        const path = `/v1/dashboards/${encodeURIComponent(identifier)}/duplicate`;
        const copy = await context.api.post(path, {});
        toast(`Duplicated as “${copy.name}”`);
        context.navigate("dashboards", copy.dashboard_id, { edit: "1" });
    } catch (error) {
        toast(error.message, "error");
    }
}

/** Deletes a dashboard after asking; `onDeleted` is called when it is gone. */
export function askToDelete(context, { dashboard_id: identifier, name }, onDeleted) {
    confirmDialog("Delete dashboard", `“${name}” and its share links will be gone. Events stay.`, {
        onSubmit: async () => {
            await context.api.delete(`/v1/dashboards/${encodeURIComponent(identifier)}`);
            toast(`Deleted “${name}”`);
            onDeleted();
        },
    });
}

function createDashboard(context) {
    const name = h("input", { type: "text", class: "input", maxlength: "200", placeholder: "Product health" });
    const isFilled = h("input", { type: "checkbox", checked: true });
    openForm("New dashboard", [
        labelled("Name", name),
        h("label", { class: "check" }, isFilled, "Start with people, events and the most frequent events"),
    ], {
        submit: "Create",
        onSubmit: async () => {
            const widgets = isFilled.checked ? starterWidgets() : [];
            const body = { name: name.value.trim() || "Untitled", widgets };
            const made = await context.api.post("/v1/dashboards", body);
            context.navigate("dashboards", made.dashboard_id, { edit: "1" });
        },
    });
}
