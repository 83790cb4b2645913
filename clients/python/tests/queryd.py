"""A queryd for tests: speaks the calls of docs/api.md that the client makes, and misbehaves as its script says.

Questions of the kinds events, user and adoption are computed, naively, over what a test's collector has stored.
"""

from __future__ import annotations

import json
import ssl
import threading
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, NamedTuple, Optional
from urllib.parse import parse_qsl, urlsplit

from collector import Collector

from tidemark import batch
from tidemark.arguments import EPOCH, MICROSECOND
from tidemark.events import iso_text
from tidemark.tracker import EventType
from tidemark.values import Json

TOKEN = "tdm_query"


class Request(NamedTuple):
    method: str
    path: str
    parameters: Dict[str, str]
    body: Any
    headers: Dict[str, str]


class Reply(NamedTuple):
    """What to answer; no status: the connection is cut."""

    status: Optional[int]
    body: Any = None
    cut_after: bool = False
    raw: Optional[bytes] = None


def error(status: int, code: str, message: str = "no", **more: Any) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message, **more}})


class Queryd:
    """Listens on an ephemeral port until `stop`."""

    def __init__(self, collector: Optional[Collector] = None, certificate: Optional[str] = None) -> None:
        self.collector = collector
        self.script: Optional[Callable[[Request], Optional[Reply]]] = None
        self.requests: List[Request] = []
        self.connection_count = 0
        self.behind_left = 0
        """In how many answers to say that something is missing."""
        self.answers: Dict[str, Any] = {}
        """Answers by kind of question, for the kinds that are not computed."""
        self.dashboards: Dict[str, Dict[str, Any]] = {}
        self.lock = threading.Lock()
        owner = self

        class Talk(_Talk):
            queryd = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        self.port = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)

    def __enter__(self) -> "Queryd":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def questions(self) -> List[Any]:
        """The bodies of the questions so far."""
        return [request.body for request in self.requests if request.path == "/v1/query"]

    # What it answers.

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "unauthorized", "no such token")
        if request.path == "/v1/query":
            return self._query(request.body)
        parts = request.path.strip("/").split("/")
        if parts[:2] == ["v1", "dashboards"]:
            return self._dashboard(request, parts[2:])
        return error(404, "not_found", "there is no such page")

    def meta(self) -> Dict[str, Any]:
        made: Dict[str, Any] = {"as_of": {"position": 1, "clock": "2026-01-01T00:00:00Z"}, "exact": True}
        if self.behind_left > 0:
            self.behind_left -= 1
            made["behind"] = {"records": 3, "reason": "catching up"}
        return made

    def _query(self, question: Any) -> Reply:
        kind = question.get("kind")
        if kind in self.answers:
            return Reply(200, {"kind": kind, "meta": self.meta(), **self.answers[kind]})
        made = {"events": self._events, "user": self._user, "adoption": self._adoption}.get(kind)
        if made is None:
            return error(400, "invalid_query", f'unknown kind "{kind}"', path="kind", allowed=["aggregate", "funnel"])
        return Reply(200, {"kind": kind, **made(question), "meta": self.meta()})

    def _stored(self) -> List[batch.Event]:
        return [] if self.collector is None else [one for one in self.collector.stored if not one.type.startswith("$")]

    def _events(self, question: Any) -> Dict[str, Any]:
        tests = question.get("filters", {})
        found = [event for event in self._stored()
                 if all(value in (getattr(event, {"event_type": "type"}.get(name, name)), event.anonymous_id)
                        for name, value in tests.items())]
        start = int(question.get("cursor", 0))
        end = start + question["limit"]
        return {"events": [_shown(number, event) for number, event in enumerate(found)][start:end],
                "next_cursor": str(end) if end < len(found) else None}

    def _user(self, question: Any) -> Dict[str, Any]:
        own = [event for event in self._stored() if question["user_id"] in (event.user_id, event.anonymous_id)]
        types = Counter(event.type for event in own)
        features = Counter(str(event.properties["feature_name"]) for event in own
                           if event.type == EventType.FEATURE_USED.value)
        return {"user": {
            "user_id": question["user_id"], "total_events": len(own),
            "unique_days": len({event.timestamp // 86_400_000_000 for event in own}),
            # Events without a session of their own are one visit: tests take no half hour.
            "session_count": len({event.session_id for event in own}), "feature_usage": dict(features),
            "page_views": types["page_view"], "clicks": types["click"], "purchases": types["purchase"],
            "events_by_type": dict(types)}}

    def _adoption(self, question: Any) -> Dict[str, Any]:
        everybody = {event.user_id for event in self._stored()}
        uses = [event for event in self._stored() if event.properties.get("feature_name") == question["feature_name"]]
        users = {event.user_id for event in uses}
        return {"adoption": {
            "feature_name": question["feature_name"], "unique_users": len(users), "total_users": len(everybody),
            "adoption_rate": len(users) / len(everybody) if everybody else 0, "usage_count": len(uses),
            "daily_usage": {"2026-01-01": len(uses)}}}

    def _dashboard(self, request: Request, parts: List[str]) -> Reply:
        if not parts:
            if request.method == "POST":
                made = {"dashboard_id": f"dash_{uuid.uuid4().hex}", "read_only": False, "version": 1, **request.body}
                self.dashboards[made["dashboard_id"]] = made
                return Reply(201, made)
            rows = [{"dashboard_id": one["dashboard_id"], "name": one["name"], "widget_count": len(one["widgets"])}
                    for one in self.dashboards.values()]
            return Reply(200, {"dashboards": rows})
        found = self.dashboards.get(parts[0])
        if found is None:
            return error(404, "not_found", "there is no such dashboard")
        if parts[1:] == ["data"]:
            widgets = [{**_data(widget), "meta": self.meta()} for widget in found["widgets"]]
            return Reply(200, {"dashboard_id": parts[0], "name": found["name"], "widgets": widgets,
                               "meta": {"time_zone": "UTC"}})
        if parts[1:] == ["duplicate"]:
            copy = {**found, "dashboard_id": f"dash_{uuid.uuid4().hex}"}
            self.dashboards[copy["dashboard_id"]] = copy
            return Reply(201, copy)
        if request.method == "DELETE":
            del self.dashboards[parts[0]]
            return Reply(204)
        if request.method == "PUT":
            if request.headers.get("if-match", f'"{found["version"]}"') != f'"{found["version"]}"':
                return error(412, "version_conflict", "it was changed meanwhile")
            found.update(request.body, version=found["version"] + 1)
        return Reply(200, found)


def _data(widget: Dict[str, Any]) -> Dict[str, Any]:
    made = {name: widget.get(name) for name in ("widget_id", "type", "title")}
    if widget["type"] == "metric":
        return {**made, "value": 7, "trend": None}
    if widget["type"] == "funnel":
        return {**made, "data": {"steps": [{"step": "a", "users": 2}], "overall_conversion_rate": 0.5}}
    return {**made, "chart_type": widget.get("chart_type"), "data": [{"day": "2026-01-01", "count": 2}]}


def _shown(position: int, event: batch.Event) -> Dict[str, Any]:
    scopes = {scope: {name: value.value if isinstance(value, Json) else value
                      for name, value in getattr(event, scope).items()} for scope in batch.SCOPES}
    stamp = iso_text(EPOCH + MICROSECOND * event.timestamp)
    return {"event_id": "evt_" + (event.event_id or position.to_bytes(16, "big")).hex(), "event_type": event.type,
            "user_id": event.user_id, "anonymous_id": event.anonymous_id, "session_id": event.session_id,
            "group_key": event.group, "timestamp": stamp, "received_at": stamp, "position": position, **scopes}


class _Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    queryd: Queryd

    def setup(self) -> None:
        super().setup()
        with self.queryd.lock:
            self.queryd.connection_count += 1

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        target = urlsplit(self.path)
        request = Request(self.command, target.path, dict(parse_qsl(target.query)), json.loads(data) if data else None,
                          {name.lower(): value for name, value in self.headers.items()})
        with self.queryd.lock:
            self.queryd.requests.append(request)
            script = self.queryd.script
        reply = script(request) if script else None
        if reply is None:
            with self.queryd.lock:
                reply = self.queryd.answer(request)
        self.close_connection = reply.cut_after or reply.status is None
        if reply.status is not None:
            self._say(reply)

    def _say(self, reply: Reply) -> None:
        assert reply.status is not None
        text = reply.raw if reply.raw is not None else b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:
        pass
