// The login: by the one-time code of a link, or by a token. Both become a session cookie that scripts cannot read.

import { fill, h, labelled } from "../dom.js";
import { errorNote, skeleton } from "../states.js";
import { copyButton } from "../controls/copy.js";

/** `#/login/CODE` logs in at once; `#/login` asks for a token. */
export async function render(container, context, { id, query }) {
    context.setTitle("Log in");
    if (!id) return draw(container, context, query.get("to"));
    fill(container, skeleton("lines", "Logging in"));
    try {
        await context.api.post("/v1/sessions", { code: id });
    } catch (error) {
        return draw(container, context, null, error);
    }
    return context.entered();
}

function draw(container, context, target, error = null) {
    const problem = h("div", {}, error && errorNote(error));
    const token = h("input", {
        type: "password", class: "input", autocomplete: "off", spellcheck: "false", placeholder: "tdm_…",
        required: true,
    });
    const button = h("button", { type: "submit", class: "button primary wide" }, "Log in");
    const form = h("form", {
        novalidate: true, onSubmit: async (event) => {
            event.preventDefault();
            if (!token.value.trim()) return token.focus();
            button.disabled = true;
            fill(problem);
            try {
                await context.api.post("/v1/sessions", { token: token.value.trim() });
                context.entered(target);
            } catch (refusal) {
                fill(problem, errorNote(refusal));
                button.disabled = false;
            }
            return undefined;
        },
    }, labelled("Or with a token", token, "One of the role read, write or admin, such as data/query.token."), button);
    fill(container, h("section", { class: "login" },
        h("img", { src: "/app/icon.svg", alt: "", width: "44", height: "44" }),
        h("h1", { tabindex: "-1" }, "Log in to Tidemark"),
        problem,
        h("div", { class: "login-way" },
            h("p", {}, "On the machine with the data, run this and open the link it prints:"),
            h("div", { class: "command" }, h("code", {}, "tidemark login"), copyButton("tidemark login"))),
        form));
}
