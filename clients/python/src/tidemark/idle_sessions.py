"""Visits that end after half an hour without an event, kept in this process."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Optional, Tuple

IDLE = timedelta(minutes=30)
USERS_MAX = 100_000
"""Users whose visit is remembered; past it, the one who was quiet longest is forgotten and begins a new visit."""


def new_session_id() -> str:
    return "sess_" + secrets.token_hex(16)


class IdleSessions:
    """The running visit of each user. An event more than 30 minutes before or after the visit begins a new one."""

    def __init__(self) -> None:
        self._visits: "OrderedDict[str, Tuple[str, datetime, datetime]]" = OrderedDict()
        """By user: the session's id, the first and the last instant."""

    def active(self, user_id: str, at: datetime) -> Optional[str]:
        """The id of the visit to which an event at this instant belongs."""
        visit = self._visits.get(user_id)
        if visit is None or not visit[1] - IDLE <= at <= visit[2] + IDLE:
            return None
        return visit[0]

    def extend(self, user_id: str, session_id: str, at: datetime) -> None:
        """Notes an event of the visit, or its beginning."""
        visit = self._visits.pop(user_id, None)
        if visit is None or visit[0] != session_id:
            visit = (session_id, at, at)
        self._visits[user_id] = (session_id, min(visit[1], at), max(visit[2], at))
        if len(self._visits) > USERS_MAX:
            self._visits.popitem(last=False)
