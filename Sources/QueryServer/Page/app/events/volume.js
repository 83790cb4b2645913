// How many events there are over time, above their list. A click on a column narrows the dates to it.

import { fill, h } from "../dom.js";
import { chart } from "../charts.js";
import { bucketLabel, counted } from "../format.js";
import { dateRangeOf, movedDay, usualInterval } from "../ranges.js";
import { filtersOf } from "../controls/filters.js";

const hourMillis = 3_600_000;

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
            show(answer.rows, interval, zone);
        } catch (error) {
            // The list below shows the same error in full.
            if (error.name !== "AbortError") element.hidden = true;
        }
    };
    const show = (rows, interval, zone) => {
        element.hidden = rows.length === 0;
        const total = rows.reduce((sum, row) => sum + row.count, 0);
        const spec = {
            kind: "bar", title: `${counted(total, "event")} over time, one bar for each ${interval}`,
            labels: rows.map((row) => bucketLabel(row[interval], interval, zone)),
            longLabels: rows.map((row) => bucketLabel(row[interval], interval, zone, "long")),
            unfinished: rows.map((row) => row.complete === false),
            series: [{ name: "Events", values: rows.map((row) => row.count) }],
            onPoint: ({ index }) => onZoom(rangeOfBucket(rows[index][interval], interval)),
        };
        if (drawn) drawn.update(spec);
        else {
            drawn = chart(spec);
            fill(element, drawn.element);
        }
    };
    return { element, ask, destroy: () => drawn?.destroy() };
}

function rangeOfBucket(bucket, interval) {
    if (interval === "hour") {
        return { start: bucket, end: new Date(Date.parse(bucket) + hourMillis).toISOString() };
    }
    if (interval === "day") return { start: bucket, end: bucket };
    const [year, month] = bucket.split("-").map(Number);
    if (interval === "week") return { start: bucket, end: movedDay(bucket, 6) };
    return { start: bucket, end: new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10) };
}
