"""The messages a client sends and hears, as payloads of frames (protocol/frames.md §4)."""

from __future__ import annotations

import struct
from typing import Container, List, NamedTuple, Optional

from . import frames
from ._varint import varint
from .batch import Limits
from .frames import FieldReader, Frame, ProtocolError, encode_fields, read_uints, sint, uint

KIND_LIVE, KIND_IMPORT = 0, 1
SOURCE_BYTES = 10
LINEAGE_BYTES = 16


class Totals(NamedTuple):
    """The fates of a source's sequences since it began; their sum is the durable sequence."""

    unknown_before: int = 0
    skipped: int = 0
    stored: int = 0
    rejected: int = 0
    quarantined: int = 0


class HelloAck(NamedTuple):
    """Who the token is, and what the collector takes."""

    role: int
    project: Optional[str]
    frame_bytes_max: int
    batch_limits: Limits
    unacked_batches_max: int
    keepalive_seconds: int
    clock_micros: Optional[int]
    features: int


class Fingerprint(NamedTuple):
    """A batch the collector holds."""

    base: int
    event_count: int
    fingerprint: int


class Opened(NamedTuple):
    durable: int
    lineage: Optional[bytes]
    totals: Totals
    fingerprints: List[Fingerprint]


class RangeVerdict(NamedTuple):
    """The same permanent cause for `event_count` sequences from `sequence` on."""

    sequence: int
    event_count: int
    code: int


class Ack(NamedTuple):
    durable: int
    totals: Totals
    verdicts: List[RangeVerdict]


class Nack(NamedTuple):
    """Nothing from `expected` on was taken."""

    expected: int
    code: int
    retry: int
    after_ms: Optional[int]
    detail: str


class PeerError(NamedTuple):
    code: int
    detail: str


def hello(token: Optional[str], sdk: str, version: str, clock_micros: int) -> Frame:
    fields: frames.Fields = {2: sdk.encode(), 4: version.encode(), 6: uint(0), 8: sint(clock_micros)}
    fields[1] = (token or "").encode()
    return Frame(frames.HELLO, encode_fields(fields))


def open_stream(
    stream: int, project: str, source: bytes, kind: int, acked: int, lineage: Optional[bytes]
) -> Frame:
    fields: frames.Fields = {1: project.encode(), 3: source, 5: uint(kind), 7: uint(acked)}
    if lineage is not None:
        fields[8] = lineage
    return Frame(frames.OPEN, encode_fields(fields), stream)


def batch(stream: int, base: int, count: int, data: bytes, rewind: bool) -> Frame:
    """The envelope is empty: the next hop measures this clock's offset itself."""
    return Frame(frames.BATCH, b"\0\0" + data, stream, count, base, frames.FLAG_REWIND if rewind else 0)


def batch_bytes(payload: bytes) -> bytes:
    """The batch in a BATCH frame's payload."""
    if len(payload) < 2:
        raise ProtocolError(frames.PROTOCOL, "a BATCH frame without envelope")
    end = 2 + struct.unpack_from("<H", payload)[0]
    if end > len(payload):
        raise ProtocolError(frames.PROTOCOL, "the envelope is cut short")
    envelope = FieldReader(payload[2:end], 2, 4)
    envelope.sint(2), envelope.uint(4)
    return payload[end:]


def skip(stream: int, base: int, count: int, reason: int, rewind: bool) -> Frame:
    payload = encode_fields({1: uint(reason), 3: uint(count)})
    return Frame(frames.SKIP, payload, stream, 0, base, frames.FLAG_REWIND if rewind else 0)


def close(stream: int, acked: int, final: bool) -> Frame:
    return Frame(frames.CLOSE, encode_fields({1: uint(acked), 3: uint(1 if final else 0)}), stream)


def ping(clock_micros: int) -> Frame:
    return Frame(frames.PING, encode_fields({2: sint(clock_micros)}))


def pong(ping_frame: Frame, clock_micros: int) -> Frame:
    return Frame(frames.PONG, encode_fields({2: sint(clock_micros)}), base=ping_frame.base)


def read_hello_ack(frame: Frame) -> HelloAck:
    fields = FieldReader(frame.payload, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, required=(1,))
    most = Limits()
    return HelloAck(
        role=_listed(fields.uint(1), range(1, 4), "role"),
        project=fields.text(2),
        frame_bytes_max=min(fields.uint(4, frames.PAYLOAD_BYTES_MAX), frames.PAYLOAD_BYTES_MAX),
        batch_limits=Limits(
            min(fields.uint(6, most.events_max), most.events_max),
            min(fields.uint(8, most.decoded_bytes_max), most.decoded_bytes_max),
            min(fields.uint(10, most.strings_max), most.strings_max),
            min(fields.uint(12, most.columns_max), most.columns_max),
        ),
        unacked_batches_max=fields.uint(14, 256),
        keepalive_seconds=fields.uint(16),
        clock_micros=fields.sint(18),
        features=fields.uint(20),
    )


def _listed(code: int, codes: Container[int], what: str) -> int:
    """A number the protocol lists; another ends the connection."""
    if code not in codes:
        raise ProtocolError(frames.PROTOCOL, f"unknown {what} {code}")
    return code


def _totals(frame: Frame, value: Optional[bytes]) -> Totals:
    totals = Totals(*read_uints(value or b"", 5))
    if sum(totals) != frame.base:
        raise ProtocolError(frames.PROTOCOL, f"totals make {sum(totals)}, durable is {frame.base}")
    return totals


def _fingerprint(value: bytes) -> Fingerprint:
    base, count = read_uints(value[:-8], 2)
    return Fingerprint(base, count, int.from_bytes(value[-8:], "little"))


def read_opened(frame: Frame) -> Opened:
    fields = FieldReader(frame.payload, 1, 3, lists=(5,), required=(1, 3))
    lineage = fields.raw(1, LINEAGE_BYTES)
    prints = [_fingerprint(value) for value in fields.all(5)]
    return Opened(frame.base, lineage, _totals(frame, fields.raw(3)), prints)


def read_ack(frame: Frame) -> Ack:
    fields = FieldReader(frame.payload, 1, lists=(3,), required=(1,))
    verdicts = [RangeVerdict(*read_uints(value, 3)) for value in fields.all(3)]
    for verdict in verdicts:
        _listed(verdict.code, frames.VERDICT_CODES, "verdict")
        if not (0 < verdict.sequence and 0 < verdict.event_count <= frame.base - verdict.sequence + 1):
            raise ProtocolError(frames.PROTOCOL, f"a verdict for sequences that are not durable: {verdict}")
    return Ack(frame.base, _totals(frame, fields.raw(1)), verdicts)


def read_nack(frame: Frame) -> Nack:
    fields = FieldReader(frame.payload, 1, 3, 5, 6, required=(1, 3))
    after = fields.uint(5) if fields.raw(5) is not None else None
    code = _listed(fields.uint(1), frames.NACK_CODES, "NACK code")
    retry = _listed(fields.uint(3), range(4), "retry rule")
    return Nack(frame.base, code, retry, after, fields.text(6) or "")


def read_goaway(frame: Frame) -> int:
    """After how many ms to reconnect."""
    fields = FieldReader(frame.payload, 1, 2)
    return fields.uint(2)


def read_error(frame: Frame) -> PeerError:
    fields = FieldReader(frame.payload, 1, 2, required=(1,))
    return PeerError(fields.uint(1), fields.text(2) or "")


def totals_bytes(totals: Totals) -> bytes:
    return b"".join(map(varint, totals))
