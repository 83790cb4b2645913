// Numbers, dates and durations as people read them.

const locale = "en";
const exactFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: 20 });
const units = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];

/** "1.2 M": thousands as k, M, B, T. Below 10 000 whole numbers are given as they are. */
export function shortNumber(value) {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return String(value);
    const size = Math.abs(value);
    if (size < 10000) {
        if (size < 1) return smallNumber(value);
        const digits = Number.isInteger(value) ? 0 : size < 100 ? 2 : 1;
        return value.toLocaleString(locale, { maximumFractionDigits: digits });
    }
    const [worth, unit] = units.find(([worth]) => size >= worth * 0.9995) ?? units.at(-1);
    const scaled = value / worth;
    const digits = Math.abs(scaled) < 99.95 ? 1 : 0;
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return `${scaled.toLocaleString(locale, options)} ${unit}`;
}

/** Below 1: three digits that count, so that a small number is not shown as none. */
function smallNumber(value) {
    const isTiny = value !== 0 && Math.abs(value) < 1e-6;
    return value.toLocaleString(locale, { maximumSignificantDigits: 3, notation: isTiny ? "scientific" : "standard" });
}

/** As `shortNumber`, for an axis: "10 k". */
export function axisNumber(value) {
    return shortNumber(value).replace(/\.0(?= )/, "");
}

/** All digits, grouped. */
export function exactNumber(value) {
    if (value === null || value === undefined) return "no value";
    return typeof value === "number" ? exactFormat.format(value) : String(value);
}

/** A part as "42.3 %". */
export function percent(part, digits = 1) {
    if (part === null || part === undefined || !Number.isFinite(part)) return "–";
    return `${(part * 100).toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })} %`;
}

/** A change as "+12.3 %". */
export function signedPercent(part) {
    if (part === null || part === undefined) return "–";
    return `${part > 0 ? "+" : part < 0 ? "−" : "±"}${percent(Math.abs(part))}`;
}

/** Bytes as "1.2 GB" (powers of ten). */
export function bytes(count) {
    if (count === null || count === undefined) return "–";
    const steps = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];
    const [worth, unit] = steps.find(([worth]) => count >= worth) ?? [1, "B"];
    return `${(count / worth).toLocaleString(locale, { maximumFractionDigits: worth === 1 ? 0 : 1 })} ${unit}`;
}

/** Seconds as "850 ms", "2.4 s", "3 min 5 s", "2 h 4 min", "5 d 3 h". */
export function duration(seconds) {
    if (seconds === null || seconds === undefined) return "–";
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 60) return `${seconds.toLocaleString(locale, { maximumFractionDigits: 1 })} s`;
    const whole = Math.round(seconds);
    const pair = (big, bigUnit, small, smallUnit) => {
        const rest = Math.floor((whole % big) / small);
        return `${Math.floor(whole / big)} ${bigUnit}${rest ? ` ${rest} ${smallUnit}` : ""}`;
    };
    if (whole < 3600) return pair(60, "min", 1, "s");
    if (whole < 86400) return pair(3600, "h", 60, "min");
    return pair(86400, "d", 3600, "h");
}

/** How long ago an instant was: "just now", "5 min ago". */
export function ago(instant, now = Date.now()) {
    if (!instant) return "–";
    const seconds = (now - Date.parse(instant)) / 1000;
    if (seconds < 5) return "just now";
    const text = seconds < 60 ? `${Math.floor(seconds)} s` : duration(seconds).split(" ").slice(0, 2).join(" ");
    return `${text} ago`;
}

const formats = new Map();

function dateFormat(zone, options) {
    const key = zone + JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
    return formats.get(key);
}

/** An instant as "24 Nov 2026, 10:05:03" on the zone's clocks. */
export function dateTime(instant, zone = "UTC") {
    if (!instant) return "–";
    return dateFormat(zone, {
        day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
        hourCycle: "h23",
    }).format(new Date(instant));
}

/** An instant as "24 Nov 2026" on the zone's calendar. */
export function date(instant, zone = "UTC") {
    if (!instant) return "–";
    return dateFormat(zone, { day: "numeric", month: "short", year: "numeric" }).format(new Date(instant));
}

/** An instant as "10:05:03" on the zone's clocks. */
export function time(instant, zone = "UTC") {
    if (!instant) return "–";
    return dateFormat(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" })
        .format(new Date(instant));
}

/** A bucket's name in an answer ("2026-11-24", or an hour's instant) as a label, short for an axis. */
export function bucketLabel(bucket, interval, zone = "UTC", length = "short") {
    if (bucket === null || bucket === undefined) return "–";
    if (interval === "hour") {
        const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", day: "numeric", month: "short" };
        if (length === "long") options.weekday = "short";
        return dateFormat(zone, options).format(new Date(bucket));
    }
    const day = new Date(`${String(bucket).slice(0, 10)}T00:00:00Z`);
    if (interval === "month") {
        return dateFormat("UTC", { month: length === "long" ? "long" : "short", year: "numeric" }).format(day);
    }
    const options = { day: "numeric", month: "short" };
    if (length === "long") Object.assign(options, { weekday: "short", year: "numeric" });
    const text = dateFormat("UTC", options).format(day);
    return interval === "week" && length === "long" ? `week of ${text}` : text;
}

/** Any JSON value as a short text. */
export function valueText(value) {
    if (value === null || value === undefined) return "(none)";
    if (value === "") return "(empty)";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** "1 event", "2 events". */
export function counted(count, one, many = `${one}s`) {
    return `${shortNumber(count)} ${count === 1 ? one : many}`;
}
