"""Python's values, the checks of arguments, varints and checksums."""

from __future__ import annotations

import enum
import random
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Callable, List

import pytest

import tidemark
from tidemark import _checksums, _varint, arguments
from tidemark.values import Json, normalized


class Color(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


HOUR_EAST = timezone(timedelta(hours=1))


@pytest.mark.parametrize(("given", "made"), [
    (True, True), (7, 7), (-(1 << 63), -(1 << 63)), ((1 << 63) - 1, (1 << 63) - 1),
    (1 << 63, Json("9223372036854775808")), (-(1 << 63) - 1, Json("-9223372036854775809")),
    (0.5, 0.5), ("é", "é"), ("", ""), (None, Json("null")),
    ([1, "a", None], Json('[1,"a",null]')), ((1, 2), Json("[1,2]")), ({"b": 1, "a": {}}, Json('{"b":1,"a":{}}')),
    ({"é": "ü"}, Json('{"é":"ü"}')),
    (Decimal("19.99"), 19.99), (Decimal("1E+2"), 100.0), (Decimal("0.1000"), 0.1),
    (Decimal("3.14159265358979323846"), "3.14159265358979323846"), (Decimal("1E+999"), "1E+999"),
    (datetime(2024, 5, 1, 12, 30, tzinfo=HOUR_EAST), "2024-05-01T11:30:00Z"),
    (datetime(2024, 5, 1, 12, 30, 0, 5), "2024-05-01T12:30:00.000005"), (date(2024, 5, 1), "2024-05-01"),
    ({"at": datetime(2024, 5, 1, tzinfo=timezone.utc), "price": Decimal("1.5")},
     Json('{"at":"2024-05-01T00:00:00Z","price":1.5}')),
    (Color.RED, "red"), (Level.HIGH, 3),
])
def test_a_value_becomes(given: Any, made: Any) -> None:
    found = normalized(given)
    assert found == made and type(found) is type(made)


def _cycle() -> List[Any]:
    made: List[Any] = []
    made.append(made)
    return made


@pytest.mark.parametrize(("given", "error"), [
    (float("nan"), ValueError), (float("inf"), ValueError),
    (Decimal("NaN"), ValueError), (Decimal("-Infinity"), ValueError),
    ([float("nan")], ValueError), ({"a": {1: 2}}, TypeError), (object(), TypeError), (b"bytes", TypeError),
    ([object()], TypeError), ({1, 2}, TypeError), (_cycle(), ValueError),
])
def test_a_value_that_cannot_be_sent_is_named(given: Any, error: Any) -> None:
    client = tidemark.Client(port=1)
    with pytest.raises(error, match=r"properties\['bad'\]"):
        client.track("a", "u", {"good": 1, "bad": given})
    assert client.stats().queued == 0


@pytest.mark.parametrize(("call", "error"), [
    (lambda c: c.track(""), ValueError), (lambda c: c.track("x" * 201), ValueError),
    (lambda c: c.track("$x"), ValueError),
    (lambda c: c.track(5), TypeError), (lambda c: c.track("a", ""), ValueError), (lambda c: c.track("a", 5), TypeError),
    (lambda c: c.track("a", "é" * 257), ValueError), (lambda c: c.track("a", "\ud800"), ValueError),
    (lambda c: c.track("a", "u", {"": 1}), ValueError), (lambda c: c.track("a", "u", {"n" * 256: 1}), ValueError),
    (lambda c: c.track("a", "u", {5: 1}), TypeError), (lambda c: c.track("a", "u", [1]), TypeError),
    (lambda c: c.track("a", "u", []), TypeError), (lambda c: c.track("a", "u", {"a": "\udc00"}), ValueError),
    (lambda c: c.track("a", "u", {"a": "x" * (1 << 20) + "y"}), ValueError),
    (lambda c: c.track("a", "u", {str(i): i for i in range(1001)}), ValueError),
    (lambda c: c.track("a", "u", {"a": "x" * 600_000}, context={"a": "x" * 600_000}), ValueError),
    (lambda c: c.track("a", timestamp=datetime(2024, 1, 1)), ValueError),
    (lambda c: c.track("a", timestamp=0), ValueError), (lambda c: c.track("a", timestamp=float("nan")), ValueError),
    (lambda c: c.track("a", timestamp="now"), TypeError), (lambda c: c.track("a", timestamp=True), TypeError),
    (lambda c: c.track("a", event_id="evt_1"), ValueError), (lambda c: c.track("a", event_id=b"1"), ValueError),
    (lambda c: c.track("a", event_id=5), TypeError), (lambda c: c.track("a", consent="maybe"), ValueError),
    (lambda c: c.track("a", consent=3), TypeError), (lambda c: c.alias("", "u"), ValueError),
    (lambda c: c.group("u", ""), ValueError), (lambda c: c.identify(None), TypeError),
])
def test_bad_arguments_raise_at_once_and_send_nothing(call: Callable[[Any], Any], error: Any) -> None:
    client = tidemark.Client(port=1)
    with pytest.raises(error):
        call(client)
    assert client.stats().queued == 0 and client.stats().skipped == 0


@pytest.mark.parametrize("settings", [
    {"batch_size": 0}, {"batch_size": 65_537}, {"queue_events_max": 0}, {"flush_interval": -1}, {"backoff_min": 0},
    {"token": "t" * 257},
])
def test_bad_settings_raise(settings: Any) -> None:
    with pytest.raises(ValueError):
        tidemark.Client(**settings)


def test_a_timestamp_is_microseconds_of_utc() -> None:
    assert arguments.micros(datetime(2024, 5, 1, 1, 0, 0, 7, tzinfo=HOUR_EAST)) == 1714521600000007
    assert arguments.micros(1714521600) == arguments.micros(1714521600.0) == 1714521600000000
    assert arguments.micros(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)) == 253402300799999999


def test_an_explicit_id_has_many_forms() -> None:
    made = uuid.UUID(int=5)
    assert {arguments.event_id_bytes(one) for one in (made, made.bytes, made.hex, "evt_" + made.hex)} == {made.bytes}


def test_values_are_a_snapshot() -> None:
    items = [1]
    made = normalized(items)
    items.append(2)
    assert made == Json("[1]")


def test_an_enum_names_its_type() -> None:
    assert arguments.event_type_text(Color.RED) == "red"


def test_checksums_match_the_published_vectors() -> None:
    assert _checksums.crc32c_pure(b"") == 0
    assert _checksums.crc32c_pure(b"123456789") == 0xE3069283
    assert _checksums.crc32c_pure(bytes(32)) == 0x8A9136AA
    assert _checksums.xxh64_pure(b"") == 0xEF46DB3751D8E999
    assert _checksums.xxh64_pure(b"abc") == 0x44BC2CF5AD770999
    assert _checksums.xxh64_pure(b"Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1


def test_the_fast_checksums_agree_with_the_pure_ones() -> None:
    source = random.Random(7)
    for size in [*range(70), 1000, 4097]:
        data = source.randbytes(size)
        assert _checksums.crc32c(data) == _checksums.crc32c_pure(data)
        assert _checksums.xxh64(data) == _checksums.xxh64_pure(data)


def test_varints_round_trip_and_stop_at_64_bits() -> None:
    for value in (0, 1, 127, 128, 16383, 16384, (1 << 63) - 1, (1 << 64) - 1):
        assert _varint.read_varint(_varint.varint(value), 0) == (value, len(_varint.varint(value)))
    assert len(_varint.varint((1 << 64) - 1)) == 10
    for value in (0, 1, -1, 63, -64, 64, _varint.INT64_MIN, _varint.INT64_MAX):
        assert _varint.unzigzag(_varint.zigzag(value)) == value
        assert _varint.zigzag(value) == ((value << 1) ^ (value >> 63)) & _varint.UINT64_MAX
        assert _varint.zigzags([value]) == _varint.varint(_varint.zigzag(value))
    for bad in (b"", b"\x80", b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01"):
        with pytest.raises(_varint.DecodeError):
            _varint.read_varint(bad, 0)
    for wrong in (-1, 1 << 64):
        with pytest.raises(ValueError):
            _varint.varint(wrong)
