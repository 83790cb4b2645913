"""The session alone: no sockets, no clock."""

from __future__ import annotations

import random
from typing import List, Tuple

import collector as server
import pytest

from tidemark import frames, messages
from tidemark._checksums import xxh64
from tidemark.batch import Event, encode
from tidemark.decode import decode
from tidemark.frames import Frame, ProtocolError
from tidemark.messages import Fingerprint, RangeVerdict, Totals
from tidemark.reports import PeerFailure
from tidemark.session import Session, State


def batch_of(count: int, start: int = 0) -> bytes:
    return encode([Event("tick", start + row) for row in range(count)])


def session() -> Session:
    return Session("shop", "t", "test", "0", random.Random(1))


def said(one: Session, now: float = 0.0) -> List[Frame]:
    data = one.take_output(now)
    if data.startswith(frames.MAGIC):
        data = data[8:]
    found: List[Frame] = []
    offset = 0
    while offset < len(data):
        frame = frames.decode_frame(data, offset)
        assert frame is not None
        found.append(frame[0])
        offset = frame[1]
    return found


def hear(one: Session, *heard: Frame, now: float = 0.0) -> None:
    one.receive(b"".join(map(frames.encode_frame, heard)), now, 0)


def greet(one: Session, now: float = 0.0, **limits: int) -> Frame:
    """Connects up to OPEN, which is returned."""
    one.start(now, 0)
    said(one, now)
    one.receive(frames.encode_preamble(), now, 0)
    hear(one, server.hello_ack(**limits), now=now)  # type: ignore[arg-type]
    (open_,) = said(one, now)
    assert open_.type == frames.OPEN
    return open_


def opened_session(**limits: int) -> Tuple[Session, int]:
    one = session()
    stream = greet(one, **limits).stream
    hear(one, server.opened(stream, 0, Totals(), []))
    assert one.has_room
    return one, stream


def kinds(found: List[Frame]) -> List[Tuple[int, int, int]]:
    return [(frame.type, frame.base, frame.flags) for frame in found]


def test_nothing_is_sent_before_opened() -> None:
    one = session()
    one.add_batch(batch_of(2), 2, 0)
    stream = greet(one).stream
    assert said(one) == []
    hear(one, server.opened(stream, 0, Totals(), []))
    assert kinds(said(one)) == [(frames.BATCH, 1, 0)]


def test_bytes_may_come_one_by_one() -> None:
    one = session()
    one.start(0.0, 0)
    for byte in frames.encode_preamble() + frames.encode_frame(server.hello_ack()):
        one.receive(bytes((byte,)), 0.0, 0)
    assert one.state is State.OPENING


def test_an_ack_is_cumulative_and_drops_whole_batches_only() -> None:
    one, stream = opened_session()
    for index in range(3):
        one.add_batch(batch_of(2), 2, 2 * index)
    said(one)
    hear(one, server.ack(stream, 3, Totals(stored=3), []))
    assert one.first_ordinal == 2 and one.counts.acked == 2
    hear(one, server.ack(stream, 6, Totals(stored=6), []))
    assert one.first_ordinal is None and one.counts.stored == 6


def test_an_ack_beyond_what_was_sent_ends_the_connection() -> None:
    one, stream = opened_session()
    one.add_batch(batch_of(2), 2, 0)
    said(one)
    with pytest.raises(ProtocolError):
        hear(one, server.ack(stream, 3, Totals(stored=3), []))


def test_only_a_listed_fingerprint_frees_a_batch() -> None:
    one, _ = opened_session()
    first = one.add_batch(batch_of(2, 5), 2, 0)
    one.add_batch(batch_of(2, 6), 2, 2)
    said(one)
    one.stop()
    stream = greet(one).stream
    wrong = Fingerprint(3, 2, 12345)
    source = one.source
    hear(one, server.opened(stream, 4, Totals(stored=4), [Fingerprint(1, 2, first.fingerprint), wrong]))
    assert one.source != source and one.counts.acked == 2
    (open_,) = said(one)
    hear(one, server.opened(open_.stream, 0, Totals(), []))
    (resent,) = said(one)
    assert resent.base == 1 and messages.batch_bytes(resent.payload) == batch_of(2, 6)


def test_a_batch_beyond_durable_is_sent_again_as_it_was() -> None:
    one, _ = opened_session()
    one.add_batch(batch_of(2), 2, 0)
    (first,) = said(one)
    one.stop()
    stream = greet(one).stream
    hear(one, server.opened(stream, 0, Totals(), []))
    (second,) = said(one)
    assert second.payload == first.payload and second.base == first.base
    assert one.counts.resent == 2 and one.counts.sent == 2


def test_a_source_used_by_somebody_else_is_left_even_when_idle() -> None:
    one, _ = opened_session()
    one.stop()
    source = one.source
    hear(one, server.opened(greet(one).stream, 9, Totals(stored=9), []))
    assert one.source != source and one.state is State.OPENING


def test_a_skip_that_is_durable_is_done() -> None:
    one, _ = opened_session()
    one.add_skip(5, 0)
    assert kinds(said(one)) == [(frames.SKIP, 1, 0)]
    one.stop()
    hear(one, server.opened(greet(one).stream, 5, Totals(skipped=5), []))
    assert one.first_ordinal is None and one.state is State.OPEN and one.next_base == 6


def test_a_nack_with_after_waits_and_rewinds_once() -> None:
    one, stream = opened_session()
    for index in range(3):
        one.add_batch(batch_of(2), 2, 2 * index)
    said(one)
    hear(one, server.nack(stream, 3, 64, frames.RETRY_AFTER, 500), now=10.0)
    assert said(one, 10.4) == [] and one.deadline() == 10.5
    assert kinds(said(one, 10.5)) == [(frames.BATCH, 3, frames.FLAG_REWIND), (frames.BATCH, 5, 0)]


def test_a_gap_below_the_oldest_is_skipped_as_acknowledged() -> None:
    one, stream = opened_session()
    one.add_batch(batch_of(4), 4, 0)
    said(one)
    hear(one, server.ack(stream, 4, Totals(stored=4), []))
    one.add_batch(batch_of(2), 2, 4)
    said(one)
    hear(one, server.nack(stream, 2, frames.SEQUENCE_GAP, frames.RETRY_NOW))
    assert kinds(said(one)) == [(frames.SKIP, 2, frames.FLAG_REWIND), (frames.BATCH, 5, 0)]
    hear(one, server.ack(stream, 6, Totals(stored=3, skipped=3), []))
    assert one.first_ordinal is None


@pytest.mark.parametrize("expected", [2, 9], ids=["inside a batch", "beyond the newest"])
def test_a_gap_that_cannot_be_closed_makes_a_new_source(expected: int) -> None:
    one, stream = opened_session()
    one.add_batch(batch_of(4), 4, 0)
    said(one)
    source = one.source
    hear(one, server.nack(stream, expected, frames.SEQUENCE_GAP, frames.RETRY_NOW))
    one.tick(0.1, 0)
    (again,) = said(one)
    hear(one, server.opened(again.stream, 0, Totals(), []))
    assert one.source != source
    (open_,) = said(one)
    hear(one, server.opened(open_.stream, 0, Totals(), []))
    assert kinds(said(one)) == [(frames.BATCH, 1, 0)]


def test_opening_again_slows_down_until_something_is_acknowledged() -> None:
    one, stream = opened_session()
    one.add_batch(batch_of(1), 1, 0)
    said(one)
    now = 0.0
    pauses = []
    for _ in range(8):
        hear(one, server.nack(one._stream, 1, frames.STREAM_UNKNOWN, frames.RETRY_OPEN), now=now)
        due = one.deadline() if one.state is State.WAITING else now
        assert due is not None
        pauses.append(due - now)
        now = due
        one._keepalive.heard_at = now
        one.tick(now, 0)
        (open_,) = said(one, now)
        hear(one, server.opened(open_.stream, 0, Totals(), []), now=now)
        assert len(said(one, now)) == 1
    assert 0 < pauses[0] < 0.1 and pauses[-1] > 2 and max(pauses) <= 30


def test_stale_frames_of_a_left_stream_are_ignored() -> None:
    one, stream = opened_session()
    one.add_batch(batch_of(1), 1, 0)
    said(one)
    hear(one, server.nack(stream, 1, frames.STREAM_UNKNOWN, frames.RETRY_OPEN))
    hear(one, server.nack(stream, 1, frames.SEQUENCE_CONFLICT, frames.RETRY_NEW_SOURCE))
    assert one.state is State.WAITING and said(one) == []
    one.tick(0.1, 0)
    hear(one, server.nack(stream, 1, frames.SEQUENCE_CONFLICT, frames.RETRY_NEW_SOURCE))
    assert [frame.type for frame in said(one)] == [frames.OPEN]


@pytest.mark.parametrize("code", [frames.FENCED, frames.SEQUENCE_CONFLICT])
def test_a_contested_source_is_opened_once_more_before_it_is_left(code: int) -> None:
    one, stream = opened_session()
    first = one.add_batch(batch_of(2, 1), 2, 0)
    one.add_batch(batch_of(2, 2), 2, 2)
    said(one)
    source = one.source
    hear(one, server.nack(stream, 3, code, frames.RETRY_NEW_SOURCE))
    assert one.source == source
    one.tick(0.1, 0)
    (again,) = said(one)
    hear(one, server.opened(again.stream, 2, Totals(stored=2), [Fingerprint(1, 2, first.fingerprint)]))
    assert one.source != source and one.counts.acked == 2
    (open_,) = said(one)
    assert open_.stream > again.stream > stream
    hear(one, server.opened(open_.stream, 0, Totals(), []))
    (moved,) = said(one)
    assert moved.base == 1 and messages.batch_bytes(moved.payload) == batch_of(2, 2)


@pytest.mark.parametrize(("code", "retry", "moves"), [
    (frames.NOT_ALLOWED, frames.RETRY_NEW_SOURCE, True), (frames.NOT_ALLOWED, frames.RETRY_AFTER, False),
    (frames.FENCED, frames.RETRY_NEW_SOURCE, False),
])
def test_a_refused_open_moves_at_once_only_if_the_source_is_not_ours(code: int, retry: int, moves: bool) -> None:
    one = session()
    stream = greet(one).stream
    source = one.source
    hear(one, server.nack(stream, 0, code, retry))
    assert (one.source != source) == moves and one.state is State.WAITING


def test_draining_ends_when_nothing_sent_is_unanswered() -> None:
    one, stream = opened_session()
    for index in range(2):
        one.add_batch(batch_of(2), 2, 2 * index)
    said(one)
    hear(one, server.goaway(1, 700))
    assert not one.is_done and not one.has_room and one.reconnect_after_seconds == 0.7
    hear(one, server.nack(stream, 3, 68, frames.RETRY_AFTER, 700))
    assert not one.is_done
    hear(one, server.ack(stream, 2, Totals(stored=2), []))
    assert one.is_done and one.first_ordinal == 2 and said(one, 9.0) == []


def test_the_last_of_several_nacks_counts() -> None:
    one, stream = opened_session()
    for index in range(4):
        one.add_batch(batch_of(2), 2, 2 * index)
    said(one)
    hear(one, server.nack(stream, 7, 70, frames.RETRY_NOW), server.nack(stream, 3, 70, frames.RETRY_NOW))
    assert kinds(said(one)) == [(frames.BATCH, 3, 1), (frames.BATCH, 5, 0), (frames.BATCH, 7, 0)]
    hear(one, server.nack(stream, 3, 70, frames.RETRY_NOW))
    assert kinds(said(one))[0] == (frames.BATCH, 3, 1)


@pytest.mark.parametrize("frame", [
    server.nack(1, 1, 80, 0), server.nack(1, 1, 64, 4), server.ack(1, 2, Totals(stored=1), []),
    server.ack(1, 2, Totals(stored=2), [RangeVerdict(1, 1, 9)]),
    server.ack(1, 2, Totals(stored=2), [RangeVerdict(2, 2, 1)]), server.hello_ack(),
], ids=["nack code", "retry rule", "totals", "verdict code", "verdict beyond durable", "second HELLO_ACK"])
def test_what_the_protocol_does_not_list_ends_the_connection(frame: Frame) -> None:
    one, stream = opened_session()
    one.add_batch(batch_of(2), 2, 0)
    said(one)
    assert stream == 1
    with pytest.raises(ProtocolError):
        hear(one, frame)


def test_a_ping_is_answered_and_silence_ends_the_connection() -> None:
    one, _ = opened_session(keepalive=10)
    hear(one, Frame(frames.PING, b"", base=77))
    assert [(frame.type, frame.base) for frame in said(one)] == [(frames.PONG, 77)]
    assert one.deadline() == 10.0
    one.tick(10.0, 0)
    assert [frame.type for frame in said(one, 10.0)] == [frames.PING]
    assert one.deadline() == 15.0
    one.tick(20.0, 0)
    with pytest.raises(ProtocolError, match="TIMEOUT"):
        one.tick(20.1, 0)


@pytest.mark.parametrize("data", [
    b"HTTP/1.1", frames.encode_preamble(1, 1), frames.encode_preamble() + bytes(32),
    frames.encode_preamble() + frames.encode_frame(Frame(frames.ACK, b"", 1)),
], ids=["http", "version 1", "zeros", "ack first"])
def test_a_peer_that_does_not_follow_ends_the_connection(data: bytes) -> None:
    one = session()
    one.start(0.0, 0)
    with pytest.raises(ProtocolError):
        one.receive(data, 0.0, 0)


def test_a_refusal_that_contradicts_itself_is_damage() -> None:
    one = session()
    one.start(0.0, 0)
    with pytest.raises(ProtocolError):
        one.receive(frames.encode_preamble(0, 2, frames.VERSION_REFUSED), 0.0, 0)


def test_a_refusal_names_its_code() -> None:
    one = session()
    one.start(0.0, 0)
    with pytest.raises(PeerFailure, match="VERSION"):
        one.receive(frames.encode_preamble(1, 2, frames.VERSION_REFUSED), 0.0, 0)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_collector_does_every_batch_is_stored_once(seed: int) -> None:
    """A model of the collector's judgement (frames.md §6) with cuts, lost answers and refusals at random."""
    source = random.Random(seed)
    one = session()
    durable, totals = 0, Totals()
    stored: List[bytes] = []
    prints: List[Fingerprint] = []
    tracked: List[bytes] = []
    stream, discarding, now = 0, False, 0.0
    for step in range(400):
        now += 1
        if one.state is State.DOWN:
            stream = greet(one, now).stream
            listed = [entry for entry in prints if entry.base + entry.event_count > one._acked + 1]
            hear(one, server.opened(stream, durable, totals, listed), now=now)
            discarding = False
        if one.has_room and step < 300 and source.random() < 0.6:
            count = source.randint(1, 5)
            tracked.append(batch_of(count, step * 10))
            one.add_batch(tracked[-1], count, step)
        if one.has_room and step < 300 and source.random() < 0.1:
            one.add_skip(source.randint(1, 9), step)
        for frame in said(one, now):
            if discarding and not (frame.flags and frame.base == durable + 1):
                continue
            discarding = False
            assert frame.base == durable + 1
            chance = source.random() if step < 300 else 1.0
            if chance < 0.15:
                hear(one, server.nack(stream, durable + 1, 70, frames.RETRY_AFTER, 500), now=now)
                discarding = True
                continue
            if frame.type == frames.SKIP:
                count = frames.FieldReader(frame.payload, 1, 3).uint(3)
                totals = totals._replace(skipped=totals.skipped + count)
            else:
                count = frame.event_count
                stored.append(messages.batch_bytes(frame.payload))
                prints.append(Fingerprint(frame.base, count, xxh64(stored[-1])))
                totals = totals._replace(stored=totals.stored + count)
            durable += count
            if chance < 0.6:
                hear(one, server.ack(stream, durable, totals, []), now=now)
            elif chance < 0.7:
                one.stop()
                break
        if one.state is State.OPEN and not discarding and durable and source.random() < 0.5:
            hear(one, server.ack(stream, durable, totals, []), now=now)
    assert one.first_ordinal is None, f"seed {seed}"
    assert stored == tracked, f"seed {seed}"
    assert one.counts.stored == sum(len(decode(data)) for data in stored)
