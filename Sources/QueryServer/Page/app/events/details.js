// One event as people read it: a line of what matters, and everything it carries.

import { h } from "../dom.js";
import { dateTime, valueText } from "../format.js";
import { addressOf } from "../router.js";
import { copyButton } from "../controls/copy.js";

/** The parts of an event that hold named values, in the order people look for them. */
const scopes = ["properties", "traits", "device", "location", "context"];

/** What an event of a kind is about: the first of these properties that it has stands in its line. */
const telling = [
    "page_name", "feature_name", "element_id", "form_name", "amount", "error_type", "custom_name", "method", "name",
    "url",
];

/** The value of a field as questions name it ("properties.plan"), or the gist; undefined where it is missing. */
export function fieldOf(event, field) {
    if (field === "gist") return gist(event);
    const dot = field.indexOf(".");
    if (dot < 0) return event[field] ?? undefined;
    return event[field.slice(0, dot)]?.[field.slice(dot + 1)];
}

/** What the event is about, as a short text: "page_name home". Empty if it has no properties. */
export function gist(event) {
    const properties = event.properties ?? {};
    const name = telling.find((name) => properties[name] !== undefined) ?? Object.keys(properties)[0];
    if (name === undefined) return "";
    const text = valueText(properties[name]);
    return name === "amount" && properties.currency ? `${text} ${properties.currency}` : `${name} ${text}`;
}

/** A link to whom the event belongs to: the user, else the anonymous id. */
export function personLink(event) {
    const person = event.user_id ?? event.anonymous_id;
    if (person === null || person === undefined) return h("span", { class: "note" }, "nobody");
    return h("span", {}, h("a", { href: addressOf("users", person), class: "person" }, person),
        !event.user_id && [" ", h("span", { class: "tag" }, "anonymous")]);
}

/** Everything the event carries, in groups, with a button that copies it as JSON. */
export function eventDetails(event, zone) {
    const columns = {
        event_id: event.event_id, user_id: event.user_id, anonymous_id: event.anonymous_id,
        session_id: event.session_id, group_key: event.group_key, timestamp: dateTime(event.timestamp, zone),
        received_at: dateTime(event.received_at, zone), position: event.position,
    };
    const groups = scopes.filter((scope) => Object.keys(event[scope] ?? {}).length > 0)
        .map((scope) => valueGroup(scope, event[scope]));
    return h("div", { class: "event-details" },
        h("div", { class: "event-groups" }, groups, valueGroup("event", columns)),
        h("div", { class: "row" }, copyButton(() => JSON.stringify(event, null, 2), "Copy as JSON")));
}

/** Names and values as a list with a title. Missing values are left out. */
export function valueGroup(title, values) {
    const present = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
    return h("div", { class: "value-group" },
        h("p", { class: "group-name" }, title),
        h("dl", { "aria-label": title }, present.map(([name, value]) => h("div", { class: "pair" },
            h("dt", {}, name),
            h("dd", { class: typeof value === "number" ? "number" : null }, valueText(value))))));
}

/** An event as a line that opens: time, kind, what it is about, and optionally whose it is. */
export function eventItem(event, { zone, time, withPerson = true }) {
    const details = h("details", { class: "event-item" },
        h("summary", {},
            h("time", { datetime: event.timestamp, title: dateTime(event.timestamp, zone) },
                time(event.timestamp, zone)),
            kindTag(event.event_type),
            h("span", { class: "gist" }, gist(event)),
            withPerson && h("span", { class: "person-name" }, event.user_id ?? event.anonymous_id ?? "")));
    // Built when it is opened first: a list may hold thousands of lines.
    details.addEventListener("toggle", () => {
        if (!details.open || details.childElementCount > 1) return;
        if (withPerson) details.append(h("p", { class: "event-of" }, "Of ", personLink(event)));
        details.append(eventDetails(event, zone));
    });
    return details;
}

/** The event's kind as a tag with a colour of its own, always the same for the same name. */
export function kindTag(name) {
    return h("span", { class: "kind", dataset: { hue: String(hueOf(name)) } }, name);
}

function hueOf(name) {
    let sum = 0;
    for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 1_000_003;
    return sum % 8;
}
