"""zstd, when this Python has it: `compression.zstd` (3.14) or the `zstandard` package; else batches go out raw."""

from __future__ import annotations

from typing import Callable, Optional, Tuple

from ._varint import DecodeError

_MAGIC = b"\x28\xb5\x2f\xfd"

Compress = Callable[[bytes], bytes]
Decompress = Callable[[bytes, int], Tuple[bytes, bytes]]


def _implementation() -> Tuple[Optional[Compress], Optional[Decompress]]:
    try:
        import zstandard

        # One context a call: contexts must not be shared between threads.
        def compress(data: bytes) -> bytes:
            return bytes(zstandard.ZstdCompressor(level=3, write_content_size=True).compress(data))

        def decompress(data: bytes, size_max: int) -> Tuple[bytes, bytes]:
            stream = zstandard.ZstdDecompressor().decompressobj()
            try:
                decoded = stream.decompress(data)
            except zstandard.ZstdError as error:
                raise DecodeError(f"zstd: {error}") from None
            if not stream.eof:
                raise DecodeError("zstd: truncated frame")
            return decoded, stream.unused_data

        return compress, decompress
    except ImportError:
        pass
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]

        def compress_standard(data: bytes) -> bytes:
            return bytes(zstd.compress(data, level=3))

        def decompress_standard(data: bytes, size_max: int) -> Tuple[bytes, bytes]:
            stream = zstd.ZstdDecompressor()
            try:
                decoded = stream.decompress(data, size_max + 1)
            except zstd.ZstdError as error:
                raise DecodeError(f"zstd: {error}") from None
            if not stream.eof:
                raise DecodeError("zstd: truncated frame or one that holds more than it declares")
            return decoded, stream.unused_data

        return compress_standard, decompress_standard
    except ImportError:
        return None, None


compress, _decompress = _implementation()


def declared_size(frame: bytes) -> Optional[int]:
    """The content size in a zstd frame's header (RFC 8878 §3.1.1), or None when it declares none or is no frame."""
    if frame[:4] != _MAGIC or len(frame) < 5:
        return None
    descriptor = frame[4]
    single_segment = descriptor >> 5 & 1
    width = (single_segment, 2, 4, 8)[descriptor >> 6]
    if not width:
        return None
    start = 5 + (0 if single_segment else 1) + (0, 1, 2, 4)[descriptor & 3]
    if len(frame) < start + width:
        return None
    size = int.from_bytes(frame[start : start + width], "little")
    return size + 256 if width == 2 else size


def decompress(frame: bytes, size: int) -> bytes:
    """Inflates exactly one frame that declares `size` bytes. Nothing is inflated before the declaration is checked."""
    declared = declared_size(frame)
    if declared != size:
        raise DecodeError(f"zstd frame declares {declared} bytes, the header {size}")
    if _decompress is None:
        raise DecodeError("this Python has no zstd: install the package zstandard")
    decoded, rest = _decompress(frame, size)
    if rest:
        raise DecodeError(f"{len(rest)} bytes after the zstd frame")
    if len(decoded) != size:
        raise DecodeError(f"zstd frame holds {len(decoded)} bytes, declares {size}")
    return decoded
