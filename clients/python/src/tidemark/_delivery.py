"""The clients through which this process tracks, and the wait until what they sent is acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable, Mapping, Optional, Set

from ._places import collector_place
from .client import Client
from .errors import NotAcknowledged
from .reports import Verdict

log = logging.getLogger("tidemark")

_lock = threading.Lock()
_open: Set[Client] = set()
_acked_by_closed = 0


class Outlet:
    """The way to the collector that a tracker, its storage and its resolver share.

    The client is made when it is first needed; from then until it is closed, questions of this process wait for its
    events. When tracking is switched off there is none, and `drop` counts what was not sent.
    """

    def __init__(self, config: Mapping[str, Any], is_enabled: bool = True, client: Optional[Client] = None,
                 **settings: Any) -> None:
        self._config = config
        self._settings = settings
        self._last_error = ""
        self._client: Optional[Client] = None
        self._guard = threading.Lock()
        self.is_enabled = is_enabled
        self.dropped = 0
        if client is not None:
            self._use(client)

    def open(self) -> Client:
        """The client. Raises TokenError or ConfigError when it cannot be made."""
        with self._guard:
            if self._client is None:
                place = collector_place(self._config)
                self._use(Client(
                    host=place.host, port=place.port, unix_socket=place.unix_socket, token=place.token.read(),
                    project=place.project, on_error=self._note_error, on_verdict=_note_verdict, **self._settings))
            assert self._client is not None
            return self._client

    def drop(self) -> str:
        """Counts an event that is not sent. Its id: none."""
        with self._guard:
            self.dropped += 1
        return ""

    def send(self, act: Callable[[Client], str]) -> str:
        """What `act` returns, the event's id; or, when tracking is switched off, the empty text."""
        return act(self.open()) if self.is_enabled else self.drop()

    def flush(self, timeout: Optional[float]) -> bool:
        return self._client is None or self._client.flush(timeout)

    def close(self, timeout: Optional[float]) -> bool:
        global _acked_by_closed
        client = self._client
        if client is None:
            return True
        drained = client.close(timeout)
        with _lock:
            if client in _open:
                _open.remove(client)
                _acked_by_closed += client.stats().acked
        return drained

    def _use(self, client: Client) -> None:
        self._client = client
        with _lock:
            _open.add(client)

    def _note_error(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._last_error:
            self._last_error = text
            log.warning("events wait: %s", text)


def _note_verdict(verdict: Verdict) -> None:
    log.warning("the collector does not keep %s: %s", verdict.event_id, verdict.reason)


def acked() -> int:
    """How many events the collector has acknowledged to this process."""
    with _lock:
        return _acked_by_closed + sum(client.stats().acked for client in _open)


def flush_all(seconds: float) -> None:
    """Waits until all that this process has tracked is acknowledged. Raises NotAcknowledged after `seconds`."""
    with _lock:
        waiting = [client for client in _open if client.stats().queued]
    for client in waiting:
        client.flush(0)
    deadline = time.monotonic() + seconds
    for client in waiting:
        if not client.flush(max(0.0, deadline - time.monotonic())):
            stats = client.stats()
            reason = f" ({stats.last_error})" if stats.last_error else ""
            raise NotAcknowledged(
                f"{stats.queued} events of this process are not acknowledged after {seconds:g} s{reason}; an answer "
                "would miss them. `query.wait: 0` asks without waiting")
