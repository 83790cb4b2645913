// How many events there are over time, above their list. A click on a column narrows the dates to it.

import { isAborted } from "../api.js";
import { fill, h } from "../dom.js";
import { chart } from "../charts.js";
import { rangeOfBucket } from "../buckets.js";
import { counted } from "../format.js";
import { pivoted } from "../pivot.js";
import { dateRangeOf, usualInterval } from "../ranges.js";
import { filtersOf } from "../controls/filters.js";

/** Returns `{element, ask(state, signal), destroy()}`; `onZoom(range)` hears which bucket was chosen. */
export function volumeChart(context, onZoom) {
    const element = h("section", { class: "card volume", "aria-label": "Events over time" });
    let drawn = null;
    const ask = async ({ event, tests, range, zone }, signal) => {
        const interval = usualInterval(range, zone);
        const filters = filtersOf(event, tests);
        try {
            const answer = await context.api.ask({
                kind: "aggregate", metrics: ["count"], group_by: [interval], time_zone: zone,
                ...(filters && { filters }), ...(dateRangeOf(range) && { date_range: dateRangeOf(range) }),
            }, { signal });
            show(answer, interval, range);
        } catch (error) {
            // The list below shows the same error in full.
            if (!isAborted(error)) element.hidden = true;
        }
    };
    const show = (answer, interval, range) => {
        element.hidden = answer.rows.length === 0;
        const shape = pivoted(answer, [interval]);
        const total = answer.rows.reduce((sum, row) => sum + row.count, 0);
        const spec = {
            ...shape, kind: "bar", title: `${counted(total, "event")} over time, one bar for each ${interval}`,
            onPoint: ({ index }) => onZoom(rangeOfBucket(interval, shape.keys[index], range, answer.meta)),
        };
        if (drawn) drawn.update(spec);
        else {
            drawn = chart(spec);
            fill(element, drawn.element);
        }
    };
    return { element, ask, destroy: () => drawn?.destroy() };
}
