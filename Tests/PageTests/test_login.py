"""Who gets in, and how."""

from __future__ import annotations

import urllib.error

import pytest
from conftest import Opener
from playwright.sync_api import expect
from service import Service


def test_a_link_logs_in_once(server: Service, open_page: Opener) -> None:
    link = server.login_link()
    first = open_page(anonymous=True)
    first.page.goto(link)
    first.page.wait_for_selector("main h1")
    expect(first.page.get_by_role("navigation").first).to_be_visible()
    assert "/login/" not in first.page.url
    first.page.reload()
    expect(first.page.get_by_role("navigation").first).to_be_visible()

    second = open_page(anonymous=True)
    second.page.goto(link)
    expect(second.page.get_by_role("alert")).to_be_visible()
    assert second.violations() == []
    second.errors.clear()  # the browser notes the 401 that was expected


def test_a_token_logs_in(server: Service, open_page: Opener) -> None:
    page = open_page(anonymous=True)
    page.page.goto(server.url + "/")
    page.page.get_by_label("Token").fill(server.token)
    page.page.get_by_role("button", name="Log in").click()
    expect(page.page.get_by_role("navigation").first).to_be_visible()
    assert server.token not in page.page.content()
    page.errors.clear()  # the 401 that asked for the login


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_is_accessible(server: Service, open_page: Opener, scheme: str) -> None:
    page = open_page(anonymous=True, width=360, scheme=scheme)
    page.page.goto(server.url + "/")
    page.page.get_by_label("Token").wait_for()
    assert page.violations() == []
    assert page.overflow() == 0
    page.errors.clear()


def test_who_is_not_logged_in_is_refused(server: Service) -> None:
    stranger = Service(server.url, "tdm_nobody")
    for path in ["/v1/me", "/v1/status", "/v1/dashboards", "/v1/events/names"]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            stranger.call("GET", path)
        assert refused.value.code == 401
