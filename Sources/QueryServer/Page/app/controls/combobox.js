// A text field with a list to choose from: pickers of events, properties, values and zones.
// The pattern is WAI-ARIA's editable combobox with a list: arrows move, Enter takes, Escape closes.

import { fill, h, uniqueId } from "../dom.js";
import { errorNote } from "../states.js";

const shownMax = 200;

/**
 * `options()` gives (or promises) [{value, text?, note?}]; it is asked when the list opens.
 * `onChange(value)` hears a choice. With `isFree` any typed text counts as a value, taken on Enter or when the focus
 * leaves. `value` may be null. Returns the element; `element.setValue(value)` changes it from outside.
 */
export function combobox({ label, value = null, options, onChange, isFree = false, placeholder = "", className = "" }) {
    const listId = uniqueId("list");
    const input = h("input", {
        type: "text", role: "combobox", class: "input", "aria-label": label, "aria-expanded": "false",
        "aria-controls": listId, "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder,
    });
    // In the top layer, so that no dialog or scrolled part cuts it off.
    const list = h("ul", { class: "options", role: "listbox", id: listId, "aria-label": label, popover: "manual" });
    const root = h("div", { class: `combobox ${className}` }, input);
    const state = { value, choices: [], all: [], active: -1, isOpen: false, isTyped: false };

    const textOf = (wanted) => state.all.find((choice) => choice.value === wanted)?.text ?? wanted ?? "";
    const show = () => {
        input.value = textOf(state.value);
        state.isTyped = false;
    };
    const onScroll = (event) => {
        if (event.target !== list) placeUnder(list, input);
    };
    const close = () => {
        state.isOpen = false;
        list.remove();
        window.removeEventListener("scroll", onScroll, true);
        input.setAttribute("aria-expanded", "false");
        input.removeAttribute("aria-activedescendant");
    };
    const take = (chosen) => {
        const isNew = chosen !== state.value;
        state.value = chosen;
        show();
        close();
        if (isNew) onChange(chosen);
    };
    const activate = (index) => {
        state.active = index;
        [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === index)));
        const item = list.children[index];
        if (item?.id) {
            input.setAttribute("aria-activedescendant", item.id);
            item.scrollIntoView({ block: "nearest" });
        } else input.removeAttribute("aria-activedescendant");
    };
    const draw = () => {
        const wanted = state.isTyped ? plain(input.value.trim()) : "";
        const found = state.all.filter((choice) => plain(choice.text ?? choice.value).includes(wanted));
        state.choices = found.slice(0, shownMax);
        const typed = input.value.trim();
        const isNamed = found.some((choice) => (choice.text ?? choice.value) === typed);
        if (isFree && state.isTyped && typed && !isNamed) state.choices.push({ value: typed, note: "as typed" });
        fill(list, state.choices.map((choice) => optionItem(choice, () => take(choice.value))));
        if (state.choices.length === 0) {
            const none = { class: "option-none", role: "option", "aria-disabled": "true" };
            fill(list, h("li", none, "Nothing of that name"));
        }
        activate(state.isTyped ? 0 : state.choices.findIndex((choice) => choice.value === state.value));
    };
    const open = async () => {
        if (state.isOpen) return;
        state.isOpen = true;
        fill(list, h("li", { class: "option-none", role: "option", "aria-disabled": "true" }, "Loading …"));
        root.append(list);
        list.showPopover();
        placeUnder(list, input);
        window.addEventListener("scroll", onScroll, true);
        input.setAttribute("aria-expanded", "true");
        try {
            state.all = await options();
        } catch (error) {
            fill(list, h("li", { class: "option-none", role: "option" }, errorNote(error)));
            return;
        }
        if (!state.isOpen) return;
        draw();
        placeUnder(list, input);
    };
    const settle = () => {
        if (!state.isTyped) return show();
        const typed = input.value.trim();
        const named = state.all.find((choice) => (choice.text ?? choice.value) === typed);
        if (named) take(named.value);
        else if (isFree) take(typed === "" ? null : typed);
        else show();
        return undefined;
    };

    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => {
        // Releasing the mouse undid the selection of `focus`.
        if (!state.isTyped) input.select();
        open();
    });
    input.addEventListener("input", async () => {
        state.isTyped = true;
        await open();
        draw();
    });
    input.addEventListener("blur", () => {
        settle();
        close();
    });
    input.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            if (!state.isOpen) return void open();
            const step = event.key === "ArrowDown" ? 1 : -1;
            const count = state.choices.length;
            if (count > 0) activate((state.active + step + count) % count);
        } else if (event.key === "Enter") {
            if (state.isOpen && state.choices[state.active]) {
                event.preventDefault();
                take(state.choices[state.active].value);
            } else if (state.isTyped) {
                event.preventDefault();
                settle();
                close();
            }
        } else if (event.key === "Escape" && state.isOpen) {
            event.stopPropagation();
            event.preventDefault();
            show();
            close();
        }
        return undefined;
    });
    root.setValue = (next) => {
        state.value = next;
        show();
    };
    show();
    return root;
}

/** As people type it: "new york" finds "America/New_York". */
function plain(text) {
    return text.toLowerCase().replaceAll("_", " ");
}

/** Under the field, or over it where there is more room; never past the window's edge. */
function placeUnder(list, input) {
    const box = input.getBoundingClientRect();
    const margin = 8;
    const below = window.innerHeight - box.bottom - margin;
    const isAbove = below < 180 && box.top > below;
    list.style.setProperty("max-height", `${Math.min(320, (isAbove ? box.top : below) - margin)}px`);
    list.style.setProperty("min-width", `${box.width}px`);
    const left = Math.min(box.left, document.documentElement.clientWidth - list.offsetWidth - margin);
    list.style.setProperty("left", `${Math.max(margin, left)}px`);
    list.style.setProperty("top", `${isAbove ? box.top - list.offsetHeight - 4 : box.bottom + 4}px`);
}

function optionItem(choice, onTake) {
    return h("li", {
        role: "option", id: uniqueId("option"), class: "option", "aria-selected": "false",
        onPointerdown: (event) => {
            event.preventDefault();
            onTake();
        },
    }, h("span", { class: "option-text" }, choice.text ?? choice.value),
    choice.note && h("span", { class: "option-note" }, choice.note));
}
