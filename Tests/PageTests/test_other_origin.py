"""A page of another origin can neither read nor write through the cookie of somebody who is logged in."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Iterator

import pytest
from playwright.sync_api import Browser
from service import Service


class Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>another origin</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other_origin() -> Iterator[str]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


FETCH = """async ([url, options]) => {
    try {
        const reply = await fetch(url, {credentials: 'include', ...options});
        return {read: true, status: reply.status, text: await reply.text()};
    } catch (error) {
        return {read: false};
    }
}"""


@pytest.mark.parametrize("path", ["/v1/me", "/v1/status", "/v1/events/names", "/v1/dashboards", "/"])
def test_nothing_can_be_read(browser: Browser, logged_in: Path, server: Service, other_origin: str, path: str) -> None:
    context = browser.new_context(storage_state=logged_in)
    page = context.new_page()
    page.goto(other_origin)
    assert page.evaluate(FETCH, [server.url + path, {}])["read"] is False
    context.close()


def test_nothing_can_be_written(browser: Browser, logged_in: Path, server: Service, other_origin: str) -> None:
    before = [one["dashboard_id"] for one in server.call("GET", "/v1/dashboards")["dashboards"]]
    context = browser.new_context(storage_state=logged_in)
    page = context.new_page()
    page.goto(other_origin)
    # No header that asks for leave first: such a request is sent, and must be refused where it arrives.
    body = {"method": "POST", "mode": "no-cors", "body": '{"name": "planted", "widgets": []}',
            "headers": {"Content-Type": "text/plain"}}
    page.evaluate(FETCH, [server.url + "/v1/dashboards", body])
    context.close()
    assert [one["dashboard_id"] for one in server.call("GET", "/v1/dashboards")["dashboards"]] == before


def test_the_page_cannot_be_framed(browser: Browser, logged_in: Path, server: Service, other_origin: str) -> None:
    context = browser.new_context(storage_state=logged_in)
    page = context.new_page()
    page.goto(other_origin)
    page.evaluate("url => { const frame = document.createElement('iframe'); frame.src = url; "
                  "document.body.append(frame); }", server.url + "/")
    page.wait_for_timeout(500)
    assert all(server.url not in frame.url for frame in page.frames)
    context.close()
