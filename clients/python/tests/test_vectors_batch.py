"""The golden batches: every event and every byte as the other implementations have it."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest
from paths import VECTORS, Vector, load

from tidemark import _zstd, arguments
from tidemark._varint import DecodeError
from tidemark.batch import Event, encode, encode_body
from tidemark.decode import decode, decode_header
from tidemark.values import Json, Value

_SCOPES = {
    "property": "properties", "device": "device", "location": "location", "context": "context", "trait": "traits",
}
_TYPES = {"bool": bool, "int64": int, "float64": float, "string": str, "json": Json}
_CONSENTS = {"unknown": 0, "granted": 1, "denied": 2}

ALL = load("batch")
GOOD = [vector for vector in ALL if "events" in vector[1]]
BAD = [vector for vector in ALL if "error" in vector[1]]


def event(told: Dict[str, Any]) -> Event:
    known = {"type", "timestamp_micros", "user_id", "anonymous_id", "session_id", "group_key", "server_side",
             "consent", "event_id", "values"}
    assert set(told) <= known
    made = Event(
        told["type"], told["timestamp_micros"], told.get("user_id"), told.get("anonymous_id"), told.get("session_id"),
        told.get("group_key"), arguments.event_id_bytes(told.get("event_id")), told.get("server_side", False),
        _CONSENTS[told.get("consent", "unknown")],
    )
    for value in told.get("values", []):
        getattr(made, _SCOPES[value["scope"]])[value["name"]] = _TYPES[value["type"]](value["value"])
    return made


def typed(events: List[Event]) -> List[Any]:
    """Events so that 1, 1.0, True, 0.0 and -0.0 differ."""

    def all_values(one: Event) -> List[Any]:
        scopes: List[Dict[str, Value]] = [getattr(one, scope) for scope in _SCOPES.values()]
        return [{name: (type(value), repr(value)) for name, value in scope.items()} for scope in scopes]

    return [(one, all_values(one)) for one in events]


def test_the_vectors_are_there() -> None:
    assert VECTORS.is_dir()
    assert len(GOOD) >= 10 and len(BAD) >= 20
    assert len(GOOD) + len(BAD) == len(ALL) == len(list((VECTORS / "batch").glob("*.bin")))
    assert _zstd.compress is not None, "install the extra `test`"


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector[0])
def test_a_good_batch_decodes_to_its_events(vector: Vector) -> None:
    _, told, data = vector
    assert typed(decode(data)) == typed([event(one) for one in told["events"]])


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector[0])
def test_events_encode_to_the_same_bytes(vector: Vector) -> None:
    _, told, data = vector
    events = [event(one) for one in told["events"]]
    if told["canonical"]:
        assert encode(events).hex() == data.hex()
    elif told["codec"] == "zstd":
        assert encode_body(events) == decode_header(data)[1]
    else:
        assert decode(encode(events)) == decode(data)


@pytest.mark.parametrize("vector", BAD, ids=lambda vector: vector[0])
def test_a_bad_batch_is_refused(vector: Vector) -> None:
    with pytest.raises(DecodeError):
        decode(vector[2])
