"""What people notice after a while: nothing is in the way, lost, or off by a part of an hour."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any, Dict, Iterator

import pytest
from conftest import Opener
from playwright.sync_api import Page, expect
from service import Service
from watched import Watched

DAY = {"widget_id": "days", "type": "chart", "title": "Events a day", "metrics": ["count"], "group_by": ["day"]}


@pytest.fixture
def dashboard(server: Service) -> Iterator[str]:
    made = server.call("POST", "/v1/dashboards", {"name": "Details", "widgets": [DAY]})
    yield made["dashboard_id"]
    server.call("DELETE", f"/v1/dashboards/{made['dashboard_id']}")


def explore(**choices: Any) -> str:
    state: Dict[str, Any] = {
        "s": [["feature_used", [], {"type": "users"}]], "b": None, "i": "none", "k": "table", "c": True,
        "r": "6_days_ago..today", "z": "UTC",
    }
    state.update(choices)
    return f"explore?state={urllib.parse.quote(json.dumps(state))}"


def cells(page: Page, place: str) -> list[list[str]]:
    return [row.locator("th, td").all_inner_texts() for row in page.locator(f"{place} tbody tr").all()]


def test_a_dialog_goes_when_the_address_does(watched: Watched, dashboard: str) -> None:
    page = watched.page
    watched.show("explore")
    watched.show(f"dashboards/{dashboard}")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    expect(page.locator("dialog")).to_have_count(0)


def test_what_a_dialog_did_is_said_after_it_closed(watched: Watched, dashboard: str) -> None:
    page = watched.page
    watched.show("data/purchase")
    page.get_by_role("button", name="Describe", exact=True).click()
    page.get_by_label("Description").fill("Somebody paid.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("Saved what purchase means.")


def test_choosing_dates_of_a_funnel_leaves_the_focus_at_the_dates(watched: Watched) -> None:
    page = watched.page
    watched.show("funnels")
    page.get_by_role("button", name="Fill in a suggestion").click()
    expect(page.locator(".conversion-columns")).to_be_visible()
    page.get_by_role("button", name="Entered in").click()
    page.get_by_role("button", name="Last 14 days").click()
    watched.settle()
    expect(page.get_by_role("button", name="Entered in: Last 14 days")).to_be_focused()


def test_totals_are_compared_value_by_value(watched: Watched, server: Service) -> None:
    page = watched.page
    watched.show(explore(b="properties.feature_name"))

    def counts(start: str, end: str) -> Dict[str, int]:
        rows = server.ask({
            "kind": "aggregate", "metrics": [{"type": "count_distinct", "field": "user_id", "alias": "n"}],
            "group_by": ["properties.feature_name"], "date_range": {"start": start, "end": end}, "time_zone": "UTC",
            "filters": {"field": "event_type", "op": "eq", "value": "feature_used"},
        })["rows"]
        return {row["properties.feature_name"]: row["n"] for row in rows}

    now, before = counts("6_days_ago", "today"), counts("13_days_ago", "7_days_ago")
    shown = cells(page, ".numbers")
    assert len(shown) == len(now) > 3
    for name, this, earlier, change in shown:
        assert (int(this), int(earlier)) == (now[name], before[name])
        part = (now[name] - before[name]) / before[name]
        assert change == f"{'+' if part > 0 else '−' if part < 0 else '±'}{abs(part) * 100:.1f} %"


def test_a_total_says_what_it_was_before(watched: Watched) -> None:
    watched.show(explore(k="line"))
    expect(watched.page.locator(".big-numbers")).to_contain_text("in the period before")


def test_behind_a_part_of_an_hour_is_that_part(watched: Watched, server: Service) -> None:
    page = watched.page
    first = server.ask({"kind": "aggregate", "metrics": [{"type": "max", "field": "timestamp", "alias": "last"}]})
    hour = first["rows"][0]["last"][:13]
    start, end = f"{hour}:20:00Z", f"{hour}:59:59Z"
    watched.show(explore(s=[[None, [], {"type": "count"}]], i="hour", c=False, r=f"{start}..{end}"))
    number = page.locator(".numbers .cell-button").first
    count = int(number.inner_text())
    number.click()
    page.wait_for_selector("dialog [role=tabpanel] tbody tr")
    assert sum(int(row[1]) for row in cells(page, "dialog [role=tabpanel]:not([hidden])")) == count > 0


def test_days_without_events_stand_in_the_volume(watched: Watched, server: Service) -> None:
    page = watched.page
    where = urllib.parse.quote(json.dumps([{"field": "event_type", "op": "eq", "value": "purchase"}]))
    watched.show(f"events?where={where}&range=39_days_ago..today")
    labels = "Chart.getChart(document.querySelector('.volume canvas')).data.labels.length"
    assert page.evaluate(labels) == 40


def test_numbers_that_were_opened_stay_open(watched: Watched, dashboard: str) -> None:
    page = watched.page
    watched.show(f"dashboards/{dashboard}")
    page.get_by_text("Numbers", exact=True).click()
    expect(page.locator(".data-table tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Compare").click()
    watched.settle()
    expect(page.locator(".data-table tbody tr").first).to_be_visible()
    expect(page.locator(".data-table thead")).to_contain_text("before")


def test_a_table_gets_numbers_that_it_has_not_yet(watched: Watched, dashboard: str) -> None:
    page = watched.page
    watched.show(f"dashboards/{dashboard}?edit=1")
    page.get_by_role("button", name="Add widget").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Table").click()
    form.get_by_label("Measure", exact=True).first.select_option("users")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("The same number is there twice.")
    form.get_by_label("Measure", exact=True).nth(1).select_option("count")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".widget-table tbody tr")).to_have_count(1)


def test_a_view_that_cannot_be_fetched_says_so_and_opens_later(watched: Watched) -> None:
    page = watched.page
    watched.show("explore")
    page.route("**/app/views/data.js", lambda route: route.abort())
    page.get_by_role("link", name="Data").click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.unroute("**/app/views/data.js")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Data")).to_be_visible()
    watched.errors.clear()


def test_back_after_the_login_does_not_lead_to_the_used_link(server: Service, open_page: Opener) -> None:
    watched = open_page(anonymous=True)
    page = watched.page
    page.goto(f"{server.url}/#/login")
    page.wait_for_selector("main h1")
    watched.errors.clear()
    page.goto(server.login_link())
    page.wait_for_selector("nav a")
    page.go_back()
    page.wait_for_timeout(300)
    assert "/login/" not in page.url


def test_a_filter_keeps_the_focus_while_it_is_put_together(watched: Watched) -> None:
    page = watched.page
    watched.show("explore")
    page.get_by_role("button", name="Filter", exact=True).click()
    field = page.get_by_role("combobox", name="Filter by")
    field.press_sequentially("device.os")
    expect(page.get_by_role("option", name="device.os").first).to_be_visible()
    field.press("Enter")
    expect(field).to_be_focused()
    field.press("Tab")
    operator = page.get_by_role("combobox", name="Operator")
    expect(operator).to_be_focused()
    operator.select_option("exists")
    expect(operator).to_be_focused()
    expect(page.get_by_role("combobox", name="Value")).to_have_count(0)
    expect(page.get_by_role("button", name="Remove filter device.os")).to_be_visible()


def test_the_form_of_a_widget_keeps_the_focus(watched: Watched, dashboard: str) -> None:
    page = watched.page
    watched.show(f"dashboards/{dashboard}?edit=1")
    page.get_by_role("button", name="Add widget").click()
    for name in ("Chart", "Funnel"):
        kind = page.get_by_role("dialog").get_by_role("button", name=name, exact=True)
        kind.focus()
        page.keyboard.press("Enter")
        expect(kind).to_have_attribute("aria-pressed", "true")
        expect(kind).to_be_focused()


@pytest.mark.parametrize("place", ["dashboards/nothing", "explore/nothing", "funnels/nothing", "shared/nothing"])
def test_what_is_not_there_has_a_heading(watched: Watched, place: str) -> None:
    watched.show(place)
    expect(watched.page.get_by_role("heading", level=1)).to_be_visible()
    expect(watched.page.get_by_role("alert")).to_be_visible()
    assert watched.violations() == []
    watched.errors.clear()


def test_paper_is_light(open_page: Opener) -> None:
    watched = open_page(scheme="dark")
    watched.show("dashboards")
    theme = "document.documentElement.dataset.theme"
    assert watched.page.evaluate(theme) == "dark"
    watched.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert watched.page.evaluate(theme) == "light"
    watched.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert watched.page.evaluate(theme) == "dark"
