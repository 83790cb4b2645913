"""Explore: what is drawn adds up to what the API says."""

from __future__ import annotations

import json
from typing import Any, Dict, List
from urllib.parse import quote

import pytest
from conftest import Opener
from playwright.sync_api import Page, expect
from service import Service
from watched import Watched

RANGE = {"start": "29_days_ago", "end": "today"}
ZONE = "Europe/Berlin"


def address(series: List[Any], breakdown: Any = None, kind: str = "line", interval: str = "day") -> str:
    state = {"s": series, "b": breakdown, "i": interval, "k": kind, "c": False,
             "r": f"{RANGE['start']}..{RANGE['end']}", "z": ZONE}
    return "explore?state=" + quote(json.dumps(state))


def number(text: str) -> int:
    return int(text.replace(",", ""))


def shown_columns(page: Page) -> Dict[str, int]:
    """What each column of the table of numbers adds up to; the exact numbers stand in the cells' titles."""
    table = page.locator(".numbers table")
    names = table.locator("thead th").all_inner_texts()[1:]
    rows = table.locator("tbody tr").evaluate_all("""rows => rows.map(row => [...row.cells].slice(1)
        .map(cell => cell.querySelector('button')?.title.split(';')[0] ?? '0'))""")
    return {name: sum(number(row[place]) for row in rows) for place, name in enumerate(names)}


def total(server: Service, **question: Any) -> int:
    answer = server.ask({"kind": "aggregate", "metrics": ["count"], "date_range": RANGE, "time_zone": ZONE, **question})
    return int(answer["rows"][0]["count"])


@pytest.mark.parametrize("event", [None, "purchase", "page_view"])
def test_a_series_adds_up(server: Service, watched: Watched, event: Any) -> None:
    watched.show(address([[event, [], {"type": "count"}]]))
    filters = {"filters": {"event_type": event}} if event else {}
    expected = total(server, **filters)
    assert list(shown_columns(watched.page).values()) == [expected]
    expect(watched.page.locator(".totals b")).to_have_attribute("title", f"{expected:,}")


def test_a_breakdown_adds_up(server: Service, watched: Watched) -> None:
    watched.show(address([["page_view", [], {"type": "count"}]], breakdown="location.country"))
    answer = server.ask({"kind": "aggregate", "metrics": ["count"], "filters": {"event_type": "page_view"},
                         "group_by": ["location.country"], "order_by": "count DESC", "date_range": RANGE,
                         "time_zone": ZONE})
    expected = {row["location.country"]: row["count"] for row in answer["rows"]}
    assert shown_columns(watched.page) == expected


def test_two_series_stand_side_by_side(server: Service, watched: Watched) -> None:
    watched.show(address([["sign_up", [], {"type": "count"}], ["purchase", [], {"type": "count"}]], kind="bar"))
    columns = shown_columns(watched.page)
    assert columns == {name: total(server, filters={"event_type": name}) for name in ["sign_up", "purchase"]}


def test_the_state_survives_a_reload(watched: Watched) -> None:
    watched.show(address([["purchase", [], {"type": "count"}]]))
    before = shown_columns(watched.page)
    watched.page.reload()
    watched.settle()
    assert shown_columns(watched.page) == before


def test_a_number_shows_who_is_behind_it(server: Service, watched: Watched) -> None:
    watched.show(address([["purchase", [], {"type": "count"}]], interval="month"))
    watched.page.locator(".numbers tbody button").first.click()
    dialog = watched.page.get_by_role("dialog")
    expect(dialog.locator("tbody tr a").first).to_be_visible()
    assert watched.violations() == []
    watched.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_breakdown_is_accessible(open_page: Opener, width: int, scheme: str) -> None:
    watched = open_page(width=width, scheme=scheme)
    watched.show(address([[None, [], {"type": "count"}]], breakdown="event_type", kind="stacked"))
    assert watched.violations() == []
    assert watched.overflow() == 0
