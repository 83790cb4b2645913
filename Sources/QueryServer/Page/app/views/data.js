// What is collected: every event and property, how much of it there is, what it looks like, and what it means.

import { fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { ago, counted, dateTime, exactNumber, shortNumber } from "../format.js";
import { parseRange, rangeText } from "../ranges.js";
import { addressOf } from "../router.js";
import { during, empty, viewHead } from "../states.js";
import { csvButton, table } from "../table.js";
import { openForm } from "../controls/dialog.js";
import { periodPicker } from "../controls/period.js";
import { toast } from "../controls/toast.js";
import { barCell, propertyTable } from "../data/properties.js";
import { kindTag } from "../events/details.js";

export async function render(container, context, { id, query }) {
    const state = { range: parseRange(query.get("range")) ?? context.range, wanted: "", showsHidden: false };
    const body = h("div", { class: "data" });
    const load = () => (id ? loadEvent(body, context, id, state, load) : loadAll(body, context, state, load));
    fill(container,
        viewHead(id ?? "Data", {
            note: id ? null : "Every event and property that is collected, and what it means.",
            back: id ? { href: addressOf("data"), text: "All events" } : null,
            actions: [periodPicker({
                value: state.range, zone: context.zone,
                onChange: (range) => {
                    state.range = range;
                    context.setRange(range);
                    context.setQuery({ range: rangeText(range) });
                    load();
                },
            })],
        }),
        body);
    await load();
}

function datesOf(state, context) {
    return { start: state.range.start, end: state.range.end, time_zone: context.zone };
}

async function loadAll(body, context, state, load) {
    const query = datesOf(state, context);
    const answer = await during(body, () => Promise.all([
        context.api.get("/v1/events/names", { query, signal: context.signal }),
        context.api.get("/v1/properties", { query, signal: context.signal }),
    ]), { retry: load });
    if (!answer) return;
    const [{ events }, { properties }] = answer;
    const lists = h("div", {});
    const draw = () => {
        const isShown = (item) => (state.showsHidden || !item.hidden)
            && `${item.name} ${item.description ?? ""}`.toLowerCase().includes(state.wanted);
        fill(lists,
            eventsCard(events.filter(isShown), context, load),
            propertyCard("Properties of all events", properties.filter(isShown), context, load));
    };
    draw();
    fill(body, searchBar(state, [...events, ...properties].filter((item) => item.hidden).length, draw), lists);
}

function searchBar(state, hiddenCount, draw) {
    const search = h("input", {
        type: "search", class: "input",
        placeholder: "Find an event or property", "aria-label": "Find an event or property",
        value: state.wanted, onInput: () => {
            state.wanted = search.value.trim().toLowerCase();
            draw();
        },
    });
    const box = h("input", {
        type: "checkbox", checked: state.showsHidden, onChange: () => {
            state.showsHidden = box.checked;
            draw();
        },
    });
    return h("div", { class: "row data-search" },
        h("span", { class: "search-field" }, icon("search", 16), search),
        hiddenCount > 0 && h("label", { class: "check" }, box, `Show hidden (${hiddenCount})`));
}

function eventsCard(events, context, load) {
    const most = Math.max(1, ...events.map((event) => event.count));
    const columns = [
        {
            key: "name", label: "Event", format: (name, event) => h("span", { class: "named" },
                h("a", { href: addressOf("data", name) }, kindTag(name)),
                event.reserved && h("span", { class: "tag" }, "reserved"),
                event.hidden && h("span", { class: "tag" }, "hidden"),
                event.description && h("span", { class: "note" }, event.description)),
        },
        {
            key: "count", label: "Events", type: "number",
            format: (count) => barCell(count, count / most, shortNumber(count)),
        },
        { key: "users", label: "People", type: "number" },
        { key: "last_seen", label: "Last seen", format: (at) => seen(at, context.zone) },
        { key: "first_seen", label: "First seen", format: (at) => seen(at, context.zone) },
        ...editColumn(context, "event", load),
    ];
    return h("section", { class: "card" },
        h("div", { class: "table-head" }, h("h2", {}, counted(events.length, "event")),
            csvButton("events", columns.filter((column) => column.key !== "edit"), events)),
        table(columns, events, { caption: "Events", emptyText: "No event of that name.", pageSize: 50 }));
}

function propertyCard(title, properties, context, load) {
    return h("section", { class: "card" },
        h("div", { class: "table-head" }, h("h2", {}, title),
            csvButton(title, propertyTable.columns, properties.map(propertyTable.flat))),
        propertyTable.element(properties, { zone: context.zone, edit: editColumn(context, "property", load) }));
}

async function loadEvent(body, context, name, state, load) {
    const query = datesOf(state, context);
    const answer = await during(body, () => Promise.all([
        context.api.get("/v1/events/names", { query, signal: context.signal }),
        context.api.get("/v1/properties", { query: { ...query, event_type: name }, signal: context.signal }),
    ]), { retry: load });
    if (!answer) return;
    const [{ events }, { properties, event_count: count }] = answer;
    const event = events.find((item) => item.name === name);
    if (!event) {
        const back = h("a", { class: "button", href: addressOf("data") }, "All events");
        fill(body, h("section", { class: "card" },
            empty("No such event in these dates", "It may have come before or after.", back)));
        return;
    }
    const facts = [
        ["Events", exactNumber(count)], ["People", exactNumber(event.users)],
        ["First seen", dateTime(event.first_seen, context.zone)],
        ["Last seen", dateTime(event.last_seen, context.zone)],
    ];
    const them = addressOf("events", null, { event: name });
    fill(body,
        h("section", { class: "card data-event" },
            h("p", { class: event.description ? null : "note" },
                event.description || "Nobody has described this event yet."),
            h("dl", { class: "facts" },
                facts.map(([key, value]) => h("div", { class: "pair" }, h("dt", {}, key), h("dd", {}, value)))),
            h("div", { class: "row" },
                h("a", { class: "button", href: them }, icon("events", 16), "See them"),
                context.canWrite && h("button", {
                    type: "button", class: "button", onClick: () => openEdit(context, "event", event, load),
                }, icon("edit", 16), "Describe"))),
        propertyCard("Properties", properties, context, load));
}

/** The last column: a button that edits what the item means. Nothing for those who may only read. */
function editColumn(context, kind, load) {
    if (!context.canWrite) return [];
    return [{
        key: "edit", label: "Edit", sortable: false, format: (_, item) => h("button", {
            type: "button", class: "button quiet square row-action",
            "aria-label": `Describe or hide ${item.name}`, title: "Describe or hide",
            onClick: () => openEdit(context, kind, item, load),
        }, icon("edit", 16)),
    }];
}

function openEdit(context, kind, item, load) {
    const description = h("textarea", { class: "input", rows: "3", maxlength: "2000", value: item.description ?? "" });
    const isHidden = h("input", { type: "checkbox", checked: item.hidden });
    openForm(item.name, [
        labelled("Description", description, "What it means and when it is sent. Everybody here sees it."),
        h("label", { class: "check" }, isHidden, "Hide it from lists and pickers; its events stay as they are"),
    ], {
        onSubmit: async () => {
            const path = kind === "event" ? "/v1/events/names/" : "/v1/properties/";
            await context.api.put(path + encodeURIComponent(item.name), {
                description: description.value.trim(), hidden: isHidden.checked,
            });
            context.catalog.forget();
            toast(`Saved what ${item.name} means.`);
            await load();
        },
    });
}

function seen(at, zone) {
    return h("time", { datetime: at, title: dateTime(at, zone) }, ago(at));
}
