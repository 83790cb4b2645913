// The tests of a filter in one text, for an address.

/** Null where there are no tests. */
export function testsText(tests) {
    return tests.length > 0 ? JSON.stringify(tests) : null;
}

/** No tests where the text is none. */
export function parseTests(text) {
    try {
        const tests = JSON.parse(text ?? "[]");
        return Array.isArray(tests) ? tests.filter((test) => test?.field && test.op) : [];
    } catch {
        return [];
    }
}
