"""LEB128 variable-length integers and zigzag: protocol/batch.md §2."""

from __future__ import annotations

from typing import Iterable, List, Tuple

INT64_MIN = -(1 << 63)
INT64_MAX = (1 << 63) - 1
UINT64_MAX = (1 << 64) - 1


class DecodeError(ValueError):
    """Bytes that break a rule of the format."""


def varint(value: int) -> bytes:
    """One unsigned integer below 2^64."""
    if value < 0x80:
        if value < 0:
            raise ValueError(f"varint must not be negative: {value}")
        return _SHORT[value]
    if value > UINT64_MAX:
        raise ValueError(f"varint must fit 64 bits: {value}")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SHORT: List[bytes] = [bytes((value,)) for value in range(0x80)]
_TWO: List[bytes] = _SHORT + [varint(value) for value in range(0x80, 0x4000)]


def varints(values: List[int]) -> bytes:
    """Many varints, joined. The common case, all below 128, is one copy."""
    if not values:
        return b""
    highest = max(values)
    if highest < 0x80:
        return bytes(values)
    if highest < 0x4000:
        return b"".join([_TWO[value] for value in values])
    return b"".join([_TWO[value] if 0 <= value < 0x4000 else varint(value) for value in values])


def zigzag(value: int) -> int:
    """Maps a signed 64-bit integer to an unsigned one: 0, -1, 1, -2 become 0, 1, 2, 3."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise ValueError(f"integer must fit 64 bits: {value}")
    return (value << 1) ^ (value >> 63) if value >= 0 else ~(value << 1)


def zigzags(values: Iterable[int]) -> bytes:
    """Many signed integers, joined. The caller has checked that each fits 64 bits."""
    return varints([value << 1 if value >= 0 else ~(value << 1) for value in values])


def unzigzag(value: int) -> int:
    """The inverse of `zigzag`."""
    return value >> 1 if not value & 1 else ~(value >> 1)


def wrapped(value: int) -> int:
    """`value` modulo 2^64, as a signed integer."""
    return (value - INT64_MIN & UINT64_MAX) + INT64_MIN


def read_varint(data: bytes, offset: int) -> Tuple[int, int]:
    """The value at `offset`, and the offset behind it. Fails past ten bytes or 64 bits."""
    value = shift = 0
    try:
        while True:
            byte = data[offset]
            offset += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                raise DecodeError(f"varint longer than ten bytes before offset {offset}")
    except IndexError:
        raise DecodeError(f"truncated varint at offset {offset}") from None
    if value > UINT64_MAX:
        raise DecodeError(f"varint over 64 bits before offset {offset}")
    return value, offset


def read_varints(data: bytes, offset: int, count: int) -> Tuple[List[int], int]:
    """`count` varints from `offset` on."""
    if count > len(data) - offset:
        raise DecodeError(f"truncated: {count} varints at offset {offset}")
    values: List[int] = []
    for _ in range(count):
        value, offset = read_varint(data, offset)
        values.append(value)
    return values, offset
