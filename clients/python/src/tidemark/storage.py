"""Events in and out: `store_events` sends to the collector, `get_events` asks queryd."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional

from ._api import QueryAPI
from ._delivery import Outlet
from .answers import Table
from .errors import NotAcknowledged
from .events import Event, UserSession, instant
from .idle_sessions import IdleSessions

_PAGE_EVENTS = 10_000
_STORE_SECONDS = 30.0
_SCOPES = ("properties", "device", "location", "context")


class EventStorage:
    """Stores events and gives them back. Which session runs for a user is known for this process's users only."""

    def __init__(self, config: Optional[Mapping[str, Any]] = None, *, outlet: Optional[Outlet] = None,
                 api: Optional[QueryAPI] = None) -> None:
        self.config = {} if config is None else config
        self._outlet = outlet or Outlet(self.config)
        self._api = api or QueryAPI(self.config)
        self._sessions = IdleSessions()

    async def store_events(self, events: List[Event], timeout: float = _STORE_SECONDS) -> None:
        """Sends the events under their own ids and returns when the collector has them on its disk.

        An id that was stored before is not stored again. What the collector's rules refuse is logged and counted, not
        raised. Raises NotAcknowledged after `timeout` seconds, the events go on being sent; and when events were
        dropped, because the queue was full with others' or is closed. Raises TypeError or ValueError, before it sends
        anything, for an event without what an event needs.
        """
        arguments: List[Dict[str, Any]] = []
        for event in events:
            arguments.append(_arguments(event))
            await _turn(len(arguments))
        if not self._outlet.is_enabled:
            for _ in arguments:
                self._outlet.drop()
            return
        deadline = time.monotonic() + timeout
        client = self._outlet.open()
        skipped_before = client.stats().skipped
        slice_events = max(1, client.queue_events_max // 2)
        for start in range(0, len(arguments), slice_events):
            for index, one in enumerate(arguments[start:start + slice_events], 1):
                client.track(**{**one, **{scope: self._outlet.shown(one[scope]) for scope in _SCOPES}})
                await _turn(index)
            if not await self._outlet.flush(max(0.0, deadline - time.monotonic())):
                raise NotAcknowledged(f"{len(events)} events are not all acknowledged after {timeout:g} s")
            skipped = client.stats().skipped - skipped_before
            if skipped:
                raise NotAcknowledged(f"{skipped} events were dropped: the queue was full, or it is closed")

    async def get_events(self, user_id: Optional[str] = None, event_type: Optional[str] = None,
                         start_date: Optional[str] = None, end_date: Optional[str] = None, *,
                         filters: Optional[Mapping[str, Any]] = None, limit: Optional[int] = None,
                         time_zone: Optional[str] = None) -> "Table[Event]":
        """Events, oldest first: all, or the first `limit`. `user_id` finds the user id and the anonymous id.

        `filters` are more tests as in docs/questions.md §1.2. Dates as in §1.3.
        """
        tests: Dict[str, Any] = {}
        if user_id is not None:
            tests["user_id"] = user_id
        if event_type is not None:
            tests["event_type"] = getattr(event_type, "value", event_type)
        parts = [part for part in (tests, dict(filters or {})) if part]
        question: Dict[str, Any] = {"kind": "events", "order": "asc"}
        if parts:
            question["filters"] = parts[0] if len(parts) == 1 else {"and": parts}
        dates = {"start": start_date, "end": end_date}
        if any(dates.values()):
            question["date_range"] = {name: value for name, value in dates.items() if value}
        if time_zone is not None:
            question["time_zone"] = time_zone
        return await self._all_pages(question, limit)

    async def get_user_events(self, user_id: str, start_date: Optional[str] = None,
                              end_date: Optional[str] = None) -> "Table[Event]":
        """All events of one user, oldest first."""
        return await self.get_events(user_id=user_id, start_date=start_date, end_date=end_date)

    async def get_session(self, session_id: str) -> Optional[UserSession]:
        """A session with its events, as far as they are stored. None if there are none."""
        events = await self.get_events(filters={"session_id": session_id})
        if not events:
            return None
        ids = (one for event in events for one in (event.user_id, event.anonymous_id) if one)
        user = next(ids, "")
        return UserSession(session_id, user, events[0].timestamp, events[-1].timestamp, list(events))

    # The running sessions of this process's users: half an hour without an event ends one.

    async def get_active_session(self, user_id: str, at: Optional[datetime] = None) -> Optional[str]:
        """The id of the session that runs for the user now, or `at` an instant."""
        return self._sessions.active(user_id, at or datetime.now(timezone.utc))

    async def get_or_create_session(self, user_id: str, at: datetime) -> str:
        """The id of the session that runs for the user at an instant; a new one if there is none."""
        return self._sessions.join(user_id, at)

    async def create_session(self, session: UserSession) -> None:
        """From here on this session runs for its user."""
        self._sessions.extend(session.user_id, session.session_id, instant(session.start_time))

    async def add_event_to_session(self, event: Event) -> None:
        """Keeps the event's session running. The event itself is not kept here."""
        if event.user_id is not None and event.session_id is not None:
            self._sessions.extend(event.user_id, event.session_id, instant(event.timestamp))

    async def close(self, timeout: Optional[float] = 10) -> bool:
        """Sends what waits and ends the connection. False if not all was acknowledged."""
        return await asyncio.to_thread(self._outlet.close, timeout)

    async def _all_pages(self, question: Dict[str, Any], limit: Optional[int]) -> "Table[Event]":
        events: "Table[Event]" = Table()
        while limit is None or len(events) < limit:
            question["limit"] = _PAGE_EVENTS if limit is None else min(_PAGE_EVENTS, limit - len(events))
            answer = await self._api.ask(question)
            events.extend(map(Event.from_dict, answer["events"]))
            events.meta = answer["meta"]
            if answer.get("next_cursor") is None:
                break
            question["cursor"] = answer["next_cursor"]
        return events


async def _turn(count: int) -> None:
    """Lets the loop's others have their turn, now and then."""
    if count % 500 == 0:
        await asyncio.sleep(0)


def _arguments(event: Event) -> Dict[str, Any]:
    """What `Client.track` takes for the event."""
    if event.user_id is None and event.anonymous_id is None:
        raise ValueError(f"{event.event_id}: an event that is stored needs a user_id or an anonymous_id")
    if event.traits:
        raise ValueError(f"{event.event_id}: traits are sent by identify, not with an event")
    return {
        "event_type": event.event_type, "user_id": event.user_id, "properties": event.properties,
        "anonymous_id": event.anonymous_id, "session_id": event.session_id, "timestamp": instant(event.timestamp),
        "device": event.device, "location": event.location, "context": event.context, "group": event.group_key,
        "event_id": event.event_id,
    }

