// What events and properties there are, fetched once and kept for a minute.

const keptMillis = 60_000;

/** The catalog of one project, for pickers. Lists are of the last 90 days. */
export class Catalog {
    constructor(api) {
        this.api = api;
        this.kept = new Map();
    }

    /** Event names, most frequent first, hidden ones left out: [{name, count, users, description, reserved?}]. */
    async events() {
        const answer = await this.fetched("/v1/events/names", { start: "90_days_ago", end: "today" });
        return answer.events.filter((event) => !event.hidden);
    }

    /** Properties of an event's kind (of all with null): [{name, scope, count, types, samples, …}]. */
    async properties(eventType = null) {
        const query = { start: "90_days_ago", end: "today", event_type: eventType };
        const answer = await this.fetched("/v1/properties", query);
        return answer.properties.filter((property) => !property.hidden);
    }

    /** Forgets all, after descriptions changed or the project did. */
    forget() {
        this.kept.clear();
    }

    fetched(path, query) {
        const key = this.api.address(path, query);
        const known = this.kept.get(key);
        if (known && Date.now() - known.at < keptMillis) return known.answer;
        const answer = this.api.get(path, { query });
        this.kept.set(key, { at: Date.now(), answer });
        answer.catch(() => this.kept.delete(key));
        return answer;
    }
}

/** Columns that every event has, for pickers beside the properties. */
export const columns = ["user_id", "anonymous_id", "session_id", "group_key", "event_id", "source"];
