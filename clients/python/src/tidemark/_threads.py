"""Worker threads for calls that wait for queryd.

They are not the loop's own: those look up names for the application, which must not wait behind questions.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Optional, TypeVar

Result = TypeVar("Result")

THREADS_MAX = 32
"""Calls at the same time; more wait for their turn."""

_lock = threading.Lock()
_pool: Optional[ThreadPoolExecutor] = None


async def in_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """What the function returns, called in a thread. When cancelled, a call that runs goes on."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), functools.partial(function, *arguments))


def _threads() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="tidemark-query")
        return _pool


def _after_fork_in_child() -> None:
    # The threads are the parent's.
    global _lock, _pool
    _lock = threading.Lock()
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
