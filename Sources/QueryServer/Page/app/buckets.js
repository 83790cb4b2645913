// The buckets of time that a range has, so that days without events are drawn as zero and not left out.

import { movedDay, resolvedDay } from "./ranges.js";

const intervals = new Set(["hour", "day", "week", "month"]);
const bucketsMax = 5000;
const hourMillis = 3_600_000;
const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** The groups of a question as the columns of its answer are called. */
export function groupNames(groups) {
    const list = Array.isArray(groups) ? groups : groups ? [groups] : [];
    return list.map((group) => (typeof group === "object" ? group.time : group));
}

/** Which of the groups is a bucket of time; null if none is. */
export function intervalOf(names) {
    return names.find((name) => intervals.has(name)) ?? null;
}

/** The day of an instant in a zone, as "2026-11-24". */
function dayOf(instant, zone) {
    return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" })
        .format(instant);
}

/**
 * All buckets of `meta`'s range by their names (`bucketName`): up to the one of the snapshot's clock.
 * `known` are the names that the rows have: they set the ends where the range is open.
 */
export function bucketsOf(interval, meta, known, weekStart = "monday") {
    const sorted = [...new Set(known)].filter((name) => name !== null).sort(byTime);
    const zone = meta?.time_zone ?? "UTC";
    const clock = Date.parse(meta?.as_of?.clock ?? "") || Date.now();
    const from = meta?.from ? Date.parse(meta.from) : null;
    const end = Math.min(meta?.to ? Date.parse(meta.to) - 1 : clock, clock);
    if (from === null && sorted.length === 0) return [];
    const all = interval === "hour" ? hours(from ?? Date.parse(sorted[0]), end, zone)
        : days(interval, from, end, sorted, zone, weekStart);
    return [...new Set([...all, ...sorted])].sort(byTime);
}

/** The one name of a bucket: an hour's instant may be written in several ways. */
export function bucketName(interval, value) {
    return interval === "hour" && value !== null ? new Date(value).toISOString() : value;
}

function byTime(first, second) {
    return Date.parse(first) - Date.parse(second);
}

/** Hours by their first instants, which stand on the zone's full hours. */
function hours(from, end, zone) {
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, minute: "numeric" }).format(from);
    const seconds = from % 60_000;
    const names = [];
    for (let at = from - Number(parts) * 60_000 - seconds; at <= end && names.length < bucketsMax; at += hourMillis) {
        names.push(bucketName("hour", at));
    }
    return names;
}

function days(interval, from, end, sorted, zone, weekStart) {
    const last = dayOf(end, zone);
    let day = from === null ? sorted[0] : dayOf(from, zone);
    if (interval === "week") {
        const back = (new Date(`${day}T00:00:00Z`).getUTCDay() - weekdays.indexOf(weekStart) + 7) % 7;
        day = movedDay(day, -back);
    }
    if (interval === "month") day = `${day.slice(0, 7)}-01`;
    const names = [];
    while (day <= last && names.length < bucketsMax) {
        names.push(day);
        day = next(interval, day);
    }
    return names;
}

function next(interval, day) {
    if (interval === "day") return movedDay(day, 1);
    if (interval === "week") return movedDay(day, 7);
    const [year, month] = day.split("-").map(Number);
    return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
}

/**
 * The dates of a bucket, within the range that it was cut by: its first and its last bucket may be parts of an hour,
 * a week or a month. `meta` is the answer's.
 */
export function rangeOfBucket(interval, key, range, meta) {
    if (interval === "hour") {
        const start = Math.max(Date.parse(key), Date.parse(meta?.from ?? key));
        const end = Math.min(Date.parse(key) + hourMillis, Date.parse(meta?.to ?? "") || Infinity);
        return { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
    }
    const zone = meta?.time_zone ?? "UTC";
    const first = resolvedDay(range.start, zone);
    const last = resolvedDay(range.end, zone);
    const end = movedDay(next(interval, key), -1);
    return { start: first && first > key ? first : key, end: last && last < end ? last : end };
}
