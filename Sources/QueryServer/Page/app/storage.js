// What the page remembers on this machine: small texts in localStorage, which may be closed to it.

const prefix = "tidemark.";

/** The kept text of `name`, or `otherwise`. */
export function recall(name, otherwise = null) {
    try {
        return localStorage.getItem(prefix + name) ?? otherwise;
    } catch {
        return otherwise;
    }
}

/** Keeps `text` under `name`; null forgets it. */
export function remember(name, text) {
    try {
        if (text === null) localStorage.removeItem(prefix + name);
        else localStorage.setItem(prefix + name, text);
    } catch {
        // Without storage the choice lasts as long as the page.
    }
}
