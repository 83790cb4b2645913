// People: who was active lately, and all that is known of one.

import { Newest } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { ago, counted, dateTime } from "../format.js";
import { dateRangeOf, parseRange, rangeText } from "../ranges.js";
import { addressOf } from "../router.js";
import { during, empty, viewHead } from "../states.js";
import { csvButton, table } from "../table.js";
import { filterBuilder, filtersOf } from "../controls/filters.js";
import { periodPicker } from "../controls/period.js";
import { eventPicker } from "../controls/pickers.js";
import { answerNote } from "../questions/answer_note.js";
import { copyMenu } from "../questions/saved.js";
import { renderProfile } from "../users/profile.js";
import { parseTests, testsText } from "../questions/where.js";

const peopleMax = 200;

export async function render(container, context, { id, query }) {
    if (id) return renderProfile(container, context, id, query);
    const state = {
        event: query.get("event"), tests: parseTests(query.get("where")),
        range: parseRange(query.get("range")) ?? context.range,
        order: query.get("order") === "events" ? "events" : "last_seen",
    };
    const list = h("section", { class: "card" });
    const newest = new Newest(context.signal);
    const ask = async () => {
        const signal = newest.next();
        const question = questionOf(state, context.zone);
        const answer = await during(list, () => context.api.ask(question, { signal }),
            { retry: ask, keep: list.childElementCount > 0 });
        if (answer && signal === newest.signal) showPeople(list, answer, state, context);
    };
    const changed = (edit) => {
        edit();
        context.setQuery({
            event: state.event, where: testsText(state.tests), range: rangeText(state.range),
            order: state.order === "events" ? "events" : null,
        });
        ask();
    };
    fill(container,
        viewHead("Users", {
            note: "Look somebody up, or see who was active.",
            actions: [copyMenu(context, () => questionOf(state, context.zone))],
        }),
        searchForm(context),
        h("section", { class: "card filter-bar", "aria-label": "Which people" },
            h("div", { class: "row" },
                eventPicker(context.catalog, {
                    value: state.event, label: "Who did", anyText: "Any event",
                    onChange: (event) => changed(() => { state.event = event; }),
                }),
                periodPicker({
                    value: state.range, zone: context.zone,
                    onChange: (range) => changed(() => {
                        state.range = range;
                        context.setRange(range);
                    }),
                }),
                orderSelect(state, changed)),
            filterBuilder(context.catalog, {
                tests: state.tests, eventType: () => state.event, addText: "Where …",
                onChange: (tests) => changed(() => { state.tests = tests; }),
            })),
        list);
    await ask();
    return newest.stop;
}

/** Takes any id of a person to the profile. */
function searchForm(context) {
    const input = h("input", {
        type: "search", class: "input", placeholder: "User id or anonymous id", "aria-label": "User id or anonymous id",
        autocomplete: "off", spellcheck: "false",
    });
    return h("form", {
        class: "search-form", role: "search", onSubmit: (event) => {
            event.preventDefault();
            if (input.value.trim()) context.navigate("users", input.value.trim());
            else input.focus();
        },
    }, h("span", { class: "search-field" }, icon("search", 16), input),
    h("button", { type: "submit", class: "button primary" }, "Show profile"));
}

function orderSelect(state, changed) {
    const select = h("select", {
        class: "select", "aria-label": "Order", onChange: () => changed(() => { state.order = select.value; }),
    }, [["last_seen", "Last active first"], ["events", "Most events first"]].map(([value, text]) => h("option", {
        value, selected: value === state.order,
    }, text)));
    return select;
}

function questionOf(state, zone) {
    // Events of nobody would be one group without a name.
    const known = { or: [{ field: "user_id", op: "exists" }, { field: "anonymous_id", op: "exists" }] };
    const own = filtersOf(state.event, state.tests);
    return {
        kind: "aggregate", group_by: ["user_id"], order_by: `${state.order} DESC`, limit: peopleMax, time_zone: zone,
        metrics: [
            { type: "count", alias: "events" },
            { type: "count_distinct", field: "session_id", alias: "sessions" },
            { type: "min", field: "timestamp", alias: "first_seen" },
            { type: "max", field: "timestamp", alias: "last_seen" },
        ],
        filters: own ? { and: [known, own] } : known,
        ...(dateRangeOf(state.range) && { date_range: dateRangeOf(state.range) }),
    };
}

function showPeople(list, answer, state, context) {
    const rows = answer.rows.filter((row) => row.user_id !== null);
    if (rows.length === 0) {
        fill(list, empty("Nobody", "No person did this in these dates."), answerNote(answer.meta, context.zone));
        return;
    }
    const columns = [
        {
            key: "user_id", label: "Person",
            format: (id) => h("a", { class: "person", href: addressOf("users", id) }, id),
        },
        {
            key: "last_seen", label: "Last active",
            format: (at) => h("time", { datetime: at, title: dateTime(at, context.zone) }, ago(at)),
        },
        { key: "events", label: "Events", type: "number" },
        { key: "sessions", label: "Sessions", type: "number" },
        { key: "first_seen", label: "First in these dates", type: "time" },
    ];
    const isCut = answer.rows.length === peopleMax;
    fill(list,
        h("div", { class: "table-head" },
            h("h2", {}, isCut ? `The first ${peopleMax} people` : counted(rows.length, "person", "people")),
            csvButton("people", columns, rows)),
        table(columns, rows, { caption: "People", zone: context.zone, pageSize: 50 }),
        answerNote(answer.meta, context.zone));
    context.announce(counted(rows.length, "person", "people"));
}
