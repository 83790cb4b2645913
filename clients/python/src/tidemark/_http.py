"""HTTP calls to queryd: JSON in and out over connections that stay open. Nothing here knows asyncio."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
import weakref
from typing import Any, Dict, List, Mapping, NamedTuple, Optional
from urllib.parse import urlencode, urlsplit

from ._places import QueryPlace
from ._version import VERSION
from .errors import ConfigError, QuestionRefused, Unreachable

_IDLE_CONNECTIONS_MAX = 8
_CONNECT_SECONDS = 10.0


class Reply(NamedTuple):
    """What came back: the body's JSON, None if there is none, and the headers by lower-case name."""

    body: Any
    headers: Dict[str, str]


class Call:
    """One request that another thread may give up: its connection is cut, and queryd drops the question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Optional[http.client.HTTPConnection] = None
        self.is_given_up = False

    def give_up(self) -> None:
        with self._lock:
            self.is_given_up = True
            if self._connection is not None and self._connection.sock is not None:
                try:
                    self._connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def uses(self, connection: Optional[http.client.HTTPConnection]) -> None:
        with self._lock:
            self._connection = connection
            if self.is_given_up and connection is not None:
                raise Unreachable("given up")


class HTTPClient:
    """Calls one queryd. Threads may share it; each call takes a connection of its own."""

    def __init__(self, place: QueryPlace) -> None:
        parts = urlsplit(place.url)
        self._place = place
        self._host = parts.hostname or ""
        self._port = parts.port
        self._prefix = parts.path
        self._tls = _trust(place.ca_file) if parts.scheme == "https" else None
        self._lock = threading.Lock()
        self._idle: List[http.client.HTTPConnection] = []
        weakref.finalize(self, _close_all, self._idle)
        self._process = os.getpid()

    def call(self, method: str, path: str, body: Any = None, parameters: Optional[Mapping[str, Any]] = None,
             headers: Optional[Mapping[str, str]] = None, call: Optional[Call] = None) -> Reply:
        """One request, one reply. Raises QuestionRefused for an error that queryd tells, else Unreachable."""
        call = call or Call()
        target = self._prefix + path
        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        if self._place.project is not None:
            given.setdefault("project", self._place.project)
        if given:
            target += "?" + urlencode({name: _text(value) for name, value in given.items()})
        data = None if body is None else json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        sent = {"Authorization": f"Bearer {self._place.token.read()}", "Accept": "application/json",
                "User-Agent": f"tidemark-python/{VERSION}", **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        # A connection that was idle may be closed at the other end, which shows only when a request fails. A request
        # that may be made twice then is; one that creates something takes a new connection from the start.
        may_repeat = method != "POST" or path == "/v1/query"
        idle = self._idle_connection() if may_repeat else None
        try:
            if idle is not None:
                try:
                    return self._exchange(idle, call, method, target, data, sent)
                except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                    pass
            return self._exchange(self._new_connection(), call, method, target, data, sent)
        except socket.timeout:
            raise Unreachable(f"{self._place.url}: no answer within {self._place.timeout_seconds:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"{self._place.url}: {error}; query.url names the machine as its certificate does, "
                              "query.ca_file the certificate's authority") from error
        except (OSError, http.client.HTTPException) as error:
            text = str(error) or type(error).__name__
            raise Unreachable(f"{self._place.url}: {text}; is queryd running there?") from error

    def close(self) -> None:
        """Closes what is idle. The client may be used again."""
        with self._lock:
            idle = self._idle[:]
            self._idle.clear()
        _close_all(idle)

    def _idle_connection(self) -> Optional[http.client.HTTPConnection]:
        with self._lock:
            if self._process != os.getpid():
                # A forked child: the connections are the parent's.
                self._process = os.getpid()
                _close_all(self._idle)
                self._idle.clear()
            return self._idle.pop() if self._idle else None

    def _new_connection(self) -> http.client.HTTPConnection:
        timeout = min(_CONNECT_SECONDS, self._place.timeout_seconds)
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except socket.timeout:
            raise ConnectionError(f"no connection within {connection.timeout:g} s") from None
        connection.sock.settimeout(self._place.timeout_seconds)

    def _exchange(
        self, connection: http.client.HTTPConnection, call: Call, method: str, target: str, data: Optional[bytes],
        headers: Mapping[str, str],
    ) -> Reply:
        try:
            if connection.sock is None:
                self._connect(connection)
            call.uses(connection)
            try:
                connection.request(method, target, data, dict(headers))
            except (BrokenPipeError, ConnectionResetError):
                # queryd may have answered before it had all, as to what is too large.
                pass
            response = connection.getresponse()
            text = response.read()
            call.uses(None)
        except BaseException:
            call.uses(None)
            connection.close()
            raise
        with self._lock:
            is_kept = not response.will_close and len(self._idle) < _IDLE_CONNECTIONS_MAX
            if is_kept:
                self._idle.append(connection)
        if not is_kept:
            connection.close()
        return _reply(self._place.url, response, text)


def _trust(ca_file: Optional[str]) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(f"query.ca_file: {ca_file} cannot be used: {error.strerror or error}") from None


def _close_all(connections: List[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _reply(url: str, response: http.client.HTTPResponse, text: bytes) -> Reply:
    try:
        body = json.loads(text) if text else None
    except ValueError:
        body = text
    if 200 <= response.status < 300 and not isinstance(body, bytes):
        return Reply(body, {name.lower(): value for name, value in response.getheaders()})
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and isinstance(error.get("code"), str):
        raise QuestionRefused(response.status, error["code"], str(error.get("message", "")), error.get("path"),
                              error.get("allowed"))
    raise Unreachable(f"{url}: {response.status} {response.reason} is no answer of queryd; is something else there?")
