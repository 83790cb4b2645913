// The dialog for links that show a dashboard to people without access.

import { fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { date } from "../format.js";
import { during, errorNote } from "../states.js";
import { copyButton } from "../controls/copy.js";
import { openDialog } from "../controls/dialog.js";

const spans = [[7, "7 days"], [30, "30 days"], [90, "90 days"], [365, "a year"]];

export function openShareDialog(context, dashboard) {
    const path = `/v1/dashboards/${encodeURIComponent(dashboard.dashboard_id)}/shares`;
    const days = h("select", { class: "select" },
        spans.map(([count, text]) => h("option", { value: count, selected: count === 30 }, text)));
    const made = h("div", { class: "stack" });
    const list = h("div", {});
    const load = async () => {
        const answer = await during(list, () => context.api.get("/v1/shares"));
        if (!answer) return;
        const own = answer.shares.filter((share) => share.dashboard_id === dashboard.dashboard_id);
        fill(list, own.length === 0 ? h("p", { class: "note" }, "No links yet.")
            : h("ul", { class: "share-list" }, own.map((share) => shareLine(context, share, load))));
    };
    const create = h("button", {
        type: "button", class: "button primary", onClick: async () => {
            create.disabled = true;
            try {
                const share = await context.api.post(path, { days: Number(days.value) });
                fill(made, linkField(share));
                await load();
            } catch (error) {
                fill(made, errorNote(error));
            } finally {
                create.disabled = false;
            }
        },
    }, icon("link", 16), "Create link");
    openDialog(`Share “${dashboard.name}”`, h("div", { class: "stack" },
        h("p", { class: "note" }, "Who has the link sees this dashboard, without a login, until the link ends. "
            + "Widgets that name users are left out."),
        h("div", { class: "row end" }, labelled("The link lasts", days), create),
        made, h("h3", {}, "Links"), list));
    load();
}

function linkField(share) {
    return h("div", { class: "command" }, h("code", {}, share.url), copyButton(share.url));
}

function shareLine(context, share, reload) {
    const revoke = h("button", {
        type: "button", class: "button quiet", onClick: async () => {
            revoke.disabled = true;
            await context.api.delete(`/v1/shares/${encodeURIComponent(share.share_id)}`).catch(() => {});
            await reload();
        },
    }, icon("trash", 16), "Revoke");
    return h("li", {}, h("span", {}, `until ${date(share.expires_at)}`), share.url && copyButton(share.url), revoke);
}
