"""Dashboards: the numbers of /data, and links that show one without a login and without its people."""

from __future__ import annotations

import urllib.error
from typing import Any, Dict, Iterator

import pytest
from conftest import Opener
from playwright.sync_api import expect
from service import Service
from watched import Watched

USERS = {"type": "count_distinct", "field": "user_id", "alias": "users"}
STEPS = [{"name": "Visit", "event_type": "page_view"}, {"event_type": "click"}, {"event_type": "sign_up"}]
WIDGETS = [
    {"widget_id": "users", "type": "metric", "title": "People", "metrics": [USERS], "trend": "7_days"},
    {"widget_id": "views", "type": "chart", "title": "Views", "metrics": ["count"], "group_by": ["day"],
     "filters": {"event_type": "page_view"}, "chart_type": "line"},
    {"widget_id": "funnel", "type": "funnel", "title": "Sign-up", "funnel_steps": STEPS, "window": "7d"},
    {"widget_id": "features", "type": "table", "title": "Features", "metrics": ["count", USERS],
     "dimensions": ["properties.feature_name"], "filters": {"event_type": "feature_used"}, "order_by": "count DESC"},
    {"widget_id": "people", "type": "table", "title": "Busiest people", "metrics": ["count"], "dimensions": ["user_id"],
     "order_by": "count DESC", "limit": 5},
]
DATES = "start=29_days_ago&end=today&time_zone=Europe/Berlin"


@pytest.fixture
def dashboard(server: Service) -> Iterator[Dict[str, Any]]:
    made = server.call("POST", "/v1/dashboards", {"name": "Of the tests", "widgets": WIDGETS})
    yield made
    server.call("DELETE", f"/v1/dashboards/{made['dashboard_id']}")


def widgets_of(answer: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    return {widget["title"]: widget for widget in answer["widgets"]}


def assert_equal(watched: Watched, data: Dict[str, Dict[str, Any]]) -> None:
    page = watched.page
    people = page.get_by_role("article", name="People", exact=True)
    expect(people.locator(".metric-value")).to_have_attribute("title", f"{data['People']['value']:,}")

    views = page.get_by_role("article", name="Views", exact=True)
    views.get_by_text("Numbers").click()
    expect(views.locator("tbody tr")).to_have_count(len(data["Views"]["data"]))
    shown = views.locator("tbody tr td:last-child").evaluate_all("all => all.map(one => one.title)")
    assert [int(text.replace(",", "")) for text in shown] == [row["count"] for row in data["Views"]["data"]]

    funnel = page.get_by_role("article", name="Sign-up", exact=True)
    steps = data["Sign-up"]["data"]["steps"]
    assert funnel.locator(".funnel-users").all_inner_texts() == [f"{step['users']:,}" for step in steps]

    features = page.get_by_role("article", name="Features", exact=True)
    shown = features.locator("tbody tr").evaluate_all("rows => rows.map(row => row.cells[0].innerText)")
    assert shown == [row["properties.feature_name"] for row in data["Features"]["data"]][:10]


def test_a_dashboard_has_the_numbers_of_the_api(server: Service, watched: Watched, dashboard: Dict[str, Any]) -> None:
    watched.show(f"dashboards/{dashboard['dashboard_id']}")
    data = widgets_of(server.call("GET", f"/v1/dashboards/{dashboard['dashboard_id']}/data?{DATES}"))
    assert_equal(watched, data)
    busiest = data["Busiest people"]["data"][0]["user_id"]
    expect(watched.page.get_by_role("article", name="Busiest people", exact=True)).to_contain_text(busiest)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_dashboard_is_accessible(open_page: Opener, dashboard: Dict[str, Any], width: int, scheme: str) -> None:
    watched = open_page(width=width, scheme=scheme)
    watched.show(f"dashboards/{dashboard['dashboard_id']}")
    assert watched.violations() == []
    assert watched.overflow() == 0


def test_a_shared_link_shows_the_dashboard_without_its_people(
        server: Service, open_page: Opener, dashboard: Dict[str, Any]) -> None:
    identifier = dashboard["dashboard_id"]
    busiest = server.call("GET", f"/v1/dashboards/{identifier}/data?{DATES}")["widgets"][4]["data"][0]["user_id"]
    share = server.call("POST", f"/v1/dashboards/{identifier}/shares", {"days": 7})
    watched = open_page(anonymous=True)
    texts = []
    watched.page.on("response", lambda reply: texts.append(reply.text()) if "/v1/" in reply.url else None)
    watched.page.goto(share["url"])
    watched.settle()
    expect(watched.page.get_by_role("heading", level=1)).to_have_text("Of the tests")
    token = share["url"].split("#/shared/")[1]
    data = widgets_of(Service(server.url, "").call("GET", f"/v1/shared/{token}/data?{DATES}"))
    assert_equal(watched, data)
    assert data["Busiest people"]["error"]["code"] == "private"
    expect(watched.page.get_by_role("article", name="Busiest people", exact=True).get_by_role("alert")).to_be_visible()
    assert len(texts) >= 2
    assert not any(busiest in text for text in texts)
    expect(watched.page.get_by_role("navigation")).to_have_count(0)
    assert watched.violations() == []

    server.call("DELETE", f"/v1/shares/{share['share_id']}")
    with pytest.raises(urllib.error.HTTPError) as ended:
        Service(server.url, "").call("GET", f"/v1/shared/{token}/data")
    assert ended.value.code in (401, 403, 404, 410)


def test_a_changed_link_is_refused(server: Service, dashboard: Dict[str, Any]) -> None:
    share = server.call("POST", f"/v1/dashboards/{dashboard['dashboard_id']}/shares", {"days": 7})
    token = share["url"].split("#/shared/")[1]
    for place in [0, len(token) // 2, len(token) - 2]:
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(urllib.error.HTTPError) as refused:
            Service(server.url, "").call("GET", f"/v1/shared/{token[:place]}{other}{token[place + 1:]}/data")
        assert 400 <= refused.value.code < 500


def test_a_read_only_dashboard_is_copied_to_be_changed(server: Service, watched: Watched) -> None:
    read_only = [one for one in server.call("GET", "/v1/dashboards")["dashboards"] if one["read_only"]]
    if not read_only:
        pytest.skip("this server provisions none")
    identifier = read_only[0]["dashboard_id"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.call("DELETE", f"/v1/dashboards/{identifier}")
    assert refused.value.code == 409
    watched.show(f"dashboards/{identifier}")
    watched.page.get_by_role("button", name="Duplicate to edit").click()
    expect(watched.page.get_by_role("button", name="Done")).to_be_visible()
    server.call("DELETE", f"/v1/dashboards/{watched.page.url.split('#/dashboards/')[1].split('?')[0]}")
