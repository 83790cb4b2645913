// Pickers of what the catalog knows: events, properties, zones.

import { columns } from "../catalog.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { percent, shortNumber } from "../format.js";
import { zones } from "../ranges.js";
import { combobox } from "./combobox.js";

/** Picks an event's name. `anyText` adds a choice for all events, whose value is null. */
export function eventPicker(catalog, { value, onChange, label = "Event", anyText = null }) {
    return combobox({
        label, value, isFree: true, placeholder: anyText ?? "Choose an event", className: "event-picker",
        options: async () => {
            const events = await catalog.events();
            const choices = events.map((event) => ({
                value: event.name, note: event.reserved ? "reserved" : shortNumber(event.count),
            }));
            return anyText ? [{ value: null, text: anyText }, ...choices] : choices;
        },
        onChange,
    });
}

/**
 * Picks a property or column. `isNumeric` keeps those that have numbers; `noneText` adds a choice of value null.
 */
export function propertyPicker(catalog, options) {
    const { value, onChange, label = "Property", eventType = () => null, isNumeric = false, noneText = null } = options;
    return combobox({
        label, value, isFree: true, placeholder: noneText ?? "Choose a property", className: "property-picker",
        options: async () => {
            const properties = await catalog.properties(eventType());
            const fitting = properties.filter((property) => !isNumeric || property.types.number > 0);
            const choices = fitting.map((property) => ({ value: property.name, note: percent(property.fill_rate, 0) }));
            const others = isNumeric ? [] : columns.map((name) => ({ value: name, note: "column" }));
            return [...(noneText ? [{ value: null, text: noneText }] : []), ...choices, ...others];
        },
        onChange,
    });
}

/** Picks the time zone whose days and hours count. */
export function zonePicker({ value, onChange }) {
    return h("div", { class: "zone-picker" }, icon("globe", 16), combobox({
        label: "Time zone", value, onChange, options: () => zones().map((zone) => ({ value: zone, text: zone })),
    }));
}
