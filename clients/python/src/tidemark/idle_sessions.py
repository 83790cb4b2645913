"""Visits that end after half an hour without an event, kept in this process."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import NamedTuple, Optional, Tuple

IDLE = timedelta(minutes=30)
USERS_MAX = 100_000
"""Users whose visit is remembered; past it, the one who was quiet longest is forgotten and begins a new visit."""

VISITS_MAX = 3
"""Visits of one user that are remembered."""


def new_session_id() -> str:
    return "sess_" + secrets.token_hex(16)


class Visit(NamedTuple):
    """A session, and the first and the last instant of its events."""

    session_id: str
    first: datetime
    last: datetime

    def holds(self, at: datetime) -> bool:
        return self.first - IDLE <= at <= self.last + IDLE


class IdleSessions:
    """The running visits of each user. An event more than 30 minutes before or after them begins a new one.

    A few are remembered, so that events which come late do not cut the one that runs. Threads may share it.
    """

    def __init__(self) -> None:
        self._visits: "OrderedDict[str, Tuple[Visit, ...]]" = OrderedDict()
        """By user, the one that had an event latest at the end."""
        self._lock = threading.Lock()

    def active(self, user_id: str, at: datetime) -> Optional[str]:
        """The id of the visit to which an event at this instant belongs."""
        held = (visit.session_id for visit in reversed(self._visits.get(user_id, ())) if visit.holds(at))
        return next(held, None)

    def extend(self, user_id: str, session_id: str, at: datetime) -> None:
        """Notes an event of the visit, or its beginning."""
        with self._lock:
            self._extend(user_id, session_id, at)

    def join(self, user_id: str, at: datetime) -> str:
        """The id of the visit to which an event at this instant belongs; a new one begins if there is none."""
        with self._lock:
            session_id = self.active(user_id, at) or new_session_id()
            self._extend(user_id, session_id, at)
            return session_id

    def _extend(self, user_id: str, session_id: str, at: datetime) -> None:
        """Only under the lock."""
        visits = self._visits.pop(user_id, ())
        made = Visit(session_id, at, at)
        for visit in visits:
            if visit.session_id == session_id:
                made = Visit(session_id, min(visit.first, at), max(visit.last, at))
        others = tuple(visit for visit in visits if visit.session_id != session_id)
        self._visits[user_id] = (*others, made)[-VISITS_MAX:]
        if len(self._visits) > USERS_MAX:
            self._visits.popitem(last=False)
