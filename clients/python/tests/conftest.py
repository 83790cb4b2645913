from __future__ import annotations

from typing import Iterator

import pytest
from collector import Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made
