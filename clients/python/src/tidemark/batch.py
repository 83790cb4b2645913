"""The batch: events as columns with one string table (protocol/batch.md). This module encodes; `decode` reads.

The encoding is canonical (§11): equal events in equal order give equal bytes with codec raw, in every language.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from . import _zstd
from ._varint import INT64_MAX, INT64_MIN, varint, varints, wrapped, zigzag, zigzags
from .values import NAME_BYTES_MAX, STRING_BYTES_MAX, Json, Value

VERSION = 0
CODEC_RAW = 0
CODEC_ZSTD = 1
HEADER = struct.Struct("<BBHII")

EVENTS_MAX = 65_536
DECODED_BYTES_MAX = 16 << 20
STRINGS_MAX = 262_144
COLUMNS_MAX = 1_024
TYPE_BYTES_MAX = 200
ID_BYTES_MAX = 512
EVENT_ID_BYTES = 16

KIND_TYPE, KIND_USER_ID, KIND_ANONYMOUS_ID, KIND_SESSION_ID = 1, 2, 3, 4
KIND_TIMESTAMP, KIND_FLAGS, KIND_EVENT_ID, KIND_GROUP, KIND_VALUE = 5, 6, 7, 8, 32

CONSENT_UNKNOWN, CONSENT_GRANTED, CONSENT_DENIED = 0, 1, 2

SCOPES = ("properties", "device", "location", "context", "traits")
"""The value mappings of an event; the scope's number on the wire is the index + 1."""

VALUE_BOOL, VALUE_INT64, VALUE_FLOAT64, VALUE_STRING, VALUE_JSON = 1, 2, 3, 4, 5
_VALUE_TYPES: Dict[type, int] = {
    bool: VALUE_BOOL, int: VALUE_INT64, float: VALUE_FLOAT64, str: VALUE_STRING, Json: VALUE_JSON,
}


class EncodeError(ValueError):
    """Events that no batch may hold."""


class BatchTooBig(EncodeError):
    """Events that are too many, or too much, for one batch; fewer may fit."""


@dataclass
class Event:
    """One row of a batch. `timestamp` is in µs since 1970-01-01 UTC; the mappings hold values of `values.Value`."""

    type: str
    timestamp: int
    user_id: Optional[str] = None
    anonymous_id: Optional[str] = None
    session_id: Optional[str] = None
    group: Optional[str] = None
    event_id: Optional[bytes] = None
    server_side: bool = False
    consent: int = CONSENT_UNKNOWN
    properties: Dict[str, Value] = field(default_factory=dict)
    device: Dict[str, Value] = field(default_factory=dict)
    location: Dict[str, Value] = field(default_factory=dict)
    context: Dict[str, Value] = field(default_factory=dict)
    traits: Dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What one batch may hold: the format's maxima, or less if the collector says so."""

    events_max: int = EVENTS_MAX
    decoded_bytes_max: int = DECODED_BYTES_MAX
    strings_max: int = STRINGS_MAX
    columns_max: int = COLUMNS_MAX


class _StringTable(Dict[str, int]):
    """Strings by index, in the order of first use: looking one up puts it in."""

    def __missing__(self, text: str) -> int:
        index = self[text] = len(self)
        return index


def encode(events: Sequence[Event], *, compress: bool = False, limits: Limits = Limits()) -> bytes:
    """One batch. With `compress` it is zstd if this Python has zstd and that is smaller. O(bytes)."""
    body = encode_body(events, limits)
    if compress and _zstd.compress is not None:
        small = _zstd.compress(body)
        if len(small) < len(body) and _zstd.declared_size(small) == len(body):
            return HEADER.pack(VERSION, CODEC_ZSTD, 0, len(events), len(body)) + small
    return HEADER.pack(VERSION, CODEC_RAW, 0, len(events), len(body)) + body


def encode_first(
    events: Sequence[Event], *, compress: bool, limits: Limits, bytes_max: int
) -> Tuple[bytes, int]:
    """One batch of as many of the first events as fit, halving until they do, and their number.

    Raises what `encode` raises if the first event alone does not fit.
    """
    count = len(events)
    while True:
        try:
            data = encode(events[:count], compress=compress, limits=limits)
            if len(data) > bytes_max:
                raise BatchTooBig(f"{len(data)} bytes, at most {bytes_max}")
            return data, count
        except (TypeError, ValueError):
            if count <= 1:
                raise
            count //= 2


def encode_body(events: Sequence[Event], limits: Limits = Limits()) -> bytes:
    """String table and columns."""
    if not events:
        raise EncodeError("a batch holds at least one event")
    if len(events) > limits.events_max:
        raise BatchTooBig(f"{len(events)} events, at most {limits.events_max}")
    table = _StringTable()
    columns = _event_columns(events, table) + _value_columns(events, table)
    if len(columns) > limits.columns_max:
        raise BatchTooBig(f"{len(columns)} columns, at most {limits.columns_max}")
    if len(table) > limits.strings_max:
        raise BatchTooBig(f"{len(table)} strings, at most {limits.strings_max}")
    parts = [_string_table(table), varint(len(columns))]
    for kind, data in columns:
        parts += (bytes((kind,)), varint(len(data)), data)
    body = b"".join(parts)
    if len(body) > limits.decoded_bytes_max:
        raise BatchTooBig(f"{len(body)} bytes, at most {limits.decoded_bytes_max}")
    return body


def _string_table(table: Iterable[str]) -> bytes:
    try:
        encoded = [text.encode() for text in table]
    except UnicodeEncodeError:
        raise EncodeError("a string is not valid Unicode (a lone surrogate)") from None
    lengths = [len(text) for text in encoded]
    if max(lengths) > STRING_BYTES_MAX:
        raise EncodeError(f"a string takes {max(lengths)} bytes, at most {STRING_BYTES_MAX}")
    return b"".join((varint(len(encoded)), varints(lengths), *encoded))


def _check_bytes(texts: Iterable[Optional[str]], what: str, bytes_max: int) -> None:
    for text in set(texts):
        if text is not None and not (0 < len(text) and len(text.encode("utf-8", "surrogatepass")) <= bytes_max):
            raise EncodeError(f"{what} must be 1 to {bytes_max} bytes: {text[:40]!r}")


def _event_columns(events: Sequence[Event], table: _StringTable) -> List[Tuple[int, bytes]]:
    types = [event.type for event in events]
    _check_bytes(types, "type", TYPE_BYTES_MAX)
    columns = [(KIND_TYPE, varints([table[text] for text in types]))]

    def add_optional(kind: int, what: str, texts: List[Optional[str]]) -> None:
        if any(text is not None for text in texts):
            _check_bytes(texts, what, ID_BYTES_MAX)
            columns.append((kind, varints([0 if text is None else table[text] + 1 for text in texts])))

    add_optional(KIND_USER_ID, "user id", [event.user_id for event in events])
    add_optional(KIND_ANONYMOUS_ID, "anonymous id", [event.anonymous_id for event in events])
    add_optional(KIND_SESSION_ID, "session id", [event.session_id for event in events])
    columns.append((KIND_TIMESTAMP, _timestamps(events)))
    flags = [_flags(event) for event in events]
    if any(flags):
        columns.append((KIND_FLAGS, bytes(flags)))
    rows = [row for row, event in enumerate(events) if event.event_id is not None]
    if rows:
        ids = [events[row].event_id or b"" for row in rows]
        if any(len(event_id) != EVENT_ID_BYTES for event_id in ids):
            raise EncodeError(f"an event id is {EVENT_ID_BYTES} bytes")
        columns.append((KIND_EVENT_ID, _bitmap(rows, len(events)) + b"".join(ids)))
    add_optional(KIND_GROUP, "group key", [event.group for event in events])
    return columns


def _timestamps(events: Sequence[Event]) -> bytes:
    differences = []
    before = 0
    for event in events:
        stamp = event.timestamp
        if not INT64_MIN <= stamp <= INT64_MAX:
            raise EncodeError(f"timestamp does not fit 64 bits: {stamp}")
        differences.append(wrapped(stamp - before))
        before = stamp
    return zigzags(differences)


def _flags(event: Event) -> int:
    if event.consent == CONSENT_UNKNOWN:
        return 1 if event.server_side else 0
    if event.consent not in (CONSENT_GRANTED, CONSENT_DENIED):
        raise EncodeError(f"consent must be 0, 1 or 2: {event.consent}")
    return event.consent << 1 | (1 if event.server_side else 0)


def _bitmap(rows: Sequence[int], count: int) -> bytes:
    if len(rows) == count:
        return ((1 << count) - 1).to_bytes((count + 7) >> 3, "little")
    bits = bytearray((count + 7) >> 3)
    for row in rows:
        bits[row >> 3] |= 1 << (row & 7)
    return bytes(bits)


_Column = Tuple[List[int], List[Value]]
"""The rows that have a value, ascending, and the values."""


def _gathered(events: Sequence[Event], scope: str) -> Dict[Tuple[str, int], _Column]:
    columns: Dict[Tuple[str, int], _Column] = {}
    for row, event in enumerate(events):
        values: Dict[str, Value] = getattr(event, scope)
        if not values:
            continue
        for name, value in values.items():
            kind = _VALUE_TYPES.get(type(value))
            if kind is None:
                raise TypeError(f"{scope}[{name!r}] is no batch value: {type(value).__name__}")
            column = columns.get((name, kind))
            if column is None:
                column = columns[name, kind] = ([], [])
            column[0].append(row)
            column[1].append(value)
    return columns


def _value_columns(events: Sequence[Event], table: _StringTable) -> List[Tuple[int, bytes]]:
    made: List[Tuple[int, bytes]] = []
    for number, scope in enumerate(SCOPES, 1):
        columns = _gathered(events, scope)
        _check_bytes((name for name, _ in columns), "a name", NAME_BYTES_MAX)
        # Order by code points is order by UTF-8 bytes.
        for name, kind in sorted(columns):
            rows, values = columns[name, kind]
            head = bytes((number, kind)) + varint(table[name])
            made.append((KIND_VALUE, head + _bitmap(rows, len(events)) + _ENCODERS[kind](values, table)))
    return made


def _bools(values: List[Value], table: _StringTable) -> bytes:
    return _bitmap([row for row, value in enumerate(values) if value], len(values))


def _int64s(values: List[Value], table: _StringTable) -> bytes:
    return varints([zigzag(value) for value in values])  # type: ignore[arg-type]


def _float64s(values: List[Value], table: _StringTable) -> bytes:
    # x - x is 0 for finite numbers alone.
    if any(value - value != 0 for value in values):  # type: ignore[operator]
        raise EncodeError("a float64 must be finite")
    return struct.pack(f"<{len(values)}d", *values)


def _strings(values: List[Value], table: _StringTable) -> bytes:
    return varints([table[text] for text in values])  # type: ignore[index]


def _jsons(values: List[Value], table: _StringTable) -> bytes:
    return varints([table[value.text] for value in values])  # type: ignore[union-attr]


_ENCODERS: Dict[int, Callable[[List[Value], _StringTable], bytes]] = {
    VALUE_BOOL: _bools, VALUE_INT64: _int64s, VALUE_FLOAT64: _float64s, VALUE_STRING: _strings, VALUE_JSON: _jsons,
}
