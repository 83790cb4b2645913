"""When a quiet connection needs a PING, and when it is dead (protocol/frames.md §5)."""

from __future__ import annotations


class Keepalive:
    """Times in seconds of the caller's clock. An interval of 0 means none was agreed."""

    def __init__(self, now: float) -> None:
        self.interval = 0.0
        self.heard_at = now
        self._pinged_at = now

    @property
    def ping_time(self) -> float:
        """When nothing will have been heard for an interval; after a PING, half of one later."""
        return max(self.heard_at + self.interval, self._pinged_at + self.interval / 2)

    def is_dead(self, now: float) -> bool:
        return self.interval > 0 and now - self.heard_at > 2 * self.interval

    def wants_ping(self, now: float) -> bool:
        """True once, when a PING is due."""
        due = self.interval > 0 and now >= self.ping_time
        if due:
            self._pinged_at = now
        return due
