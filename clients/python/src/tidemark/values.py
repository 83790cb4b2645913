"""What an event's property may be, and how Python's values become the five types of protocol/batch.md §6.

| Python | batch |
|---|---|
| bool | bool |
| int within 64 bits | int64; beyond, JSON text |
| float | float64; NaN and infinities raise ValueError |
| Decimal | float64 if that float prints the same number (19.99 does), else its text as a string |
| str | string |
| datetime, date | string, ISO 8601; an aware datetime is told in UTC with `Z`, a naive one without offset |
| None | JSON `null` |
| list, tuple, dict with str keys | JSON text, a snapshot |
"""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Dict, Mapping, NoReturn, Optional, Tuple, Union

from ._varint import INT64_MAX, INT64_MIN

NAME_BYTES_MAX = 255
STRING_BYTES_MAX = 1 << 20


class Json:
    """A value that stands in the batch as JSON text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """Raises ValueError when `text` is not one valid JSON text."""
        check_json(text)
        self.text = text

    @classmethod
    def of(cls, value: Any) -> "Json":
        """The compact JSON text of `value`; keys keep their order."""
        made = cls.__new__(cls)
        made.text = _dumps(value)
        return made

    @classmethod
    def checked(cls, text: str) -> "Json":
        """Wraps a text that is known to be valid."""
        made = cls.__new__(cls)
        made.text = text
        return made

    @property
    def value(self) -> Any:
        return json.loads(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Json) and other.text == self.text

    def __hash__(self) -> int:
        return hash((Json, self.text))

    def __repr__(self) -> str:
        return f"Json({self.text!r})"


Value = Union[bool, int, float, str, Json]
"""A value as it stands in a batch; an int fits 64 bits, a float is finite."""

_NULL = Json.checked("null")


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Numbers stay text: only the syntax matters, and long ones must not cost.
_STRICT = json.JSONDecoder(parse_constant=_not_json, parse_int=str, parse_float=str)


def check_json(text: str) -> None:
    """Raises ValueError unless `text` is one valid JSON text (RFC 8259)."""
    try:
        _STRICT.decode(text)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None


def _check_keys(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys of a dict must be str, not {type(key).__name__}")
            _check_keys(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_keys(inner)


def _nested(value: Any) -> Any:
    plain = normalized(value)
    return plain.value if isinstance(plain, Json) else plain


def _dumps(value: Any) -> str:
    try:
        _check_keys(value)
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_nested)
    except RecursionError:
        raise ValueError("value nested too deep or contains itself") from None


def _decimal(value: Decimal) -> Value:
    if not value.is_finite():
        raise ValueError(f"number must be finite: {value}")
    near = float(value)
    if math.isfinite(near) and Decimal(repr(near)) == value:
        return near
    return str(value)


def _datetime(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def normalized(value: Any) -> Value:
    """The batch's value for a Python one. Raises TypeError for a type outside the table, ValueError for NaN."""
    kind = type(value)
    if kind is str or kind is bool or kind is Json:
        return value  # type: ignore[no-any-return]
    if value is None:
        return _NULL
    if isinstance(value, int):
        whole = int(value)
        return whole if INT64_MIN <= whole <= INT64_MAX else Json.of(whole)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"number must be finite: {value}")
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (list, tuple, dict)):
        return Json.of(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, datetime):
        return _datetime(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot send a value of type {kind.__name__}")


def utf8_count(text: str, what: str) -> int:
    """Bytes of `text` in UTF-8. Raises ValueError for lone surrogates."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} is not valid Unicode (a lone surrogate)") from None


def normalized_values(values: Optional[Mapping[str, Any]], what: str) -> Tuple[Dict[str, Value], int]:
    """A snapshot of `values` with the batch's types, and about how many bytes it takes."""
    if values is None:
        return {}, 0
    if not isinstance(values, Mapping):
        raise TypeError(f"{what} must be a mapping, not {type(values).__name__}")
    plain: Dict[str, Value] = {}
    size = 0
    for name, value in values.items():
        if type(name) is not str:
            if not isinstance(name, str):
                raise TypeError(f"names in {what} must be str, not {type(name).__name__}")
            name = str.__str__(name)
        count = utf8_count(name, f"a name in {what}")
        if not 0 < count <= NAME_BYTES_MAX:
            raise ValueError(f"names in {what} must be 1 to {NAME_BYTES_MAX} bytes, not {count}")
        try:
            made = normalized(value)
        except TypeError as error:
            raise TypeError(f"{what}[{name!r}]: {error}") from None
        except ValueError as error:
            raise ValueError(f"{what}[{name!r}]: {error}") from None
        plain[name] = made
        size += count + 10
        text = made if type(made) is str else made.text if type(made) is Json else None
        if text is not None:
            count = utf8_count(text, f"{what}[{name!r}]")
            if count > STRING_BYTES_MAX:
                raise ValueError(f"{what}[{name!r}] takes {count} bytes, at most {STRING_BYTES_MAX}")
            size += count
    return plain, size
