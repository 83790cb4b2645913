// What stands around every view: the navigation (at the left; on small screens a bar at the bottom), project and theme.

import { h, fill, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { menu } from "./controls/menu.js";
import { recall, remember } from "./storage.js";

const links = [
    ["dashboards", "Dashboards"], ["explore", "Explore"], ["funnels", "Funnels"], ["users", "Users"],
    ["events", "Events"], ["live", "Live"], ["data", "Data"], ["health", "Health"],
];

/** On small screens the bar has room for these; the others are in its menu. */
const firstLinks = 4;

const themes = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]];

/** Returns `{element, main, mark(name), announce(text)}`. */
export function buildShell({ me, project, onProject, onLeave }) {
    const main = h("main", { class: "main", id: "main" });
    const said = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    const anchors = new Map(links.map(([name, text], index) => [name, h("a", {
        href: `#/${name}`, class: index < firstLinks ? "nav-link" : "nav-link later",
    }, icon(name), h("span", {}, text))]));
    const more = menu(
        h("button", { type: "button", class: "nav-link nav-more" }, icon("more"), h("span", {}, "More")),
        () => links.slice(firstLinks).map(([name, text]) => ({
            text, icon: name, onSelect: () => {
                location.hash = `#/${name}`;
            },
        })), "More views");
    const element = h("div", { class: "shell" },
        h("a", { class: "skip", href: "#main", onClick: (event) => {
            event.preventDefault();
            (main.querySelector("h1") ?? main).focus();
        } }, "Skip to content"),
        h("header", { class: "side" },
            h("a", { class: "brand", href: "#/dashboards" },
                h("img", { src: "/app/icon.svg", alt: "", width: "26", height: "26" }), h("span", {}, "Tidemark")),
            projectChoice(me, project, onProject),
            h("nav", { class: "nav", "aria-label": "Views" }, [...anchors.values()], more),
            h("div", { class: "side-foot" }, themeButton(), accountMenu(me, onLeave))),
        main, said);
    return {
        element,
        main,
        mark(name) {
            for (const [key, anchor] of anchors) {
                if (key === name) anchor.setAttribute("aria-current", "page");
                else anchor.removeAttribute("aria-current");
            }
        },
        announce(text) {
            said.textContent = "";
            requestAnimationFrame(() => {
                said.textContent = text;
            });
        },
    };
}

function projectChoice(me, project, onProject) {
    const projects = me.projects ?? [];
    if (projects.length < 2) return h("div", { class: "project" }, h("span", { class: "project-name" }, project ?? ""));
    const id = uniqueId("project");
    const choose = () => onProject(select.value);
    const select = h("select", { id, class: "select", "aria-label": "Project", onChange: choose },
        projects.map((name) => h("option", { value: name, selected: name === project }, name)));
    return h("div", { class: "project" }, select);
}

/** Goes round system, light, dark; theme.js follows. */
export function themeButton() {
    const button = h("button", { type: "button", class: "button quiet square" });
    const show = () => {
        const current = recall("theme", "system");
        const [, text] = themes.find(([name]) => name === current) ?? themes[0];
        fill(button, icon({ system: "system", light: "sun", dark: "moon" }[current] ?? "system"));
        button.setAttribute("aria-label", `Theme: ${text}. Change`);
        button.title = `Theme: ${text}`;
    };
    button.addEventListener("click", () => {
        const names = themes.map(([name]) => name);
        const next = names[(names.indexOf(recall("theme", "system")) + 1) % names.length];
        remember("theme", next === "system" ? null : next);
        show();
        document.dispatchEvent(new Event("themechoice"));
    });
    show();
    return button;
}

function accountMenu(me, onLeave) {
    const button = h("button", { type: "button", class: "button quiet account", title: `${me.name}, role ${me.role}` },
        h("span", { class: "avatar", "aria-hidden": "true" }, (me.name ?? "?").slice(0, 1).toUpperCase()),
        h("span", { class: "account-name" }, me.name));
    button.setAttribute("aria-label", `Account ${me.name}`);
    return menu(button, [{ text: "Log out", icon: "leave", onSelect: onLeave }], "Account");
}
