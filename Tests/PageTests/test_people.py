"""Events, users and live: the rows and figures of the API, page by page."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from conftest import Opener
from playwright.sync_api import expect
from service import Service
from watched import Watched


def busiest(server: Service) -> str:
    question = {"kind": "aggregate", "metrics": ["count"], "group_by": ["user_id"], "order_by": "count DESC",
                "limit": 1, "filters": {"event_type": "sign_in"}}
    return str(server.ask(question)["rows"][0]["user_id"])


def test_events_come_page_by_page(server: Service, watched: Watched) -> None:
    watched.show("events?event=sign_in")
    rows = watched.page.locator(".event-table tbody tr")
    expect(rows).to_have_count(100)
    watched.page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(200)
    question: Dict[str, Any] = {"kind": "events", "filters": {"event_type": "sign_in"}, "limit": 200,
                                "date_range": {"start": "29_days_ago", "end": "today"}, "time_zone": "Europe/Berlin"}
    events = server.ask(question)["events"]
    shown = watched.page.locator(".event-table tbody time").evaluate_all("all => all.map(one => one.dateTime)")
    assert shown == [event["timestamp"] for event in events]


def test_a_row_opens_to_everything_it_carries(server: Service, watched: Watched) -> None:
    watched.show("events?event=purchase")
    toggle = watched.page.get_by_role("button", name="Details of purchase").first
    toggle.focus()
    watched.page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    question = {"kind": "events", "filters": {"event_type": "purchase"}, "limit": 1}
    event = server.ask(question)["events"][0]
    details = watched.page.locator(".details-row")
    for name in event["properties"]:
        expect(details).to_contain_text(name)
    expect(details).to_contain_text(event["event_id"])
    assert watched.violations() == []


def test_columns_are_chosen_and_kept_in_the_address(watched: Watched) -> None:
    watched.show("events?event=purchase")
    page = watched.page
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="properties.amount").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="amount")).to_be_visible()
    page.reload()
    watched.settle()
    expect(page.get_by_role("columnheader", name="amount")).to_be_visible()


def test_events_leave_as_csv(server: Service, watched: Watched) -> None:
    watched.show("events?event=purchase")
    with watched.page.expect_download() as download:
        watched.page.get_by_role("button", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    question = {"kind": "aggregate", "filters": {"event_type": "purchase"},
                "date_range": {"start": "29_days_ago", "end": "today"}, "time_zone": "Europe/Berlin"}
    assert len(lines) == 1 + server.ask(question)["rows"][0]["count"]


def test_a_profile_has_the_figures_of_the_api(server: Service, watched: Watched) -> None:
    person = busiest(server)
    watched.show("users")
    watched.page.get_by_role("searchbox", name="User id or anonymous id").fill(person)
    watched.page.keyboard.press("Enter")
    expect(watched.page.get_by_role("heading", level=1)).to_have_text(person)
    watched.settle()
    user = server.ask({"kind": "user", "user_id": person, "time_zone": "Europe/Berlin"})["user"]
    figures = dict(watched.page.locator(".figure-tile").evaluate_all(
        "all => all.map(one => [one.querySelector('dt').innerText, one.querySelector('dd').innerText])"))
    for label, name in [("Events", "total_events"), ("Active days", "unique_days"), ("Sessions", "session_count"),
                        ("Page views", "page_views"), ("Clicks", "clicks"), ("Purchases", "purchases")]:
        assert figures[label] == f"{user[name]:,}"
    for name, count in user["events_by_type"].items():
        row = watched.page.get_by_role("list", name="Events by type").get_by_role("listitem").filter(has_text=name)
        expect(row.filter(has_text=f"{count:,}").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_profile_is_accessible(server: Service, open_page: Opener, width: int, scheme: str) -> None:
    watched = open_page(width=width, scheme=scheme)
    watched.show(f"users/{busiest(server)}")
    watched.page.locator(".event-item summary").first.click()
    assert watched.violations() == []
    assert watched.overflow() == 0


def test_nobody_is_told_kindly(watched: Watched) -> None:
    watched.show("users/nobody%20of%20this%20name")
    expect(watched.page.locator("main")).to_contain_text("Nobody of this id")
    assert watched.violations() == []


def test_live_shows_the_last_events_and_pauses(server: Service, watched: Watched) -> None:
    watched.show("live?event=sign_in")
    items = watched.page.locator(".live-list > li")
    expect(items.nth(19)).to_be_visible()
    assert set(items.locator(".kind").all_inner_texts()) == {"sign_in"}
    watched.page.get_by_role("button", name="Pause").click()
    expect(watched.page.locator("main")).to_contain_text("Paused")
    watched.page.get_by_role("button", name="Go on").click()
    assert watched.violations() == []
