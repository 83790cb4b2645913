"""The golden frames, both directions."""

from __future__ import annotations

from typing import Any, Callable, Dict

import collector as server
import pytest
from paths import VECTORS, Vector, load

from tidemark import frames, messages
from tidemark._checksums import xxh64
from tidemark._varint import DecodeError
from tidemark.frames import FieldReader, Frame, ProtocolError, encode_fields, sint, uint
from tidemark.messages import Fingerprint, RangeVerdict, Totals

ALL = load("frames")
GOOD = [vector for vector in ALL if "type" in vector[1] and vector[1]["type"] != "PREAMBLE"]
PREAMBLES = [vector for vector in ALL if vector[1].get("type") == "PREAMBLE"]
BAD = [vector for vector in ALL if "error" in vector[1]]
SKIPPED = [vector for vector in ALL if "skipped" in vector[1]]


def by_name(vector: Vector) -> str:
    return vector[0]


def _lineage(told: Any) -> Any:
    return None if told is None else bytes.fromhex(told)


def _batch(head: Frame, f: Dict[str, Any]) -> Frame:
    made = messages.batch(head.stream, head.base, head.event_count, bytes.fromhex(f["batch"]), bool(head.flags))
    if f["clock_offset"]:
        envelope = encode_fields({2: sint(f["clock_offset"])})
        made = made._replace(payload=len(envelope).to_bytes(2, "little") + envelope + bytes.fromhex(f["batch"]))
    assert f"{xxh64(bytes.fromhex(f['batch'])):016x}" == f["fingerprint"]
    return made


def _opened(head: Frame, f: Dict[str, Any]) -> Frame:
    prints = [Fingerprint(base, count, int(print_, 16)) for base, count, print_ in f["fingerprints"]]
    return server.opened(head.stream, head.base, Totals(*f["totals"]), prints, bytes.fromhex(f["lineage"]))


ENCODERS: Dict[str, Callable[[Frame, Dict[str, Any]], Frame]] = {
    "HELLO": lambda head, f: messages.hello(f["token"], f["sdk_name"], f["sdk_version"], f["clock"]),
    "HELLO_ACK": lambda head, f: server.hello_ack(
        f["role"], f["project"], frame_bytes=f["frame_bytes_max"], events=f["batch_events_max"],
        decoded_bytes=f["batch_decoded_bytes_max"], strings=f["batch_strings_max"], columns=f["batch_columns_max"],
        unacked=f["unacked_batches_max"], keepalive=f["keepalive_seconds"], clock=f["clock"], features=f["features"]),
    "OPEN": lambda head, f: messages.open_stream(
        head.stream, f["project"], bytes.fromhex(f["source"]), f["kind"], f["acked"], _lineage(f["lineage"])),
    "OPENED": _opened,
    "BATCH": _batch,
    "ACK": lambda head, f: server.ack(
        head.stream, head.base, Totals(*f["totals"]), [RangeVerdict(*one) for one in f["verdicts"]]),
    "NACK": lambda head, f: server.nack(
        head.stream, head.base, f["code"], f["retry"], f["after"] if f["retry"] == 1 else None, f["detail"]),
    "SKIP": lambda head, f: messages.skip(head.stream, head.base, f["count"], f["reason"], bool(head.flags)),
    "CLOSE": lambda head, f: messages.close(head.stream, f["acked"], bool(f["final"])),
    "GOAWAY": lambda head, f: server.goaway(f["reason"], f["reconnect_after"]),
    "ERROR": lambda head, f: server.error(f["code"], f["detail"]),
    "ADMIN": lambda head, f: Frame(
        frames.ADMIN, encode_fields({1: f["verb"].encode(), 2: f["argument"].encode()}), base=head.base),
    "ADMIN_REPLY": lambda head, f: Frame(
        frames.ADMIN_REPLY, encode_fields({1: uint(f["status"]), 2: f["result"].encode()}), base=head.base),
    "PING": lambda head, f: messages.ping(f["clock"])._replace(base=head.base),
    "PONG": lambda head, f: messages.pong(Frame(frames.PING, base=head.base), f["clock"]),
}


def test_the_vectors_are_there() -> None:
    assert VECTORS.is_dir()
    assert len(GOOD) >= len(ENCODERS) and len(BAD) >= 8 and PREAMBLES and SKIPPED
    assert len(GOOD) + len(PREAMBLES) + len(BAD) + len(SKIPPED) == len(ALL)
    assert len(ALL) == len(list((VECTORS / "frames").glob("*.bin")))
    assert {vector[1]["type"] for vector in GOOD} == set(ENCODERS)


@pytest.mark.parametrize("vector", PREAMBLES, ids=by_name)
def test_a_preamble_both_ways(vector: Vector) -> None:
    _, told, data = vector
    parts = (told["lowest_version"], told["highest_version"], told["code"])
    assert frames.decode_preamble(data) == parts
    assert frames.encode_preamble(*parts) == data


@pytest.mark.parametrize("vector", GOOD, ids=by_name)
def test_a_frame_both_ways(vector: Vector) -> None:
    name, told, data = vector
    found = frames.decode_frame(data)
    assert found is not None
    frame, end = found
    assert end == len(data)
    assert frame.type == getattr(frames, told["type"])
    assert (frame.stream, frame.base, frame.event_count) == (told["stream"], told["base"], told["event_count"])
    assert bool(frame.flags & frames.FLAG_REWIND) == told["rewind"]
    assert frames.encode_frame(frame) == data
    made = ENCODERS[told["type"]](frame._replace(payload=b""), told["fields"])
    if name == "unknown_even_field":
        assert FieldReader(frame.payload, 2).sint(2) == told["fields"]["clock"]
    else:
        assert frames.encode_frame(made).hex() == data.hex()


@pytest.mark.parametrize("vector", [one for one in GOOD if one[1]["type"] in
                                    ("HELLO_ACK", "OPENED", "ACK", "NACK", "GOAWAY", "ERROR", "BATCH")], ids=by_name)
def test_what_the_client_reads_in_it(vector: Vector) -> None:
    _, told, data = vector
    found = frames.decode_frame(data)
    assert found is not None
    frame, f = found[0], told["fields"]
    if told["type"] == "HELLO_ACK":
        read = messages.read_hello_ack(frame)
        assert (read.role, read.project, read.frame_bytes_max) == (f["role"], f["project"], f["frame_bytes_max"])
        assert read.batch_limits.events_max == f["batch_events_max"]
        assert read.batch_limits.columns_max == f["batch_columns_max"]
        assert (read.unacked_batches_max, read.keepalive_seconds, read.clock_micros) == (
            f["unacked_batches_max"], f["keepalive_seconds"], f["clock"])
    elif told["type"] == "OPENED":
        opened = messages.read_opened(frame)
        assert opened.lineage == bytes.fromhex(f["lineage"]) and list(opened.totals) == f["totals"]
        assert [[p.base, p.event_count, f"{p.fingerprint:016x}"] for p in opened.fingerprints] == f["fingerprints"]
    elif told["type"] == "ACK":
        ack = messages.read_ack(frame)
        assert list(ack.totals) == f["totals"] and [list(one) for one in ack.verdicts] == f["verdicts"]
    elif told["type"] == "NACK":
        nack = messages.read_nack(frame)
        assert (nack.expected, nack.code, nack.retry, nack.after_ms or 0, nack.detail) == (
            told["base"], f["code"], f["retry"], f["after"], f["detail"])
    elif told["type"] == "GOAWAY":
        assert messages.read_goaway(frame) == f["reconnect_after"]
    elif told["type"] == "ERROR":
        assert messages.read_error(frame) == (f["code"], f["detail"])
    else:
        assert messages.batch_bytes(frame.payload).hex() == f["batch"]


READERS: Dict[int, Callable[[Frame], Any]] = {
    frames.HELLO: lambda frame: FieldReader(frame.payload, 1, 2, 4, 6, 8, required=(1,)),
    frames.HELLO_ACK: messages.read_hello_ack,
    frames.OPENED: messages.read_opened,
    frames.ACK: messages.read_ack,
    frames.NACK: messages.read_nack,
    frames.GOAWAY: messages.read_goaway,
    frames.ERROR: messages.read_error,
    frames.PING: lambda frame: FieldReader(frame.payload, 2).sint(2),
    frames.PONG: lambda frame: FieldReader(frame.payload, 2).sint(2),
    frames.OPEN: lambda frame: FieldReader(frame.payload, 1, 3, 5, 7, 8, required=(1, 3, 5, 7)),
    frames.SKIP: lambda frame: FieldReader(frame.payload, 1, 3, required=(1, 3)).uint(3),
    frames.CLOSE: lambda frame: FieldReader(frame.payload, 1, 3, required=(1, 3)).uint(1),
    frames.BATCH: lambda frame: messages.batch_bytes(frame.payload),
}


@pytest.mark.parametrize("vector", BAD, ids=by_name)
def test_a_bad_frame_ends_the_connection_with_its_code(vector: Vector) -> None:
    _, told, data = vector
    with pytest.raises(DecodeError) as caught:
        found = frames.decode_frame(data, payload_max=told["payload_bytes_max"])
        assert found is not None
        READERS[found[0].type](found[0])
    assert isinstance(caught.value, ProtocolError)
    assert frames.code_name(caught.value.code) == told["error"]


@pytest.mark.parametrize("vector", SKIPPED, ids=by_name)
def test_an_unknown_even_type_is_passed_over(vector: Vector) -> None:
    found = frames.decode_frame(vector[2])
    assert found is not None and found[0].type not in frames.KNOWN_TYPES and found[1] == len(vector[2])
