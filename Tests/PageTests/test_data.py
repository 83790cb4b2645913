"""Data and health: what is collected, described and hidden by hand, and the status as cards."""

from __future__ import annotations

from conftest import Opener
from playwright.sync_api import expect
from service import Service
from watched import Watched

DATES = "start=29_days_ago&end=today&time_zone=Europe/Berlin"


def test_every_event_stands_in_the_catalog(server: Service, watched: Watched) -> None:
    watched.show("data")
    events = server.call("GET", f"/v1/events/names?{DATES}")["events"]
    rows = watched.page.get_by_role("table", name="Events").locator("tbody tr")
    assert rows.count() == len([event for event in events if not event["hidden"]])
    for event in events:
        row = rows.filter(has=watched.page.get_by_role("link", name=event["name"], exact=True))
        expect(row.locator(".bar-cell")).to_have_attribute("title", f"{event['count']:,}")


def test_an_event_shows_its_properties(server: Service, watched: Watched) -> None:
    watched.show("data/purchase")
    properties = server.call("GET", f"/v1/properties?event_type=purchase&{DATES}")["properties"]
    table = watched.page.get_by_role("table", name="Properties")
    names = table.locator("tbody tr code").all_inner_texts()
    assert names == [one["name"] for one in properties if not one["hidden"]]
    table.get_by_role("button", name="frequent values of properties.currency").click()
    expect(watched.page.get_by_role("dialog")).to_contain_text("EUR")
    assert watched.violations() == []


def test_an_event_is_described_and_hidden(server: Service, watched: Watched) -> None:
    watched.show("data")
    page = watched.page
    page.get_by_role("button", name="Describe or hide sign_out").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Description").fill("Somebody left <b>for today</b>")
    assert watched.violations() == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    watched.settle()
    expect(page.get_by_role("table", name="Events")).to_contain_text("Somebody left <b>for today</b>")

    page.get_by_role("button", name="Describe or hide sign_out").click()
    page.get_by_role("checkbox", name="Hide it").check()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="sign_out", exact=True)).to_have_count(0)
    page.get_by_role("checkbox", name="Show hidden").check()
    expect(page.get_by_role("link", name="sign_out", exact=True)).to_be_visible()
    item = next(one for one in server.call("GET", f"/v1/events/names?{DATES}")["events"] if one["name"] == "sign_out")
    assert (item["description"], item["hidden"]) == ("Somebody left <b>for today</b>", True)
    server.call("PUT", "/v1/events/names/sign_out", {"description": "", "hidden": False})


def test_health_has_the_figures_of_the_status(server: Service, watched: Watched) -> None:
    watched.show("health")
    project = server.call("GET", "/v1/status")["projects"][0]
    facts = dict(watched.page.locator(".health-card .pair").evaluate_all(
        "all => all.map(one => [one.querySelector('dt').innerText, one.querySelector('dd').innerText])"))
    assert facts["Events"] == f"{project['published_events'] + project['tail_events']:,}"
    assert facts["Files"] == f"{project['files']:,}"
    # Words say how it stands, not only colours.
    expect(watched.page.get_by_role("status").filter(has_text="Good")).to_be_visible()


def test_an_event_on_a_phone(open_page: Opener) -> None:
    watched = open_page(width=360, height=740)
    watched.show("data/purchase")
    assert watched.violations() == []
    assert watched.overflow() == 0
