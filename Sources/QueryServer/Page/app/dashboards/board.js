// One dashboard: its controls, its grid of widgets, and its editing. What is chosen stands in the address.

import { isAborted } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { duration, time } from "../format.js";
import { parseRange, rangeText, usualRange } from "../ranges.js";
import { empty, errorNote, skeleton, viewHead } from "../states.js";
import { filterBuilder, filtersOf, partsOfFilters, testText } from "../controls/filters.js";
import { menu, moreMenu } from "../controls/menu.js";
import { periodPicker } from "../controls/period.js";
import { zonePicker } from "../controls/pickers.js";
import { popover } from "../controls/popover.js";
import { parseTests } from "../questions/where.js";
import { askToDelete, duplicate } from "./list.js";
import { BoardEditor } from "./editor.js";
import { openShareDialog } from "./share.js";
import { Sparks } from "./sparks.js";
import { widgetCard, widthsOf } from "./widget_card.js";

const refreshes = [[0, "Auto off"], [30, "Every 30 s"], [300, "Every 5 min"]];

/** Shows the dashboard of `params.id`; returns what stops it. */
export async function renderBoard(container, context, params) {
    const path = `/v1/dashboards/${encodeURIComponent(params.id)}`;
    fill(container, skeleton("lines"));
    const dashboard = await context.api.get(path, { signal: context.signal });
    const board = new Board(container, context, dashboard, {
        path, query: params.query, canEdit: context.canWrite && !dashboard.read_only, isShared: false,
    });
    await board.start();
    return () => board.stop();
}

/** A dashboard in a page. `options`: path of its calls, `query` of the address, canEdit, isShared. */
export class Board {
    constructor(container, context, dashboard, options) {
        this.container = container;
        this.context = context;
        this.dashboard = dashboard;
        this.options = options;
        const { query } = options;
        this.range = parseRange(query.get("range")) ?? rangeOf(dashboard.date_range) ?? context.range ?? usualRange;
        this.zone = query.get("zone") ?? dashboard.time_zone ?? context.zone;
        this.isCompared = query.has("compare") ? query.get("compare") === "1" : Boolean(dashboard.compare);
        this.overrides = query.get("own") === "0";
        this.tests = parseTests(query.get("filters"));
        this.refreshSeconds = Number(query.get("refresh")) || 0;
        this.editor = options.canEdit ? new BoardEditor(this) : null;
        this.isEditing = Boolean(this.editor) && query.get("edit") === "1";
        this.cards = [];
        this.kept = new Map();
        this.sparks = options.isShared ? null : new Sparks(context);
        this.answer = null;
        this.asked = 0;
    }

    async start() {
        this.head = h("div", {});
        this.grid = h("div", { class: "grid", "aria-live": "off" });
        this.problem = h("div", {});
        this.asOf = h("span", { class: "note as-of" });
        this.bar = h("div", { class: "toolbar", role: "group", "aria-label": "What the widgets show" });
        fill(this.container, this.head, this.bar, this.problem, this.grid);
        this.drawHead();
        this.drawBar();
        this.drawGrid();
        this.startTimer();
        await this.load();
    }

    stop() {
        clearInterval(this.timer);
        for (const card of this.cards) card.destroy();
        this.cards = [];
    }

    /** Fetches the data. A quiet load keeps what is shown until the answer is there. */
    async load() {
        const turn = ++this.asked;
        this.grid.setAttribute("aria-busy", "true");
        try {
            const { answer, isFresh } = await this.context.api.getKept(`${this.options.path}/data`, {
                query: this.dataQuery(), signal: this.context.signal,
            });
            if (turn !== this.asked) return;
            fill(this.problem);
            const isKnown = !isFresh && this.answer === answer;
            this.answer = answer;
            if (!isKnown) this.drawGrid();
            this.drawBar();
            this.showAsOf(isFresh);
        } catch (error) {
            if (turn !== this.asked || isAborted(error)) return;
            fill(this.problem, errorNote(error, () => this.load()));
        } finally {
            if (turn === this.asked) this.grid.removeAttribute("aria-busy");
        }
    }

    dataQuery() {
        const filters = filtersOf(null, this.tests);
        return {
            start: this.range.start, end: this.range.end, time_zone: this.zone,
            override_dates: this.overrides ? "true" : "false", compare: this.isCompared ? "true" : "false",
            ...(filters && !this.options.isShared && { filters: JSON.stringify(filters) }),
        };
    }

    showAsOf(isFresh) {
        const meta = this.answer?.meta;
        if (!meta) return;
        const clock = meta.as_of?.clock ? `as of ${time(meta.as_of.clock, this.zone)}` : "";
        this.asOf.textContent = isFresh ? `${clock} · ${duration(meta.elapsed_ms / 1000)}` : `${clock} · unchanged`;
        this.asOf.title = `Computed in ${this.zone}`;
        this.context.announce("Dashboard loaded");
    }

    /** Something was chosen: keep it in the address and fetch. */
    changed() {
        this.keepInAddress();
        return this.load();
    }

    keepInAddress() {
        this.context.setQuery({
            range: rangeText(this.range),
            zone: this.zone,
            compare: this.isCompared === Boolean(this.dashboard.compare) ? null : this.isCompared ? "1" : "0",
            own: this.overrides ? "0" : null,
            filters: this.tests.length > 0 ? JSON.stringify(this.tests) : null,
            refresh: this.refreshSeconds || null,
            edit: this.isEditing ? "1" : null,
        });
    }

    drawHead() {
        const { dashboard, context, options } = this;
        const actions = options.isShared ? [] : [
            context.canWrite && h("button", {
                type: "button", class: "button", onClick: () => openShareDialog(context, dashboard),
            }, icon("share", 16), "Share"),
            this.editor && h("button", {
                type: "button", class: this.isEditing ? "button primary" : "button",
                onClick: () => this.toggleEditing(),
            }, icon(this.isEditing ? "check" : "edit", 16), this.isEditing ? "Done" : "Edit"),
            !this.editor && context.canWrite && h("button", {
                type: "button", class: "button", onClick: () => duplicate(context, dashboard.dashboard_id),
            }, icon("copy", 16), "Duplicate to edit"),
            this.editor && moreMenu([
                { text: "Rename", icon: "edit", onSelect: () => this.editor.rename() },
                { text: "Keep these settings", icon: "save", onSelect: () => this.editor.keepSettings() },
                { text: "Duplicate", icon: "copy", onSelect: () => duplicate(context, dashboard.dashboard_id) },
                {
                    text: "Delete", icon: "trash", isDanger: true,
                    onSelect: () => askToDelete(context, dashboard, () => context.navigate("dashboards")),
                },
            ]),
        ];
        fill(this.head, viewHead(dashboard.name, {
            back: options.isShared ? null : { href: "#/dashboards", text: "Dashboards" },
            note: dashboard.read_only && !options.isShared ? "From a file; read only" : null,
            actions,
        }));
    }

    drawBar() {
        const { context } = this;
        // While a control of the bar has the focus it must not be replaced under the fingers.
        if (this.bar.contains(document.activeElement) && this.bar.firstChild) return this.markOwnDates();
        const period = periodPicker({
            value: this.range, zone: this.zone, onChange: (range) => {
                this.range = range;
                if (!this.options.isShared) context.setRange(range);
                this.changed();
            },
        });
        const zone = zonePicker({
            value: this.zone, onChange: (name) => {
                this.zone = name;
                if (!this.options.isShared) context.setZone(name);
                this.changed();
            },
        });
        this.ownDates = h("span", { class: "own-dates" });
        fill(this.bar, period, zone,
            this.toggle("Compare", () => this.isCompared, (isOn) => {
                this.isCompared = isOn;
            }, "Compare charts with the period before"),
            this.ownDates,
            !this.options.isShared && this.filterButton(),
            h("span", { class: "toolbar-end" }, this.asOf, this.refreshControls()));
        return this.markOwnDates();
    }

    /** Where widgets have dates of their own, a switch lets the dashboard's win. */
    markOwnDates() {
        const hasOwn = this.answer?.widgets.some((widget) => widget.dates === "widget");
        if (!hasOwn && !this.overrides) return fill(this.ownDates);
        if (this.ownDates.firstChild) return null;
        return fill(this.ownDates, this.toggle("Same dates for all", () => this.overrides, (isOn) => {
            this.overrides = isOn;
        }, "Let these dates win over the ones that widgets have of their own"));
    }

    toggle(text, isOn, set, title) {
        const button = h("button", {
            type: "button", class: "button", "aria-pressed": String(isOn()), title, onClick: () => {
                set(!isOn());
                button.setAttribute("aria-pressed", String(isOn()));
                this.changed();
            },
        }, text);
        return button;
    }

    filterButton() {
        const label = h("span", {});
        const button = h("button", { type: "button", class: "button" }, icon("filter", 16), label);
        const mark = () => {
            const count = this.tests.length;
            label.textContent = count > 0 ? `Filters (${count})` : "Filter";
            button.setAttribute("aria-pressed", String(count > 0));
        };
        mark();
        return popover(button, (close) => h("div", { class: "filter-panel" },
            this.keptFilters(close),
            h("p", { class: "note" }, "For all widgets:"),
            filterBuilder(this.context.catalog, {
                tests: this.tests, onChange: (tests) => {
                    if (JSON.stringify(tests) === JSON.stringify(this.tests)) return;
                    this.tests = tests;
                    mark();
                    this.changed();
                },
            })), { label: "Filters of the dashboard" });
    }

    /** The filters that are saved with the dashboard hold beside those that are chosen. */
    keptFilters(close) {
        const kept = partsOfFilters(this.dashboard.filters);
        if (!this.dashboard.filters) return null;
        const texts = kept ? kept.tests.map(testText) : ["filters that only JSON can say"];
        if (kept?.eventType) texts.unshift(testText({ field: "event_type", op: "eq", value: kept.eventType }));
        return h("div", { class: "row" },
            h("span", { class: "note" }, "Always: ", h("b", {}, texts.join(", "))),
            this.editor && h("button", {
                type: "button", class: "button quiet", onClick: () => {
                    close();
                    this.editor.trySave({ filters: undefined });
                },
            }, icon("close", 16), "Take off"));
    }

    /** The chosen filters are forgotten; those of the dashboard stay. */
    dropFilters() {
        this.tests = [];
        fill(this.bar);
        this.drawBar();
        this.changed();
    }

    refreshControls() {
        const again = h("button", {
            type: "button", class: "button quiet square", "aria-label": "Refresh now", title: "Refresh now",
            onClick: () => this.load(),
        }, icon("refresh", 16));
        const text = () => refreshes.find(([seconds]) => seconds === this.refreshSeconds)?.[1] ?? refreshes[0][1];
        const label = h("span", {}, text());
        const button = h("button", { type: "button", class: "button quiet" }, label, icon("down", 14));
        button.setAttribute("aria-label", `Refresh by itself: ${text()}`);
        const choice = menu(button, () => refreshes.map(([seconds, name]) => ({
            text: name, icon: seconds === this.refreshSeconds ? "check" : null, onSelect: () => {
                this.refreshSeconds = seconds;
                label.textContent = name;
                button.setAttribute("aria-label", `Refresh by itself: ${name}`);
                this.startTimer();
                this.keepInAddress();
            },
        })), "Refresh by itself");
        return h("span", { class: "refresh" }, again, choice);
    }

    startTimer() {
        clearInterval(this.timer);
        if (this.refreshSeconds > 0) {
            this.timer = setInterval(() => {
                if (!document.hidden) this.load();
            }, this.refreshSeconds * 1000);
        }
    }

    toggleEditing() {
        this.isEditing = !this.isEditing;
        this.keepInAddress();
        this.drawHead();
        this.drawGrid();
    }

    /** What a widget remembers from one drawing to the next. */
    keptOf(identifier) {
        if (!this.kept.has(identifier)) this.kept.set(identifier, {});
        return this.kept.get(identifier);
    }

    drawGrid() {
        const giveBack = focusIn(this.grid);
        for (const card of this.cards) card.destroy();
        const found = new Map((this.answer?.widgets ?? []).map((widget) => [widget.widget_id, widget]));
        const widths = widthsOf(this.dashboard.widgets);
        this.cards = this.dashboard.widgets.map((definition, index) => widgetCard(
            definition, found.get(definition.widget_id) ?? null, {
                meta: this.answer?.meta ?? null, width: widths[index], kept: this.keptOf(definition.widget_id),
                place: this.isEditing ? this.editor.controls(definition, index) : null,
            }));
        fill(this.grid, this.cards.map((card) => card.element), this.isEditing && this.editor.addTile());
        if (this.cards.length === 0 && !this.isEditing) {
            const edit = this.editor && h("button", {
                type: "button", class: "button primary", onClick: () => this.toggleEditing(),
            }, icon("edit", 16), "Edit");
            fill(this.grid, h("section", { class: "card span-4" },
                empty("No widgets yet", "Edit the dashboard to add one.", edit)));
        }
        this.grid.classList.toggle("editing", this.isEditing);
        giveBack();
        if (this.sparks) this.addLines(this.cards, found);
    }

    /** Adds the small lines to metric tiles. */
    addLines(cards, found) {
        this.dashboard.widgets.forEach(async (definition, index) => {
            const entry = found.get(definition.widget_id);
            if (definition.type !== "metric" || !entry || entry.error || entry.series) return;
            const filters = [this.dashboard.filters, filtersOf(null, this.tests)];
            const values = await this.sparks.values(definition, entry, filters).catch(() => null);
            if (values && this.cards === cards) cards[index].addLine(values);
        });
    }
}

/** Returns what puts the focus back where it was in a widget, once the widgets are drawn anew. */
function focusIn(grid) {
    const places = (widget) => [...widget.querySelectorAll("button, summary, a, select, [tabindex]")];
    const focused = document.activeElement;
    const widget = grid.contains(focused) ? focused.closest("[data-widget]") : null;
    if (!widget) return () => {};
    const place = places(widget).indexOf(focused);
    const name = CSS.escape(widget.dataset.widget);
    return () => {
        const again = grid.querySelector(`[data-widget="${name}"]`);
        if (again) places(again)[place]?.focus({ preventScroll: true });
    };
}

function rangeOf(dates) {
    return dates ? { start: dates.start ?? null, end: dates.end ?? null } : null;
}
