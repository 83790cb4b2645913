// Events as they were stored: filtered, page by page, each with all it carries.

import { Newest, isAborted } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { exactNumber, shortNumber } from "../format.js";
import { csv, fileName, saveFile } from "../download.js";
import { dateRangeOf, parseRange, rangeText } from "../ranges.js";
import { during, empty, errorNote, viewHead } from "../states.js";
import { filterBuilder, filtersOf } from "../controls/filters.js";
import { periodPicker } from "../controls/period.js";
import { eventPicker } from "../controls/pickers.js";
import { toast } from "../controls/toast.js";
import { answerNote } from "../questions/answer_note.js";
import { columnChooser, usualColumns } from "../events/columns.js";
import { fieldOf } from "../events/details.js";
import { EventTable } from "../events/table.js";
import { copyMenu } from "../questions/saved.js";
import { volumeChart } from "../events/volume.js";
import { parseTests, testsText } from "../questions/where.js";

const pageEvents = 100;
const savedEventsMax = 10_000;

export async function render(container, context, { query }) {
    const view = new EventsView(container, context, stateOf(query, context));
    view.draw();
    await view.ask();
    return () => view.leave();
}

function stateOf(query, context) {
    return {
        event: query.get("event"),
        tests: parseTests(query.get("where")),
        range: parseRange(query.get("range")) ?? context.range,
        order: query.get("order") === "asc" ? "asc" : "desc",
        columns: query.get("columns")?.split(",").filter(Boolean) ?? usualColumns,
    };
}

class EventsView {
    constructor(container, context, state) {
        Object.assign(this, { container, context, state });
        this.volume = volumeChart(context, (range) => this.zoom(range));
        this.answer = h("section", { class: "card" });
        this.newest = new Newest(context.signal);
    }

    leave() {
        this.newest.stop();
        this.volume.destroy();
    }

    draw() {
        const { context, state } = this;
        this.period = periodPicker({
            value: state.range, zone: context.zone,
            onChange: (range) => this.changed(() => {
                state.range = range;
                context.setRange(range);
            }),
        });
        const order = h("select", {
            class: "select", "aria-label": "Order", onChange: () => this.changed(() => { state.order = order.value; }),
        }, [["desc", "Newest first"], ["asc", "Oldest first"]].map(([value, text]) => h("option", {
            value, selected: value === state.order,
        }, text)));
        fill(this.container,
            viewHead("Events", {
                note: "Single events, as they were stored.",
                actions: [copyMenu(context, () => this.question()), this.saveRows()],
            }),
            h("section", { class: "card filter-bar", "aria-label": "Which events" },
                h("div", { class: "row" },
                    eventPicker(context.catalog, {
                        value: state.event, anyText: "All events",
                        onChange: (event) => this.changed(() => { state.event = event; }),
                    }),
                    this.period, order,
                    columnChooser(context.catalog, () => state.event, state.columns, (columns) => {
                        state.columns = columns;
                        this.keepAddress();
                        this.table?.setColumns(columns);
                    })),
                filterBuilder(context.catalog, {
                    tests: state.tests, eventType: () => state.event, addText: "Where …",
                    onChange: (tests) => this.changed(() => { state.tests = tests; }),
                })),
            this.volume.element,
            this.answer);
    }

    question() {
        const { state, context } = this;
        const filters = filtersOf(state.event, state.tests);
        return {
            kind: "events", order: state.order, limit: pageEvents, time_zone: context.zone,
            ...(filters && { filters }),
            ...(dateRangeOf(state.range) && { date_range: dateRangeOf(state.range) }),
        };
    }

    zoom(range) {
        this.period.setValue(range);
        this.changed(() => { this.state.range = range; });
    }

    changed(edit) {
        edit();
        this.keepAddress();
        this.ask();
    }

    keepAddress() {
        const { event, tests, range, order, columns } = this.state;
        this.context.setQuery({
            event, where: testsText(tests), range: rangeText(range),
            order: order === "asc" ? order : null,
            columns: columns.join() === usualColumns.join() ? null : columns.join(),
        });
    }

    async ask() {
        const signal = this.newest.next();
        const question = this.question();
        this.volume.ask({ ...this.state, zone: this.context.zone }, signal);
        const answer = await during(this.answer, () => this.context.api.ask(question, { signal }),
            { retry: () => this.ask(), keep: Boolean(this.table) });
        if (answer && signal === this.newest.signal) this.show(question, answer, signal);
    }

    show(question, answer, signal) {
        const { zone } = this.context;
        if (answer.events.length === 0) {
            this.table = null;
            fill(this.answer,
                empty("No events here", "No event of these dates passes the filters."), answerNote(answer.meta, zone));
            return;
        }
        this.table = new EventTable(this.state.columns, zone);
        this.table.add(answer.events);
        const more = h("div", { class: "table-more" });
        const drawMore = (cursor) => fill(more, cursor
            ? h("button", {
                type: "button", class: "button",
                onClick: () => this.next(question, cursor, signal, drawMore, more),
            }, "Show more")
            : h("p", { class: "note" }, `${exactNumber(this.table.events.length)} events, no more`));
        drawMore(answer.next_cursor);
        fill(this.answer, this.table.element, more, answerNote(answer.meta, zone));
        this.context.announce(`${shortNumber(answer.events.length)} events shown`);
    }

    async next(question, cursor, signal, drawMore, more) {
        more.querySelector("button").disabled = true;
        try {
            const answer = await this.context.api.ask({ ...question, cursor }, { signal });
            const first = this.table.add(answer.events);
            drawMore(answer.next_cursor);
            first?.querySelector("button")?.focus();
        } catch (error) {
            if (!isAborted(error)) fill(more, errorNote(error, () => drawMore(cursor)));
        }
    }

    /** Saves what the filters pass, not only what is shown. */
    saveRows() {
        const button = h("button", {
            type: "button", class: "button", title: `Up to ${exactNumber(savedEventsMax)} events`,
            onClick: async () => {
                button.disabled = true;
                try {
                    const question = { ...this.question(), limit: savedEventsMax };
                    const answer = await this.context.api.ask(question, { signal: this.context.signal });
                    const { events, next_cursor: cursor } = answer;
                    const columns = this.state.columns.map((name) => ({ key: name, label: name }));
                    const rows = events.map((event) => Object.fromEntries(
                        this.state.columns.map((name) => [name, fieldOf(event, name)])));
                    saveFile(fileName(`events ${this.state.event ?? ""}`, "csv"), csv(columns, rows), "text/csv");
                    if (cursor) toast(`The file has the first ${exactNumber(events.length)} events.`);
                } catch (error) {
                    if (!isAborted(error)) toast(error.message, "error");
                } finally {
                    button.disabled = false;
                }
            },
        }, icon("download", 16), "CSV");
        return button;
    }
}
