// Short messages at the window's edge, said by screen readers, gone after a while.

import { h } from "../dom.js";
import { icon } from "../icons.js";

let region = null;

/** A dialog that goes away gives back the messages that moved into it, so that they can be read to their end. */
export function leaveWithToasts(dialog) {
    if (region && dialog.contains(region)) document.body.append(region);
}

/** Shows `text`; `kind` is "done" or "error". An open dialog would cover the messages, so they move into it. */
export function toast(text, kind = "done") {
    region ??= h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    const home = document.querySelector("dialog[open]") ?? document.body;
    if (region.parentNode !== home) home.append(region);
    const note = h("div", { class: `toast ${kind}` }, icon(kind === "error" ? "warning" : "check", 16), text);
    region.append(note);
    setTimeout(() => note.remove(), kind === "error" ? 8000 : 4000);
}
