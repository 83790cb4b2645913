"""Cuts, refusals, gaps, conflicts and clones: nothing is lost and nothing is stored twice."""

from __future__ import annotations

import time
from typing import List, Optional

import pytest
from clients import WAIT, client_of, numbers, only, track_many
from collector import Act, Collector, nack

from tidemark import frames, messages
from tidemark.frames import FieldReader, Frame


@pytest.mark.parametrize("stored", [False, True], ids=["before it was stored", "after it was stored"])
def test_a_cut_connection_resends_the_same_bytes(collector: Collector, stored: bool) -> None:
    collector.script = only(Act(), Act(store=stored, cut=True))
    with client_of(collector, flush_interval=60) as client:
        track_many(client, 0, 40)
        assert client.flush(WAIT)
        assert client.stats().reconnects == 1
        assert client.stats().resent > 0
    assert numbers(collector) == list(range(40))
    copies = collector.frames_of(frames.BATCH)
    by_base = {base: {f.payload for f in copies if f.base == base} for base in (1, 11, 21, 31)}
    assert all(len(payloads) == 1 for payloads in by_base.values())
    # What OPENED listed is not sent again.
    assert sum(frame.base == 11 for frame in copies) == (1 if stored else 2)
    opens = collector.frames_of(frames.OPEN)
    assert [FieldReader(f.payload, 1, 3, 5, 7, 8).uint(7) for f in opens][0] == 0
    assert FieldReader(opens[1].payload, 1, 3, 5, 7, 8).raw(8) == bytes(range(16))


def test_a_collector_that_dies_many_times_gets_everything_once(collector: Collector) -> None:
    turn = iter(range(10_000))

    def script(frame: Frame) -> Optional[Act]:
        number = next(turn)
        return Act(store=number % 2 == 0, cut=True) if number % 3 == 2 and number < 40 else None

    collector.script = script
    with client_of(collector) as client:
        for start in range(0, 300, 50):
            track_many(client, start, start + 50)
            time.sleep(0.005)
        assert client.flush(WAIT)
        assert client.stats().reconnects >= 5
    assert numbers(collector) == list(range(300))
    assert len(collector.sources) == 1


def test_a_nack_is_followed_by_the_same_batch_with_rewind(collector: Collector) -> None:
    collector.script = only(Act(), Act(frame=nack(0, 11, 70, frames.RETRY_AFTER, 20, "disk"), discard=True))
    with client_of(collector, flush_interval=60) as client:
        track_many(client, 0, 50)
        assert client.flush(WAIT)
        assert client.stats().last_error == "CollectorRefusal: STORAGE: disk"
    assert numbers(collector) == list(range(50))
    rewinds = [frame for frame in collector.frames_of(frames.BATCH) if frame.flags & frames.FLAG_REWIND]
    assert [frame.base for frame in rewinds] == [11]
    assert len(collector.frames_of(frames.OPEN)) == 1


def test_a_collector_that_lost_acknowledged_events_is_told_and_goes_on(collector: Collector) -> None:
    client = client_of(collector)
    track_many(client, 0, 30)
    assert client.flush(WAIT)
    with collector.lock:
        (source,) = collector.sources.values()
        source.batches = {key: data for key, data in source.batches.items() if key[0] == 1}
        source.durable, source.totals = 10, messages.Totals(stored=10)
    collector.cut_all()
    track_many(client, 30, 40)
    assert client.close(WAIT)
    assert source.skips == [(11, 20, frames.SKIP_ACKNOWLEDGED)]
    assert numbers(collector) == [*range(10), *range(30, 40)]
    assert len(collector.sources) == 1


def test_a_new_collector_accepts_any_base(collector: Collector) -> None:
    client = client_of(collector)
    track_many(client, 0, 30)
    assert client.flush(WAIT)
    with collector.lock:
        collector.sources.clear()
    collector.cut_all()
    track_many(client, 30, 40)
    assert client.close(WAIT)
    (source,) = collector.sources.values()
    assert source.totals == messages.Totals(unknown_before=30, stored=10)


def test_an_unlisted_batch_below_durable_goes_to_a_new_source(collector: Collector) -> None:
    """As if a clone of this process had written the same sequences first."""

    def script(frame: Frame) -> Optional[Act]:
        if frame.base == 1:
            return None
        (source,) = collector.sources.values()
        source.durable, source.totals = 25, messages.Totals(stored=25)
        collector.script = None
        return Act(store=False, cut=True)

    collector.script = script
    client = client_of(collector, flush_interval=60)
    track_many(client, 0, 10)
    assert client.flush(WAIT)
    track_many(client, 10, 40)
    assert client.flush(WAIT)
    late = client.track("tick", "u", {"n": 40})
    assert client.close(WAIT)
    assert numbers(collector) == list(range(41))
    assert len(collector.sources) == 2
    second = list(collector.sources)[1]
    assert late == f"evt_{second.hex()}{31:012x}"
    assert client.stats().renumbered >= 10


@pytest.mark.parametrize("code", [frames.SEQUENCE_CONFLICT, frames.FENCED])
def test_a_contested_source_is_left_without_loss_or_doubles(collector: Collector, code: int) -> None:
    collector.script = only(Act(), Act(frame=nack(0, 11, code, frames.RETRY_OPEN), discard=True))
    with client_of(collector, flush_interval=60) as client:
        track_many(client, 0, 50)
        assert client.flush(WAIT)
    assert sorted(numbers(collector)) == list(range(50))
    assert len(collector.sources) == 2


def test_an_unknown_stream_is_opened_again(collector: Collector) -> None:
    collector.script = only(
        Act(), Act(frame=nack(0, 11, frames.STREAM_UNKNOWN, frames.RETRY_OPEN), discard=True))
    with client_of(collector, flush_interval=60) as client:
        track_many(client, 0, 50)
        assert client.flush(WAIT)
    assert numbers(collector) == list(range(50))
    assert len(collector.sources) == 1
    assert [frame.stream for frame in collector.frames_of(frames.OPEN)] == [1, 2]


def test_a_refused_open_with_retry_new_source_gets_one(collector: Collector) -> None:
    refused: List[bytes] = []

    def open_script(frame: Frame, source: bytes) -> Optional[Frame]:
        if refused:
            return None
        refused.append(source)
        return nack(frame.stream, 0, frames.NOT_ALLOWED, frames.RETRY_NEW_SOURCE)

    collector.open_script = open_script
    with client_of(collector) as client:
        track_many(client, 0, 12)
        assert client.flush(WAIT)
    assert numbers(collector) == list(range(12))
    assert refused[0] not in collector.sources
