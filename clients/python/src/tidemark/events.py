"""The event and the session as applications see them."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional

_FRACTION = re.compile(r"\.([0-9]+)")


class EventType(Enum):
    """The event types that have a name here. Any other name goes as text; `CUSTOM` is one name among these."""

    PAGE_VIEW = "page_view"
    CLICK = "click"
    SUBMIT = "submit"
    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    FEATURE_USED = "feature_used"
    PURCHASE = "purchase"
    ERROR = "error"
    CUSTOM = "custom"


@dataclass
class Event:
    """One event. `timestamp` is ISO 8601; without an offset it is UTC. What is not known is None or empty."""

    event_id: str
    event_type: str
    user_id: Optional[str]
    session_id: Optional[str]
    properties: Dict[str, Any]
    timestamp: str
    device: Dict[str, Any] = field(default_factory=dict)
    location: Dict[str, Any] = field(default_factory=dict)
    context: Dict[str, Any] = field(default_factory=dict)
    anonymous_id: Optional[str] = None
    group_key: Optional[str] = None
    traits: Dict[str, Any] = field(default_factory=dict)
    received_at: Optional[str] = None
    """When the collector got it."""

    def to_dict(self) -> Dict[str, Any]:
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Event":
        """From a mapping with these fields; others are left out. Raises KeyError without id, type or time."""
        known = {one.name for one in dataclasses.fields(cls)}
        filled: Dict[str, Any] = {"user_id": None, "session_id": None, "properties": {}}
        filled.update({name: value for name, value in values.items() if name in known and value is not None})
        for name in ("event_id", "event_type", "timestamp"):
            if name not in filled:
                raise KeyError(name)
        return cls(**filled)

    @classmethod
    def from_json(cls, text: str) -> "Event":
        return cls.from_dict(json.loads(text))


@dataclass
class UserSession:
    """One visit. `end_time` is None while it may go on."""

    session_id: str
    user_id: str
    start_time: str
    end_time: Optional[str] = None
    events: List[Event] = field(default_factory=list)
    properties: Dict[str, Any] = field(default_factory=dict)


def instant(text: str) -> datetime:
    """The instant that an ISO 8601 text names; UTC without an offset. Raises ValueError."""
    plain = text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text
    # Python 3.9 takes fractions of 3 or 6 digits only.
    plain = _FRACTION.sub(lambda match: "." + match[1][:6].ljust(6, "0"), plain, count=1)
    made = datetime.fromisoformat(plain)
    return made.replace(tzinfo=timezone.utc) if made.tzinfo is None else made


def iso_text(moment: datetime) -> str:
    """In UTC with `Z` and microseconds."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
