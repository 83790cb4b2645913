"""The client against a collector on a real socket."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any, List

import pytest
from clients import WAIT, client_of, numbers, only, track_many, wait_until
from collector import Act, Collector, error, goaway

import tidemark
from tidemark import frames
from tidemark.frames import FieldReader
from tidemark.messages import RangeVerdict


def test_events_arrive_once_and_in_order(collector: Collector) -> None:
    with client_of(collector) as client:
        ids = track_many(client, 0, 95)
        assert client.flush(WAIT)
        assert numbers(collector) == list(range(95))
        stats = client.stats()
        assert (stats.sent, stats.acked, stats.stored, stats.queued) == (95, 95, 95, 0)
        assert (stats.rejected, stats.skipped, stats.resent, stats.reconnects, stats.last_error) == (0, 0, 0, 0, None)
    (source,) = collector.sources
    assert ids == [f"evt_{source.hex()}{sequence:012x}" for sequence in range(1, 96)]
    (hello,) = collector.hellos
    assert (hello.text(1), hello.text(2), hello.text(4)) == ("t", "tidemark-python", tidemark.__version__)
    wait_until(lambda: len(collector.frames_of(frames.CLOSE)) == 1)
    (close,) = collector.frames_of(frames.CLOSE)
    assert (FieldReader(close.payload, 1, 3).uint(1), FieldReader(close.payload, 1, 3).uint(3)) == (95, 1)


def test_a_full_batch_leaves_before_the_interval(collector: Collector) -> None:
    client = client_of(collector, flush_interval=60)
    track_many(client, 0, 10)
    wait_until(lambda: client.stats().acked == 10)
    client.track("tick", "u", {"n": 10})
    time.sleep(0.05)
    assert len(collector.stored) == 10
    assert client.close(WAIT) and len(collector.stored) == 11


def test_a_lone_event_leaves_after_the_interval(collector: Collector) -> None:
    client = client_of(collector, flush_interval=0.05)
    client.track("tick", "u", {"n": 1})
    wait_until(lambda: len(collector.stored) == 1)
    client.close(WAIT)


def test_track_does_not_wait_when_nobody_listens() -> None:
    errors: List[Exception] = []
    client = tidemark.Client(port=1, batch_size=5, backoff_min=0.001, backoff_max=0.01, on_error=errors.append)
    started = time.monotonic()
    track_many(client, 0, 100)
    assert time.monotonic() - started < 1
    wait_until(lambda: len(errors) >= 2)
    assert not client.flush(0.05)
    assert "Connection" in (client.stats().last_error or "")
    assert client.close(0.05) is False


def test_verdicts_name_the_events(collector: Collector) -> None:
    verdicts: List[tidemark.Verdict] = []
    collector.script = only(Act(verdicts=(RangeVerdict(2, 1, 2), RangeVerdict(3, 2, 5))))
    with client_of(collector, flush_interval=60, batch_size=4, on_verdict=verdicts.append) as client:
        explicit = "evt_" + "ab" * 16
        ids = [client.track("a", "u"), client.track("b", "u"), client.track("c", "u", event_id=explicit)]
        ids.append(client.track("d", "u"))
        assert client.flush(WAIT)
        assert (client.stats().stored, client.stats().rejected, client.stats().acked) == (1, 3, 4)
    assert ids[2] == explicit
    assert [(one.event_id, one.reason) for one in verdicts] == [
        (ids[1], "SCHEMA"), (ids[2], "FUTURE"), (ids[3], "FUTURE")]


def test_goaway_waits_for_acks_then_reconnects(collector: Collector) -> None:
    client = client_of(collector)
    track_many(client, 0, 10)
    assert client.flush(WAIT)
    collector.say(goaway(1, 10))
    wait_until(lambda: not collector._links)
    track_many(client, 10, 20)
    assert client.close(WAIT)
    assert numbers(collector) == list(range(20))
    assert client.stats().reconnects == 1


def test_a_wrong_token_is_reported_and_not_hammered(collector: Collector) -> None:
    errors: List[Exception] = []
    collector.refuse = error(frames.AUTHENTICATION, "unknown token")
    client = client_of(collector, on_error=errors.append, backoff_max=60)
    client.track("a", "u")
    wait_until(lambda: bool(errors))
    time.sleep(0.05)
    assert len(collector.hellos) == 1
    assert isinstance(errors[0], tidemark.PeerFailure) and errors[0].code == frames.AUTHENTICATION
    assert not client.close(0.02)


def test_a_callback_that_raises_does_no_harm(collector: Collector) -> None:
    def explode(_: object) -> None:
        raise RuntimeError("boom")

    collector.script = only(Act(store=False, cut=True))
    with client_of(collector, on_error=explode, on_verdict=explode) as client:
        track_many(client, 0, 3)
        assert client.flush(WAIT)
    assert numbers(collector) == [0, 1, 2]


def test_small_limits_of_the_collector_make_small_batches() -> None:
    with Collector(events=7, columns=30, decoded_bytes=600, strings=40) as collector:
        with client_of(collector, batch_size=100, flush_interval=60) as client:
            for number in range(60):
                client.track("tick", f"u{number}", {"n": number, f"p{number}": "x" * number})
            assert client.flush(WAIT)
            assert client.stats().skipped == 0
        assert numbers(collector) == list(range(60))
        assert max(frame.event_count for frame in collector.frames_of(frames.BATCH)) <= 7


def test_an_event_the_collector_cannot_take_is_skipped_and_reported() -> None:
    errors: List[Exception] = []
    with Collector(decoded_bytes=600) as collector:
        with client_of(collector, flush_interval=60, on_error=errors.append) as client:
            client.track("tick", "u", {"n": 0})
            client.track("big", "u", {"text": "x" * 1000})
            client.track("tick", "u", {"n": 1})
            assert client.flush(WAIT)
            assert client.stats().skipped == 1
        assert numbers(collector) == [0, 1]
        assert len(errors) == 1 and "at most 600" in str(errors[0])


def test_the_window_is_respected() -> None:
    with Collector(unacked=2) as collector:
        collector.script = lambda frame: Act(answer=False)
        client = client_of(collector, flush_interval=60)
        track_many(client, 0, 100)
        wait_until(lambda: len(collector.frames_of(frames.BATCH)) == 2)
        time.sleep(0.05)
        assert len(collector.frames_of(frames.BATCH)) == 2
        collector.script = None
        collector.cut_all()
        assert client.close(WAIT)
        assert numbers(collector) == list(range(100))


def test_a_quiet_connection_is_kept_alive() -> None:
    with Collector(keepalive=1) as collector:
        client = client_of(collector)
        client.track("a", "u", {"n": 1})
        assert client.flush(WAIT)
        wait_until(lambda: len(collector.frames_of(frames.PING)) >= 1)
        assert client.stats().last_error is None
        assert client.close(WAIT)


def test_a_unix_socket_works(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with Collector(unix_socket=path) as collector:
        with tidemark.Client(unix_socket=path, project="shop", flush_interval=0.01) as client:
            client.track("a", "u", {"n": 1})
            assert client.flush(WAIT)
        assert numbers(collector) == [1]


def test_close_drains_and_later_events_are_counted(collector: Collector) -> None:
    client = client_of(collector, flush_interval=60)
    track_many(client, 0, 25)
    assert client.close(WAIT)
    assert numbers(collector) == list(range(25))
    client.track("late", "u")
    assert client.stats().skipped == 1
    assert client.close(WAIT) and client.flush(0.1)


def test_threads_share_a_client(collector: Collector) -> None:
    with client_of(collector, batch_size=37) as client:
        ids: List[str] = []
        threads = [threading.Thread(target=lambda start=start: ids.extend(track_many(client, start, start + 200)))
                   for start in range(0, 1600, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.flush(WAIT)
    assert len(set(ids)) == 1600
    assert sorted(numbers(collector)) == list(range(1600))


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def test_a_forked_child_has_its_own_source_and_the_parent_goes_on(collector: Collector) -> None:
    client = client_of(collector, flush_interval=0.05)
    track_many(client, 0, 10)
    assert client.flush(WAIT)
    waiting = client.track("tick", "u", {"n": 10})
    reader, writer = os.pipe()
    before = client._sender
    child = _fork()
    if child == 0:
        ok = False
        try:
            assert client.stats().queued == 0
            assert before._connection is not None and before._connection.socket.fileno() == -1
            made = client.track("tick", "u", {"n": 100})
            ok = client.close(WAIT)
            os.write(writer, made.encode())
        finally:
            os._exit(0 if ok else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    childs = os.read(reader, 100).decode()
    os.close(reader)
    os.close(writer)
    track_many(client, 11, 20)
    assert client.close(WAIT)
    assert sorted(numbers(collector)) == [*range(20), 100]
    assert len(collector.sources) == 2
    assert childs[:24] != waiting[:24]
    assert client.stats().reconnects == 0


def test_without_a_thread_events_wait_until_there_is_one(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    client = client_of(collector)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        track_many(client, 0, 3)
        assert client.flush(WAIT) is False
        assert "can't start" in (client.stats().last_error or "")
    assert client.flush(WAIT)
    assert numbers(collector) == [0, 1, 2]
    client.close(WAIT)


def test_a_process_that_just_ends_drains_first(collector: Collector) -> None:
    program = (
        "import sys, tidemark\n"
        "def work():\n"
        "    client = tidemark.Client(port=int(sys.argv[1]), project='shop', flush_interval=60)\n"
        "    for n in range(250): client.track('tick', 'u', {'n': n})\n"
        "work()\n"
    )
    source = Path(tidemark.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    subprocess.run([sys.executable, "-c", program, str(collector.port)], check=True, env=environment, timeout=WAIT)
    assert numbers(collector) == list(range(250))


def test_identity_follows_the_reserved_types(collector: Collector) -> None:
    with client_of(collector, flush_interval=60, batch_size=100) as client:
        anonymous = client.anonymous_id
        client.track("view")
        client.identify("u1", traits={"plan": "pro"})
        client.track("view")
        client.track("view", "other")
        client.identify("u9", "their-device")
        client.alias("old", "u1")
        client.group(None, "acme", {"seats": 5})
        client.set_traits("u1", {"plan": "free"})
        client.set_consent("denied")
        client.track("view")
        client.track("view", consent="granted")
        client.sign_out()
        client.track("view")
        client.reset()
        assert client.anonymous_id != anonymous
        client.track("view")
        fresh = client.anonymous_id
        assert client.flush(WAIT)
    told = [(e.type, e.user_id, e.anonymous_id, e.group, e.consent) for e in collector.stored]
    assert told == [
        ("view", None, anonymous, None, 0),
        ("$identify", "u1", anonymous, None, 0),
        ("view", "u1", anonymous, None, 0),
        ("view", "other", None, None, 0),
        ("$identify", "u9", "their-device", None, 0),
        ("$alias", "u1", None, None, 0),
        ("$group", "u1", anonymous, "acme", 0),
        ("$set_traits", "u1", None, None, 0),
        ("$consent", "u1", anonymous, None, 2),
        ("view", "u1", anonymous, None, 2),
        ("view", "u1", anonymous, None, 1),
        ("$sign_out", None, anonymous, None, 2),
        ("view", None, anonymous, None, 2),
        ("$reset", None, anonymous, None, 2),
        ("view", None, fresh, None, 2),
    ]
    assert collector.stored[5].properties == {"previous_id": "old"}
    assert collector.stored[6].traits == {"seats": 5}


def test_a_full_queue_drops_the_newest_and_skips_their_sequences(collector: Collector) -> None:
    collector.refuse = error(134, "busy")
    client = client_of(collector, queue_events_max=25, flush_interval=60)
    ids = track_many(client, 0, 40)
    assert len(set(ids)) == 40
    assert client.stats().skipped == 15 and client.stats().queued == 25
    collector.refuse = None
    assert client.flush(WAIT)
    ids += track_many(client, 40, 43)
    assert client.close(WAIT)
    assert numbers(collector) == [*range(25), 40, 41, 42]
    (name,) = collector.sources
    source = collector.sources[name]
    assert source.skips == [(26, 15, frames.SKIP_DROPPED)]
    assert source.durable == 43 and source.totals.skipped == 15
    assert ids[-1] == f"evt_{name.hex()}{43:012x}"
    assert client.stats().stored == 28


def test_the_bound_of_the_queue_counts_what_is_in_flight(collector: Collector) -> None:
    collector.script = lambda frame: Act(answer=False)
    client = client_of(collector, queue_events_max=25, batch_size=5, flush_interval=60)
    track_many(client, 0, 20)
    wait_until(lambda: client.stats().sent == 20)
    track_many(client, 20, 40)
    assert client.stats().queued == 25 and client.stats().skipped == 15
    collector.script = None
    collector.cut_all()
    assert client.close(WAIT)
    assert numbers(collector) == list(range(25))


def test_an_event_never_mixes_ids_from_before_and_after_a_reset(collector: Collector) -> None:
    """Another thread resets while `track` is between the user and the anonymous id."""
    with client_of(collector) as client:
        client.identify("alice")
        alice_anonymous = client.anonymous_id
        resetting = threading.Thread(target=client.reset)

        class Identity(tidemark.Client):
            """Lets the other thread in as soon as the user has been read."""

            def __getattribute__(self, name: str) -> Any:
                value = super().__getattribute__(name)
                if name == "_user_id" and value == "alice" and resetting.ident is None:
                    resetting.start()
                    resetting.join(0.2)
                return value

        client.__class__ = Identity
        client.track("click")
        resetting.join(WAIT)
        client.__class__ = tidemark.Client
        assert client.flush(WAIT)
    events = {event.type: event for event in collector.stored}
    assert (events["click"].user_id, events["click"].anonymous_id) == ("alice", alice_anonymous)
