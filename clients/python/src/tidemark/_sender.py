"""The background thread: takes waiting events, makes batches, talks to the collector, reconnects."""

from __future__ import annotations

import atexit
import logging
import random
import threading
import time
from typing import List, Optional, Set

from . import batch
from ._connection import Bell, Connection
from ._queue import EventQueue, Waiting
from ._settings import Settings
from ._varint import DecodeError
from .arguments import event_id_text
from .batch import Event
from .frames import AUTHENTICATION, VERSION_REFUSED, code_name
from .reports import CollectorRefusal, PeerFailure, Stats, Verdict
from .session import Session, State

log = logging.getLogger("tidemark")

_EXIT_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_GREETING_SECONDS = 10.0
_BATCH_BYTES_AIM = 1 << 20
_GOODBYE_SECONDS = 1.0


class Sender:
    """One source's queue, session and thread. After a fork the child makes a new one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._jitter = random.Random()
        self._session = Session(
            settings.project, settings.token, "tidemark-python", settings.sdk_version, self._jitter, settings.kind)
        self._changed = threading.Condition()
        """Guards everything below up to the blank line; the session belongs to the thread alone."""
        self._queue = EventQueue()
        self._source_hex = self._session.source.hex()
        self._next_sequence = 1
        self._tracked = 0
        self._settled = 0
        self._flush_to = 0
        self._held_events = 0
        self._skipped = 0
        self._reconnects = 0
        self._last_error: Optional[str] = None
        self._waiting_since: Optional[float] = None
        """When the first waiting event came; None with events waiting means that they are overdue."""
        self._closing = False
        self._ended = False
        self._thread: Optional[threading.Thread] = None
        self._bell: Optional[Bell] = None

        self._connection: Optional[Connection] = None
        self._connected_before = False
        self._acked_before = 0
        self._failures = 0
        self._retry_at = 0.0

    # Any thread.

    def add(self, event: Event, size: int) -> str:
        """Queues the event and returns its id. Never waits for the network."""
        settings = self._settings
        with self._changed:
            source_hex = self._source_hex
            sequence = self._next_sequence
            self._next_sequence += 1
            if self._closing or self._ended:
                # The source ends here: no SKIP is owed for what comes later.
                self._skipped += 1
            else:
                self._tracked += 1
                if self._queue.events + self._held_events >= settings.queue_events_max:
                    self._queue.drop()
                    self._skipped += 1
                else:
                    self._queue.add(event, size)
                self._ensure_thread()
                if self._queue.sequences == 1 or self._queue.events == settings.batch_size:
                    if self._waiting_since is None:
                        self._waiting_since = time.monotonic()
                    self._ring()
        if event.event_id is not None:
            return event_id_text(event.event_id)
        return f"evt_{source_hex}{sequence:012x}"

    def flush(self, timeout: Optional[float]) -> bool:
        """Waits until every event tracked before has its fate at the collector. False after `timeout` seconds."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("flush and close must not be called from a callback")
        with self._changed:
            target = self._tracked
            self._flush_to = max(self._flush_to, target)
            if self._settled < target and not self._ensure_thread():
                return False
            self._ring()
            return self._changed.wait_for(lambda: self._settled >= target or self._ended, timeout) and (
                self._settled >= target
            )

    def begin_flush(self) -> int:
        """Sends everything now and waits for nothing. The mark to ask `is_settled` and `is_pending` for."""
        with self._changed:
            target = self._tracked
            self._flush_to = max(self._flush_to, target)
            if self._settled < target and self._ensure_thread():
                self._ring()
            return target

    def is_settled(self, mark: int) -> bool:
        """Whether every event tracked before the mark has its fate at the collector."""
        with self._changed:
            return self._settled >= mark

    def is_pending(self, mark: int) -> bool:
        """Whether events tracked before the mark have no fate yet, and are still being sent."""
        with self._changed:
            return self._settled < mark and not self._ended

    def close(self, timeout: Optional[float]) -> bool:
        """Drains and ends the thread. Whether everything reached the collector."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("flush and close must not be called from a callback")
        with self._changed:
            self._closing = True
            self._flush_to = self._tracked
            thread = self._thread
            if thread is None:
                self._ended = True
            self._ring()
        deadline = None if timeout is None else time.monotonic() + timeout
        drained = self.flush(timeout)
        with self._changed:
            self._ended = True
            self._ring()
        if thread is not None:
            left = _GOODBYE_SECONDS if deadline is None else max(0.05, deadline - time.monotonic())
            thread.join(min(left, _GOODBYE_SECONDS))
        return drained

    def stats(self) -> Stats:
        counts = self._session.counts
        with self._changed:
            return Stats(
                self._queue.events + self._held_events, counts.sent, counts.resent, counts.acked, counts.stored,
                counts.rejected, counts.quarantined, self._skipped, counts.renumbered, self._reconnects,
                self._last_error,
            )

    def _abandon(self) -> None:
        """Closes this process's copies of the descriptors. The parent's connection lives on."""
        for held in (self._connection, self._bell):
            if held is not None:
                try:
                    held.close()
                except OSError:
                    pass

    def _ensure_thread(self) -> bool:
        """Starts the thread if it never ran. False when the system has none to give; the next call tries again."""
        if self._thread is not None:
            return True
        try:
            self._bell = Bell()
            thread = threading.Thread(target=self._run, name="tidemark", daemon=True)
            thread.start()
        except (OSError, RuntimeError) as error:
            self._last_error = f"{type(error).__name__}: {error}"
            if self._bell is not None:
                self._bell.close()
                self._bell = None
            return False
        self._thread = thread
        _running.add(self)
        return True

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.ring()

    # The thread.

    def _run(self) -> None:
        assert self._bell is not None
        try:
            while not self._ended:
                now = time.monotonic()
                if not self._has_work(now) or now < self._retry_at:
                    self._bell.wait(self._pause(now))
                    continue
                try:
                    self._converse()
                except (OSError, DecodeError, PeerFailure) as error:
                    self._fail(error)
                finally:
                    self._hang_up()
        except Exception as error:
            log.exception("the tidemark thread ends")
            self._report(error)
        finally:
            with self._changed:
                self._ended = True
                _running.discard(self)
                self._changed.notify_all()
            self._bell.close()

    def _has_work(self, now: float) -> bool:
        return self._session.first_ordinal is not None or self._is_due(now)

    def _is_due(self, now: float) -> bool:
        """Whether waiting events should leave now."""
        with self._changed:
            queue = self._queue
            if not queue.sequences:
                return False
            first = self._tracked - queue.sequences
            return (
                queue.events >= self._settings.batch_size
                or self._flush_to > first
                or self._closing
                or self._waiting_since is None
                or now >= self._waiting_since + self._settings.flush_interval
            )

    def _pause(self, now: float) -> Optional[float]:
        """How long an unconnected thread may sleep."""
        times = [self._retry_at] if self._has_work(now) else []
        flush_at = self._flush_time()
        if flush_at is not None and not times:
            times.append(flush_at)
        return max(0.0, min(times) - now) if times else None

    def _flush_time(self) -> Optional[float]:
        with self._changed:
            if not self._queue.sequences or self._waiting_since is None:
                return None
            return self._waiting_since + self._settings.flush_interval

    def _converse(self) -> None:
        """One connection, from greeting to end."""
        assert self._bell is not None
        session, bell = self._session, self._bell
        connection = self._connection = Connection(self._settings.address, _CONNECT_SECONDS)
        with self._changed:
            self._reconnects += 1 if self._connected_before else 0
        self._connected_before = True
        started = time.monotonic()
        session.start(started, time.time_ns() // 1000)
        bell.watch(connection.socket)
        while True:
            now = time.monotonic()
            if session.state in (State.PREAMBLE, State.HELLO) and now > started + _GREETING_SECONDS:
                raise ConnectionError(f"no answer to the greeting within {_GREETING_SECONDS:g} s")
            self._fill(now)
            session.tick(now, time.time_ns() // 1000)
            if connection.is_idle:
                connection.send(session.take_output(now))
            else:
                connection.send(b"")
            if self._ended or session.is_done:
                if self._ended:
                    session.finish()
                    connection.send(session.take_output(now))
                return
            bell.watch(connection.socket, writable=not connection.is_idle)
            bell.wait(self._timeout(now, connection))
            data = connection.receive()
            if data is not None:
                session.receive(data, time.monotonic(), time.time_ns() // 1000)
            self._take_stock()

    def _timeout(self, now: float, connection: Connection) -> Optional[float]:
        session = self._session
        times = [time_ for time_ in (session.deadline(),) if time_ is not None]
        if session.state in (State.PREAMBLE, State.HELLO):
            times.append(now + _GREETING_SECONDS)
        flush_at = self._flush_time() if session.has_room else None
        if flush_at is not None:
            times.append(flush_at)
        # A due item that waits for the socket must not spin.
        floor = 0.0 if connection.is_idle else 0.05
        return max(floor, min(times) - now) if times else None

    def _hang_up(self) -> None:
        if self._connection is not None:
            assert self._bell is not None
            self._bell.forget(self._connection.socket)
            self._connection.close()
            self._connection = None
        self._take_stock()
        after = self._session.reconnect_after_seconds
        self._session.stop()
        if after is not None:
            self._retry_at = time.monotonic() + max(after, self._settings.backoff_min)
            self._session.reconnect_after_seconds = None

    def _fail(self, error: Exception) -> None:
        settings = self._settings
        pause = min(settings.backoff_max, settings.backoff_min * 2 ** min(self._failures, 16))
        if isinstance(error, PeerFailure) and error.code in (AUTHENTICATION, VERSION_REFUSED):
            pause = settings.backoff_max
        self._failures += 1
        self._retry_at = time.monotonic() + pause * self._jitter.uniform(0.5, 1.0)
        self._report(error)

    def _report(self, error: Exception) -> None:
        with self._changed:
            self._last_error = f"{type(error).__name__}: {error}"
        log.debug("tidemark: %s", error)
        self._settings.tell_error(error)

    def _take_stock(self) -> None:
        """Tells the other threads what the session has heard."""
        session = self._session
        if session.last_nack is not None:
            nack, session.last_nack = session.last_nack, None
            self._report(CollectorRefusal(nack))
        with self._changed:
            source_hex = session.source.hex()
            if source_hex != self._source_hex:
                self._source_hex = source_hex
                self._next_sequence = session.next_base + self._queue.sequences
            self._held_events = session.held_events
            first = session.first_ordinal
            self._settled = self._tracked - self._queue.sequences if first is None else first
            self._changed.notify_all()
        if session.counts.acked > self._acked_before:
            self._acked_before = session.counts.acked
            self._failures = 0
        verdicts, session.rejected = session.rejected, []
        for verdict in verdicts:
            self._settings.tell_verdict(
                Verdict(event_id_text(verdict.event_id), verdict.code, code_name(verdict.code)))

    def _fill(self, now: float) -> None:
        """Makes batches of waiting events while there is room and reason."""
        session, settings = self._session, self._settings
        while session.has_room and self._is_due(now):
            events_max = min(settings.batch_size, session.limits.events_max)
            bytes_max = min(_BATCH_BYTES_AIM, session.limits.decoded_bytes_max, session.frame_bytes_max) // 2
            with self._changed:
                ordinal = self._tracked - self._queue.sequences
                dropped = self._queue.take_dropped()
                entries = [] if dropped else self._queue.take(events_max, bytes_max)
                self._held_events += len(entries)
                if not self._queue.sequences:
                    self._waiting_since = None
                elif len(entries) == events_max:
                    self._waiting_since = now
            if dropped:
                session.add_skip(dropped, ordinal)
            else:
                self._add_batch(entries, ordinal)

    def _add_batch(self, entries: List[Waiting], ordinal: int) -> None:
        """Encodes as many of the events as fit one batch; the rest goes back to the front of the queue."""
        if not entries:
            return
        session, skipped = self._session, 0
        events = [entry.event for entry in entries]
        try:
            data, count = batch.encode_first(
                events, compress=self._settings.compress, limits=session.limits,
                bytes_max=session.frame_bytes_max - 2)
            explicit = {row: event.event_id for row, event in enumerate(events[:count]) if event.event_id is not None}
            session.add_batch(data, count, ordinal, explicit)
        except (TypeError, ValueError) as error:
            session.add_skip(1, ordinal)
            count = skipped = 1
            self._report(error)
        with self._changed:
            self._queue.put_back(entries[count:])
            self._held_events -= len(entries) - count + skipped
            self._skipped += skipped


_running: Set[Sender] = set()
"""Senders with a thread: they drain at exit, even when nobody holds their client any more."""


def abandon_in_child() -> None:
    """After a fork, in the child: the threads are not here, and their work is the parent's."""
    for sender in list(_running):
        sender._abandon()
    _running.clear()


def _drain_at_exit() -> None:
    for sender in list(_running):
        sender.close(_EXIT_SECONDS)


atexit.register(_drain_at_exit)
