"""Aggregates in process follow docs/questions.md §2."""

from __future__ import annotations

import asyncio
import math
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, List

import pytest

from tidemark.engine import AggregationEngine
from tidemark.errors import MixedCurrencies
from tidemark.events import Event


def events(*properties: Dict[str, Any], **fields: Any) -> List[Event]:
    return [Event(f"e{number}", "a", "u", None, one, f"2026-01-0{number % 9 + 1}", **fields)
            for number, one in enumerate(properties)]


def aggregate(found: List[Event], *aggregations: Dict[str, Any]) -> Any:
    return asyncio.run(AggregationEngine({}).aggregate(found, aggregations))


def test_each_aggregation_has_its_name() -> None:
    found = events({"n": 1}, {"n": 4}, {"n": 4.0})
    made = aggregate(
        found, {"type": "count"}, {"type": "count", "field": "n"}, {"type": "count_distinct", "field": "n"},
        {"type": "sum", "field": "n"}, {"type": "avg", "field": "n"}, {"type": "min", "field": "n"},
        {"type": "max", "field": "properties.n", "alias": "most"})
    assert made == {"count": 3, "count_n": 3, "count_distinct_n": 2, "sum_n": 9, "avg_n": 3.0, "min_n": 1, "most": 4}
    assert made.meta == {"exact": True, "skipped": {}}


def test_missing_values_do_not_count() -> None:
    made = aggregate(
        events({"n": 4}, {}, {"n": None}), *({"type": kind, "field": "n"} for kind in ("avg", "min", "max")))
    assert made == {"avg_n": 4.0, "min_n": 4, "max_n": 4}


def test_of_nothing_a_sum_is_zero_and_the_others_are_none() -> None:
    made = aggregate([], *({"type": kind, "field": "n"} for kind in ("sum", "avg", "min", "max", "count_distinct")))
    assert made == {"sum_n": 0, "avg_n": None, "min_n": None, "max_n": None, "count_distinct_n": 0}


def test_what_is_no_number_is_left_out_and_counted() -> None:
    found = events({"n": 4}, {"n": "5"}, {"n": True}, {"n": [1]}, {"n": math.nan})
    made = aggregate(found, {"type": "sum", "field": "n"})
    assert made == {"sum_n": 4} and made.meta["skipped"] == {"sum_n": 4}


def test_sums_are_exact_whatever_the_order() -> None:
    assert aggregate(events({"n": 1e16}, {"n": 1}, {"n": -1e16}), {"type": "sum", "field": "n"})["sum_n"] == 1
    assert aggregate(events({"n": 9007199254740993}), {"type": "sum", "field": "n"})["sum_n"] == 9007199254740993
    assert aggregate(events(*[{"n": Decimal("0.1")}] * 10), {"type": "sum", "field": "n"})["sum_n"] == 1
    great = events(*[{"n": 1.7e308}] * 3)
    assert aggregate(great, {"type": "avg", "field": "n"})["avg_n"] == 1.7e308
    with pytest.raises(ValueError, match="past the largest double"):
        aggregate(great, {"type": "sum", "field": "n"})


def test_sums_agree_with_fractions_on_random_numbers() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    source = random.Random(seed)
    for _ in range(200):
        numbers = [source.choice((source.randrange(-10**6, 10**6), source.uniform(-1e6, 1e6))) for _ in range(9)]
        exact = sum((Fraction(one) for one in numbers), Fraction())
        made = aggregate(events(*({"n": one} for one in numbers)), {"type": "sum", "field": "n"},
                         {"type": "avg", "field": "n"})
        assert made == {"sum_n": float(exact), "avg_n": float(exact / 9)}, seed


def test_amounts_in_two_currencies_are_refused() -> None:
    found = events({"amount": 10, "currency": "EUR"}, {"amount": 20.5, "currency": "USD"}, {"amount": 1},
                   {"currency": "GBP"})
    for kind in ("sum", "avg", "min", "max"):
        for field in ("amount", "properties.amount"):
            with pytest.raises(MixedCurrencies, match="amounts in EUR, USD"):
                aggregate(found, {"type": kind, "field": field})
    assert aggregate(found[:1] + found[2:], {"type": "sum", "field": "amount"}) == {"sum_amount": 11}
    assert aggregate(found, {"type": "count_distinct", "field": "amount"}) == {"count_distinct_amount": 3}


def test_values_of_another_type_are_other_values() -> None:
    found = events({"n": 1}, {"n": 1.0}, {"n": "1"}, {"n": True}, {"n": [1]}, {"n": [1]}, {})
    assert aggregate(found, {"type": "count_distinct", "field": "n"}) == {"count_distinct_n": 4}


def test_a_user_is_the_user_id_or_else_the_anonymous_id() -> None:
    ids = [("x", "d1"), (None, "d1"), (None, "x"), (None, None)]
    found = [Event("e", "a", user, None, {}, "2026-01-01", anonymous_id=anonymous) for user, anonymous in ids]
    assert aggregate(found, {"type": "count_distinct", "field": "user_id"}) == {"count_distinct_user_id": 3}
    assert aggregate(found, {"type": "count_distinct", "field": "anonymous_id"}) == {"count_distinct_anonymous_id": 2}


def test_a_bare_name_is_looked_for_in_properties_device_location_context() -> None:
    found = events({"n": 1}, device={"n": 2, "m": 3}, location={"o": 4}, context={"p": 5}, traits={"q": 6})
    names = ("n", "m", "o", "p", "q", "device.n", "traits.q")
    made = aggregate(found, *({"type": "sum", "field": name} for name in names))
    assert list(made.values()) == [1, 3, 4, 5, 0, 2, 6]


def test_times_have_a_first_and_a_last() -> None:
    texts = ("2026-01-01T01:00:00+02:00", "2026-01-01", "2026-01-02")
    found = [Event("e", "a", "u", None, {}, text) for text in texts]
    made = aggregate(found, {"type": "min", "field": "timestamp"}, {"type": "max", "field": "timestamp"})
    assert made == {"min_timestamp": "2026-01-01T01:00:00+02:00", "max_timestamp": "2026-01-02"}


@pytest.mark.parametrize("wrong, match", [
    ({"type": "median", "field": "n"}, "unknown aggregation 'median'; allowed: count, count_distinct"),
    ({"field": "n"}, "unknown aggregation None"), ({"type": "sum"}, "sum needs the name of a field"),
    ({"type": "sum", "field": "user_id"}, "user_id has no numbers"),
    ({"type": "avg", "field": "timestamp"}, "no numbers"),
    ({"type": "min", "field": "user_id"}, "no numbers"), ({"type": "sum", "field": "headers.n"}, "unknown 'headers.n'"),
])
def test_what_is_no_aggregation_is_refused(wrong: Dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        aggregate(events({"n": 1}), wrong)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two aggregations are called 'count'"):
        aggregate([], {"type": "count"}, {"type": "sum", "field": "n", "alias": "count"})


def test_a_frame_of_the_values() -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = aggregate(events({"n": 1}), {"type": "sum", "field": "n"}).to_pandas()
    assert frame.to_dict("records") == [{"sum_n": 1}]
