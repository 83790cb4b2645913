"""The clients through which this process tracks, and the wait until what they sent is acknowledged."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
import time
from typing import Any, Callable, Iterable, List, Mapping, Optional, Set, Tuple

from ._places import collector_place
from ._sender import Sender
from .client import Client
from .config import boolean, part_of
from .errors import ConfigError, NotAcknowledged
from .privacy import with_short_addresses
from .reports import Verdict

log = logging.getLogger("tidemark")

_lock = threading.Lock()
_open: Set[Client] = set()
_acked_by_closed = 0

_PAUSE_MIN_SECONDS = 0.001
_PAUSE_MAX_SECONDS = 0.05

Values = Optional[Mapping[str, Any]]


class Outlet:
    """The way to the collector that a tracker, its storage and its resolver share.

    The client is made when it is first needed; from then until it is closed, questions of this process wait for its
    events. When tracking is switched off there is none, and `drop` counts what was not sent. `shown` is what of a
    mapping may leave the process.
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

    @functools.cached_property
    def cuts_addresses(self) -> bool:
        """Whether addresses are cut. Raises ConfigError for privacy that cannot be given."""
        return _cuts_addresses(self._config)

    def shown(self, values: Values) -> Values:
        """The mapping as it is sent."""
        return with_short_addresses(values) if self.cuts_addresses else values

    async def flush(self, timeout: Optional[float]) -> bool:
        """Sends all now and waits until it is acknowledged. False after `timeout` seconds."""
        if self._client is None:
            return True
        sender = self._client._sender
        mark = sender.begin_flush()
        await _settled([(sender, mark)], timeout)
        return sender.is_settled(mark)

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


async def flush_all(seconds: float) -> None:
    """Waits until all that this process has tracked is acknowledged. Raises NotAcknowledged after `seconds`.

    What was given up, because its client is closed, is not waited for.
    """
    with _lock:
        senders = [client._sender for client in _open]
    late = await _settled([(sender, sender.begin_flush()) for sender in senders], seconds)
    for sender in late:
        stats = sender.stats()
        reason = f" ({stats.last_error})" if stats.last_error else ""
        raise NotAcknowledged(
            f"{stats.queued} events of this process are not acknowledged after {seconds:g} s{reason}; an answer "
            "would miss them. `query.wait: 0` asks without waiting")


async def _settled(marks: Iterable[Tuple[Sender, int]], seconds: Optional[float]) -> List[Sender]:
    """Waits until events before the marks have their fates. Those senders that still wait after `seconds`."""
    deadline = None if seconds is None else time.monotonic() + seconds
    pause = _PAUSE_MIN_SECONDS
    waiting = [(sender, mark) for sender, mark in marks if sender.is_pending(mark)]
    while waiting and (deadline is None or time.monotonic() < deadline):
        await asyncio.sleep(pause)
        pause = min(2 * pause, _PAUSE_MAX_SECONDS)
        waiting = [(sender, mark) for sender, mark in waiting if sender.is_pending(mark)]
    return [sender for sender, _ in waiting]


def _cuts_addresses(config: Mapping[str, Any]) -> bool:
    sections = [config, *(part_of(config, key) for key in ("tracking", "storage", "analytics"))]
    privacy: Any = next((section["privacy"] for section in sections if section.get("privacy") is not None), {})
    if not isinstance(privacy, Mapping):
        raise ConfigError("tracking.privacy must be a mapping")
    if boolean(privacy.get("hash_user_id", False), "privacy.hash_user_id"):
        raise ConfigError("privacy.hash_user_id: not built yet; with false, user ids are sent as they are given")
    return boolean(privacy.get("anonymize_ip", False), "privacy.anonymize_ip")
