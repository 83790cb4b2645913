// What a funnel's view is set to, as an address keeps it, and the question it stands for.

import { filtersOf, partsOfFilters } from "../controls/filters.js";
import { dateRangeOf, parseRange, rangeText } from "../ranges.js";

export const windowUnits = ["minutes", "hours", "days", "weeks"];

/** A funnel with two empty steps. */
export function newFunnel(range, zone) {
    return { steps: [emptyStep(), emptyStep()], window: { count: 7, unit: "days" }, tests: [], range, zone };
}

/** A step whose event is still to be chosen. */
export function emptyStep() {
    return { event: null, tests: [], name: "" };
}

/** Whether it can be asked: at least two steps have an event. */
export function isComplete(state) {
    return state.steps.filter((step) => step.event).length >= 2;
}

/** The question as the API takes it. Steps without an event are left out. */
export function questionOf(state) {
    const steps = state.steps.filter((step) => step.event).map((step) => ({
        name: step.name || step.event,
        event_type: step.event,
        ...(step.tests.length > 0 && { filters: filtersOf(null, step.tests) }),
    }));
    const filters = filtersOf(null, state.tests);
    return {
        kind: "funnel", steps, window: { [state.window.unit]: state.window.count },
        ...(filters && { filters }),
        ...(dateRangeOf(state.range) && { date_range: dateRangeOf(state.range) }),
        time_zone: state.zone,
    };
}

/** The state in one text, and back: null if the text is none. */
export function stateText(state) {
    return JSON.stringify({
        steps: state.steps.map(({ event, tests, name }) => [event, tests, name]),
        window: [state.window.count, state.window.unit], tests: state.tests, range: rangeText(state.range),
        zone: state.zone,
    });
}

export function parseState(text) {
    try {
        const { steps, window: [count, unit], tests, range, zone } = JSON.parse(text);
        const isSound = Array.isArray(steps) && steps.length >= 2 && steps.length <= 32 && Number.isInteger(count)
            && count > 0 && windowUnits.includes(unit) && Array.isArray(tests) && typeof zone === "string";
        if (!isSound) return null;
        return {
            steps: steps.map(([event, tests, name]) => ({ event, tests, name })),
            window: { count, unit }, tests, range: parseRange(range) ?? { start: null, end: null }, zone,
        };
    } catch {
        return null;
    }
}

/**
 * The state of a saved question. The page's own view of it wins; a question saved by another program is taken apart.
 * Null where it holds more than the builder can show.
 */
export function stateOfSaved(saved, range, zone) {
    const kept = saved.view?.funnel ? parseState(saved.view.funnel) : null;
    if (kept) return kept;
    const { question } = saved;
    const all = partsOfFilters(question.filters);
    const parts = (question.steps ?? question.funnel_steps ?? []).map((step) => [step, partsOfFilters(step.filters)]);
    if (!all || all.eventType || parts.length < 2 || parts.some(([, found]) => !found || found.eventType)) return null;
    return {
        steps: parts.map(([step, found]) => ({
            event: step.event_type, tests: found.tests,
            name: step.name && step.name !== step.event_type ? step.name : "",
        })),
        window: windowOf(question.window),
        tests: all.tests,
        range: question.date_range ? { start: null, end: null, ...question.date_range } : range,
        zone: question.time_zone ?? zone,
    };
}

/** `"7d"`, `"12_hours"` or `{days: 7}` as a count and a unit; 14 days where there is none. */
function windowOf(window) {
    if (window && typeof window === "object") {
        const [unit, count] = Object.entries(window)[0];
        return { count, unit };
    }
    const parts = /^(\d+)_?(minute|hour|day|week|m|h|d|w)/.exec(window ?? "");
    if (!parts) return { count: 14, unit: "days" };
    return { count: Number(parts[1]), unit: windowUnits.find((unit) => unit[0] === parts[2][0]) };
}
