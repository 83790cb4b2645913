// A button with a menu of actions; arrows, Home, End and letters move in it.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { popover } from "./popover.js";

/** `items`: [{text, icon?, onSelect, isDanger?, isDisabled?}], or functions' result if `items` is a function. */
export function menu(button, items, label = "Menu") {
    return popover(button, (close) => {
        const list = (typeof items === "function" ? items() : items).filter(Boolean);
        const buttons = list.map((item) => h("button", {
            type: "button", role: "menuitem", class: item.isDanger ? "menu-item danger" : "menu-item", tabindex: "-1",
            disabled: item.isDisabled ?? false,
            onClick: () => {
                close();
                item.onSelect();
            },
        }, item.icon && icon(item.icon, 16), item.text));
        return h("div", { class: "menu", onKeydown: (event) => move(event, buttons, close) }, buttons);
    }, { kind: "menu", label });
}

/** A round button with three dots that opens a menu. */
export function moreMenu(items, label = "More actions") {
    const props = { type: "button", class: "button quiet square", "aria-label": label, title: label };
    const button = h("button", props, icon("more"));
    return menu(button, items, label);
}

function move(event, buttons, close) {
    const usable = buttons.filter((button) => !button.disabled);
    const index = usable.indexOf(document.activeElement);
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: usable.length - 1 }[event.key];
    if (to !== undefined) {
        event.preventDefault();
        usable.at(to % usable.length)?.focus();
    } else if (event.key === "Tab") close(false);
    else if (event.key.length === 1) {
        const letter = event.key.toLowerCase();
        usable.find((button) => button.textContent.toLowerCase().startsWith(letter))?.focus();
    }
}
