"""Frames: preamble, header, fields and messages (protocol/frames.md §1 to §4)."""

from __future__ import annotations

import struct
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from ._checksums import crc32c
from ._varint import DecodeError, read_varint, unzigzag, varint, zigzag

MAGIC = b"\xf7TDM"
VERSION = 0
PREAMBLE = struct.Struct("<4sBBH")
HEADER = struct.Struct("<IBBHIIQII")
HEADER_BYTES = HEADER.size
PAYLOAD_BYTES_MAX = 16 << 20
PAYLOAD_BYTES_MAX_BEFORE_HELLO_ACK = 4 << 10
SEQUENCE_MAX = (1 << 48) - 1
FLAG_REWIND = 1

HELLO, HELLO_ACK, OPEN, OPENED, BATCH, ACK, NACK, SKIP, CLOSE = 1, 3, 5, 7, 9, 11, 13, 15, 17
GOAWAY, ERROR, ADMIN, ADMIN_REPLY, PING, PONG = 21, 23, 25, 27, 2, 4
KNOWN_TYPES = frozenset((
    HELLO, HELLO_ACK, OPEN, OPENED, BATCH, ACK, NACK, SKIP, CLOSE, GOAWAY, ERROR, ADMIN, ADMIN_REPLY, PING, PONG,
))
_OF_STREAM = frozenset((OPEN, OPENED, BATCH, ACK, NACK, SKIP, CLOSE))
_WITHOUT_BASE = frozenset((HELLO, HELLO_ACK, OPEN, CLOSE, GOAWAY, ERROR))

RETRY_NOW, RETRY_AFTER, RETRY_OPEN, RETRY_NEW_SOURCE = 0, 1, 2, 3
SKIP_DROPPED, SKIP_ACKNOWLEDGED, SKIP_OPTED_OUT = 1, 2, 3

SEQUENCE_GAP, SEQUENCE_CONFLICT, FENCED, STREAM_UNKNOWN, NOT_ALLOWED = 69, 96, 97, 98, 99
VERSION_REFUSED, AUTHENTICATION = 128, 129

CODE_NAMES: Dict[int, str] = {
    1: "MALFORMED", 2: "SCHEMA", 3: "EXPIRED", 4: "TOO_BIG", 5: "FUTURE",
    64: "RATE", 65: "QUOTA", 66: "DISK_FULL", 67: "BACKLOG", 68: "DRAINING", 69: "SEQUENCE_GAP", 70: "STORAGE",
    71: "UNACKED_LIMIT", 96: "SEQUENCE_CONFLICT", 97: "FENCED", 98: "STREAM_UNKNOWN", 99: "NOT_ALLOWED",
    128: "VERSION", 129: "AUTHENTICATION", 130: "PROTOCOL", 131: "FRAME_TOO_BIG", 132: "CHECKSUM", 133: "TIMEOUT",
    134: "OVERLOADED", 135: "INTERNAL",
}

VERDICT_CODES = range(1, 6)
NACK_CODES = (*range(64, 72), *range(96, 100))


def code_name(code: int) -> str:
    """The name of a verdict's, a NACK's or an error's code."""
    return CODE_NAMES.get(code, f"code {code}")


class ProtocolError(DecodeError):
    """Bytes from the peer that end the connection; `code` is what an ERROR frame would say."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code_name(code)}: {detail}")
        self.code = code


PROTOCOL, FRAME_TOO_BIG, CHECKSUM, TIMEOUT = 130, 131, 132, 133


class Frame(NamedTuple):
    """One frame; `base` and `event_count` mean what the type says."""

    type: int
    payload: bytes = b""
    stream: int = 0
    event_count: int = 0
    base: int = 0
    flags: int = 0


def encode_preamble(lowest: int = VERSION, highest: int = VERSION, refusal: int = 0) -> bytes:
    return PREAMBLE.pack(MAGIC, lowest, highest, refusal)


def decode_preamble(data: bytes) -> Tuple[int, int, int]:
    """Lowest and highest version, and the refusal's code or 0."""
    magic, lowest, highest, refusal = PREAMBLE.unpack(data)
    if magic != MAGIC or lowest > highest:
        raise ProtocolError(PROTOCOL, "the peer does not speak Tidemark")
    return lowest, highest, refusal


def encode_frame(frame: Frame) -> bytes:
    """Header with both checksums, then the payload."""
    payload = frame.payload
    head = HEADER.pack(
        len(payload), frame.type, frame.flags, 0, frame.stream, frame.event_count, frame.base, crc32c(payload), 0
    )[:28]
    return head + struct.pack("<I", crc32c(head)) + payload


def decode_frame(
    data: Union[bytes, bytearray], offset: int = 0, payload_max: int = PAYLOAD_BYTES_MAX
) -> Optional[Tuple[Frame, int]]:
    """The frame at `offset` and the offset behind it; None when it is not all there yet.

    Raises ProtocolError for a failed checksum or a broken rule. A frame of unknown even type is returned, for the
    caller to skip.
    """
    if len(data) - offset < HEADER_BYTES:
        return None
    size, kind, flags, reserved, stream, count, base, payload_crc, header_crc = HEADER.unpack_from(data, offset)
    if crc32c(bytes(data[offset : offset + 28])) != header_crc:
        raise ProtocolError(CHECKSUM, "frame header")
    if kind & 1 and kind not in KNOWN_TYPES:
        raise ProtocolError(PROTOCOL, f"unknown frame type {kind}")
    if size > payload_max:
        raise ProtocolError(FRAME_TOO_BIG, f"{size} bytes, at most {payload_max}")
    if kind in KNOWN_TYPES and not _header_holds(Frame(kind, b"", stream, count, base, flags), reserved):
        raise ProtocolError(PROTOCOL, f"bad header of frame type {kind}")
    start = offset + HEADER_BYTES
    if len(data) - start < size:
        return None
    payload = bytes(data[start : start + size])
    if crc32c(payload) != payload_crc:
        raise ProtocolError(CHECKSUM, "frame payload")
    return Frame(kind, payload, stream, count, base, flags), start + size


def _header_holds(frame: Frame, reserved: int) -> bool:
    allowed = FLAG_REWIND if frame.type in (BATCH, SKIP) else 0
    return (
        not frame.flags & ~allowed
        and not reserved
        and frame.base <= SEQUENCE_MAX
        and (frame.event_count == 0 or frame.type == BATCH)
        and (frame.base == 0 or frame.type not in _WITHOUT_BASE)
        and (frame.stream != 0) == (frame.type in _OF_STREAM)
    )


FieldValue = Union[bytes, List[bytes]]
Fields = Dict[int, FieldValue]
"""Field id to value, or to the list of values where the id repeats."""


def encode_fields(fields: Fields) -> bytes:
    """Fields, ids ascending."""
    parts: List[bytes] = []
    for number in sorted(fields):
        values = fields[number]
        for value in [values] if isinstance(values, bytes) else values:
            parts += (varint(number), varint(len(value)), value)
    return b"".join(parts)


def decode_fields(payload: bytes, known: Dict[int, bool]) -> Dict[int, List[bytes]]:
    """The known fields of a payload. `known` tells for each id whether it may repeat."""
    fields: Dict[int, List[bytes]] = {}
    offset = 0
    before = -1
    while offset < len(payload):
        try:
            number, offset = read_varint(payload, offset)
            size, offset = read_varint(payload, offset)
        except DecodeError as error:
            raise ProtocolError(PROTOCOL, f"fields: {error}") from None
        if size > len(payload) - offset:
            raise ProtocolError(PROTOCOL, f"field {number} is cut short")
        if number < before or (number == before and not known.get(number, number % 2 == 0)):
            raise ProtocolError(PROTOCOL, f"field {number} after field {before}")
        before = number
        if number in known:
            fields.setdefault(number, []).append(payload[offset : offset + size])
        elif number & 1:
            raise ProtocolError(PROTOCOL, f"unknown field {number}")
        offset += size
    return fields


def uint(value: int) -> bytes:
    return varint(value)


def sint(value: int) -> bytes:
    return varint(zigzag(value))


class FieldReader:
    """The fields of one message, by id and kind."""

    def __init__(
        self, payload: bytes, *known: int, lists: Tuple[int, ...] = (), required: Tuple[int, ...] = ()
    ) -> None:
        self._fields = decode_fields(payload, {**{number: False for number in known}, **{n: True for n in lists}})
        for number in required:
            if number not in self._fields:
                raise ProtocolError(PROTOCOL, f"field {number} is missing")

    def raw(self, number: int, size: Optional[int] = None) -> Optional[bytes]:
        values = self._fields.get(number)
        if values is None:
            return None
        if size is not None and len(values[0]) != size:
            raise ProtocolError(PROTOCOL, f"field {number} is {len(values[0])} bytes, not {size}")
        return values[0]

    def all(self, number: int) -> List[bytes]:
        return self._fields.get(number, [])

    def uint(self, number: int, default: int = 0) -> int:
        value = self.raw(number)
        return default if value is None else read_uints(value, 1)[0]

    def sint(self, number: int) -> Optional[int]:
        value = self.raw(number)
        return None if value is None else unzigzag(read_uints(value, 1)[0])

    def text(self, number: int) -> Optional[str]:
        value = self.raw(number)
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise ProtocolError(PROTOCOL, f"field {number} is not UTF-8") from None


def read_uints(value: bytes, count: int) -> List[int]:
    """`count` varints that fill `value`."""
    numbers: List[int] = []
    offset = 0
    try:
        for _ in range(count):
            number, offset = read_varint(value, offset)
            numbers.append(number)
    except DecodeError as error:
        raise ProtocolError(PROTOCOL, f"field: {error}") from None
    if offset != len(value):
        raise ProtocolError(PROTOCOL, "bytes after a field's value")
    return numbers
