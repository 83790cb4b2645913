// Building of elements. Data reaches the page only as text nodes and attributes, never as markup.

const svgSpace = "http://www.w3.org/2000/svg";

/**
 * An element: `h("button", {class: "primary", onClick: save, "aria-label": "Save"}, "Save")`.
 * Props: `class`, `text`, `on<Event>` (a listener), `dataset` and `style` (objects; style by CSSOM), `value`, `checked`
 * and the like as properties, all else as attributes; null, undefined and false leave an attribute out.
 * Children: nodes, texts, numbers, arrays; null and false are left out.
 */
export function h(tag, props = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
    append(element, children);
    return element;
}

const properties = new Set(["value", "checked", "selected", "indeterminate", "disabled", "open", "readOnly"]);

function setProp(element, name, value) {
    if (value === null || value === undefined) return;
    if (name.startsWith("on") && typeof value === "function") {
        element.addEventListener(name.slice(2).toLowerCase(), value);
    } else if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") {
        for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    } else if (properties.has(name)) element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
}

/** Adds children as `h` does. */
export function append(element, ...children) {
    for (const child of children.flat(Infinity)) {
        if (child === null || child === undefined || child === false) continue;
        element.append(child instanceof Node ? child : String(child));
    }
    return element;
}

/** Replaces all children. */
export function fill(element, ...children) {
    element.replaceChildren();
    return append(element, children);
}

let lastIdentifier = 0;

/** An id that no other element of this page has, to tie labels and controls. */
export function uniqueId(prefix) {
    lastIdentifier += 1;
    return `${prefix}-${lastIdentifier}`;
}

/** A label above its control. `control` gets an id if it has none. */
export function labelled(text, control, note = null) {
    const target = control.matches("input, select, textarea, button") ? control
        : control.querySelector("input, select, textarea, button") ?? control;
    target.id ||= uniqueId("field");
    return h("div", { class: "field" },
        h("label", { for: target.id }, text),
        control,
        note && h("p", { class: "note" }, note));
}

/** A line drawing of 20 × 20 from `icons.js`, without meaning of its own. */
export function drawing(paths, size = 18) {
    const svg = document.createElementNS(svgSpace, "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("width", size);
    svg.setAttribute("height", size);
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "icon");
    for (const d of paths) {
        const path = document.createElementNS(svgSpace, "path");
        path.setAttribute("d", d);
        svg.append(path);
    }
    return svg;
}

/** Calls `action` once `quietMs` have passed without another call. */
export function debounced(action, quietMs = 250) {
    let timer = 0;
    const call = (...values) => {
        clearTimeout(timer);
        timer = setTimeout(() => action(...values), quietMs);
    };
    call.cancel = () => clearTimeout(timer);
    return call;
}
