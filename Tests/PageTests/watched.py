"""A page that notes what must not happen: errors, and requests to anywhere but its own server."""

from __future__ import annotations

from typing import List
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request

# Rules of WCAG 2.2 AA and of good practice; nothing is switched off.
AXE = Axe()


class Watched:
    """What went wrong on a page since it was opened."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url.rstrip("/")
        self.errors: List[str] = []
        self.strangers: List[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("request", self._request)

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(f"console {kind}: {text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob"):
            return
        if f"{parts.scheme}://{parts.netloc}" != self.url:
            self.strangers.append(request.url)

    def show(self, view: str) -> None:
        """Goes to a view by its hash, and waits until it is drawn."""
        self.page.goto(f"{self.url}/#/{view}")
        self.settle()

    def settle(self) -> None:
        """Until the view's heading is there, nothing says it is loading, and the frames stand still."""
        self.page.wait_for_selector("main h1", state="visible")
        self.page.wait_for_function("""() => !document.querySelector('main [aria-busy="true"]')""")
        self.page.evaluate("""async () => {
            await document.fonts.ready;
            await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            await Promise.allSettled(document.getAnimations().filter(one => {
                const times = one.effect?.getComputedTiming();
                return times && Number.isFinite(times.endTime);
            }).map(one => one.finished));
        }""")

    def violations(self) -> List[str]:
        """What axe finds, one line for each element."""
        found = AXE.run(self.page).response["violations"]
        return [f"{one['id']}: {one['help']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    def overflow(self) -> int:
        """Pixels by which the page can be scrolled sideways."""
        return int(self.page.evaluate("""() => {
            const root = document.scrollingElement;
            return root.scrollWidth - root.clientWidth;
        }"""))
