"""Reads a batch and checks all of its structure (protocol/batch.md §7). For tests and tools."""

from __future__ import annotations

import math
import struct
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from . import _zstd, batch
from ._varint import DecodeError, read_varint, read_varints, unzigzag, wrapped
from .batch import SCOPES, Event
from .values import NAME_BYTES_MAX, STRING_BYTES_MAX, Json, Value, check_json

_OPTIONAL_IDS = {
    batch.KIND_USER_ID: "user_id",
    batch.KIND_ANONYMOUS_ID: "anonymous_id",
    batch.KIND_SESSION_ID: "session_id",
    batch.KIND_GROUP: "group",
}


class ValueColumn(NamedTuple):
    """One value column: its key, the rows that have a value, the values."""

    scope: int
    name: bytes
    type: int
    rows: List[int]
    values: List[Value]


def decode(data: bytes) -> List[Event]:
    """The events of a batch. Raises DecodeError at the first fault of structure. Unknown columns are skipped."""
    count, body = decode_header(data)
    return _Body(body, count).events()


def decode_header(data: bytes) -> Tuple[int, bytes]:
    """The event count, and the body, inflated."""
    if len(data) < batch.HEADER.size:
        raise DecodeError(f"a batch header is {batch.HEADER.size} bytes, not {len(data)}")
    version, codec, reserved, count, size = batch.HEADER.unpack_from(data)
    if version != batch.VERSION:
        raise DecodeError(f"unknown version {version}")
    if reserved:
        raise DecodeError("reserved bytes are not 0")
    if not 0 < count <= batch.EVENTS_MAX:
        raise DecodeError(f"{count} events, must be 1 to {batch.EVENTS_MAX}")
    if size > batch.DECODED_BYTES_MAX:
        raise DecodeError(f"{size} bytes decoded, at most {batch.DECODED_BYTES_MAX}")
    rest = bytes(data[batch.HEADER.size :])
    if codec == batch.CODEC_RAW:
        if len(rest) != size:
            raise DecodeError(f"the body is {len(rest)} bytes, the header says {size}")
        return count, rest
    if codec == batch.CODEC_ZSTD:
        return count, _zstd.decompress(rest, size)
    raise DecodeError(f"unknown codec {codec}")


class _Body:
    """The walk over one decoded body."""

    def __init__(self, data: bytes, count: int) -> None:
        self._data = data
        self._count = count
        self._offset = 0
        self._strings: List[str] = []
        self._encoded: List[bytes] = []

    def events(self) -> List[Event]:
        self._read_strings()
        columns, values = self._read_columns()
        for required, name in ((batch.KIND_TYPE, "type"), (batch.KIND_TIMESTAMP, "timestamp")):
            if required not in columns:
                raise DecodeError(f"the {name} column is missing")
        types = self._types(columns[batch.KIND_TYPE])
        stamps = self._timestamps(columns[batch.KIND_TIMESTAMP])
        made = [Event(kind, stamp) for kind, stamp in zip(types, stamps)]
        for kind, attribute in _OPTIONAL_IDS.items():
            if kind in columns:
                for event, text in zip(made, self._optional_ids(columns[kind], attribute)):
                    setattr(event, attribute, text)
        if batch.KIND_FLAGS in columns:
            self._set_flags(made, columns[batch.KIND_FLAGS])
        if batch.KIND_EVENT_ID in columns:
            self._set_event_ids(made, columns[batch.KIND_EVENT_ID])
        self._set_values(made, [self._value_column(data) for data in values])
        return made

    def _varint(self) -> int:
        value, self._offset = read_varint(self._data, self._offset)
        return value

    def _take(self, count: int, what: str) -> bytes:
        end = self._offset + count
        if end > len(self._data):
            raise DecodeError(f"truncated {what} at offset {self._offset}")
        taken = self._data[self._offset : end]
        self._offset = end
        return taken

    def _read_strings(self) -> None:
        count = self._varint()
        if count > batch.STRINGS_MAX:
            raise DecodeError(f"{count} strings, at most {batch.STRINGS_MAX}")
        lengths, self._offset = read_varints(self._data, self._offset, count)
        for length in lengths:
            if length > STRING_BYTES_MAX:
                raise DecodeError(f"a string takes {length} bytes, at most {STRING_BYTES_MAX}")
            self._encoded.append(self._take(length, "string"))
        try:
            self._strings = [text.decode() for text in self._encoded]
        except UnicodeDecodeError:
            raise DecodeError("a string is not UTF-8") from None

    def _read_columns(self) -> Tuple[Dict[int, bytes], List[bytes]]:
        count = self._varint()
        if count > batch.COLUMNS_MAX:
            raise DecodeError(f"{count} columns, at most {batch.COLUMNS_MAX}")
        columns: Dict[int, bytes] = {}
        values: List[bytes] = []
        before = -1
        for _ in range(count):
            kind = self._take(1, "column kind")[0]
            data = self._take(self._varint(), "column")
            if kind < before or (kind == before and kind != batch.KIND_VALUE):
                raise DecodeError(f"column {kind} after column {before}")
            before = kind
            if kind == batch.KIND_VALUE:
                values.append(data)
            else:
                columns[kind] = data
        if self._offset != len(self._data):
            raise DecodeError(f"{len(self._data) - self._offset} bytes after the last column")
        return columns, values

    def _index(self, ref: int) -> int:
        if ref >= len(self._strings):
            raise DecodeError(f"ref {ref} of {len(self._strings)} strings")
        return ref

    def _types(self, data: bytes) -> List[str]:
        refs = _exactly(data, self._count, "type")
        for ref in set(refs):
            if not 0 < len(self._encoded[self._index(ref)]) <= batch.TYPE_BYTES_MAX:
                raise DecodeError(f"a type must be 1 to {batch.TYPE_BYTES_MAX} bytes")
        return [self._strings[ref] for ref in refs]

    def _optional_ids(self, data: bytes, what: str) -> List[Optional[str]]:
        refs = _exactly(data, self._count, what)
        for ref in set(refs):
            if ref and not 0 < len(self._encoded[self._index(ref - 1)]) <= batch.ID_BYTES_MAX:
                raise DecodeError(f"{what} must be 1 to {batch.ID_BYTES_MAX} bytes")
        return [self._strings[ref - 1] if ref else None for ref in refs]

    def _timestamps(self, data: bytes) -> List[int]:
        stamps = []
        stamp = 0
        for coded in _exactly(data, self._count, "timestamp"):
            stamp = wrapped(stamp + unzigzag(coded))
            stamps.append(stamp)
        return stamps

    def _set_flags(self, made: List[Event], data: bytes) -> None:
        if len(data) != self._count:
            raise DecodeError(f"{len(data)} flags for {self._count} events")
        for event, flags in zip(made, data):
            if flags > 5:
                raise DecodeError(f"unknown flags {flags:#x}")
            event.server_side = bool(flags & 1)
            event.consent = flags >> 1

    def _set_event_ids(self, made: List[Event], data: bytes) -> None:
        rows, offset = _rows(data, 0, self._count)
        width = batch.EVENT_ID_BYTES
        if len(data) != offset + len(rows) * width:
            raise DecodeError(f"{len(data) - offset} bytes for {len(rows)} event ids")
        for index, row in enumerate(rows):
            made[row].event_id = data[offset + index * width : offset + (index + 1) * width]

    def _value_column(self, data: bytes) -> ValueColumn:
        if len(data) < 2:
            raise DecodeError("truncated value column")
        scope, kind = data[0], data[1]
        if not 1 <= scope <= len(SCOPES):
            raise DecodeError(f"unknown scope {scope}")
        ref, offset = read_varint(data, 2)
        name = self._encoded[self._index(ref)]
        if not 0 < len(name) <= NAME_BYTES_MAX:
            raise DecodeError(f"a name must be 1 to {NAME_BYTES_MAX} bytes")
        rows, offset = _rows(data, offset, self._count)
        if not rows:
            raise DecodeError("a value column without values")
        return ValueColumn(scope, name, kind, rows, self._values(kind, data[offset:], len(rows)))

    def _values(self, kind: int, data: bytes, count: int) -> List[Value]:
        if kind == batch.VALUE_BOOL:
            rows, end = _rows(data, 0, count)
            if end != len(data):
                raise DecodeError("bytes after the bools")
            yes = set(rows)
            return [row in yes for row in range(count)]
        if kind == batch.VALUE_FLOAT64:
            if len(data) != 8 * count:
                raise DecodeError(f"{len(data)} bytes for {count} float64")
            numbers = struct.unpack(f"<{count}d", data)
            if not all(map(math.isfinite, numbers)):
                raise DecodeError("a float64 is not finite")
            return list(numbers)
        coded = _exactly(data, count, "value") if kind in _VARINT_TYPES else None
        if coded is None:
            raise DecodeError(f"unknown value type {kind}")
        if kind == batch.VALUE_INT64:
            return [unzigzag(value) for value in coded]
        if kind == batch.VALUE_STRING:
            return [self._strings[self._index(ref)] for ref in coded]
        for ref in set(coded):
            try:
                check_json(self._strings[self._index(ref)])
            except ValueError as error:
                raise DecodeError(f"a JSON value is not JSON: {error}") from None
        return [Json.checked(self._strings[ref]) for ref in coded]

    def _set_values(self, made: List[Event], columns: List[ValueColumn]) -> None:
        before: Optional[ValueColumn] = None
        taken: Set[int] = set()
        for column in columns:
            if before is not None and column[:3] <= before[:3]:
                raise DecodeError("value columns out of order")
            if before is None or column[:2] != before[:2]:
                taken = set()
            if not taken.isdisjoint(column.rows):
                raise DecodeError("two values of one name for one event")
            taken.update(column.rows)
            before = column
            name = column.name.decode()
            for row, value in zip(column.rows, column.values):
                getattr(made[row], SCOPES[column.scope - 1])[name] = value


_VARINT_TYPES = (batch.VALUE_INT64, batch.VALUE_STRING, batch.VALUE_JSON)


def _exactly(data: bytes, count: int, what: str) -> List[int]:
    """`count` varints that fill `data`."""
    values, offset = read_varints(data, 0, count)
    if offset != len(data):
        raise DecodeError(f"{len(data) - offset} bytes after the {what} column's last value")
    return values


def _rows(data: bytes, offset: int, count: int) -> Tuple[List[int], int]:
    """The set rows of a bitmap at `offset`, and the offset behind it."""
    end = offset + ((count + 7) >> 3)
    if end > len(data):
        raise DecodeError("truncated bitmap")
    bits = data[offset:end]
    if count & 7 and bits[-1] >> (count & 7):
        raise DecodeError("spare bits of a bitmap are not 0")
    return [row for row in range(count) if bits[row >> 3] >> (row & 7) & 1], end
