"""Properties of the batch, on seeded random events."""

from __future__ import annotations

import random
from typing import Any, Dict, List

import pytest

from tidemark import _zstd
from tidemark._varint import DecodeError
from tidemark.batch import BatchTooBig, EncodeError, Event, Limits, encode
from tidemark.decode import decode, decode_header
from tidemark.values import Json

SEEDS = range(40)


def random_text(source: random.Random, most: int, least: int = 0) -> str:
    letters = "abcXYZ019 _-éß水🌊\u0000"
    return "".join(source.choice(letters) for _ in range(source.randint(least, most)))


def random_value(source: random.Random) -> Any:
    kind = source.randrange(5)
    if kind == 0:
        return source.random() < 0.5
    if kind == 1:
        return source.getrandbits(source.randint(1, 63)) * source.choice((1, -1))
    if kind == 2:
        return source.uniform(-1e9, 1e9)
    if kind == 3:
        return random_text(source, 12)
    return Json.of([random_text(source, 3), source.randint(0, 9), None, {"k": True}])


def random_values(source: random.Random) -> Dict[str, Any]:
    return {random_text(source, 3, 1): random_value(source) for _ in range(source.choice((0, 0, 1, 4)))}


def random_events(seed: int) -> List[Event]:
    source = random.Random(seed)
    ids = [None, *(random_text(source, 20, 1) for _ in range(5))]
    return [
        Event(
            random_text(source, 20, 1), source.randint(-(1 << 63), (1 << 63) - 1) if source.random() < 0.1
            else 1_700_000_000_000_000 + source.randint(-10**9, 10**9),
            source.choice(ids), source.choice(ids), source.choice(ids), source.choice(ids),
            source.randbytes(16) if source.random() < 0.2 else None, source.random() < 0.3, source.randint(0, 2),
            random_values(source), random_values(source), random_values(source), random_values(source),
            random_values(source),
        )
        for _ in range(source.choice((1, 2, 7, 8, 9, 64, 130)))
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_events_round_trip(seed: int) -> None:
    events = random_events(seed)
    data = encode(events)
    assert decode(data) == events
    assert encode(decode(data)) == data
    packed = encode(events, compress=True)
    assert decode(packed) == events
    assert decode_header(packed) == decode_header(data)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_names_does_not_change_the_bytes(seed: int) -> None:
    events = random_events(seed)
    before = encode(events)
    for event in events:
        event.properties = dict(reversed(list(event.properties.items())))
    assert encode(events) == before


@pytest.mark.parametrize("seed", range(6))
def test_damaged_bytes_never_fail_in_another_way(seed: int) -> None:
    source = random.Random(seed)
    data = encode(random_events(seed)[:9], compress=seed % 2 == 1)
    for end in range(0, len(data), max(1, len(data) // 300)):
        with pytest.raises(DecodeError):
            decode(data[:end])
    for _ in range(600):
        damaged = bytearray(data)
        damaged[source.randrange(len(data))] ^= 1 << source.randrange(8)
        try:
            decode(bytes(damaged))
        except DecodeError:
            pass


def test_nothing_but_json_is_a_json_value() -> None:
    for text in ("", "nul", "NaN", "Infinity", "[1,]", "'a'", "1 2", "\ufeff1", '"\u0001"', "[" * 100_000):
        with pytest.raises(ValueError):
            Json(text)
    assert Json("9" * 10_000).text == "9" * 10_000


@pytest.mark.parametrize("event", [
    Event("", 0), Event("x" * 201, 0), Event("a", 1 << 63), Event("a", 0, user_id=""), Event("a", 0, group="g" * 513),
    Event("a", 0, event_id=b"short"), Event("a", 0, consent=3), Event("a", 0, properties={"": 1}),
    Event("a", 0, properties={"n" * 256: 1}), Event("a", 0, properties={"n": float("inf")}),
    Event("a", 0, properties={"n": 1 << 63}), Event("a", 0, properties={"n": "x" * ((1 << 20) + 1)}),
    Event("a", 0, properties={"n": "\ud800"}),
])
def test_an_event_no_batch_may_hold_is_refused(event: Event) -> None:
    with pytest.raises(ValueError):
        encode([event])


def test_a_value_of_no_batch_type_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        encode([Event("a", 0, properties={"n": None})])  # type: ignore[dict-item]


def test_limits_are_told_apart_from_faults() -> None:
    events = [Event("a", 0, properties={f"p{n}": f"v{n}"}) for n in range(10)]
    for limits in (Limits(events_max=9), Limits(columns_max=11), Limits(strings_max=20), Limits(decoded_bytes_max=99)):
        with pytest.raises(BatchTooBig):
            encode(events, limits=limits)
    assert encode(events, limits=Limits(10, 1000, 21, 12))
    with pytest.raises(EncodeError):
        encode([])


def test_without_zstd_batches_go_out_raw(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [Event("page_view", n, properties={"page": "/home"}) for n in range(100)]
    assert encode(events, compress=True)[1] == 1
    packed = encode(events, compress=True)
    monkeypatch.setattr(_zstd, "compress", None)
    monkeypatch.setattr(_zstd, "_decompress", None)
    assert encode(events, compress=True) == encode(events)
    with pytest.raises(DecodeError, match="install"):
        decode(packed)
