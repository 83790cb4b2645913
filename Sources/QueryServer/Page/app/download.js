// Files and texts that leave the page: CSV, PNG, clipboard.

/** Saves `content` (a text or a Blob) as a file. */
export function saveFile(name, content, type = "text/plain") {
    const blob = content instanceof Blob ? content : new Blob([content], { type: `${type};charset=utf-8` });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Rows as CSV (RFC 4180). A text that a spreadsheet would run as a formula gets an apostrophe before it. */
export function csv(columns, rows) {
    const lines = [columns.map((column) => cell(column.label)).join(",")];
    for (const row of rows) lines.push(columns.map((column) => cell(row[column.key])).join(","));
    return lines.join("\r\n") + "\r\n";
}

function cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    let text = typeof value === "object" ? JSON.stringify(value) : String(value);
    if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text;
}

/** A title as a file's name. */
export function fileName(title, extension) {
    const plain = title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "tidemark";
    return `${plain}.${extension}`;
}

/** Puts a text on the clipboard; true if it got there. */
export async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const area = document.createElement("textarea");
        area.value = text;
        area.className = "visually-hidden";
        document.body.append(area);
        area.select();
        const isCopied = document.execCommand("copy");
        area.remove();
        return isCopied;
    }
}
