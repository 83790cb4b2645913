// Events as they arrive.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { counted, shortNumber, time } from "../format.js";
import { viewHead } from "../states.js";
import { eventPicker } from "../controls/pickers.js";
import { eventItem } from "../events/details.js";

const shownMax = 300;
const heldMax = 1000;
const rateSeconds = 60;

export function render(container, context, { query }) {
    const view = new LiveView(container, context, { event: query.get("event"), user: query.get("user") });
    view.draw();
    view.connect();
    return () => view.leave();
}

class LiveView {
    constructor(container, context, state) {
        Object.assign(this, { container, context, state });
        this.isPaused = false;
        this.held = [];
        this.arrivals = new Array(rateSeconds).fill(0);
        this.second = Math.floor(Date.now() / 1000);
        this.skipped = 0;
        this.source = null;
        this.list = h("ol", { class: "live-list" });
        this.status = h("span", { class: "status", role: "status" });
        this.rate = h("strong", { class: "figure" }, "0");
        this.bars = h("div", { class: "rate-bars", "aria-hidden": "true" },
            Array.from({ length: rateSeconds }, () => h("span")));
        this.note = h("p", { class: "note" });
        this.timer = setInterval(() => this.tick(), 1000);
    }

    leave() {
        clearInterval(this.timer);
        this.source?.close();
    }

    draw() {
        const { context, state } = this;
        this.pauseButton = h("button", { type: "button", class: "button", onClick: () => this.pause(!this.isPaused) });
        const user = h("input", {
            type: "search", class: "input", value: state.user ?? "",
            placeholder: "Any person", "aria-label": "User or anonymous id",
            onChange: () => this.changed(() => { state.user = user.value.trim() || null; }),
        });
        const clear = h("button", { type: "button", class: "button quiet", onClick: () => this.clear() }, "Clear");
        fill(this.container,
            viewHead("Live", {
                note: "Events as they are stored, newest first.", actions: [this.status, this.pauseButton],
            }),
            h("section", { class: "card live-head", "aria-label": "Rate and filters" },
                h("div", { class: "live-rate" },
                    h("p", {}, this.rate, h("span", {}, "events in the last minute")), this.bars),
                h("div", { class: "row" },
                    eventPicker(context.catalog, {
                        value: state.event, anyText: "All events",
                        onChange: (event) => this.changed(() => { state.event = event; }),
                    }), user, clear)),
            h("section", { class: "card", "aria-label": "Events" }, this.note, this.list));
        this.pause(false);
        this.drawNote();
    }

    changed(edit) {
        edit();
        this.context.setQuery({ event: this.state.event, user: this.state.user });
        this.clear();
        this.connect();
    }

    connect() {
        this.source?.close();
        this.say("waiting", "Connecting");
        const { event, user } = this.state;
        const address = this.context.api.address("/v1/live", { event_type: event, user_id: user });
        const source = this.source = new EventSource(address);
        source.addEventListener("open", () => this.say("good", "Connected"));
        source.addEventListener("error", () => {
            const isOver = source.readyState === EventSource.CLOSED;
            this.say("warning", isOver ? "Not connected" : "Connecting again");
            // A stream that was refused says nothing of the reason; another call does, and asks for a login if need be.
            if (isOver) this.context.api.get("/v1/me", { signal: this.context.signal }).catch(() => {});
        });
        source.addEventListener("event", (message) => this.arrived(JSON.parse(message.data)));
        source.addEventListener("skipped", (message) => this.missed(JSON.parse(message.data).count));
    }

    arrived(event) {
        // The newest twenty come at once at the start; only what happens from now on counts for the rate.
        if (Date.now() - Date.parse(event.received_at ?? event.timestamp) < rateSeconds * 1000) this.count(1);
        if (this.isPaused) {
            this.held.push(event);
            if (this.held.length > heldMax) this.held.shift();
            this.drawNote();
        } else this.put(event);
    }

    missed(count) {
        this.skipped += count;
        this.count(count);
        this.drawNote();
    }

    put(event) {
        const isFirst = this.list.childElementCount === 0;
        this.list.prepend(h("li", {}, eventItem(event, { zone: this.context.zone, time })));
        while (this.list.childElementCount > shownMax) this.list.lastElementChild.remove();
        if (isFirst) this.drawNote();
    }

    pause(isPaused) {
        this.isPaused = isPaused;
        if (!isPaused) for (const event of this.held.splice(0)) this.put(event);
        fill(this.pauseButton, icon(isPaused ? "right" : "pause", 16), isPaused ? "Go on" : "Pause");
        this.drawNote();
    }

    clear() {
        this.held = [];
        this.skipped = 0;
        fill(this.list);
        this.drawNote();
    }

    drawNote() {
        const parts = [
            this.isPaused && `Paused; waiting: ${counted(this.held.length, "new event")}.`,
            this.skipped > 0 && `${counted(this.skipped, "event")} came too fast to be shown.`,
        ].filter(Boolean);
        const isEmpty = this.list.childElementCount === 0 && !this.isPaused;
        if (isEmpty) fill(this.note, "Nothing yet. Events appear here within a second of being stored.");
        else fill(this.note, parts.join(" "));
        this.note.hidden = !isEmpty && parts.length === 0;
    }

    count(events) {
        this.tick();
        this.arrivals[rateSeconds - 1] += events;
    }

    /** Moves the seconds along and draws the rate. */
    tick() {
        const now = Math.floor(Date.now() / 1000);
        const passed = Math.min(rateSeconds, now - this.second);
        if (passed > 0) {
            this.arrivals.splice(0, passed);
            this.arrivals.push(...new Array(passed).fill(0));
            this.second = now;
        }
        const most = Math.max(1, ...this.arrivals);
        this.arrivals.forEach((count, place) => {
            this.bars.children[place].style.setProperty("--share", String(count / most));
        });
        this.rate.textContent = shortNumber(this.arrivals.reduce((sum, count) => sum + count, 0));
    }

    say(kind, text) {
        this.status.className = `status ${kind}`;
        fill(this.status, text);
    }
}
