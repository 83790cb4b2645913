"""Tracking for coroutines: `EventTracker`, and what it is made of.

    tracker = EventTracker(config["tracking"])
    await tracker.track_event(EventType.SUBMIT, "user_7", {"form_name": "signup"})
    await tracker.close()
"""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple, Type, Union

from ._delivery import Outlet
from .arguments import EPOCH, Timestamp, event_type_text, micros
from .batch import EVENTS_MAX
from .client import Client
from .config import boolean, part_of, seconds, whole_number
from .errors import ConfigError
from .events import Event, EventType, UserSession, iso_text
from .identity import IdentityResolver, IdentityStorage
from .privacy import without_identity
from .reports import Stats
from .storage import EventStorage

__all__ = ["Event", "EventStorage", "EventTracker", "EventType", "IdentityResolver", "IdentityStorage", "UserSession"]

Values = Optional[Mapping[str, Any]]
IDLE_30_MINUTES = "idle_30_minutes"


class EventTracker:
    """Tracks events. A call queues and returns; a background thread sends, and resends until the collector has it.

    `config` is the section `tracking` of a loaded file, the whole file, or a dict with some of these:

    - `enabled`: false sends nothing and counts what was given (`dropped`).
    - `batch_size`, `flush_interval`: an event leaves when so many wait, or after so long.
    - `sessions`: `idle_30_minutes` gives events without a session one that ends after 30 minutes without an event of
      that user. Otherwise the session is what the application gives, or none.
    - `events`: event types; one with `enabled: false` is dropped and counted.
    - `privacy.anonymize_ip`: cuts addresses (`privacy.IP_NAMES`) before they leave the process.
    - `collector`: where it is; see docs/python.md.

    `client` is one to send with, in place of a new one. Tasks and threads may share a tracker.
    """

    def __init__(self, config: Values = None, *, sessions: Optional[str] = None,
                 client: Optional[Client] = None) -> None:
        self.config = config = part_of(config, "tracking")
        self.is_enabled = boolean(config.get("enabled", True), "tracking.enabled")
        self.batch_size = whole_number(config.get("batch_size", 100), "tracking.batch_size", EVENTS_MAX)
        self.flush_interval = seconds(config.get("flush_interval", 5), "tracking.flush_interval")
        self._has_sessions = _has_sessions(config.get("sessions") if sessions is None else sessions)
        self._types_off = _types_off(_section(config, "events"))
        self._outlet = Outlet(config, self.is_enabled, client, batch_size=self.batch_size,
                              flush_interval=self.flush_interval)
        self._outlet.cuts_addresses  # What cannot be is refused here.
        self.storage = EventStorage(config, outlet=self._outlet)
        self.identity_resolver = IdentityResolver(_section(config, "identity"), outlet=self._outlet)
        self._anonymous: Tuple[int, str] = (0, "")
        if self.is_enabled:
            # Here, not with the first event: a missing token shows when the application starts.
            self._outlet.open()

    @property
    def dropped(self) -> int:
        """How many events were not sent because tracking, or their type, is switched off."""
        return self._outlet.dropped

    @property
    def client(self) -> Client:
        """What the tracker sends with."""
        return self._outlet.open()

    def stats(self) -> Optional[Stats]:
        """What became of the events so far; None when tracking is switched off."""
        return self._outlet.open().stats() if self.is_enabled else None

    async def track_event(
        self,
        event_type: Union[EventType, str],
        user_id: Optional[str],
        properties: Values = None,
        session_id: Optional[str] = None,
        device: Values = None,
        location: Values = None,
        context: Values = None,
        *,
        anonymize: bool = False,
        timestamp: Optional[Timestamp] = None,
    ) -> str:
        """Queues one event and returns its id; the empty text if tracking or this type is switched off.

        `device` and `location` are sent as given, and not at all if not given. `timestamp` is an aware datetime or
        seconds since 1970; else now. Without `user_id` the event is the process's own anonymous id's.

        `anonymize=True` sends nothing that tells who it was: no user, session or group; under the anonymous id that
        all such events of this process share, drawn anew in each process and kept nowhere; and without what
        `privacy.without_identity` leaves out of the four mappings. So such events count as events, and all together
        as one person a process; no funnel or session can be made of them.

        Raises TypeError or ValueError for arguments that cannot be sent.
        """
        name = event_type_text(event_type)
        if not self.is_enabled or name in self._types_off:
            return self._outlet.drop()
        mappings: List[Values] = [properties, device, location, context]
        if anonymize:
            ids = frozenset(one for one in (user_id, session_id) if one)
            return self._track_nobody(name, [without_identity(values, ids) for values in mappings], timestamp)
        mappings = [self._outlet.shown(values) for values in mappings]
        at = _moment(timestamp)
        if user_id is not None:
            user_id = await self.identity_resolver.resolve(user_id)
            if session_id is None and self._has_sessions:
                session_id = await self.storage.get_or_create_session(user_id, at)
        event_id = self._outlet.open().track(
            name, user_id, mappings[0], session_id=session_id, timestamp=at, device=mappings[1],
            location=mappings[2], context=mappings[3])
        if self._has_sessions:
            await self.storage.add_event_to_session(Event(event_id, name, user_id, session_id, {}, iso_text(at)))
        return event_id

    async def track_page_view(self, user_id: Optional[str], page_name: str, properties: Values = None,
                              **about: Any) -> str:
        """A page was seen. `properties` may say more, such as `url` and `referrer`, as in all these calls; `about`
        is what `track_event` takes besides: session_id, device, location, context, anonymize, timestamp."""
        return await self.track_event(
            EventType.PAGE_VIEW, user_id, {"page_name": page_name, **(properties or {})}, **about)

    async def track_click(self, user_id: Optional[str], element_id: str, element_type: str, properties: Values = None,
                          **about: Any) -> str:
        """Something was clicked."""
        made = {"element_id": element_id, "element_type": element_type, **(properties or {})}
        return await self.track_event(EventType.CLICK, user_id, made, **about)

    async def track_feature_used(self, user_id: Optional[str], feature_name: str, properties: Values = None,
                                 **about: Any) -> str:
        """A feature was used."""
        made = {"feature_name": feature_name, **(properties or {})}
        return await self.track_event(EventType.FEATURE_USED, user_id, made, **about)

    async def track_purchase(self, user_id: Optional[str], purchase_id: str, amount: Any, currency: str,
                             items: List[Dict[str, Any]], properties: Values = None, **about: Any) -> str:
        """Something was bought. `amount` is an int, float or Decimal in `currency`."""
        made = {"purchase_id": purchase_id, "amount": amount, "currency": currency, "items": items,
                **(properties or {})}
        return await self.track_event(EventType.PURCHASE, user_id, made, **about)

    async def track_error(self, user_id: Optional[str], error_type: str, error_message: str,
                          stack_trace: Optional[str] = None, properties: Values = None, **about: Any) -> str:
        """Something failed."""
        made = {"error_type": error_type, "error_message": error_message}
        if stack_trace is not None:
            made["stack_trace"] = stack_trace
        return await self.track_event(EventType.ERROR, user_id, {**made, **(properties or {})}, **about)

    async def flush(self, timeout: Optional[float] = 30) -> bool:
        """Sends all now and waits until it is acknowledged. False after `timeout` seconds."""
        return await self._outlet.flush(timeout)

    async def close(self, timeout: Optional[float] = 10) -> bool:
        """Sends what waits and ends. False if not all was acknowledged. What is tracked later is lost and counted."""
        return await asyncio.to_thread(self._outlet.close, timeout)

    async def __aenter__(self) -> "EventTracker":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        await self.close()

    def _track_nobody(self, name: str, mappings: List[Optional[Dict[str, Any]]],
                      timestamp: Optional[Timestamp]) -> str:
        process = os.getpid()
        if self._anonymous[0] != process:
            # Not the client's own anonymous id: `identify` may have told whose that is.
            self._anonymous = (process, "anon_" + secrets.token_hex(16))
        return self._outlet.open().track(
            name, None, mappings[0], anonymous_id=self._anonymous[1], timestamp=timestamp, device=mappings[1],
            location=mappings[2], context=mappings[3])

def _moment(timestamp: Optional[Timestamp]) -> datetime:
    if timestamp is None:
        return datetime.now(timezone.utc)
    return EPOCH + timedelta(microseconds=micros(timestamp))


def _has_sessions(value: Any) -> bool:
    if value not in (None, "none", IDLE_30_MINUTES):
        raise ConfigError(f"tracking.sessions: {IDLE_30_MINUTES} or none; not {value!r}")
    return bool(value == IDLE_30_MINUTES)


def _types_off(events: Mapping[str, Any]) -> FrozenSet[str]:
    return frozenset(
        name for name, event in events.items()
        if isinstance(event, Mapping) and not boolean(event.get("enabled", True), f"events.{name}.enabled"))


def _section(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = config.get(key)
    if section is not None and not isinstance(section, Mapping):
        raise ConfigError(f"tracking.{key} must be a mapping")
    return section or {}
