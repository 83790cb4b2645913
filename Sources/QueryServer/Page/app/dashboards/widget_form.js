// The form of a widget: what it shows in plain controls, or all of it as JSON.

import { fill, h, labelled } from "../dom.js";
import { openForm } from "../controls/dialog.js";
import { usualRange } from "../ranges.js";
import { periodPicker } from "../controls/period.js";
import { ApiError } from "../api.js";
import { newWidgetId } from "./starter.js";
import { draftOf, lackOf, widgetOf } from "./widget_draft.js";
import { fieldsOf } from "./widget_fields.js";

const types = [["metric", "Number"], ["chart", "Chart"], ["funnel", "Funnel"], ["table", "Table"]];

/**
 * Opens the form for `definition` (null: a new one); `onSubmit(definition)` may be async and its error is shown.
 */
export function openWidgetForm(context, definition, { onSubmit, isNew = definition === null }) {
    const identifier = isNew ? newWidgetId() : definition.widget_id;
    const known = definition === null ? null : draftOf(definition);
    const state = {
        isText: definition !== null && known === null,
        draft: known ?? { type: "metric", title: "", eventType: null, tests: [] },
        text: JSON.stringify(definition ?? {}, null, 2),
    };
    const place = h("div", { class: "stack" });
    const asText = h("input", {
        type: "checkbox", checked: state.isText, onChange: () => switchForm(state, asText, draw, identifier),
    });
    const draw = () => {
        const focused = place.contains(document.activeElement) ? nameOf(document.activeElement) : null;
        fill(place, state.isText ? textField(state) : formFields(context, state.draft, draw));
        if (focused === null) return;
        const controls = [...place.querySelectorAll("button, input, select")];
        (controls.find((control) => nameOf(control) === focused) ?? controls[0])?.focus();
    };
    draw();
    openForm(isNew ? "Add widget" : "Edit widget", [
        place, h("label", { class: "check note" }, asText, "Edit as JSON"),
    ], {
        isWide: true, submit: isNew ? "Add" : "Save",
        onSubmit: () => onSubmit({ ...currentOf(state), widget_id: identifier }),
    });
}

/** What a control is called: the same control has the same name in the form drawn anew. */
function nameOf(control) {
    return control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent;
}

function currentOf(state) {
    if (!state.isText) {
        const lack = lackOf(state.draft);
        if (lack) throw new ApiError(0, { code: null, message: lack });
        return widgetOf(state.draft);
    }
    try {
        return JSON.parse(state.text);
    } catch (error) {
        throw new ApiError(0, { code: "invalid_json", message: `This is not JSON: ${error.message}` });
    }
}

function switchForm(state, asText, draw, identifier) {
    if (asText.checked) {
        state.text = JSON.stringify({ ...widgetOf(state.draft), widget_id: identifier }, null, 2);
        state.isText = true;
    } else {
        let draft = null;
        try {
            draft = draftOf(JSON.parse(state.text));
        } catch {
            draft = null;
        }
        if (draft) state.draft = draft;
        state.isText = draft === null;
        asText.checked = state.isText;
    }
    draw();
}

function textField(state) {
    const area = h("textarea", {
        class: "textarea tall", rows: "16", spellcheck: "false", value: state.text, onInput: () => {
            state.text = area.value;
        },
    });
    return labelled("Widget as JSON", area, "Some widgets say more than the form can show; those are edited here.");
}

function formFields(context, draft, draw) {
    const title = h("input", {
        type: "text", class: "input", value: draft.title, maxlength: "200", placeholder: "Sign-ups a day",
        onInput: () => {
            draft.title = title.value;
        },
    });
    const kinds = h("div", { class: "segments", role: "group", "aria-label": "Kind of widget" },
        types.map(([type, text]) => h("button", {
            type: "button", class: "button", "aria-pressed": String(draft.type === type), onClick: () => {
                draft.type = type;
                draw();
            },
        }, text)));
    return [kinds, labelled("Title", title), fieldsOf(context, draft, draw), datesField(context, draft, draw)];
}

/** Dates of its own make a widget independent of what is chosen above the dashboard. */
function datesField(context, draft, draw) {
    const isOwn = draft.dates !== null && draft.dates !== undefined;
    const check = h("input", {
        type: "checkbox", checked: isOwn, onChange: () => {
            draft.dates = check.checked ? { ...usualRange } : null;
            draw();
        },
    });
    return h("div", { class: "row" }, h("label", { class: "check" }, check, "Dates of its own"),
        isOwn && periodPicker({
            value: draft.dates, zone: context.zone, label: "The widget's dates", onChange: (range) => {
                draft.dates = range;
            },
        }));
}
