"""What the client tells the application: counts, verdicts, refusals."""

from __future__ import annotations

from typing import NamedTuple, Optional

from .frames import code_name
from .messages import Nack


class Verdict(NamedTuple):
    """One event the collector will never store, and why."""

    event_id: str
    code: int
    reason: str


class Stats(NamedTuple):
    """Counts since the client (or, after a fork, the child) began; in events unless the name says otherwise."""

    queued: int
    """Tracked and not yet acknowledged."""
    sent: int
    """Sent for the first time."""
    resent: int
    """Sent again, the same bytes."""
    acked: int
    """Acknowledged: durable, whatever the verdict."""
    stored: int
    rejected: int
    quarantined: int
    skipped: int
    """Dropped because the queue was full, or because no batch may hold them; their sequences are skipped."""
    renumbered: int
    """Sent under another source than the id that `track` returned says."""
    reconnects: int
    """Connections after the first."""
    last_error: Optional[str]


class CollectorRefusal(Exception):
    """A NACK: for now, nothing from some sequence on was taken. The client retries by itself."""

    def __init__(self, nack: Nack) -> None:
        super().__init__(f"{code_name(nack.code)}: {nack.detail}" if nack.detail else code_name(nack.code))
        self.code = nack.code


class PeerFailure(Exception):
    """The collector refused the connection: an ERROR frame or a refusal in the preamble."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code_name(code)}: {detail}" if detail else code_name(code))
        self.code = code
