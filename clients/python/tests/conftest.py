from __future__ import annotations

from typing import Any, Dict, Iterator

import pytest
from collector import Collector
from queryd import TOKEN, Queryd


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


@pytest.fixture
def queryd(collector: Collector) -> Iterator[Queryd]:
    with Queryd(collector) as made:
        yield made


@pytest.fixture
def config(collector: Collector, queryd: Queryd, monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """Sections that say where the test's daemons are; nothing of the environment counts."""
    for name in ("ADDRESS", "QUERY_URL", "TOKEN", "QUERY_TOKEN", "DATA"):
        monkeypatch.delenv(f"TIDEMARK_{name}", raising=False)
    return {
        "flush_interval": 0.02,
        "collector": {"address": f"127.0.0.1:{collector.port}", "token": "t", "project": "shop"},
        "query": {"url": queryd.url, "token": TOKEN, "wait": 5, "timeout": 5},
    }
