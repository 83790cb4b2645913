// Sets the theme before the first paint, so this is a classic script that runs before the body is drawn.
// "light" and "dark" are kept in localStorage; anything else follows the system. A new choice is told by the event
// `themechoice` on the document; `themechange` tells that the colours changed.
(() => {
    const isDark = matchMedia("(prefers-color-scheme: dark)");
    let isPrinting = false;
    const apply = () => {
        let kept = null;
        try {
            kept = localStorage.getItem("tidemark.theme");
        } catch {
            // Storage may be closed to the page; the system's theme is used then.
        }
        const isKept = kept === "light" || kept === "dark";
        const isInDark = !isPrinting && (isKept ? kept === "dark" : isDark.matches);
        document.documentElement.dataset.theme = isInDark ? "dark" : "light";
        document.dispatchEvent(new Event("themechange"));
    };
    isDark.addEventListener("change", apply);
    document.addEventListener("themechoice", apply);
    // Paper is light, whatever the screen is.
    for (const name of ["beforeprint", "afterprint"]) {
        addEventListener(name, () => {
            isPrinting = name === "beforeprint";
            apply();
        });
    }
    apply();
})();
