// The events of one person, newest first, under the day they happened on.

import { isAborted } from "../api.js";
import { append, fill, h } from "../dom.js";
import { time } from "../format.js";
import { empty, errorNote } from "../states.js";
import { eventItem } from "../events/details.js";

/** `answer` has events and next_cursor; `more(cursor)` promises the next such answer. Returns the element. */
export function timeline(answer, { zone, more }) {
    const days = h("div", { class: "timeline" });
    const foot = h("div", { class: "table-more" });
    const last = { key: null, list: null };
    const add = ({ events, next_cursor: cursor }) => {
        const items = (events ?? []).map((event) => {
            const item = eventItem(event, { zone, time, withPerson: false });
            append(dayList(days, last, event, zone), h("li", {}, item));
            return item;
        });
        fill(foot, cursor && h("button", { type: "button", class: "button", onClick: () => next(cursor) },
            "Show earlier events"));
        return items[0] ?? null;
    };
    const next = async (cursor) => {
        foot.querySelector("button").disabled = true;
        try {
            add(await more(cursor))?.querySelector("summary").focus();
        } catch (error) {
            if (!isAborted(error)) fill(foot, errorNote(error, () => next(cursor)));
        }
    };
    if ((answer.events ?? []).length === 0) return empty("No events in these dates");
    add(answer);
    return h("div", {}, days, foot);
}

/** The list of the event's day, made when a day begins. */
function dayList(days, last, event, zone) {
    const key = dayName(event.timestamp, zone);
    if (last.key !== key) {
        last.key = key;
        last.list = h("ol", { class: "timeline-day" });
        days.append(h("section", { "aria-label": key }, h("h3", {}, key), last.list));
    }
    return last.list;
}

function dayName(instant, zone) {
    return new Intl.DateTimeFormat("en-GB", {
        weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: zone,
    }).format(new Date(instant));
}
