"""Where the golden vectors lie. A missing folder fails the tests that need it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

VECTORS = Path(__file__).resolve().parents[3] / "protocol" / "vectors"

Vector = Tuple[str, Dict[str, Any], bytes]


def load(folder: str) -> List[Vector]:
    """Name, description and bytes of every vector in a folder."""
    found = sorted((VECTORS / folder).glob("*.json"))
    return [(path.stem, json.loads(path.read_text()), path.with_suffix(".bin").read_bytes()) for path in found]
