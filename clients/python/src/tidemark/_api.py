"""queryd's API for coroutines: each call runs in a worker thread, and sees what this process has tracked before."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import Any, Dict, Iterator, Mapping, Optional
from urllib.parse import quote

from . import _delivery
from ._http import Call, HTTPClient, Reply
from ._places import QueryPlace, query_place
from ._threads import in_thread
from .errors import AnswerBehind, Unreachable

_PAUSE_MIN_SECONDS = 0.02
_PAUSE_MAX_SECONDS = 1.0


class QueryAPI:
    """Speaks to one queryd. Where it is, is looked up with the first call."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._acked_and_seen = 0
        """Of the events acknowledged to this process, how many were in a complete answer."""

    @functools.cached_property
    def _place(self) -> QueryPlace:
        return query_place(self._config)

    @functools.cached_property
    def _http(self) -> HTTPClient:
        return HTTPClient(self._place)

    async def call(self, method: str, path: str, body: Any = None, parameters: Optional[Mapping[str, Any]] = None,
                   headers: Optional[Mapping[str, str]] = None) -> Reply:
        """One call. When the coroutine is cancelled the connection is cut, and queryd drops the question."""
        call = Call()
        try:
            return await in_thread(self._http.call, method, path, body, parameters, headers, call)
        except asyncio.CancelledError:
            call.give_up()
            raise

    async def ask(self, question: Mapping[str, Any]) -> Dict[str, Any]:
        """The answer to a question, with what this process has tracked before."""
        body = (await self.fresh("POST", "/v1/query", question)).body
        if not isinstance(body, dict):
            raise Unreachable(f"{self._place.url}: a {type(body).__name__} is no answer of queryd")
        return body

    async def fresh(self, method: str, path: str, body: Any = None,
                    parameters: Optional[Mapping[str, Any]] = None) -> Reply:
        """A call whose answer holds every event that this process had tracked.

        Waits for the collector's acknowledgements, then asks again while the answer says that it is behind, both
        together for `query.wait` at most. Raises NotAcknowledged or AnswerBehind. An answer that is behind only with
        what others have sent is good.
        """
        wait = self._place.wait_seconds
        if wait == 0:
            return await self.call(method, path, body, parameters)
        deadline = time.monotonic() + wait
        await _delivery.flush_all(wait)
        acked = _delivery.acked()
        pause = _PAUSE_MIN_SECONDS
        while True:
            reply = await self.call(method, path, body, parameters)
            behind = next(_behind(reply.body), None)
            if behind is None:
                self._acked_and_seen = acked
                return reply
            if self._acked_and_seen == acked:
                return reply
            if time.monotonic() + pause > deadline:
                raise AnswerBehind(f"events of this process may be missing after {wait:g} s: the answer is behind by "
                                   f"{behind.get('records')} records, {behind.get('reason')}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_MAX_SECONDS)


def _behind(body: Any) -> Iterator[Mapping[str, Any]]:
    """What an answer, or a part of it, lacks."""
    if isinstance(body, dict):
        meta = body.get("meta")
        if isinstance(meta, dict) and meta.get("behind"):
            yield meta["behind"]
        for widget in body.get("widgets") or ():
            yield from _behind(widget)


def segment(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")
