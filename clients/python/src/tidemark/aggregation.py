"""Counts, sums and extremes of events that the application holds, by the rules of queryd (docs/questions.md §2)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from .answers import Answer
from .errors import MixedCurrencies
from .events import Event, instant

_TYPES = ("count", "count_distinct", "sum", "avg", "min", "max")
_COLUMNS = ("event_type", "user_id", "anonymous_id", "session_id", "group_key", "timestamp", "received_at", "event_id")
_TIMES = ("timestamp", "received_at")
_SCOPES = ("properties", "device", "location", "context", "traits")
_INT64 = range(-(1 << 63), 1 << 63)

Number = Union[int, float, Decimal, Fraction]


class AggregationEngine:
    """Aggregates lists of events in this process."""

    def __init__(self, config: Optional[Mapping[str, Any]] = None) -> None:
        self.config = {} if config is None else config

    async def aggregate(self, events: Sequence[Event], aggregations: Sequence[Mapping[str, Any]]) -> Answer:
        """One value for each aggregation: `{"type", "field", "alias"}`, the last two not always needed.

        Types: count, count_distinct, sum, avg, min, max. Fields as in questions: `properties.amount`, `user_id`, or a
        bare name. Events without the value are left out; of none, a sum is 0 and avg, min, max are None. Values that
        are no numbers are left out and counted in `meta["skipped"]`. Sums are exact and rounded once at the end.

        Raises ValueError for what is no aggregation, MixedCurrencies for amounts in more than one currency.
        """
        values: Dict[str, Any] = {}
        skipped: Dict[str, int] = {}
        for aggregation in aggregations:
            kind, field, alias = _checked(aggregation)
            if alias in values:
                raise ValueError(f"two aggregations are called {alias!r}")
            values[alias], count = _value(events, kind, field)
            if count:
                skipped[alias] = count
        return Answer(values, {"exact": True, "skipped": skipped})


def _checked(aggregation: Mapping[str, Any]) -> Tuple[str, str, str]:
    """Type, field and alias."""
    kind = aggregation.get("type")
    if kind not in _TYPES:
        raise ValueError(f"type: unknown aggregation {kind!r}; allowed: {', '.join(_TYPES)}")
    field = aggregation.get("field")
    if not isinstance(field, str) and not (kind == "count" and field is None):
        raise ValueError(f"field: {kind} needs the name of a field")
    if kind in ("sum", "avg") and field in _COLUMNS or kind in ("min", "max") and field in set(_COLUMNS) - set(_TIMES):
        raise ValueError(f"field: {field} has no numbers")
    alias = aggregation.get("alias") or (kind if field is None else f"{kind}_{field}")
    return str(kind), field or "", str(alias)


def _value(events: Sequence[Event], kind: str, field: str) -> Tuple[Any, int]:
    """The aggregation's value, and how many values were no numbers."""
    if kind == "count":
        return len(events), 0
    if kind == "count_distinct":
        return len(set(_keys(events, field))), 0
    present = [value for value in (value_of(event, field) for event in events) if value is not None]
    if field in _TIMES:
        return _extreme_time(present, kind), 0
    _check_currencies(events, field)
    numbers = [value for value in present if _is_number(value)]
    return _of_numbers(numbers, kind), len(present) - len(numbers)


def value_of(event: Event, field: str) -> Any:
    """The event's value; None if it has none. A bare name is looked for in properties, device, location, context."""
    if field in _COLUMNS:
        return getattr(event, field)
    scope, dot, name = field.partition(".")
    if dot:
        if scope not in _SCOPES:
            allowed = ", ".join(_COLUMNS + tuple(f"{one}.…" for one in _SCOPES))
            raise ValueError(f"field: unknown {field!r}; allowed: {allowed}, or a name without a dot")
        return getattr(event, scope).get(name)
    for place in _SCOPES[:4]:
        if field in getattr(event, place):
            return getattr(event, place)[field]
    return None


def _keys(events: Iterable[Event], field: str) -> Iterable[Any]:
    """What makes values equal: 1 and 1.0 are, 1 and "1" or True are not."""
    for event in events:
        if field == "user_id":
            # The person: a user id and an anonymous id of the same text are two.
            if event.user_id is not None or event.anonymous_id is not None:
                yield (True, event.user_id) if event.user_id is not None else (False, event.anonymous_id)
            continue
        value = value_of(event, field)
        if value is not None:
            yield "number" if _is_number(value) else type(value).__name__, value if _is_hashable(value) else repr(value)


def _is_hashable(value: Any) -> bool:
    return not isinstance(value, (list, dict))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return False
    return isinstance(value, int) or value == value and abs(value) != float("inf")


def _check_currencies(events: Sequence[Event], field: str) -> None:
    if field not in ("amount", "properties.amount"):
        return
    currencies = {str(event.properties["currency"]) for event in events
                  if event.properties.get("currency") is not None and _is_number(value_of(event, field))}
    if len(currencies) > 1:
        raise MixedCurrencies(f"amounts in {', '.join(sorted(currencies))}: aggregate the events of one currency")


def _of_numbers(numbers: List[Number], kind: str) -> Optional[Number]:
    if kind == "min" or kind == "max":
        return None if not numbers else min(numbers) if kind == "min" else max(numbers)
    total = sum((Fraction(number) for number in numbers), Fraction())
    if kind == "avg":
        return float(total / len(numbers)) if numbers else None
    if total.denominator == 1 and total.numerator in _INT64:
        return total.numerator
    try:
        return float(total)
    except OverflowError:
        raise ValueError("the sum is past the largest double") from None


def _extreme_time(texts: List[str], kind: str) -> Optional[str]:
    return None if not texts else min(texts, key=instant) if kind == "min" else max(texts, key=instant)
