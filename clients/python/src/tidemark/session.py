"""What a client says to a collector and when (protocol/frames.md §5 to §7), as a state machine without sockets.

The caller feeds received bytes and the time, and sends what `take_output` returns. One session lives through many
connections: it holds every batch until the collector has acknowledged it, and resends the same bytes.
"""

from __future__ import annotations

import enum
import random
import secrets
from typing import Dict, List, Optional

from . import frames, messages
from .batch import Limits
from .frames import Frame, ProtocolError
from .items import Batch, Counts, Item, Rejected, Skip, reconciled, rejections
from .keepalive import Keepalive
from .messages import Ack, Nack, Opened, Totals
from .reports import PeerFailure

IN_FLIGHT_MAX = 64
"""Batches sent and not acknowledged; the protocol allows 256 a stream."""

_OUTPUT_BYTES_ENOUGH = 1 << 20
_REOPEN_SECONDS_MIN = 0.05
_REOPEN_SECONDS_MAX = 30.0
_RETRY_SECONDS_DEFAULT = 1.0


class State(enum.Enum):
    DOWN = "down"
    PREAMBLE = "preamble"
    HELLO = "hello"
    WAITING = "waiting"
    OPENING = "opening"
    OPEN = "open"
    DRAINING = "draining"


def new_source() -> bytes:
    return secrets.token_bytes(messages.SOURCE_BYTES)


class Session:
    """One source's sequence space, its unacknowledged batches, and the conversation about them."""

    def __init__(
        self, project: str, token: Optional[str], sdk: str, version: str, jitter: random.Random,
        kind: int = messages.KIND_LIVE,
    ) -> None:
        self.source = new_source()
        self.state = State.DOWN
        self.counts = Counts()
        self.rejected: List[Rejected] = []
        """Verdicts since the caller last emptied the list."""
        self.last_nack: Optional[Nack] = None
        self.limits = Limits()
        self.frame_bytes_max = frames.PAYLOAD_BYTES_MAX
        self.reconnect_after_seconds: Optional[float] = None
        """What the collector asked for with GOAWAY."""
        self._project = project
        self._kind = kind
        self._hello = (token, sdk, version)
        self._jitter = jitter
        self._items: List[Item] = []
        self._next_base = 1
        self._acked = 0
        self._totals = Totals()
        self._lineage: Optional[bytes] = None
        self._stream = 0
        self._window = IN_FLIGHT_MAX
        self._failed_opens = 0
        self._move_after_open = False
        self._reset_connection(0.0)

    def _reset_connection(self, now: float) -> None:
        self._input = bytearray()
        self._output = bytearray()
        self._cursor = 0
        self._rewind = False
        self._resume_at = 0.0
        self._keepalive = Keepalive(now)

    # The caller's side.

    @property
    def next_base(self) -> int:
        """The sequence of the next event that is added."""
        return self._next_base

    @property
    def held_events(self) -> int:
        """Events in batches that are not acknowledged."""
        return sum(item.count for item in self._items if isinstance(item, Batch))

    @property
    def first_ordinal(self) -> Optional[int]:
        """The caller's number of the first event without a fate; None when there is none."""
        return self._items[0].ordinal if self._items else None

    @property
    def has_room(self) -> bool:
        """Whether another batch could be sent now."""
        return self.state is State.OPEN and len(self._items) < self._window

    @property
    def is_done(self) -> bool:
        """Whether a draining collector has answered everything it took."""
        return self.state is State.DRAINING and self._cursor == 0

    def add_batch(self, data: bytes, count: int, ordinal: int, event_ids: Optional[Dict[int, bytes]] = None) -> Batch:
        batch = Batch(self._next_base, count, data, ordinal, event_ids or {})
        self._items.append(batch)
        self._next_base += count
        return batch

    def add_skip(self, count: int, ordinal: int, reason: int = frames.SKIP_DROPPED) -> None:
        self._items.append(Skip(self._next_base, count, reason, ordinal))
        self._next_base += count

    def start(self, now: float, clock_micros: int) -> None:
        """A connection stands: greet."""
        self._reset_connection(now)
        self.state = State.PREAMBLE
        self.reconnect_after_seconds = None
        self._output += frames.encode_preamble()
        self._send(messages.hello(*self._hello, clock_micros))

    def stop(self) -> None:
        """The connection is gone. Nothing is forgotten."""
        self.state = State.DOWN
        self._reset_connection(0.0)

    def finish(self) -> None:
        """Retires the source. Only when nothing is held."""
        if self.state is State.OPEN and not self._items:
            self._send(messages.close(self._stream, self._acked, final=True))
            self.state = State.DOWN

    def take_output(self, now: float) -> bytes:
        """The bytes to send next, in order."""
        self._pump(now)
        output = bytes(self._output)
        self._output.clear()
        return output

    def tick(self, now: float, clock_micros: int) -> None:
        """Does what is due. Raises ProtocolError when the collector has been silent too long."""
        if self.state is State.WAITING and now >= self._resume_at:
            self._open()
        if self._keepalive.is_dead(now):
            raise ProtocolError(frames.TIMEOUT, f"nothing heard for {2 * self._keepalive.interval:g} s")
        if self._keepalive.wants_ping(now):
            self._send(messages.ping(clock_micros))

    def deadline(self) -> Optional[float]:
        """When `tick` or `take_output` has something to do again, if nothing is heard."""
        times = []
        if self._keepalive.interval:
            times.append(self._keepalive.ping_time)
        if self.state is State.WAITING or (self.state is State.OPEN and self._cursor < self._sendable):
            times.append(self._resume_at)
        return min(times) if times else None

    # Hearing.

    def receive(self, data: bytes, now: float, clock_micros: int) -> None:
        """Takes bytes from the collector. Raises ProtocolError or PeerFailure when the connection must end."""
        self._keepalive.heard_at = now
        self._input += data
        if self.state is State.PREAMBLE and not self._hear_preamble():
            return
        offset = 0
        while self.state is not State.DOWN:
            before_hello = self.state is State.HELLO
            limit = frames.PAYLOAD_BYTES_MAX_BEFORE_HELLO_ACK if before_hello else frames.PAYLOAD_BYTES_MAX
            found = frames.decode_frame(self._input, offset, limit)
            if found is None:
                break
            frame, offset = found
            self._hear(frame, now, clock_micros)
        del self._input[:offset]

    def _hear_preamble(self) -> bool:
        if len(self._input) < frames.PREAMBLE.size:
            return False
        lowest, highest, refusal = frames.decode_preamble(bytes(self._input[: frames.PREAMBLE.size]))
        if refusal and lowest <= frames.VERSION <= highest:
            raise ProtocolError(frames.PROTOCOL, "the collector refuses a version it speaks")
        if refusal:
            raise PeerFailure(refusal, f"the collector speaks versions {lowest} to {highest}")
        if highest != frames.VERSION:
            raise ProtocolError(frames.PROTOCOL, f"the collector picked version {highest}")
        del self._input[: frames.PREAMBLE.size]
        self.state = State.HELLO
        return True

    def _hear(self, frame: Frame, now: float, clock_micros: int) -> None:
        kind = frame.type
        if kind == frames.ERROR:
            error = messages.read_error(frame)
            raise PeerFailure(error.code, error.detail)
        if self.state is State.HELLO:
            if kind == frames.HELLO_ACK:
                self._hear_hello_ack(frame)
            elif kind & 1:
                raise ProtocolError(frames.PROTOCOL, f"frame type {kind} before HELLO_ACK")
        elif kind == frames.PING:
            self._send(messages.pong(frame, clock_micros))
        elif kind == frames.GOAWAY:
            self.reconnect_after_seconds = messages.read_goaway(frame) / 1000
            self.state = State.DRAINING
        elif kind in (frames.OPENED, frames.ACK, frames.NACK):
            # Frames of a stream that was left are stale.
            if frame.stream == self._stream:
                self._hear_stream(frame, now)
        elif kind & 1:
            raise ProtocolError(frames.PROTOCOL, f"unexpected frame type {kind}")

    def _hear_hello_ack(self, frame: Frame) -> None:
        hello_ack = messages.read_hello_ack(frame)
        self.limits = hello_ack.batch_limits
        self.frame_bytes_max = hello_ack.frame_bytes_max
        self._window = max(1, min(IN_FLIGHT_MAX, hello_ack.unacked_batches_max))
        self._keepalive.interval = float(hello_ack.keepalive_seconds)
        self._open()

    def _hear_stream(self, frame: Frame, now: float) -> None:
        if frame.type == frames.OPENED:
            if self.state is State.OPENING:
                self._hear_opened(messages.read_opened(frame), now)
        elif self.state is State.OPENING:
            if frame.type == frames.NACK:
                self._hear_refused_open(messages.read_nack(frame), now)
        elif self.state in (State.OPEN, State.DRAINING):
            if frame.type == frames.ACK:
                self._hear_ack(messages.read_ack(frame))
            else:
                self._hear_nack(messages.read_nack(frame), now)

    def _hear_opened(self, opened: Opened, now: float) -> None:
        self._lineage = opened.lineage
        self._set_totals(opened.totals)
        durable = opened.durable
        self._items, acked, lost = reconciled(self._items, opened)
        self.counts.acked += acked
        # Somebody else used this source: its sequences cannot be trusted to be ours.
        if lost or self._move_after_open or durable >= self._next_base:
            self._move_to_new_source()
            self._open()
            return
        self._acked = max(self._acked, durable)
        self._cursor = 0
        self._rewind = False
        self._resume_at = now
        self.state = State.OPEN

    def _hear_refused_open(self, nack: Nack, now: float) -> None:
        self.last_nack = nack
        if nack.retry == frames.RETRY_NEW_SOURCE:
            if nack.code == frames.NOT_ALLOWED:
                self._move_to_new_source()
            else:
                self._move_after_open = True
        self._reopen_later(nack, now)

    def _hear_ack(self, ack: Ack) -> None:
        if ack.durable >= self._next_base:
            raise ProtocolError(frames.PROTOCOL, f"{ack.durable} acknowledged, {self._next_base - 1} sent")
        self._failed_opens = 0
        self._set_totals(ack.totals)
        for verdict in ack.verdicts:
            self.rejected += rejections(self._items, self.source, verdict)
        done = 0
        for item in self._items[: self._cursor]:
            if item.base + item.count - 1 > ack.durable:
                break
            done += 1
            if isinstance(item, Batch):
                self.counts.acked += item.count
        del self._items[:done]
        self._cursor -= done
        self._acked = max(self._acked, ack.durable)

    def _set_totals(self, totals: Totals) -> None:
        counts, before = self.counts, self._totals
        counts.stored += totals.stored - before.stored
        counts.rejected += totals.rejected - before.rejected
        counts.quarantined += totals.quarantined - before.quarantined
        self._totals = totals

    # Trouble.

    def _hear_nack(self, nack: Nack, now: float) -> None:
        self.last_nack = nack
        oldest = self._items[0].base if self._items else self._next_base
        if nack.code == frames.SEQUENCE_GAP:
            self._go_back(nack, oldest, now)
        elif nack.retry == frames.RETRY_NEW_SOURCE or nack.code in (frames.SEQUENCE_CONFLICT, frames.FENCED):
            # Another sender has this source. OPENED tells which batches are safe; the rest leaves.
            self._move_after_open = True
            self._reopen_later(nack, now)
        elif nack.retry == frames.RETRY_OPEN or nack.code in (frames.STREAM_UNKNOWN, frames.NOT_ALLOWED):
            self._reopen_later(nack, now)
        else:
            self._go_back(nack, oldest, now)

    def _go_back(self, nack: Nack, oldest: int, now: float) -> None:
        """Resends from `expected` on, or says why that is not possible."""
        expected = nack.expected
        bases = [item.base for item in self._items] + [self._next_base]
        if expected < oldest and self._items:
            # The collector lost what it had acknowledged. Those events are gone; say so and go on.
            skip = Skip(expected, oldest - expected, frames.SKIP_ACKNOWLEDGED, self._items[0].ordinal)
            self._items.insert(0, skip)
            self._cursor = 0
        elif expected in bases:
            self._cursor = bases.index(expected)
        else:
            self._move_after_open = True
            self._reopen_later(nack, now)
            return
        self._rewind = True
        self._resume_at = now + self._delay(nack)

    def _delay(self, nack: Nack) -> float:
        if nack.after_ms is not None:
            return nack.after_ms / 1000
        return 0.0 if nack.retry == frames.RETRY_NOW else _RETRY_SECONDS_DEFAULT

    def _reopen_later(self, nack: Nack, now: float) -> None:
        """Opens again after a random pause that grows until something is acknowledged."""
        self._cursor = 0
        pause = min(_REOPEN_SECONDS_MAX, _REOPEN_SECONDS_MIN * 2 ** min(self._failed_opens, 16))
        pause *= self._jitter.uniform(0.5, 1.0)
        self._failed_opens += 1
        if self.state is not State.DRAINING:
            self.state = State.WAITING
            self._resume_at = now + max(pause, (nack.after_ms or 0) / 1000)

    def _move_to_new_source(self) -> None:
        """Renumbers everything held into a fresh sequence space. The bytes stay."""
        self.source = new_source()
        self._move_after_open = False
        self._acked = 0
        self._totals = Totals()
        self._next_base = 1
        self._items = [item for item in self._items if isinstance(item, Batch) or item.reason == frames.SKIP_DROPPED]
        for item in self._items:
            item.base = self._next_base
            self._next_base += item.count
            if isinstance(item, Batch):
                self.counts.renumbered += item.count

    # Speaking.

    def _send(self, frame: Frame) -> None:
        self._output += frames.encode_frame(frame)

    def _open(self) -> None:
        self._stream = self._stream % 0xFFFFFFFF + 1
        self._cursor = 0
        self.state = State.OPENING
        self._send(
            messages.open_stream(self._stream, self._project, self.source, self._kind, self._acked, self._lineage))

    @property
    def _sendable(self) -> int:
        return min(len(self._items), self._window)

    def _pump(self, now: float) -> None:
        """Sends what may be sent."""
        if self.state is not State.OPEN or now < self._resume_at:
            return
        while self._cursor < self._sendable and len(self._output) < _OUTPUT_BYTES_ENOUGH:
            item = self._items[self._cursor]
            if isinstance(item, Batch):
                self._send(messages.batch(self._stream, item.base, item.count, item.data, self._rewind))
                if item.sent:
                    self.counts.resent += item.count
                else:
                    self.counts.sent += item.count
                item.sent = True
            else:
                self._send(messages.skip(self._stream, item.base, item.count, item.reason, self._rewind))
            self._rewind = False
            self._cursor += 1
