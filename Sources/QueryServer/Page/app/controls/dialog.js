// Modal dialogs over the platform's own <dialog>, which keeps the focus inside and closes by Escape.

import { append, fill, h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";
import { errorNote } from "../states.js";
import { leaveWithToasts } from "./toast.js";

/** Opens a dialog with `content`; returns `{close, element}`. `onClose` is called however it closes. */
export function openDialog(title, content, { onClose = () => {}, isWide = false } = {}) {
    const heading = uniqueId("dialog");
    const element = h("dialog", { class: isWide ? "dialog wide" : "dialog", "aria-labelledby": heading });
    const close = () => element.close();
    const cross = { type: "button", class: "button quiet square", "aria-label": "Close", onClick: close };
    append(element,
        h("header", { class: "dialog-head" }, h("h2", { id: heading }, title), h("button", cross, icon("close"))),
        h("div", { class: "dialog-body" }, content));
    // A dialog stands outside the view that opened it, so it goes when the address does.
    addEventListener("hashchange", close);
    element.addEventListener("close", () => {
        removeEventListener("hashchange", close);
        leaveWithToasts(element);
        element.remove();
        onClose();
    });
    element.addEventListener("pointerdown", (event) => {
        if (event.target === element) close();
    });
    document.body.append(element);
    element.showModal();
    return { close, element };
}

/**
 * A dialog with a form: `fields` is its content, `onSubmit()` may be async; the dialog closes when it is through and
 * shows its error otherwise.
 */
export function openForm(title, fields, { submit = "Save", onSubmit, isDanger = false, isWide = false }) {
    const problem = h("div", {});
    const button = h("button", { type: "submit", class: isDanger ? "button danger" : "button primary" }, submit);
    const form = h("form", {
        class: "form", novalidate: true, onSubmit: async (event) => {
            event.preventDefault();
            if (button.disabled) return;
            fill(problem);
            button.disabled = true;
            try {
                await onSubmit();
                dialog.close();
            } catch (error) {
                fill(problem, errorNote(error));
            } finally {
                button.disabled = false;
            }
        },
    }, fields, problem, h("footer", { class: "form-foot" },
        h("button", { type: "button", class: "button", onClick: () => dialog.close() }, "Cancel"), button));
    const dialog = openDialog(title, form, { isWide });
    form.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    return dialog;
}

/** Asks before something that cannot be undone. */
export function confirmDialog(title, text, { submit = "Delete", onSubmit }) {
    return openForm(title, h("p", {}, text), { submit, onSubmit, isDanger: true });
}
