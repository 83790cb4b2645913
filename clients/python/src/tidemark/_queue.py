"""The events that wait for a batch, and the sequences that were given out and then dropped, in order."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, NamedTuple, Union

from .batch import Event


class Waiting(NamedTuple):
    event: Event
    size: int
    """About how many bytes it takes in a batch."""


class Dropped:
    """A run of sequences without events."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 1


class EventQueue:
    """First in, first out. Not thread-safe: the caller holds the lock."""

    def __init__(self) -> None:
        self._entries: Deque[Union[Waiting, Dropped]] = deque()
        self.events = 0
        """Events that wait."""
        self.sequences = 0
        """Sequences that wait: events and dropped ones."""

    def add(self, event: Event, size: int) -> None:
        self._entries.append(Waiting(event, size))
        self.events += 1
        self.sequences += 1

    def drop(self) -> None:
        self.sequences += 1
        if self._entries and isinstance(self._entries[-1], Dropped):
            self._entries[-1].count += 1
        else:
            self._entries.append(Dropped())

    def take_dropped(self) -> int:
        """How many sequences at the front have no event; they leave the queue."""
        if not self._entries or not isinstance(self._entries[0], Dropped):
            return 0
        count = self._entries[0].count
        self._entries.popleft()
        self.sequences -= count
        return count

    def take(self, events_max: int, bytes_max: int) -> List[Waiting]:
        """Events from the front, up to the first dropped sequence: at least one, if there is one."""
        taken: List[Waiting] = []
        room = bytes_max
        while self._entries and len(taken) < events_max:
            entry = self._entries[0]
            if isinstance(entry, Dropped) or (taken and entry.size > room):
                break
            room -= entry.size
            taken.append(entry)
            self._entries.popleft()
        self.events -= len(taken)
        self.sequences -= len(taken)
        return taken

    def put_back(self, entries: List[Waiting]) -> None:
        """Returns the last of what was taken to the front."""
        self._entries.extendleft(reversed(entries))
        self.events += len(entries)
        self.sequences += len(entries)
