// A panel that opens under a button and closes by Escape, by a click elsewhere, or when the focus leaves it.

import { h, uniqueId } from "../dom.js";

/**
 * `popover(button, build)`: returns an element with the button and, while open, the panel that `build(close)` makes.
 * `kind` is what the button announces ("dialog", "menu", "listbox"). `close()` gives the focus back to the button.
 */
export function popover(button, build, { kind = "dialog", label = null, className = "" } = {}) {
    const root = h("div", { class: "popover-root" }, button);
    let panel = null;
    button.setAttribute("aria-haspopup", kind);
    button.setAttribute("aria-expanded", "false");

    const close = (givesFocusBack = true) => {
        if (!panel) return;
        panel.remove();
        panel = null;
        button.setAttribute("aria-expanded", "false");
        document.removeEventListener("pointerdown", onOutside, true);
        if (givesFocusBack) button.focus();
    };
    const onOutside = (event) => {
        if (!root.contains(event.target)) close(false);
    };
    const open = () => {
        const props = { class: `popover ${className}`, id: uniqueId("panel"), role: kind, "aria-label": label };
        panel = h("div", props, build(close));
        button.setAttribute("aria-expanded", "true");
        root.append(panel);
        keepInside(panel);
        document.addEventListener("pointerdown", onOutside, true);
        (panel.querySelector("[data-first]") ?? panel.querySelector("button, input, select, [tabindex='0']"))?.focus();
    };
    button.addEventListener("click", () => (panel ? close() : open()));
    root.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && panel) {
            event.stopPropagation();
            event.preventDefault();
            close();
        }
    });
    root.addEventListener("focusout", (event) => {
        if (panel && event.relatedTarget && !root.contains(event.relatedTarget)) close(false);
    });
    return root;
}

/** Moves a panel so that the window shows all of it, if it can. */
function keepInside(panel) {
    const margin = 8;
    const box = panel.getBoundingClientRect();
    const over = box.right - (document.documentElement.clientWidth - margin);
    const shift = over > 0 ? -Math.min(over, box.left - margin) : box.left < margin ? margin - box.left : 0;
    if (shift !== 0) panel.style.setProperty("margin-left", `${shift}px`);
    if (box.bottom > window.innerHeight - margin && box.top - box.height > margin) panel.classList.add("above");
}
