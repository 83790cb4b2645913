// What an answer was computed from, below it: how fresh, how much was read, and what to be careful about.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { ago, counted, dateTime, duration, shortNumber } from "../format.js";

/** A line for `meta`, and its warnings above it. */
export function answerNote(meta, zone) {
    const facts = [
        `as of ${ago(meta.as_of?.clock)}`,
        meta.rows_read !== undefined && `${shortNumber(meta.rows_read)} rows read`,
        meta.cached ? "from the cache" : meta.elapsed_ms !== undefined && duration(meta.elapsed_ms / 1000),
        meta.exact && "exact",
        zone,
    ].filter(Boolean);
    const skipped = Object.entries(meta.skipped ?? {}).filter(([, count]) => count > 0)
        .map(([name, count]) => `${counted(count, "value")} of ${name} ${count === 1 ? "is" : "are"} no number`);
    const warnings = [...(meta.warnings ?? []), ...skipped];
    return h("div", { class: "answer-note" },
        warnings.map((text) => h("p", { class: "warning-line" }, icon("warning", 16),
            typeof text === "string" ? text : text.message)),
        h("p", { class: "note", title: meta.as_of?.clock ? `as of ${dateTime(meta.as_of.clock, zone)}` : null },
            facts.join(" · ")));
}
