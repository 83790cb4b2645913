// The address after `#`: `#/NAME/ID?query`. A change of it shows another view.

/** `{name, id, query}` of an address; the name of an empty one is "dashboards". */
export function parseAddress(hash) {
    const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
    const [name, id] = path.split("/");
    return { name: name || "dashboards", id: id ? decoded(id) : null, query: new URLSearchParams(query) };
}

function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

/** The address of a view: `addressOf("users", "u 1", {from: "…"})`. Empty values are left out. */
export function addressOf(name, id = null, query = {}) {
    const parts = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
        if (value !== null && value !== undefined && value !== "") parts.set(key, value);
    }
    const text = parts.toString();
    return `#/${name}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}
