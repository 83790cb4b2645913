// The view for an address that names none, and a short pattern of a view: head, then a part that loads or fails.

import { fill, h } from "../dom.js";
import { during, empty, viewHead } from "../states.js";

export async function render(container, context) {
    const body = h("section", { class: "card" });
    fill(container, viewHead("No such page"), body);
    const load = async () => {
        const ask = () => context.api.get("/v1/status", { signal: context.signal });
        const answer = await during(body, ask, { retry: load });
        if (!answer) return;
        fill(body, empty("This address names nothing here", `Tidemark ${answer.server.version} is up.`,
            h("a", { class: "button primary", href: "#/dashboards" }, "To the dashboards")));
    };
    await load();
}
