// A shared dashboard: read only, without navigation and without access to anything else.

import { fill, h } from "../dom.js";
import { Board } from "../dashboards/board.js";
import { empty, skeleton } from "../states.js";
import { themeButton } from "../shell.js";
import { usualRange } from "../ranges.js";

export async function render(container, context, params) {
    const place = h("div", { class: "shared-board" });
    fill(container,
        h("div", { class: "shared-head" },
            h("span", { class: "brand" },
                h("img", { src: "/app/icon.svg", alt: "", width: "24", height: "24" }), "Tidemark"),
            themeButton()),
        place);
    if (!params.id) {
        fill(place, h("h1", {}, "Shared dashboard"), empty("This link is not whole", "Ask for it once more."));
        return null;
    }
    const path = `/v1/shared/${encodeURIComponent(params.id)}`;
    fill(place, skeleton("lines"));
    const dashboard = await context.api.get(path, { signal: context.signal });
    const board = new Board(place, { ...context, range: usualRange }, dashboard, {
        path, query: params.query, canEdit: false, isShared: true,
    });
    await board.start();
    return () => board.stop();
}
