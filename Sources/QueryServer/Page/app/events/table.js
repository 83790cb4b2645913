// A table of events whose rows open to everything the event carries.

import { append, fill, h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";
import { dateTime, valueText } from "../format.js";
import { columnLabel } from "./columns.js";
import { eventDetails, fieldOf, kindTag, personLink } from "./details.js";

export class EventTable {
    constructor(columns, zone) {
        this.columns = columns;
        this.zone = zone;
        this.events = [];
        this.head = h("tr");
        this.body = h("tbody");
        this.element = h("div", { class: "table-scroll", role: "region", tabindex: "0", "aria-label": "Events" },
            h("table", { class: "event-table" },
                h("caption", { class: "visually-hidden" }, "Events"), h("thead", {}, this.head), this.body));
        this.drawHead();
    }

    /** Adds rows below; returns the first new one. */
    add(events) {
        this.events.push(...events);
        const rows = events.map((event) => this.row(event));
        append(this.body, rows);
        return rows[0] ?? null;
    }

    setColumns(columns) {
        this.columns = columns;
        this.drawHead();
        fill(this.body, this.events.map((event) => this.row(event)));
    }

    drawHead() {
        fill(this.head,
            h("td", { class: "toggle-cell" }),
            this.columns.map((name) => h("th", { scope: "col" }, columnLabel(name))));
    }

    row(event) {
        const opened = uniqueId("event");
        const toggle = h("button", {
            type: "button", class: "button quiet square row-toggle", "aria-expanded": "false",
            "aria-label": `Details of ${event.event_type}, ${dateTime(event.timestamp, this.zone)}`,
        }, icon("right", 14));
        const row = h("tr", {}, h("td", { class: "toggle-cell" }, toggle),
            this.columns.map((name) => h("td", {}, this.cell(event, name))));
        let details = null;
        const open = () => {
            if (details) {
                details.remove();
                details = null;
            } else {
                details = h("tr", { class: "details-row", id: opened },
                    h("td", { colspan: this.columns.length + 1 }, eventDetails(event, this.zone)));
                row.after(details);
            }
            toggle.setAttribute("aria-expanded", String(details !== null));
            if (details) toggle.setAttribute("aria-controls", opened);
            else toggle.removeAttribute("aria-controls");
        };
        row.addEventListener("click", (click) => {
            const isElsewhere = click.target.closest("a, button") && !toggle.contains(click.target);
            if (!isElsewhere && !String(getSelection())) open();
        });
        return row;
    }

    cell(event, name) {
        if (name === "user_id") return personLink(event);
        const value = fieldOf(event, name);
        if (value === undefined || value === "") return h("span", { class: "note" }, "–");
        if (name === "timestamp" || name === "received_at") {
            return h("time", { datetime: value, title: value }, dateTime(value, this.zone));
        }
        if (name === "event_type") return kindTag(value);
        return h("span", { class: "cell-text", title: valueText(value) }, valueText(value));
    }
}
