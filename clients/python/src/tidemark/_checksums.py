"""CRC32C (frames) and XXH64 (fingerprints of batches), pure Python with faster libraries when they are installed."""

from __future__ import annotations

import struct
from typing import Callable, List

_MASK = (1 << 64) - 1
_PRIME_1 = 0x9E3779B185EBCA87
_PRIME_2 = 0xC2B2AE3D27D4EB4F
_PRIME_3 = 0x165667B19E3779F9
_PRIME_4 = 0x85EBCA77C2B2AE63
_PRIME_5 = 0x27D4EB2F165667C5


def _crc32c_tables() -> List[List[int]]:
    first = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        first.append(value)
    tables = [first]
    for _ in range(3):
        tables.append([value >> 8 ^ first[value & 0xFF] for value in tables[-1]])
    return tables


_TABLE_0, _TABLE_1, _TABLE_2, _TABLE_3 = _crc32c_tables()


def crc32c_pure(data: bytes) -> int:
    """CRC32C (Castagnoli), four bytes a step."""
    zero, one, two, three = _TABLE_0, _TABLE_1, _TABLE_2, _TABLE_3
    crc = 0xFFFFFFFF
    whole = len(data) & ~3
    for word in struct.unpack_from(f"<{whole >> 2}I", data):
        crc ^= word
        crc = three[crc & 0xFF] ^ two[crc >> 8 & 0xFF] ^ one[crc >> 16 & 0xFF] ^ zero[crc >> 24]
    for byte in data[whole:]:
        crc = zero[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * _PRIME_2) & _MASK, 31) * _PRIME_1 & _MASK


def xxh64_pure(data: bytes) -> int:
    """XXH64 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md)."""
    count = len(data)
    offset = 0
    if count >= 32:
        offset = count & ~31
        lanes = [(_PRIME_1 + _PRIME_2) & _MASK, _PRIME_2, 0, -_PRIME_1 & _MASK]
        a, b, c, d = lanes
        for w, x, y, z in struct.iter_unpack("<4Q", data[:offset]):
            a, b, c, d = _round(a, w), _round(b, x), _round(c, y), _round(d, z)
        result = (_rotate(a, 1) + _rotate(b, 7) + _rotate(c, 12) + _rotate(d, 18)) & _MASK
        for lane in (a, b, c, d):
            result = ((result ^ _round(0, lane)) * _PRIME_1 + _PRIME_4) & _MASK
    else:
        result = _PRIME_5
    result = (result + count) & _MASK
    while offset + 8 <= count:
        (word,) = struct.unpack_from("<Q", data, offset)
        result = (_rotate(result ^ _round(0, word), 27) * _PRIME_1 + _PRIME_4) & _MASK
        offset += 8
    if offset + 4 <= count:
        (word,) = struct.unpack_from("<I", data, offset)
        result = (_rotate(result ^ word * _PRIME_1 & _MASK, 23) * _PRIME_2 + _PRIME_3) & _MASK
        offset += 4
    for byte in data[offset:]:
        result = _rotate(result ^ byte * _PRIME_5 & _MASK, 11) * _PRIME_1 & _MASK
    result = (result ^ result >> 33) * _PRIME_2 & _MASK
    result = (result ^ result >> 29) * _PRIME_3 & _MASK
    return result ^ result >> 32


def _fastest_crc32c() -> Callable[[bytes], int]:
    try:
        import google_crc32c

        if google_crc32c.implementation == "c":
            return lambda data: int(google_crc32c.value(bytes(data)))
    except ImportError:
        pass
    try:
        import crc32c as library

        return lambda data: int(library.crc32c(data))
    except (ImportError, AttributeError):
        return crc32c_pure


def _fastest_xxh64() -> Callable[[bytes], int]:
    try:
        import xxhash

        return lambda data: int(xxhash.xxh64_intdigest(data))
    except ImportError:
        return xxh64_pure


crc32c: Callable[[bytes], int] = _fastest_crc32c()
xxh64: Callable[[bytes], int] = _fastest_xxh64()
