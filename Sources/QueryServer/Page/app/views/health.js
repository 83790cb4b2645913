// Whether everything that was sent is stored, published and in the answers. Looked at every five seconds.

import { isAborted } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { bytes, counted, dateTime, duration, exactNumber, percent, shortNumber } from "../format.js";
import { during, errorNote, viewHead } from "../states.js";

const lookMillis = 5000;
/** Of all events that arrived, refused ones: more than this is worth a look, or wrong. */
const refusedWarning = 0.001;
const refusedBad = 0.05;

const words = { good: "Good", warning: "Look at this", bad: "Wrong", quiet: "Quiet" };

export async function render(container, context) {
    const body = h("div", { class: "health" });
    const looked = h("span", { class: "note" });
    fill(container,
        viewHead("Health", { note: "Where the events are, and whether any are missing.", actions: [looked] }), body);
    const look = () => context.api.get("/v1/status", { signal: context.signal });
    const first = await during(body, look);
    if (first) show(body, first, context);
    let trouble = null;
    const timer = setInterval(async () => {
        try {
            show(body, await look(), context);
            trouble = null;
            fill(looked, `Looked at ${new Date().toLocaleTimeString("en-GB")}`);
        } catch (error) {
            // Said once, not every five seconds.
            if (isAborted(error) || error.message === trouble) return;
            trouble = error.message;
            fill(body, errorNote(error));
        }
    }, lookMillis);
    return () => clearInterval(timer);
}

function show(body, status, context) {
    const cards = [
        ...status.projects.flatMap((project) => projectCards(project, context.zone, status.projects.length > 1)),
        logCard(status.log), serverCard(status.server),
    ];
    const worst = ["bad", "warning"].find((grade) => cards.some((card) => card.grade === grade)) ?? "good";
    const troubled = cards.filter((card) => card.grade === worst && worst !== "good").map((card) => card.title);
    fill(body,
        h("p", { class: `verdict ${worst}`, role: "status" }, gradeMark(worst),
            worst === "good" ? "Everything that arrived is stored and in the answers."
                : `${words[worst]}: ${troubled.join(", ")}.`),
        h("div", { class: "health-cards" }, cards.map(cardElement)));
}

function gradeMark(grade) {
    const shape = { good: "check", quiet: "flat" }[grade] ?? "warning";
    return h("span", { class: `grade ${grade}` }, icon(shape, 14), words[grade]);
}

/** A card: `{title, grade, figure, text, facts: [[name, value]]}`. */
function cardElement({ title, grade, figure, text, facts }) {
    const known = facts.filter(([, value]) => value !== null && value !== undefined);
    return h("section", { class: `card health-card ${grade}` },
        h("header", {}, h("h2", {}, title), gradeMark(grade)),
        h("p", { class: "figure" }, figure),
        h("p", { class: "note" }, text),
        h("dl", { class: "facts" },
            known.map(([name, value]) => h("div", { class: "pair" }, h("dt", {}, name), h("dd", {}, value)))));
}

function projectCards(project, zone, isNamed) {
    return [arrivalCard(project, zone), answersCard(project), tableCard(project), ledgerCard(project.ledger)]
        .map((card) => (isNamed ? { ...card, title: `${card.title} of ${project.name}` } : card));
}

function arrivalCard({ freshness_seconds: seconds, as_of: asOf }, zone) {
    const isNone = seconds === null || seconds === undefined;
    const isQuiet = isNone || seconds > 900;
    return {
        title: "Arrival", grade: isQuiet ? "quiet" : "good",
        figure: isNone ? "no events" : `${duration(seconds)} ago`,
        text: isNone ? "Nothing has been stored yet."
            : isQuiet ? "The last batch was stored a while ago: nobody sends just now." : "The last batch was stored.",
        facts: [["Last stored", isNone ? null : dateTime(asOf?.clock, zone)], ["Position", asOf?.position]],
    };
}

function answersCard({ behind, tail_events: tail, published_events: published }) {
    return {
        title: "Answers", grade: !behind ? "good" : behind.reason === "tail memory full" ? "bad" : "warning",
        figure: behind ? `${counted(behind.records, "record")} behind` : "up to date",
        text: behind ? `Stored events are not in the answers yet: ${behind.reason}.`
            : "Every stored event is in every answer.",
        facts: [
            ["Events", exactNumber((published ?? 0) + (tail ?? 0))], ["Published in tables", exactNumber(published)],
            ["In the log only", exactNumber(tail)],
        ],
    };
}

function tableCard(project) {
    const { files, published_events: published, table_bytes: size } = project;
    return {
        title: "Tables", grade: "good", figure: bytes(size),
        text: published > 0 ? `${bytes(size / published)} an event, open to every engine that reads Delta.`
            : "Nothing is published yet.",
        facts: [
            ["Files", exactNumber(files)],
            ["Version", project.table_version < 0 ? null : exactNumber(project.table_version)],
            ["Days", project.oldest_day ? `${project.oldest_day} to ${project.newest_day}` : null],
        ],
    };
}

function ledgerCard(ledger) {
    const { sources, stored, rejected, duplicate, quarantined, skipped } = ledger;
    const arrived = (stored ?? 0) + (rejected ?? 0) + (quarantined ?? 0);
    const refused = arrived > 0 ? ((rejected ?? 0) + (quarantined ?? 0)) / arrived : 0;
    return {
        title: "Published ledger", grade: refused > refusedBad ? "bad" : refused > refusedWarning ? "warning" : "good",
        figure: `${shortNumber(stored)} stored`,
        text: refused > 0 ? `${percent(refused, 2)} of what arrived was refused.` : "Nothing that arrived was refused.",
        facts: [
            ["Stored", exactNumber(stored)], ["Rejected", exactNumber(rejected)],
            ["Quarantined", exactNumber(quarantined)], ["Duplicates left out", exactNumber(duplicate)],
            ["Skipped by senders", exactNumber(skipped)], ["Sources", exactNumber(sources)],
        ],
    };
}

function logCard({ segments, bytes: size }) {
    return {
        title: "Log", grade: "good", figure: bytes(size), text: "What is durable before it is published in tables.",
        facts: [["Segments", exactNumber(segments)]],
    };
}

function serverCard({ version, uptime_seconds: uptime }) {
    return {
        title: "Server", grade: "good", figure: duration(uptime), text: "Since queryd was started.",
        facts: [["Version", version], ["API", h("a", { href: "/openapi.json" }, "openapi.json")],
            ["For Prometheus", h("a", { href: "/metrics" }, "metrics")]],
    };
}
