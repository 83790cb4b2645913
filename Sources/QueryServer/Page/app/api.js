// Calls of the server. Every answer is JSON or an `ApiError` with the server's words.

const graceMillis = 250;

/** What the server, or the way to it, said no with. `path` and `allowed` tell the place in a question. */
export class ApiError extends Error {
    constructor(status, { code = "unknown", message, path = null, allowed = null } = {}) {
        super(message ?? `The server answered ${status}.`);
        this.name = "ApiError";
        this.status = status;
        this.code = code;
        this.path = path;
        this.allowed = allowed;
    }
}

/** Whether an error only says that the page itself gave the call up. */
export function isAborted(error) {
    return error?.name === "AbortError";
}

/** Signals for questions of which only the newest counts: a new one aborts the one before, `outer` the last. */
export class Newest {
    constructor(outer) {
        this.outer = outer;
        this.stop = () => this.own?.abort();
    }

    next() {
        this.stop();
        this.own = new AbortController();
        this.signal = AbortSignal.any([this.own.signal, this.outer]);
        return this.signal;
    }
}

/** The calls of one page. `project` is added to every call; `onUnauthorized` is told of a 401. */
export class Api {
    constructor(onUnauthorized) {
        this.project = null;
        this.onUnauthorized = onUnauthorized;
        this.kept = new Map();
    }

    get(path, options = {}) {
        return this.call("GET", path, options);
    }

    post(path, body, options = {}) {
        return this.call("POST", path, { ...options, body });
    }

    put(path, body, options = {}) {
        return this.call("PUT", path, { ...options, body });
    }

    delete(path, options = {}) {
        return this.call("DELETE", path, options);
    }

    /**
     * Asks `question` (POST /v1/query). When `signal` aborts, the server is told to stop as well, unless the answer
     * comes right then: most questions take milliseconds, and there is nothing to stop any more.
     */
    async ask(question, { signal } = {}) {
        signal?.throwIfAborted();
        const identifier = `page-${crypto.getRandomValues(new Uint32Array(3)).join("-")}`;
        const answer = this.post("/v1/query", { ...question, query_id: identifier });
        let isOver = false;
        const end = () => {
            isOver = true;
        };
        answer.then(end, end);
        if (!signal) return answer;
        return new Promise((resolve, reject) => {
            const giveUp = () => {
                reject(signal.reason);
                setTimeout(() => {
                    if (!isOver) this.call("DELETE", `/v1/queries/${identifier}`).catch(() => {});
                }, graceMillis);
            };
            signal.addEventListener("abort", giveUp, { once: true });
            answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
        });
    }

    /** A GET that computes only what changed: the last answer again where the server says 304. */
    async getKept(path, { query, signal } = {}) {
        const address = this.address(path, query);
        const known = this.kept.get(address);
        const headers = known ? { "If-None-Match": known.etag } : {};
        const response = await this.send("GET", address, { signal, headers });
        if (response.status === 304 && known) return { answer: known.answer, isFresh: false };
        const answer = await read(response, this.onUnauthorized);
        const etag = response.headers.get("ETag");
        if (etag) this.keep(address, { etag, answer });
        return { answer, isFresh: true };
    }

    /** The path with the project and `query` (null and undefined values are left out). */
    address(path, query = {}) {
        const parts = new URLSearchParams();
        if (this.project) parts.set("project", this.project);
        for (const [name, value] of Object.entries(query)) {
            if (value !== null && value !== undefined && value !== "") parts.set(name, value);
        }
        const text = parts.toString();
        return text ? `${path}?${text}` : path;
    }

    async call(method, path, { query, body, signal, headers = {} } = {}) {
        return read(await this.send(method, this.address(path, query), { body, signal, headers }), this.onUnauthorized);
    }

    async send(method, address, { body, signal, headers }) {
        const request = { method, signal, credentials: "same-origin", cache: "no-store", headers: { ...headers } };
        if (body !== undefined) {
            request.body = JSON.stringify(body);
            request.headers["Content-Type"] = "application/json";
        }
        try {
            return await fetch(address, request);
        } catch (error) {
            if (isAborted(error)) throw error;
            throw new ApiError(0, { code: "unreachable", message: "The server cannot be reached. Is queryd running?" });
        }
    }

    /** Keeps the answers of the last 40 addresses. */
    keep(address, entry) {
        this.kept.delete(address);
        this.kept.set(address, entry);
        if (this.kept.size > 40) this.kept.delete(this.kept.keys().next().value);
    }
}

async function read(response, onUnauthorized) {
    if (response.status === 204) return null;
    const text = await response.text();
    let answer = null;
    try {
        answer = text ? JSON.parse(text) : null;
    } catch {
        throw new ApiError(response.status, { code: "not_json", message: "The server's answer is not JSON." });
    }
    if (response.ok) return answer;
    const error = new ApiError(response.status, answer?.error);
    if (response.status === 401) onUnauthorized(error);
    throw error;
}
