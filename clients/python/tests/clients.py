"""Clients and waits that the tests share."""

from __future__ import annotations

import time
from typing import Any, Callable, List, Optional

from collector import Act, Collector

import tidemark
from tidemark.frames import Frame

WAIT = 5.0


def wait_until(condition: Callable[[], bool], what: str = "") -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, what or "waited too long"
        time.sleep(0.002)


def client_of(collector: Collector, **settings: Any) -> tidemark.Client:
    settings = {"batch_size": 10, "flush_interval": 0.02, "backoff_min": 0.005, "backoff_max": 0.05, **settings}
    return tidemark.Client(port=collector.port, token="t", project="shop", **settings)


def numbers(collector: Collector) -> List[int]:
    return [event.properties["n"] for event in collector.stored]  # type: ignore[misc]


def track_many(client: tidemark.Client, start: int, end: int) -> List[str]:
    return [client.track("tick", "u", {"n": number}) for number in range(start, end)]


def only(*acts: Act) -> Callable[[Frame], Optional[Act]]:
    """A script for the first frames; later ones are judged as usual."""
    left = list(acts)
    return lambda frame: left.pop(0) if left else None
