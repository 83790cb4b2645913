"""The client: what an application calls. Nothing here waits for the network except `flush` and `close`."""

from __future__ import annotations

import enum
import os
import secrets
import threading
import weakref
from types import TracebackType
from typing import Any, Callable, Mapping, Optional, Type, Union

from . import _version, arguments
from ._connection import Address
from ._sender import Sender, abandon_in_child
from ._settings import Settings
from .arguments import Consent, EventId, Timestamp
from .batch import CONSENT_UNKNOWN, EVENTS_MAX, Event
from .messages import KIND_IMPORT, KIND_LIVE
from .reports import Stats, Verdict

Values = Optional[Mapping[str, Any]]


class Client:
    """Sends events to one project of a collector, in the background.

    - `host`, `port` or `unix_socket`: where the collector listens.
    - `token`: an ingest token of `project`.
    - `batch_size`: events a batch at most; a full one leaves at once.
    - `flush_interval`: seconds an event waits for its batch to fill.
    - `queue_events_max`: events held, sent or not, until acknowledged. When full, new events are dropped and counted.
    - `on_error`: called with the exception of a failed connection, a refusal, or an event no batch may hold.
    - `on_verdict`: called with a `Verdict` for each event the collector will never store.
    - `backfill`: history, not live events: never clock-corrected, exempt from the lateness rule.
    - `compress`: zstd, if this Python has it.
    - `backoff_min`, `backoff_max`: seconds between attempts to connect; doubled each time, with jitter.

    Callbacks run on the background thread. Threads may share a client; a forked child goes on with its own source and
    an empty queue.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 7311,
        token: Optional[str] = None,
        project: str = "default",
        unix_socket: Optional[str] = None,
        batch_size: int = 100,
        flush_interval: float = 5.0,
        queue_events_max: int = 100_000,
        on_error: Optional[Callable[[Exception], None]] = None,
        on_verdict: Optional[Callable[[Verdict], None]] = None,
        backfill: bool = False,
        compress: bool = True,
        backoff_min: float = 0.2,
        backoff_max: float = 30.0,
    ) -> None:
        if not 1 <= batch_size <= EVENTS_MAX:
            raise ValueError(f"batch_size must be 1 to {EVENTS_MAX}, not {batch_size}")
        if queue_events_max < 1:
            raise ValueError(f"queue_events_max must be at least 1, not {queue_events_max}")
        if flush_interval < 0 or not 0 < backoff_min <= backoff_max:
            raise ValueError("flush_interval must not be negative, nor backoff_min 0 or above backoff_max")
        if token is not None and len(token.encode()) > 256:
            raise ValueError("token must be at most 256 bytes")
        address: Address = unix_socket if unix_socket is not None else (host, port)
        self._settings = Settings(
            address, token, project, batch_size, flush_interval, queue_events_max,
            KIND_IMPORT if backfill else KIND_LIVE, compress, backoff_min, backoff_max,
            on_error, on_verdict, _version.VERSION,
        )
        self._sender = Sender(self._settings)
        self._identity = threading.Lock()
        self._user_id: Optional[str] = None
        self._anonymous_id: Optional[str] = None
        self._consent = CONSENT_UNKNOWN
        _clients.add(self)

    # Events.

    def track(
        self,
        event_type: Union[str, enum.Enum],
        user_id: Optional[str] = None,
        properties: Values = None,
        *,
        anonymous_id: Optional[str] = None,
        session_id: Optional[str] = None,
        timestamp: Optional[Timestamp] = None,
        device: Values = None,
        location: Values = None,
        context: Values = None,
        group: Optional[str] = None,
        event_id: Optional[EventId] = None,
        server_side: bool = False,
        consent: Optional[Consent] = None,
    ) -> str:
        """Queues one event and returns its id, `evt_` and 32 hex digits.

        Without `user_id` and `anonymous_id` the event belongs to the client's own identity: the identified user, if
        any, and the anonymous id. Raises TypeError or ValueError for bad arguments, and nothing else.
        """
        if user_id is None and anonymous_id is None:
            user_id, anonymous_id = self._own_ids()
        else:
            user_id = arguments.optional_id(user_id, "user_id")
            anonymous_id = arguments.optional_id(anonymous_id, "anonymous_id")
        event = Event(
            arguments.event_type_text(event_type),
            arguments.micros(timestamp),
            user_id,
            anonymous_id,
            arguments.optional_id(session_id, "session_id"),
            arguments.optional_id(group, "group"),
            arguments.event_id_bytes(event_id),
            bool(server_side),
            self._consent if consent is None else arguments.consent_code(consent),
        )
        _, size = arguments.with_values(
            event, properties=properties, device=device, location=location, context=context)
        return self._sender.add(event, size)

    def identify(self, user_id: str, anonymous_id: Optional[str] = None, traits: Values = None) -> str:
        """Says that the anonymous id is this user from here on.

        Without `anonymous_id` it is the client's own, and later events without ids belong to `user_id`. With another
        anonymous id (a server speaking for many people) the client's own identity stays as it is.
        """
        user_id = arguments.id_text(user_id, "user_id")
        given = arguments.optional_id(anonymous_id, "anonymous_id")
        with self._identity:
            sent = self._send("$identify", user_id, given or self._own_anonymous_id(), traits=traits)
            if given is None or given == self._anonymous_id:
                self._user_id = user_id
        return sent

    def alias(self, previous_id: str, user_id: str) -> str:
        """Says that `previous_id` was this user."""
        previous = arguments.id_text(previous_id, "previous_id")
        user = arguments.id_text(user_id, "user_id")
        return self._send("$alias", user, None, properties={"previous_id": previous})

    def group(self, user_id: Optional[str], group_key: str, traits: Values = None) -> str:
        """Says that the user (None: the client's own identity) belongs to the group; traits describe the group."""
        user, anonymous = self._who(user_id)
        return self._send("$group", user, anonymous, arguments.id_text(group_key, "group_key"), traits=traits)

    def set_traits(self, user_id: Optional[str], traits: Mapping[str, Any]) -> str:
        """Describes the user (None: the client's own identity)."""
        user, anonymous = self._who(user_id)
        return self._send("$set_traits", user, anonymous, traits=traits)

    # The client's own identity.

    @property
    def anonymous_id(self) -> str:
        """The client's anonymous id, made when first asked for."""
        with self._identity:
            return self._own_anonymous_id()

    def sign_out(self) -> str:
        """Cuts the anonymous id's timeline; later events have no user."""
        with self._identity:
            sent = self._send("$sign_out", None, self._own_anonymous_id())
            self._user_id = None
        return sent

    def reset(self) -> str:
        """Cuts the timeline and forgets user and anonymous id; a new one is made when needed."""
        with self._identity:
            sent = self._send("$reset", None, self._own_anonymous_id())
            self._user_id = self._anonymous_id = None
        return sent

    def set_consent(
        self, consent: Consent, user_id: Optional[str] = None, anonymous_id: Optional[str] = None
    ) -> str:
        """Says that this consent holds from here on; without ids for the client's own identity and its later events.

        Events go on being sent, with the consent in their flags; the collector's rules decide what becomes of them.
        """
        code = arguments.consent_code(consent)
        if user_id is None and anonymous_id is None:
            with self._identity:
                self._consent = code
                return self._send("$consent", self._user_id, self._own_anonymous_id(), consent=code)
        user = arguments.optional_id(user_id, "user_id")
        return self._send("$consent", user, arguments.optional_id(anonymous_id, "anonymous_id"), consent=code)

    # Delivery.

    @property
    def queue_events_max(self) -> int:
        """How many events the queue holds."""
        return self._settings.queue_events_max

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Sends everything now and waits until all that was tracked before is acknowledged.

        False after `timeout` seconds (None: no limit).
        """
        return self._sender.flush(timeout)

    def close(self, timeout: Optional[float] = 10) -> bool:
        """Drains, then ends the thread. Events tracked later are dropped and counted. False if not all was acked."""
        return self._sender.close(timeout)

    def stats(self) -> Stats:
        """What happened so far."""
        return self._sender.stats()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    # A lock holds user and anonymous id together: read one by one, they may be of two people when another thread calls
    # `reset` between. What changes them queues its own event under the same lock: it stands where the change is.

    def _own_ids(self) -> "tuple[Optional[str], str]":
        with self._identity:
            return self._user_id, self._own_anonymous_id()

    def _own_anonymous_id(self) -> str:
        """Only under the lock."""
        if self._anonymous_id is None:
            self._anonymous_id = "anon_" + secrets.token_hex(16)
        return self._anonymous_id

    def _who(self, user_id: Optional[str]) -> "tuple[Optional[str], Optional[str]]":
        if user_id is None:
            return self._own_ids()
        return arguments.id_text(user_id, "user_id"), None

    def _send(
        self, event_type: str, user_id: Optional[str], anonymous_id: Optional[str], group: Optional[str] = None, *,
        properties: Values = None, traits: Values = None, consent: Optional[int] = None,
    ) -> str:
        """A reserved event (protocol/batch.md §9)."""
        event = Event(event_type, arguments.micros(None), user_id, anonymous_id, group=group)
        event.consent = self._consent if consent is None else consent
        _, size = arguments.with_values(event, properties=properties, traits=traits)
        return self._sender.add(event, size)

    def _start_over_in_child(self) -> None:
        self._identity = threading.Lock()
        self._sender = Sender(self._settings)


_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    abandon_in_child()
    for client in list(_clients):
        client._start_over_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
