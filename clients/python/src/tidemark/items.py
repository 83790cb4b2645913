"""What a session holds until the collector has acknowledged it."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from ._checksums import xxh64
from .messages import Opened, RangeVerdict


class Batch:
    """An encoded batch on its way. `ordinal` is the caller's number of its first event, whatever the source."""

    def __init__(self, base: int, count: int, data: bytes, ordinal: int, event_ids: Dict[int, bytes]) -> None:
        self.base = base
        self.count = count
        self.data = data
        self.ordinal = ordinal
        self.event_ids = event_ids
        """Explicit event ids by row."""
        self.sent = False
        self._fingerprint: Optional[int] = None

    @property
    def fingerprint(self) -> int:
        if self._fingerprint is None:
            self._fingerprint = xxh64(self.data)
        return self._fingerprint


class Skip:
    """Sequences that were given out and will never be sent."""

    def __init__(self, base: int, count: int, reason: int, ordinal: int) -> None:
        self.base = base
        self.count = count
        self.reason = reason
        self.ordinal = ordinal


Item = Union[Batch, Skip]


class Rejected(NamedTuple):
    """One event that was not stored, and never will be."""

    sequence: int
    event_id: bytes
    code: int


class Counts:
    """What happened so far, in events."""

    def __init__(self) -> None:
        self.sent = self.resent = self.acked = self.renumbered = 0
        self.stored = self.rejected = self.quarantined = 0


def reconciled(items: List[Item], opened: Opened) -> Tuple[List[Item], int, bool]:
    """What is still to be sent after OPENED, how many events it lists, and whether it lacks a batch it counts durable.

    A batch is safe only if its fingerprint is listed; a skip has none, and is done once it is durable.
    """
    listed = {(one.base, one.event_count): one.fingerprint for one in opened.fingerprints}
    keep: List[Item] = []
    acked = 0
    lost = False
    for item in items:
        if isinstance(item, Skip):
            if item.base + item.count - 1 > opened.durable:
                keep.append(item)
        elif (item.base, item.count) in listed and listed[item.base, item.count] == item.fingerprint:
            acked += item.count
        else:
            keep.append(item)
            lost = lost or item.base <= opened.durable
    return keep, acked, lost


def rejections(items: List[Item], source: bytes, verdict: RangeVerdict) -> List[Rejected]:
    """The events of a verdict, with their explicit ids or the derived ones."""
    made: List[Rejected] = []
    end = verdict.sequence + verdict.event_count
    for item in items:
        if isinstance(item, Batch):
            for sequence in range(max(item.base, verdict.sequence), min(item.base + item.count, end)):
                event_id = item.event_ids.get(sequence - item.base, source + sequence.to_bytes(6, "big"))
                made.append(Rejected(sequence, event_id, verdict.code))
    return made
