// The small lines in metric tiles: the tile's number by the day (by the hour for short ranges), asked for after the
// dashboard itself is there. A tile does without its line where that cannot be had.

import { pivoted } from "../pivot.js";

const dayMillis = 86_400_000;
const bucketsMax = 400;

/** Fetches lines for tiles, and keeps those whose number did not change. */
export class Sparks {
    constructor(context) {
        this.context = context;
        this.kept = new Map();
    }

    /** The line of a metric widget with data of `entry`, or null; `filters` hold beside its own. */
    async values(definition, entry, filters) {
        const { from, to, time_zone: zone, as_of: asOf } = entry.meta ?? {};
        const clock = Date.parse(asOf?.clock ?? "");
        if (!from || !to || !clock) return null;
        const length = Math.min(Date.parse(to), clock) - Date.parse(from);
        const interval = length <= 2 * dayMillis ? "hour" : "day";
        if (length / (interval === "hour" ? dayMillis / 24 : dayMillis) > bucketsMax) return null;
        const question = {
            kind: "aggregate", metrics: definition.metrics, date_range: { start: from, end: to }, time_zone: zone,
            group_by: [interval], ...joined(definition.filters, filters),
        };
        const key = JSON.stringify([question, entry.value, asOf.position]);
        if (!this.kept.has(key)) {
            const answer = await this.context.api.ask(question, { signal: this.context.signal });
            const { series } = pivoted(answer, [interval]);
            this.kept.set(key, series[0]?.values ?? null);
        }
        return this.kept.get(key);
    }
}

/** The widget's own filters without its dates, and others. */
function joined(own, others) {
    const { start_date: _start, end_date: _end, ...tests } = own ?? {};
    const all = [Object.keys(tests).length > 0 && tests, ...others].filter(Boolean);
    if (all.length === 0) return {};
    return { filters: all.length === 1 ? all[0] : { and: all } };
}
