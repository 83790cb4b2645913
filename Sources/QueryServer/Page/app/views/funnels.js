// Funnels: how many people go from step to step, who they are, and where the others stay.

import { Newest } from "../api.js";
import { fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { exactNumber, percent } from "../format.js";
import { during, empty, viewHead } from "../states.js";
import { csvButton } from "../table.js";
import { filterBuilder } from "../controls/filters.js";
import { periodPicker } from "../controls/period.js";
import { zonePicker } from "../controls/pickers.js";
import { answerNote } from "../questions/answer_note.js";
import { funnelBars, funnelLegend, funnelTable } from "../funnels/columns.js";
import { openPeople } from "../funnels/people.js";
import {
    isComplete, newFunnel, parseState, questionOf, stateOfSaved, stateText, windowUnits,
} from "../funnels/state.js";
import { stepsBuilder } from "../funnels/steps.js";
import { copyMenu, saveButton, savedMenu } from "../questions/saved.js";

export async function render(container, context, { id, query }) {
    const path = id && `/v1/questions/${encodeURIComponent(id)}`;
    const saved = path ? await context.api.get(path, { signal: context.signal }) : null;
    const state = parseState(query.get("funnel"))
        ?? (saved ? stateOfSaved(saved, context.range, context.zone) : null)
        ?? newFunnel(context.range, context.zone);
    const view = new FunnelView(container, context, state, saved);
    view.draw();
    await view.ask();
    return () => view.newest.stop();
}

function isSmall() {
    return matchMedia("(max-width: 1080px)").matches;
}

class FunnelView {
    constructor(container, context, state, saved) {
        Object.assign(this, { container, context, state, saved });
        // The dates stand above the answer and stay there, whatever it is: a picker keeps the focus it has.
        this.figure = h("p", { class: "answer-figure" });
        this.answer = h("div", { class: "conversion-answer" });
        this.figures = h("section", { class: "card conversion-figures", "aria-label": "By step", hidden: true });
        this.newest = new Newest(context.signal);
    }

    draw() {
        const { context, state, saved } = this;
        const actions = [
            savedMenu(context, "funnel"),
            copyMenu(context, () => questionOf(state)),
            saveButton(context, {
                saved, name: () => saved?.name ?? this.usualName(), question: () => questionOf(state),
                view: () => ({ funnel: stateText(state) }), isReady: () => isComplete(state),
            }),
        ];
        fill(this.container,
            viewHead(saved?.name ?? "Funnels", {
                note: saved?.description ?? "How many people go from one step to the next, and who they are.",
                back: saved ? { href: "#/funnels", text: "New funnel" } : null, actions,
            }),
            h("div", { class: "builder" },
                // On small screens the answer of a finished funnel comes first; its steps open on demand.
                h("details", { class: "card builder-form", open: !(isComplete(state) && isSmall()) },
                    h("summary", {}, h("h2", {}, "Steps"), icon("down", 16)),
                    h("div", { class: "builder-parts" },
                        stepsBuilder(context.catalog, state.steps, () => this.changed()),
                        h("div", { class: "builder-rest" }, this.windowField(), this.zoneField()),
                        h("h2", {}, "Filters on every step"),
                        filterBuilder(context.catalog, {
                            tests: state.tests, addText: "Only events where …",
                            onChange: (tests) => this.changed(() => { state.tests = tests; }),
                        }))),
                h("section", { class: "card", "aria-label": "Answer" },
                    h("div", { class: "answer-head" }, this.figure, this.period()), this.answer),
                this.figures));
    }

    usualName() {
        const named = this.state.steps.filter((step) => step.event).map((step) => step.name || step.event);
        return named.length > 1 ? `${named[0]} → ${named.at(-1)}` : "";
    }

    windowField() {
        const { state } = this;
        const count = h("input", {
            type: "number", class: "input", min: "1", max: "9999", step: "1", value: String(state.window.count),
            onChange: () => {
                const value = Number(count.value);
                if (!Number.isInteger(value) || value < 1) count.value = String(state.window.count);
                else this.changed(() => { state.window.count = value; });
            },
        });
        const unit = h("select", {
            class: "select", "aria-label": "Unit of the window",
            onChange: () => this.changed(() => { state.window.unit = unit.value; }),
        }, windowUnits.map((name) => h("option", { value: name, selected: name === state.window.unit }, name)));
        return labelled("Time to convert", h("div", { class: "joined" }, count, unit));
    }

    zoneField() {
        return labelled("Time zone", zonePicker({
            value: this.state.zone,
            onChange: (zone) => this.changed(() => {
                this.state.zone = zone;
                this.context.setZone(zone);
            }),
        }));
    }

    /** Notes a change in the address and asks anew. */
    changed(edit = () => {}) {
        edit();
        this.context.setQuery({ funnel: stateText(this.state) });
        this.ask();
    }

    period() {
        return periodPicker({
            value: this.state.range, zone: this.state.zone, label: "Entered in",
            onChange: (range) => this.changed(() => {
                this.state.range = range;
                this.context.setRange(range);
            }),
        });
    }

    async ask() {
        const signal = this.newest.next();
        if (!isComplete(this.state)) {
            this.answer.removeAttribute("aria-busy");
            this.figures.hidden = true;
            fill(this.figure);
            const suggest = h("button", { type: "button", class: "button", onClick: () => this.suggest() },
                "Fill in a suggestion");
            fill(this.answer, empty("Choose the events of two steps",
                "Steps count in their order: who does the second after the first, in time, is converted.", suggest));
            return;
        }
        const question = questionOf(this.state);
        const isFirst = !this.answer.querySelector(".conversion-columns");
        const answer = await during(this.answer, () => this.context.api.ask(question, { signal }),
            { shape: "chart", retry: () => this.ask(), keep: !isFirst });
        if (signal !== this.newest.signal) return;
        if (answer) this.show(question, answer);
        else {
            fill(this.figure);
            this.figures.hidden = true;
        }
    }

    /** The two most frequent kinds of events that are not reserved, as a start. */
    async suggest() {
        const events = (await this.context.catalog.events()).filter((event) => !event.reserved);
        const wanted = ["page_view", "sign_up"].filter((name) => events.some((event) => event.name === name));
        const names = wanted.length === 2 ? wanted : events.slice(0, 2).map((event) => event.name);
        names.forEach((name, index) => {
            this.state.steps[index].event ??= name;
        });
        this.draw();
        this.changed();
    }

    show(question, answer) {
        // The answer calls a step's name `step`.
        const steps = answer.steps.map((step) => ({ ...step, name: step.step }));
        const last = steps.at(-1);
        const { columns, rows, element } = funnelTable(steps);
        const isEmpty = steps[0].users === 0;
        fill(this.figure, isEmpty ? null : [
            h("strong", { class: "figure" }, percent(answer.overall_conversion_rate)),
            h("span", {}, `${exactNumber(last.users)} of ${exactNumber(steps[0].users)} people came `
                + `through all ${steps.length} steps`)]);
        fill(this.answer,
            isEmpty
                ? empty("Nobody entered this funnel", `No event of step 1, ${steps[0].name}, lies in these dates.`)
                : [h("div", { class: "conversion-scroll" }, funnelBars(steps, (index, outcome) => openPeople({
                    context: this.context, question, steps, index, outcome, zone: this.state.zone,
                }))), funnelLegend()],
            answerNote(answer.meta, this.state.zone));
        this.figures.hidden = isEmpty;
        fill(this.figures,
            h("div", { class: "table-head" },
                h("h2", {}, "By step"), csvButton(this.saved?.name ?? "funnel", columns, rows)),
            element);
        this.context.announce(`${percent(answer.overall_conversion_rate)} came through`);
    }
}
