"""Fixtures of the page's tests: they need built programs, and Chromium (TIDEMARK_CHROMIUM, /usr/bin/chromium)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from service import ROOT, Service, service
from watched import Watched

CHROMIUM = os.environ.get("TIDEMARK_CHROMIUM", "/usr/bin/chromium")
STATE = "logged-in.json"


@pytest.fixture(scope="session")
def server() -> Iterator[Service]:
    running = service()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def logged_in(server: Service, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of somebody who followed a login link."""
    path = tmp_path_factory.mktemp("state") / STATE
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.login_link())
    page.wait_for_selector("nav a")
    context.storage_state(path=path)
    context.close()
    return path


Opener = Callable[..., Watched]


@pytest.fixture
def open_page(server: Service, browser: Browser, logged_in: Path) -> Iterator[Opener]:
    """Opens pages of somebody logged in; at the end of the test nothing may have gone wrong on any of them."""
    contexts: list[BrowserContext] = []
    pages: list[Watched] = []

    def opened(width: int = 1280, height: int = 800, scheme: str = "light", anonymous: bool = False) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                      storage_state=None if anonymous else logged_in, reduced_motion="reduce",
                                      locale="en-GB", timezone_id="Europe/Berlin")
        context.set_default_timeout(15_000)
        contexts.append(context)
        pages.append(Watched(context.new_page(), server.url))
        return pages[-1]

    yield opened
    for context in contexts:
        context.close()
    assert [error for one in pages for error in one.errors] == []
    assert [url for one in pages for url in one.strangers] == []


@pytest.fixture
def watched(open_page: Opener) -> Watched:
    return open_page()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = Path(os.environ.get("TIDEMARK_SCREENSHOTS") or ROOT / ".build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
