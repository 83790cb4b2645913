// Explore: questions put together by hand, answered at once. All of it stands in the address.

import { Newest } from "../api.js";
import { debounced, fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { csv, fileName, saveFile } from "../download.js";
import { previousRange } from "../ranges.js";
import { during, skeleton, viewHead } from "../states.js";
import { menu } from "../controls/menu.js";
import { periodPicker } from "../controls/period.js";
import { zonePicker } from "../controls/pickers.js";
import { toast } from "../controls/toast.js";
import { askAll } from "../explore/ask.js";
import { openBehind } from "../explore/behind.js";
import { chartControls, seriesEditor } from "../explore/editor.js";
import { drawResult } from "../explore/result.js";
import { openSaveWidget } from "../explore/save_widget.js";
import {
    canAsk, mainQuestion, newState, parseState, seriesName, stateOfQuestion, stateText,
} from "../explore/state.js";
import { answerNote } from "../questions/answer_note.js";
import { copyMenu, saveButton, savedMenu } from "../questions/saved.js";

export async function render(container, context, params) {
    let saved = null;
    if (params.id) {
        fill(container, skeleton("lines"));
        const path = `/v1/questions/${encodeURIComponent(params.id)}`;
        saved = await context.api.get(path, { signal: context.signal });
    }
    const state = parseState(params.query.get("state"))
        ?? (saved && (parseState(savedText(saved.view)) ?? stateOfQuestion(saved.question, context.zone)))
        ?? newState(context.range, context.zone);
    const view = new Explore(container, context, state, saved);
    await view.start();
    return () => view.stop();
}

function savedText(view) {
    return typeof view?.explore === "string" ? view.explore : null;
}

class Explore {
    constructor(container, context, state, saved) {
        this.container = container;
        this.context = context;
        this.state = state;
        this.saved = saved;
        this.newest = new Newest(context.signal);
        this.shown = { drawn: null, columns: [], rows: [] };
        this.askSoon = debounced(() => this.ask(), 200);
    }

    async start() {
        this.result = h("div", { class: "explore-result", "aria-live": "off" });
        this.note = h("div", {});
        fill(this.container,
            viewHead(this.saved?.name ?? "Explore", {
                back: this.saved ? { href: "#/explore", text: "Explore" } : null,
                note: this.saved?.description || null, actions: this.actions(),
            }),
            this.body = h("div", { class: "explore" },
                seriesEditor(this.context, this.state, () => this.changed()),
                h("section", { class: "card explore-main", "aria-label": "Answer" },
                    this.toolbar(), this.result, this.note)));
        await this.ask();
    }

    stop() {
        this.askSoon.cancel();
        this.newest.stop();
        this.shown.drawn?.destroy();
    }

    actions() {
        const { context, state } = this;
        return [
            savedMenu(context, "aggregate"),
            saveButton(context, {
                saved: this.saved, isReady: () => canAsk(state),
                name: () => this.saved?.name ?? state.series.map(seriesName).join(", "),
                question: () => mainQuestion(state), view: () => ({ explore: stateText(state) }),
            }),
            context.canWrite && h("button", {
                type: "button", class: "button", onClick: () => openSaveWidget(context, state),
            }, icon("dashboards", 16), "Add to dashboard"),
            copyMenu(context, () => mainQuestion(state)),
            this.exportMenu(),
        ];
    }

    exportMenu() {
        const button = h("button", { type: "button", class: "button" }, icon("download", 16), "Export");
        const title = () => this.state.series.map(seriesName).join(" ");
        return menu(button, () => [
            {
                text: "Numbers as CSV", icon: "table", isDisabled: this.shown.rows.length === 0, onSelect: () => {
                    // A file has the bucket's own name, not the one for people.
                    const [first, ...rest] = this.shown.columns;
                    const columns = [{ ...first, key: "key" }, ...rest];
                    saveFile(fileName(title(), "csv"), csv(columns, this.shown.rows), "text/csv");
                },
            },
            {
                text: "Chart as PNG", icon: "line", isDisabled: !this.shown.drawn, onSelect: async () => {
                    saveFile(fileName(title(), "png"), await this.shown.drawn.image());
                },
            },
        ], "Export");
    }

    toolbar() {
        const { context, state } = this;
        const compare = h("button", {
            type: "button", class: "button", "aria-pressed": String(state.isCompared),
            title: "Compare with the period before", onClick: () => {
                if (!state.isCompared && !previousRange(state.range, state.zone)) {
                    toast("These dates have no period before them.", "error");
                    return;
                }
                state.isCompared = !state.isCompared;
                compare.setAttribute("aria-pressed", String(state.isCompared));
                this.changed();
            },
        }, "Compare");
        return h("div", { class: "toolbar", role: "group", "aria-label": "Dates and drawing" },
            periodPicker({
                value: state.range, zone: state.zone, onChange: (range) => {
                    state.range = range;
                    context.setRange(range);
                    this.changed();
                },
            }),
            zonePicker({
                value: state.zone, onChange: (zone) => {
                    state.zone = zone;
                    context.setZone(zone);
                    this.changed();
                },
            }),
            compare,
            h("span", { class: "toolbar-end" }, chartControls(state, () => this.changed())));
    }

    changed() {
        this.context.setQuery({ state: stateText(this.state) });
        this.askSoon();
    }

    async ask() {
        this.body.classList.toggle("broken-down", this.state.breakdown !== null);
        if (!canAsk(this.state)) return;
        const signal = this.newest.next();
        const result = await during(this.result, () => askAll(this.context, this.state, signal), {
            shape: "chart", retry: () => this.ask(), keep: this.shown.rows.length > 0,
        });
        if (signal !== this.newest.signal) return;
        if (!result) {
            this.forget();
            return;
        }
        this.shown.drawn?.destroy();
        const open = (point) => openBehind(this.context, this.state, point);
        this.shown = drawResult(this.result, this.state, result, open);
        fill(this.note,
            result.leftOut > 0 && h("p", { class: "note" }, "The ten largest values are shown; there are more."),
            answerNote(result.metas[0], this.state.zone));
        this.context.announce(`Answer with ${result.shape.series.length} series`);
    }

    /** After an error nothing is shown that could be taken for the answer. */
    forget() {
        this.shown.drawn?.destroy();
        this.shown = { drawn: null, columns: [], rows: [] };
        fill(this.note);
    }
}
