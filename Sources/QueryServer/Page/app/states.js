// What a view shows while it waits, has nothing, or was refused; and the head that every view has.

import { isAborted } from "./api.js";
import { h, fill } from "./dom.js";
import { icon } from "./icons.js";

/** The view's head: its heading (which takes the focus when the view is opened) and what can be done. */
export function viewHead(title, { note = null, actions = [], back = null } = {}) {
    return h("header", { class: "view-head" },
        h("div", { class: "view-title" },
            back && h("a", { class: "back", href: back.href }, icon("left", 16), back.text),
            h("h1", { tabindex: "-1" }, title),
            note && h("p", { class: "note" }, note)),
        h("div", { class: "view-actions" }, actions));
}

/** Grey shapes in place of what is being loaded: "lines", "chart" or "tile". */
export function skeleton(shape = "lines", label = "Loading") {
    const count = shape === "lines" ? 5 : 1;
    const bars = Array.from({ length: count }, () => h("span", { class: "skeleton-bar" }));
    return h("div", { class: `skeleton skeleton-${shape}`, role: "status", "aria-label": label }, bars);
}

/** A friendly nothing: what is missing and what to do about it. */
export function empty(title, text = null, ...actions) {
    return h("div", { class: "empty" },
        h("span", { class: "empty-mark" }, icon("inbox", 28)),
        h("p", { class: "empty-title" }, title),
        text && h("p", { class: "note" }, text),
        actions.length > 0 && h("div", { class: "row" }, actions));
}

/** The server's words: message, place in the question, and what is allowed there. */
export function errorNote(error, retry = null) {
    const allowed = Array.isArray(error.allowed) && error.allowed.length > 0 ? error.allowed.join(", ") : null;
    return h("div", { class: "error-note", role: "alert" },
        h("p", { class: "error-title" }, icon("warning"), error.message),
        error.path && h("p", { class: "note" }, "at ", h("code", {}, error.path)),
        allowed && h("p", { class: "note" }, "allowed: ", h("code", {}, allowed)),
        error.code && h("p", { class: "note" }, "code ", h("code", {}, error.code)),
        retry && h("button", { type: "button", class: "button", onClick: retry }, icon("refresh"), "Try again"));
}

/**
 * Runs `work` with a skeleton in `container`; shows its error there. Returns what `work` returns, or undefined if it
 * failed or was given up. The container says that it is busy meanwhile.
 */
export async function during(container, work, { shape = "lines", retry = null, keep = false } = {}) {
    container.setAttribute("aria-busy", "true");
    if (!keep) fill(container, skeleton(shape));
    try {
        const result = await work();
        container.removeAttribute("aria-busy");
        return result;
    } catch (error) {
        if (isAborted(error)) return undefined;
        container.removeAttribute("aria-busy");
        fill(container, errorNote(error, retry));
        return undefined;
    }
}
