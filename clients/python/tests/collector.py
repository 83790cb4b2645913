"""A collector for tests: speaks protocol/frames.md §5 and §6 on a real socket, and misbehaves as its script says."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from tidemark import frames, messages
from tidemark._checksums import xxh64
from tidemark._varint import varint
from tidemark.batch import Event
from tidemark.decode import decode
from tidemark.frames import FieldReader, Fields, Frame, encode_fields, sint, uint
from tidemark.messages import Fingerprint, RangeVerdict, Totals

LINEAGE = bytes(range(16))


def hello_ack(role: int = 1, project: str = "shop", *, frame_bytes: int = 16 << 20, events: int = 65_536,
              decoded_bytes: int = 16 << 20, strings: int = 262_144, columns: int = 1_024, unacked: int = 256,
              keepalive: int = 30, clock: int = 0, features: int = 0) -> Frame:
    fields: Fields = {1: uint(role), 2: project.encode(), 4: uint(frame_bytes), 6: uint(events), 8: uint(decoded_bytes),
                      10: uint(strings), 12: uint(columns), 14: uint(unacked), 16: uint(keepalive), 18: sint(clock),
                      20: uint(features)}
    return Frame(frames.HELLO_ACK, encode_fields(fields))


def opened(stream: int, durable: int, totals: Totals, prints: List[Fingerprint], lineage: bytes = LINEAGE) -> Frame:
    values = [varint(one.base) + varint(one.event_count) + struct.pack("<Q", one.fingerprint) for one in prints]
    fields: Fields = {1: lineage, 3: messages.totals_bytes(totals)}
    if values:
        fields[5] = values
    return Frame(frames.OPENED, encode_fields(fields), stream, base=durable)


def ack(stream: int, durable: int, totals: Totals, verdicts: List[RangeVerdict]) -> Frame:
    fields: Fields = {1: messages.totals_bytes(totals)}
    if verdicts:
        fields[3] = [b"".join(map(varint, one)) for one in verdicts]
    return Frame(frames.ACK, encode_fields(fields), stream, base=durable)


def nack(stream: int, expected: int, code: int, retry: int, after: Optional[int] = None, detail: str = "") -> Frame:
    fields: Fields = {1: uint(code), 3: uint(retry)}
    if after is not None:
        fields[5] = uint(after)
    if detail:
        fields[6] = detail.encode()
    return Frame(frames.NACK, encode_fields(fields), stream, base=expected)


def goaway(reason: int, after: int) -> Frame:
    return Frame(frames.GOAWAY, encode_fields({1: uint(reason), 2: uint(after)}))


def error(code: int, detail: str) -> Frame:
    return Frame(frames.ERROR, encode_fields({1: uint(code), 2: detail.encode()}))


class Source:
    """What the collector knows of one source. Accepted is durable at once."""

    def __init__(self) -> None:
        self.durable = 0
        self.seen = False
        self.totals = Totals()
        self.batches: Dict[Tuple[int, int], bytes] = {}
        self.skips: List[Tuple[int, int, int]] = []

    @property
    def events(self) -> List[Event]:
        return [event for _, data in sorted(self.batches.items()) for event in decode(data)]


class Act(NamedTuple):
    """What to do with a batch or skip instead of judging it."""

    store: bool = True
    answer: bool = True
    cut: bool = False
    frame: Optional[Frame] = None
    discard: bool = False
    """After a NACK: discard until REWIND."""
    verdicts: Tuple[RangeVerdict, ...] = ()


Script = Callable[[Frame], Optional[Act]]


class Collector:
    """Listens on an ephemeral port (or a Unix socket) until `stop`."""

    def __init__(self, unix_socket: Optional[str] = None, project: str = "shop", **limits: int) -> None:
        self.limits = limits
        self.project = project
        self.script: Optional[Script] = None
        self.open_script: Optional[Callable[[Frame, bytes], Optional[Frame]]] = None
        self.sources: Dict[bytes, Source] = {}
        self.received: List[Frame] = []
        """Every frame of every connection after HELLO."""
        self.hellos: List[FieldReader] = []
        self.refuse: Optional[Frame] = None
        self.lock = threading.RLock()
        self._links: List[socket.socket] = []
        self._stopped = False
        if unix_socket is None:
            self._server = socket.create_server(("127.0.0.1", 0))
            self.port = self._server.getsockname()[1]
        else:
            self._server = socket.socket(socket.AF_UNIX)
            self._server.bind(unix_socket)
            self._server.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        try:
            self._server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._server.close()
        self.cut_all()
        self._thread.join(2)

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def cut_all(self) -> None:
        with self.lock:
            links, self._links = self._links, []
        for link in links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def say(self, frame: Frame) -> None:
        """Sends a frame on every living connection."""
        with self.lock:
            for link in self._links:
                link.sendall(frames.encode_frame(frame))

    @property
    def stored(self) -> List[Event]:
        with self.lock:
            return [event for source in self.sources.values() for event in source.events]

    def frames_of(self, kind: int) -> List[Frame]:
        with self.lock:
            return [frame for frame in self.received if frame.type == kind]

    def _accept(self) -> None:
        while not self._stopped:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            with self.lock:
                self._links.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        try:
            with link:
                _Talk(self, link).run()
        except (OSError, EOFError):
            pass
        with self.lock:
            if link in self._links:
                self._links.remove(link)


class _Talk:
    """One connection."""

    def __init__(self, collector: Collector, link: socket.socket) -> None:
        self._collector = collector
        self._link = link
        self._input = b""
        self._streams: Dict[int, bytes] = {}
        self._discarding: Dict[int, bool] = {}

    def run(self) -> None:
        lowest, highest, _ = frames.decode_preamble(self._bytes(8))
        assert (lowest, highest) == (0, 0)
        self._link.sendall(frames.encode_preamble())
        hello = self._frame()
        assert hello.type == frames.HELLO
        with self._collector.lock:
            self._collector.hellos.append(FieldReader(hello.payload, 1, 2, 4, 6, 8))
        if self._collector.refuse is not None:
            self._say(self._collector.refuse)
            return
        self._say(hello_ack(project=self._collector.project, **self._collector.limits))
        while True:
            frame = self._frame()
            with self._collector.lock:
                self._collector.received.append(frame)
                if not self._answer(frame):
                    return

    def _bytes(self, count: int) -> bytes:
        while len(self._input) < count:
            data = self._link.recv(1 << 16)
            if not data:
                raise EOFError
            self._input += data
        taken, self._input = self._input[:count], self._input[count:]
        return taken

    def _frame(self) -> Frame:
        head = self._bytes(frames.HEADER_BYTES)
        found = frames.decode_frame(head + self._bytes(struct.unpack_from("<I", head)[0]))
        assert found is not None
        return found[0]

    def _say(self, frame: Frame) -> None:
        self._link.sendall(frames.encode_frame(frame))

    def _answer(self, frame: Frame) -> bool:
        if frame.type == frames.OPEN:
            self._open(frame)
        elif frame.type in (frames.BATCH, frames.SKIP):
            return self._take(frame)
        elif frame.type == frames.PING:
            self._say(Frame(frames.PONG, encode_fields({2: sint(0)}), base=frame.base))
        return True

    def _open(self, frame: Frame) -> None:
        fields = FieldReader(frame.payload, 1, 3, 5, 7, 8)
        name = fields.raw(3, 10)
        assert name is not None and fields.text(1) == self._collector.project
        script = self._collector.open_script
        refusal = script(frame, name) if script else None
        if refusal is not None:
            self._say(refusal)
            return
        source = self._collector.sources.setdefault(name, Source())
        self._streams[frame.stream] = name
        acked = fields.uint(7)
        prints = [Fingerprint(base, count, xxh64(data)) for (base, count), data in sorted(source.batches.items())
                  if base + count - 1 > acked]
        self._say(opened(frame.stream, source.durable, source.totals, prints))

    def _take(self, frame: Frame) -> bool:
        source = self._collector.sources[self._streams[frame.stream]]
        if self._discarding.get(frame.stream):
            if not frame.flags & frames.FLAG_REWIND:
                return True
            self._discarding[frame.stream] = False
        script = self._collector.script
        act = (script(frame) if script else None) or Act()
        if act.store and act.frame is None:
            refusal = self._store(source, frame, act)
            if refusal is not None:
                self._say(refusal)
                self._discarding[frame.stream] = True
                return True
        if act.frame is not None:
            self._discarding[frame.stream] = act.discard
            self._say(act.frame._replace(stream=frame.stream))
        elif act.answer and not act.cut:
            self._say(ack(frame.stream, source.durable, source.totals, list(act.verdicts)))
        return not act.cut

    def _store(self, source: Source, frame: Frame, act: Act) -> Optional[Frame]:
        skip = FieldReader(frame.payload, 1, 3) if frame.type == frames.SKIP else None
        count = skip.uint(3) if skip else frame.event_count
        data = b"" if skip else messages.batch_bytes(frame.payload)
        if source.batches.get((frame.base, count)) == data and not skip:
            return None
        if not source.seen:
            source.totals = source.totals._replace(unknown_before=frame.base - 1)
            source.durable = frame.base - 1
            source.seen = True
        if frame.base > source.durable + 1:
            return nack(frame.stream, source.durable + 1, frames.SEQUENCE_GAP, frames.RETRY_NOW)
        if frame.base <= source.durable:
            return nack(frame.stream, source.durable + 1, frames.SEQUENCE_CONFLICT, frames.RETRY_OPEN)
        totals = source.totals
        if skip:
            source.skips.append((frame.base, count, skip.uint(1)))
            source.totals = totals._replace(skipped=totals.skipped + count)
        else:
            assert len(decode(data)) == count
            source.batches[frame.base, count] = data
            bad = sum(one.event_count for one in act.verdicts)
            source.totals = totals._replace(stored=totals.stored + count - bad, rejected=totals.rejected + bad)
        source.durable += count
        assert sum(source.totals) == source.durable
        return None
