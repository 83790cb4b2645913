"""What a client was told, for its background thread."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Callable, Optional

from ._connection import Address
from .reports import Verdict

log = logging.getLogger("tidemark")


@dataclass(frozen=True)
class Settings:
    """What the thread needs to know; see `Client` for the meaning."""

    address: Address
    token: Optional[str]
    project: str
    batch_size: int
    flush_interval: float
    queue_events_max: int
    kind: int
    compress: bool
    backoff_min: float
    backoff_max: float
    on_error: Optional[Callable[[Exception], None]]
    on_verdict: Optional[Callable[[Verdict], None]]
    sdk_version: str

    # The application's own functions: what they raise is logged and ends nothing.

    def tell_error(self, error: Exception) -> None:
        if self.on_error is not None:
            try:
                self.on_error(error)
            except Exception:
                log.exception("on_error failed")

    def tell_verdict(self, verdict: Verdict) -> None:
        if self.on_verdict is not None:
            try:
                self.on_verdict(verdict)
            except Exception:
                log.exception("on_verdict failed")
