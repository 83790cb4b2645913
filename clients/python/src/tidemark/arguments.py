"""From the arguments of a call to an event: every check that can fail the caller happens here, at once."""

from __future__ import annotations

import enum
import math
import re
import time
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from . import batch
from .batch import Event
from .values import normalized_values, utf8_count

EVENT_BYTES_MAX = 1 << 20
EVENT_VALUES_MAX = 1_000
"""Below what a batch may hold, so that one event always fits."""

TIMESTAMP_MIN_MICROS = 31_536_000_000_000
TIMESTAMP_MAX_MICROS = 253_402_300_799_999_999
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)
_EVENT_ID = re.compile(r"(?:evt_)?([0-9a-fA-F]{32})\Z")

Timestamp = Union[datetime, float, int]
Consent = Union[bool, str]
EventId = Union[str, bytes, uuid.UUID]

_CONSENTS: Dict[object, int] = {
    "unknown": batch.CONSENT_UNKNOWN, "granted": batch.CONSENT_GRANTED, "denied": batch.CONSENT_DENIED,
    True: batch.CONSENT_GRANTED, False: batch.CONSENT_DENIED,
}


def micros(timestamp: Optional[Timestamp]) -> int:
    """µs since 1970 UTC for an aware datetime or seconds since 1970; now for None."""
    if timestamp is None:
        return time.time_ns() // 1000
    if isinstance(timestamp, datetime):
        if timestamp.tzinfo is None:
            raise ValueError("timestamp must have a time zone: datetime.now(timezone.utc), or .astimezone()")
        made = (timestamp - EPOCH) // MICROSECOND
    elif isinstance(timestamp, (int, float)) and not isinstance(timestamp, bool):
        if not math.isfinite(timestamp):
            raise ValueError(f"timestamp must be finite: {timestamp}")
        made = timestamp * 1_000_000 if isinstance(timestamp, int) else round(timestamp * 1_000_000)
    else:
        raise TypeError(f"timestamp must be a datetime or seconds since 1970, not {type(timestamp).__name__}")
    if not TIMESTAMP_MIN_MICROS <= made <= TIMESTAMP_MAX_MICROS:
        raise ValueError(f"timestamp must lie in the years 1971 to 9999: {timestamp}")
    return made


def event_type_text(event_type: Union[str, enum.Enum]) -> str:
    """The type as text; an Enum stands for its value. Types that start with `$` are reserved."""
    if isinstance(event_type, enum.Enum):
        event_type = event_type.value
    text = _text(event_type, "event_type", batch.TYPE_BYTES_MAX)
    if text.startswith("$"):
        raise ValueError(f"types that start with $ are reserved: {text!r}")
    return text


def id_text(value: Any, what: str) -> str:
    return _text(value, what, batch.ID_BYTES_MAX)


def optional_id(value: Any, what: str) -> Optional[str]:
    return None if value is None else _text(value, what, batch.ID_BYTES_MAX)


def _text(value: Any, what: str, bytes_max: int) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str, not {type(value).__name__}")
    count = utf8_count(value, what)
    if not 0 < count <= bytes_max:
        raise ValueError(f"{what} must be 1 to {bytes_max} bytes, not {count}")
    return value if type(value) is str else str.__str__(value)


def consent_code(consent: Consent) -> int:
    """"granted", "denied", "unknown", or a bool for the first two."""
    if not isinstance(consent, (str, bool)):
        raise TypeError(f"consent must be bool or str, not {type(consent).__name__}")
    code = _CONSENTS.get(consent)
    if code is None:
        raise ValueError(f'consent must be "granted", "denied" or "unknown", not {consent!r}')
    return code


def event_id_bytes(event_id: Optional[EventId]) -> Optional[bytes]:
    """The 16 bytes of an explicit id: `evt_` and 32 hex digits, a UUID, or the bytes."""
    if event_id is None:
        return None
    if isinstance(event_id, uuid.UUID):
        return event_id.bytes
    if isinstance(event_id, bytes):
        if len(event_id) != batch.EVENT_ID_BYTES:
            raise ValueError(f"event_id must be {batch.EVENT_ID_BYTES} bytes, not {len(event_id)}")
        return event_id
    if not isinstance(event_id, str):
        raise TypeError(f"event_id must be str, bytes or UUID, not {type(event_id).__name__}")
    match = _EVENT_ID.match(event_id)
    if match is None:
        raise ValueError(f"event_id must be evt_ and 32 hex digits: {event_id!r}")
    return bytes.fromhex(match[1])


def event_id_text(event_id: bytes) -> str:
    return "evt_" + event_id.hex()


def with_values(event: Event, **scopes: Optional[Mapping[str, Any]]) -> Tuple[Event, int]:
    """Fills the event's mappings with checked snapshots. Also about how many bytes the event takes."""
    size = 64
    count = 0
    for scope, values in scopes.items():
        if values:
            plain, bytes_ = normalized_values(values, scope)
            setattr(event, scope, plain)
            size += bytes_
            count += len(plain)
        elif values is not None and not isinstance(values, Mapping):
            raise TypeError(f"{scope} must be a mapping, not {type(values).__name__}")
    if count > EVENT_VALUES_MAX:
        raise ValueError(f"an event holds at most {EVENT_VALUES_MAX} values, not {count}")
    if size > EVENT_BYTES_MAX:
        raise ValueError(f"an event takes at most {EVENT_BYTES_MAX} bytes, not about {size}")
    return event, size
