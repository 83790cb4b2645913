// Which columns the table of events shows: a panel with a box to tick for each.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { errorNote, skeleton } from "../states.js";
import { popover } from "../controls/popover.js";

export const usualColumns = ["timestamp", "event_type", "gist", "user_id"];

const labels = { timestamp: "Time", received_at: "Received", event_type: "Event", gist: "About", user_id: "Person" };

/** What a column is called above it. */
export function columnLabel(name) {
    return labels[name] ?? name.replace(/^properties\./, "");
}

const ownColumns = [
    "timestamp", "received_at", "event_type", "gist", "user_id", "anonymous_id", "session_id", "group_key", "event_id",
    "position",
];

/** `onChange(columns)` hears each change; columns stand in the order of the panel. */
export function columnChooser(catalog, eventType, columns, onChange) {
    let chosen = new Set(columns);
    const button = h("button", { type: "button", class: "button" }, icon("table", 16), "Columns");
    return popover(button, () => {
        const list = h("div", { class: "column-list" }, skeleton("lines"));
        const search = h("input", {
            type: "search", class: "input", placeholder: "Find a column", "aria-label": "Find a column",
            onInput: () => {
                const wanted = search.value.trim().toLowerCase();
                for (const item of list.querySelectorAll("label")) {
                    item.hidden = !item.textContent.toLowerCase().includes(wanted);
                }
            },
        });
        const draw = (names) => fill(list, names.map((name) => {
            const box = h("input", {
                type: "checkbox", checked: chosen.has(name), onChange: () => {
                    if (box.checked) chosen.add(name);
                    else chosen.delete(name);
                    if (chosen.size === 0) chosen = new Set(["timestamp"]);
                    const kept = names.filter((other) => chosen.has(other));
                    onChange(kept);
                },
            });
            return h("label", { class: "check" }, box, labels[name] ?? name);
        }));
        catalog.properties(eventType()).then((properties) => {
            const names = [...ownColumns, ...properties.map((property) => property.name)];
            draw([...names, ...[...chosen].filter((name) => !names.includes(name))]);
        }, (error) => fill(list, errorNote(error)));
        return h("div", { class: "column-chooser" }, search, list);
    }, { label: "Columns", className: "column-panel" });
}
