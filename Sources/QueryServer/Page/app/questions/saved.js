// Saving a question, opening a saved one, and taking it along as JSON, curl or Python.

import { debounced, fill, h, labelled } from "../dom.js";
import { icon } from "../icons.js";
import { ago } from "../format.js";
import { addressOf } from "../router.js";
import { during, empty } from "../states.js";
import { confirmDialog, openDialog, openForm } from "../controls/dialog.js";
import { snippet } from "../controls/copy.js";
import { toast } from "../controls/toast.js";

/** The view that shows questions of a kind. */
const viewOfKind = { funnel: "funnels", aggregate: "explore", events: "events" };

/** A button that lists the saved questions of a kind in a dialog. */
export function savedMenu(context, kind) {
    return h("button", { type: "button", class: "button", onClick: () => openSaved(context, kind) },
        icon("inbox", 16), "Saved");
}

function openSaved(context, kind) {
    const body = h("div", { class: "saved" });
    const search = h("input", {
        type: "search", class: "input", placeholder: "Find by name", "aria-label": "Find a saved question",
        onInput: () => loadSoon(),
    });
    const dialog = openDialog("Saved questions", h("div", { class: "stack" }, search, body));
    const load = async () => {
        const wanted = search.value.trim();
        const ask = () => context.api.get("/v1/questions", { query: { q: wanted }, signal: context.signal });
        const answer = await during(body, ask, { retry: load, keep: wanted !== "" });
        if (!answer || wanted !== search.value.trim()) return;
        const questions = answer.questions.filter((question) => question.kind === kind);
        if (questions.length > 0) {
            const items = questions.map((question) => savedItem(context, question, dialog, load));
            fill(body, h("ul", { class: "saved-list" }, items));
        } else if (wanted) fill(body, empty("Nothing of that name"));
        else fill(body, empty("Nothing saved yet", "Save keeps a question with its dates and filters, for all users."));
    };
    const loadSoon = debounced(load, 200);
    load();
}

function savedItem(context, question, dialog, reload) {
    const address = addressOf(viewOfKind[question.kind], question.question_id);
    return h("li", {},
        h("a", { href: address, onClick: () => dialog.close() },
            h("strong", {}, question.name),
            question.description && h("span", { class: "note" }, question.description),
            h("span", { class: "note" }, `changed ${ago(question.updated_at)}`)),
        context.canWrite && h("button", {
            type: "button", class: "button quiet square", "aria-label": `Delete ${question.name}`,
            onClick: () => confirmDialog(`Delete “${question.name}”?`, "It is gone for everybody.", {
                onSubmit: async () => {
                    await context.api.delete(`/v1/questions/${encodeURIComponent(question.question_id)}`);
                    reload();
                },
            }),
        }, icon("trash", 16)));
}

/**
 * A button that saves: a new question, or changes of `saved`. `name`, `question`, `view` and `isReady` are functions,
 * asked when the button is pressed.
 */
export function saveButton(context, { saved, name, question, view, isReady }) {
    if (!context.canWrite) return null;
    return h("button", {
        type: "button", class: "button primary", onClick: () => {
            if (isReady()) openSave(context, { saved, name, question, view });
            else toast("There is nothing to save yet.", "error");
        },
    }, icon("save", 16), "Save");
}

function openSave(context, { saved, name, question, view }) {
    const title = h("input", { type: "text", class: "input", value: name(), required: true, maxlength: "200" });
    const description = h("textarea", {
        class: "input", rows: "2", maxlength: "2000", value: saved?.description ?? "",
    });
    const asNew = saved ? h("input", { type: "checkbox" }) : null;
    openForm("Save question", [
        labelled("Name", title), labelled("Description", description),
        asNew && h("label", { class: "check" }, asNew, "Keep the old one and save this as a new question"),
    ], {
        onSubmit: async () => {
            if (!title.value.trim()) {
                title.focus();
                throw new Error("A name is needed.");
            }
            const body = {
                name: title.value.trim(), description: description.value.trim(), question: question(), view: view(),
            };
            const isNew = !saved || asNew.checked;
            const path = isNew ? "/v1/questions" : `/v1/questions/${encodeURIComponent(saved.question_id)}`;
            const kept = await context.api[isNew ? "post" : "put"](path, body);
            toast(`Saved “${kept.name}”.`);
            context.navigate(viewOfKind[kept.question?.kind ?? kept.kind], kept.question_id);
        },
    });
}

/** A button that shows the question as JSON, as a call of curl and in Python. */
export function copyMenu(context, question) {
    return h("button", {
        type: "button", class: "button", onClick: () => openDialog("Ask this elsewhere", codeOf(context, question()),
            { isWide: true }),
    }, icon("copy", 16), "Copy");
}

function codeOf(context, question) {
    const asked = context.project ? { project: context.project, ...question } : question;
    const json = JSON.stringify(asked, null, 2);
    const address = `${location.origin}/v1/query`;
    return h("div", { class: "codes" },
        snippet("JSON", json),
        snippet("curl", `curl ${address} \\\n  -H "Authorization: Bearer $(cat data/query.token)" \\\n`
            + `  -d '${JSON.stringify(asked).replaceAll("'", "'\\''")}'`),
        snippet("Python", pythonCode(address, json)));
}

function pythonCode(address, json) {
    return `import json, urllib.request

question = json.loads(${pythonText(json)})
token = open("data/query.token").read().strip()
request = urllib.request.Request("${address}", json.dumps(question).encode(),
                                 {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
print(json.load(urllib.request.urlopen(request)))`;
}

/** A text as a literal of Python; JSON's escapes are Python's too. */
function pythonText(text) {
    return /\\|"""/.test(text) ? JSON.stringify(text) : `"""${text}"""`;
}
