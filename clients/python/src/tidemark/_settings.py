"""What a client was told, for its background thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from ._connection import Address
from .reports import Verdict


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
