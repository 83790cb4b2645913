// A button that copies a text, and a block of code with one.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { copyText } from "../download.js";
import { toast } from "./toast.js";

/** `text` may be a function, for a text that is not there yet. */
export function copyButton(text, label = "Copy") {
    const button = h("button", { type: "button", class: "button quiet" }, icon("copy", 16), label);
    button.addEventListener("click", async () => {
        const isCopied = await copyText(typeof text === "function" ? text() : text);
        if (!isCopied) {
            toast("The browser does not allow copying here.", "error");
            return;
        }
        fill(button, icon("check", 16), "Copied");
        setTimeout(() => fill(button, icon("copy", 16), label), 1500);
    });
    return button;
}

/** Code to copy, with a name above it. */
export function snippet(name, code) {
    return h("figure", { class: "snippet" },
        h("figcaption", {}, name, copyButton(code)),
        h("pre", { tabindex: "0", "aria-label": `${name} code` }, h("code", {}, code)));
}
