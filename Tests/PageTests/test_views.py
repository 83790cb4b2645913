"""Every view: draws without errors, speaks to its own server only, is accessible, and fits every width."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Opener

VIEWS = ["dashboards", "explore", "funnels", "events", "users", "live", "data", "health"]
SCHEMES = ["light", "dark"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_accessible(open_page: Opener, view: str, scheme: str) -> None:
    page = open_page(scheme=scheme)
    page.show(view)
    assert page.violations() == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_accessible_on_a_phone(open_page: Opener, view: str) -> None:
    page = open_page(width=360, height=740)
    page.show(view)
    assert page.violations() == []
    assert page.overflow() == 0


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_fits_and_is_drawn(open_page: Opener, screenshots: Path, view: str, width: int) -> None:
    for scheme in SCHEMES:
        page = open_page(width=width, height=1440 if width == 2560 else 800, scheme=scheme)
        page.show(view)
        page.page.screenshot(path=screenshots / f"{view}-{width}-{scheme}.png", full_page=True)
        assert page.overflow() == 0


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_one_heading_and_its_title(open_page: Opener, view: str) -> None:
    page = open_page()
    page.show(view)
    assert page.page.locator("main h1").count() == 1
    assert "Tidemark" in page.page.title()
    assert page.page.locator('nav [aria-current="page"]').count() == 1


def test_the_keyboard_reaches_every_view(open_page: Opener) -> None:
    page = open_page()
    page.show("dashboards")
    reached = set()
    for _ in range(60):
        page.page.keyboard.press("Tab")
        link = page.page.evaluate("document.activeElement.getAttribute('href') ?? ''")
        reached.add(link.removeprefix("#/").split("/")[0].split("?")[0])
    assert set(VIEWS) <= reached


def test_an_unknown_view_says_so(open_page: Opener) -> None:
    page = open_page()
    page.show("nowhere")
    assert page.violations() == []
