// Date ranges as the server reads them: {start, end} of days, instants or words ("29_days_ago", "today").

export const presets = [
    { name: "Last hour", start: "60_minutes_ago", end: "now", interval: "hour" },
    { name: "Last 24 hours", start: "24_hours_ago", end: "now", interval: "hour" },
    { name: "Today", start: "today", end: "today", interval: "hour" },
    { name: "Yesterday", start: "yesterday", end: "yesterday", interval: "hour" },
    { name: "Last 7 days", start: "6_days_ago", end: "today", interval: "day" },
    { name: "Last 14 days", start: "13_days_ago", end: "today", interval: "day" },
    { name: "Last 30 days", start: "29_days_ago", end: "today", interval: "day" },
    { name: "Last 90 days", start: "89_days_ago", end: "today", interval: "day" },
    { name: "Last 12 months", start: "12_months_ago", end: "today", interval: "month" },
    { name: "All time", start: null, end: null, interval: "month" },
];

export const usualRange = { start: "29_days_ago", end: "today" };

/** What people call the range. */
export function rangeName(range) {
    const preset = presets.find((preset) => preset.start === range.start && preset.end === range.end);
    if (preset) return preset.name;
    if (!range.start) return `until ${dayName(range.end)}`;
    if (!range.end) return `since ${dayName(range.start)}`;
    return `${dayName(range.start)} – ${dayName(range.end)}`;
}

function dayName(text) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return text.replaceAll("_", " ");
    const day = new Date(`${text}T00:00:00Z`);
    return day.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

/** The range in one text for an address, and back. */
export function rangeText(range) {
    return `${range.start ?? ""}..${range.end ?? ""}`;
}

export function parseRange(text) {
    const parts = /^([\w:.+-]*?)\.\.([\w:.+-]*)$/.exec(text ?? "");
    return parts ? { start: parts[1] || null, end: parts[2] || null } : null;
}

/** The range as a question's member; undefined for all time. */
export function dateRangeOf(range) {
    if (!range.start && !range.end) return undefined;
    return { ...(range.start && { start: range.start }), ...(range.end && { end: range.end }) };
}

/** The interval that suits a range: hours up to two days, days up to half a year, else months. */
export function usualInterval(range, zone) {
    const preset = presets.find((preset) => preset.start === range.start && preset.end === range.end);
    if (preset) return preset.interval;
    const days = dayCount(range, zone);
    return days === null ? "month" : days <= 2 ? "hour" : days <= 190 ? "day" : "month";
}

/** Today's date in the zone, as "2026-11-24". */
export function today(zone) {
    return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" })
        .format(new Date());
}

/** `day` moved by a number of days, on the calendar. */
export function movedDay(day, days) {
    const moved = new Date(`${day}T00:00:00Z`);
    moved.setUTCDate(moved.getUTCDate() + days);
    return moved.toISOString().slice(0, 10);
}

/** A range's end as a calendar day; null where it is open or an instant. */
export function resolvedDay(text, zone) {
    if (!text) return null;
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return text;
    if (text === "today") return today(zone);
    if (text === "yesterday") return movedDay(today(zone), -1);
    const parts = /^(\d+)_(day|week|month)s?_ago$/.exec(text);
    if (!parts) return null;
    const count = Number(parts[1]);
    if (parts[2] !== "month") return movedDay(today(zone), -count * (parts[2] === "week" ? 7 : 1));
    const [year, month, day] = today(zone).split("-").map(Number);
    const last = new Date(Date.UTC(year, month - count, 0)).getUTCDate();
    return new Date(Date.UTC(year, month - 1 - count, Math.min(day, last))).toISOString().slice(0, 10);
}

/** How many days the range has; null where it is open or of instants. */
function dayCount(range, zone) {
    const start = resolvedDay(range.start, zone);
    const end = resolvedDay(range.end, zone);
    if (!start || !end) return null;
    return Math.round((Date.parse(end) - Date.parse(start)) / 86400000) + 1;
}

/** The range of the same length that ends where `range` starts; null where there is none. */
export function previousRange(range, zone) {
    const clock = /^(\d+)_(minute|hour)s_ago$/.exec(range.start ?? "");
    if (clock && range.end === "now") {
        return { start: `${clock[1] * 2}_${clock[2]}s_ago`, end: range.start };
    }
    const days = dayCount(range, zone);
    if (days === null || days < 1) return null;
    const start = resolvedDay(range.start, zone);
    return { start: movedDay(start, -days), end: movedDay(start, -1) };
}

let knownZones = null;

/** All IANA zones the browser knows, UTC first. */
export function zones() {
    knownZones ??= ["UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? []).filter((zone) => zone !== "UTC")];
    return knownZones;
}

/** The browser's own zone. */
export function ownZone() {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
