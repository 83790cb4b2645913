// Small bars of plain elements, beside numbers.

import { h } from "../dom.js";
import { exactNumber } from "../format.js";

/** A number over a bar that shows its size among the others. */
export function bar(count, share, text) {
    return h("span", { class: "bar-cell", title: exactNumber(count) }, text,
        h("span", { class: "bar-line", "aria-hidden": "true", style: { "--share": String(share) } }));
}

/** Names with counts as a list of bars: [{name, text, title, share}]; a name may be a node. */
export function shareList(entries) {
    return h("ul", { class: "shares" }, entries.map(({ name, text, title, share }) => h("li", {},
        h("span", { class: "share-name" }, name),
        h("span", { class: "share-count", title }, text),
        h("span", { class: "share-bar", "aria-hidden": "true", style: { "--share": String(share) } }))));
}
