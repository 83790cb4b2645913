"""Calls to queryd: connections, errors, and the wait for this process's own events."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from collector import Act, Collector
from queryd import TOKEN, Queryd, Reply, Request, error

from tidemark import _delivery
from tidemark._api import QueryAPI
from tidemark.errors import AnswerBehind, ConfigError, NotAcknowledged, QuestionRefused, TokenError, Unreachable
from tidemark.tracker import EventTracker

COUNT = {"kind": "aggregate", "metrics": ["count"]}
Config = Dict[str, Any]


@pytest.fixture
def api(config: Config, queryd: Queryd) -> QueryAPI:
    queryd.answers["aggregate"] = {"rows": [{"count": 1}], "columns": ["count"]}
    return QueryAPI(config)


def ask(api: QueryAPI) -> Any:
    return asyncio.run(api.ask(COUNT))


def test_a_call_carries_token_project_and_question(api: QueryAPI, config: Config, queryd: Queryd) -> None:
    assert ask(api)["rows"] == [{"count": 1}]
    (request,) = queryd.requests
    assert (request.method, request.path, request.body, request.parameters) == ("POST", "/v1/query", COUNT, {})
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    config["query"]["project"] = "shop"
    ask(QueryAPI(config))
    assert queryd.requests[-1].parameters == {"project": "shop"}


def test_a_connection_is_used_again(api: QueryAPI, queryd: Queryd) -> None:
    for _ in range(5):
        ask(api)
    assert queryd.connection_count == 1


def test_coroutines_ask_at_the_same_time(api: QueryAPI, queryd: Queryd) -> None:
    met = threading.Barrier(3, timeout=5)
    queryd.script = lambda request: (met.wait(), None)[1]

    async def three() -> List[Any]:
        return list(await asyncio.gather(*(api.ask(COUNT) for _ in range(3))))

    assert len(asyncio.run(three())) == 3 and queryd.connection_count == 3


def test_a_connection_that_was_closed_while_idle_is_replaced(api: QueryAPI, queryd: Queryd) -> None:
    queryd.script = lambda request: Reply(200, {"rows": [], "meta": {}}, cut_after=True)
    # Without `Connection: close` the client cannot know.
    for _ in range(3):
        ask(api)
    assert queryd.connection_count == 3


def test_a_request_that_creates_is_never_repeated(api: QueryAPI, queryd: Queryd) -> None:
    ask(api)
    queryd.script = lambda request: Reply(None)
    with pytest.raises(Unreachable):
        asyncio.run(api.call("POST", "/v1/dashboards", {"name": "a", "widgets": []}))
    assert [request.path for request in queryd.requests] == ["/v1/query", "/v1/dashboards"]


def test_a_forked_child_takes_connections_of_its_own(api: QueryAPI, queryd: Queryd,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    ask(api)
    monkeypatch.setattr("tidemark._http.os.getpid", lambda: 5)
    ask(api)
    assert queryd.connection_count == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_asks_with_threads_of_its_own(api: QueryAPI, queryd: Queryd) -> None:
    ask(api)
    child = os.fork()
    if child == 0:
        try:
            ask(api)
            os._exit(0)
        finally:
            os._exit(1)
    deadline = time.monotonic() + 10
    done, status = os.waitpid(child, os.WNOHANG)
    while done == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
        done, status = os.waitpid(child, os.WNOHANG)
    if done == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert (done, status) == (child, 0) and queryd.connection_count == 2


def test_an_error_of_queryd_says_code_place_and_what_is_allowed(api: QueryAPI, queryd: Queryd) -> None:
    queryd.script = lambda request: error(
        400, "invalid_query", 'unknown operator "equals"', path="filters.op", allowed=["eq", "ne"])
    with pytest.raises(QuestionRefused) as caught:
        ask(api)
    refused = caught.value
    assert (refused.status, refused.code, refused.path, refused.allowed) == (
        400, "invalid_query", "filters.op", ["eq", "ne"])
    assert str(refused) == 'invalid_query: filters.op: unknown operator "equals"; allowed: eq, ne'


def test_a_wrong_token_is_refused(config: Config) -> None:
    config["query"]["token"] = "tdm_other"
    with pytest.raises(QuestionRefused, match="unauthorized"):
        ask(QueryAPI(config))


def test_a_missing_token_fails_the_first_question(config: Config, tmp_path: Path) -> None:
    api = QueryAPI({"query": {"url": config["query"]["url"], "data": str(tmp_path)}})
    with pytest.raises(TokenError, match="query.token does not exist"):
        ask(api)


@pytest.mark.parametrize("reply", [
    Reply(200, raw=b"<html>"), Reply(200, [1]), Reply(204),
    Reply(404, raw=b"not here"), Reply(302, {}), Reply(500, {"error": "x"}), Reply(None)])
def test_what_is_no_answer_of_queryd_is_told(api: QueryAPI, queryd: Queryd, reply: Reply) -> None:
    queryd.script = lambda request: reply
    with pytest.raises(Unreachable, match=queryd.url):
        ask(api)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match="is queryd running there"):
            ask(QueryAPI({"query": {"url": url, "token": "t"}}))


def test_an_answer_that_does_not_come_is_given_up(api: QueryAPI, queryd: Queryd) -> None:
    over = threading.Event()
    queryd.script = lambda request: (over.wait(5), None)[1]
    api._http  # Makes the client.
    object.__setattr__(api._place, "timeout_seconds", 0.1)
    try:
        with pytest.raises(Unreachable, match="no answer within 0.1 s"):
            ask(api)
    finally:
        over.set()


def test_a_cancelled_question_is_cut(api: QueryAPI, queryd: Queryd) -> None:
    came, over = threading.Event(), threading.Event()

    def script(request: Request) -> None:
        came.set()
        over.wait(5)

    queryd.script = script

    async def cancel() -> None:
        task = asyncio.create_task(api.ask(COUNT))
        await asyncio.to_thread(came.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = time.monotonic()
    # `asyncio.run` waits for the worker thread: it ends because its connection is cut.
    asyncio.run(cancel())
    assert time.monotonic() - started < 3
    over.set()
    assert len(queryd.requests) == 1


def test_many_questions_leave_the_loops_own_threads_alone(api: QueryAPI, queryd: Queryd, config: Config,
                                                          collector: Collector) -> None:
    came, over = threading.Event(), threading.Event()
    collector.script = lambda frame: Act(store=False, answer=False)

    def script(request: Request) -> None:
        came.set()
        over.wait(5)

    queryd.script = script

    async def scenario() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        asked = [asyncio.create_task(api.ask(COUNT))]
        tracker = EventTracker(config)
        try:
            while not came.is_set():
                await asyncio.sleep(0.01)
            # One waits for its answer, others until an event is acknowledged.
            await tracker.track_click("u", "b", "button")
            asked += [asyncio.create_task(api.ask(COUNT)) for _ in range(50)]
            flush = asyncio.create_task(tracker.flush(60))
            await asyncio.sleep(0.05)
            assert await asyncio.wait_for(asyncio.to_thread(lambda: 5), 1) == 5
        finally:
            over.set()
            for task in (*asked, flush):
                task.cancel()
            await asyncio.gather(*asked, flush, return_exceptions=True)
            await tracker.close(0.1)

    started = time.monotonic()
    asyncio.run(scenario())
    assert time.monotonic() - started < 4


def test_a_client_that_the_application_closed_holds_no_question_up(api: QueryAPI, config: Config,
                                                                   collector: Collector) -> None:
    collector.script = lambda frame: Act(store=False, answer=False)

    async def scenario() -> None:
        tracker = EventTracker(config)
        await tracker.track_click("u", "b", "button")
        assert not await asyncio.to_thread(tracker.client.close, 0.1)
        assert (await api.ask(COUNT))["rows"] == [{"count": 1}]
        await tracker.close(0.1)

    asyncio.run(scenario())


def test_an_answer_that_comes_before_the_question_is_sent_is_heard(config: Config) -> None:
    """As of a queryd that takes no question of that size, and says so at once."""
    told = json.dumps({"error": {"code": "too_large", "message": "at most 1 MiB"}}).encode()

    def answer() -> None:
        link, _ = server.accept()
        with link:
            link.recv(1 << 10)
            link.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
            link.shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        api = QueryAPI({"query": {"url": f"http://127.0.0.1:{server.getsockname()[1]}", "token": TOKEN}})
        with pytest.raises(QuestionRefused, match="too_large: at most 1 MiB"):
            asyncio.run(api.ask({**COUNT, "filters": {"a": "x" * (32 << 20)}}))
        thread.join()


def test_a_machine_that_does_not_answer_is_given_up_early(api: QueryAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        full = [socket.socket() for _ in range(3)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(address)
        monkeypatch.setattr("tidemark._http._CONNECT_SECONDS", 0.2)
        deaf_api = QueryAPI({"query": {"url": f"http://127.0.0.1:{address[1]}", "token": TOKEN}})
        with pytest.raises(Unreachable, match="no connection within 0.2 s"):
            ask(deaf_api)
        for one in full:
            one.close()


def test_connections_of_a_forgotten_engine_are_closed(config: Config, queryd: Queryd) -> None:
    queryd.answers["aggregate"] = {"rows": []}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ask(QueryAPI(config))
        gc.collect()
    assert [str(one.message) for one in caught if one.category is ResourceWarning] == []


# TLS.


@pytest.fixture
def certificate(tmp_path: Path) -> Iterator[str]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    file = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "certificate.pem")],
        check=True, capture_output=True)
    file.write_text(file.read_text() + (tmp_path / "certificate.pem").read_text())
    yield str(file)


def test_tls_with_an_authority_that_is_named(certificate: str, config: Config) -> None:
    with Queryd(certificate=certificate) as secure:
        secure.answers["aggregate"] = {"rows": []}
        config["query"].update(url=secure.url, ca_file=certificate)
        assert ask(QueryAPI(config))["rows"] == []
        del config["query"]["ca_file"]
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED.*query.ca_file the certificate's"):
            ask(QueryAPI(config))


@pytest.mark.parametrize("file", ["missing.pem", "."])
def test_an_authority_that_cannot_be_read_is_told(file: str, config: Config, tmp_path: Path) -> None:
    config["query"].update(url="https://127.0.0.1:1", ca_file=str(tmp_path / file))
    with pytest.raises(ConfigError, match="query.ca_file: .* cannot be used"):
        ask(QueryAPI(config))


# Own events are in the answer.


def test_a_question_waits_until_own_events_are_acknowledged(api: QueryAPI, config: Config, collector: Collector,
                                                            queryd: Queryd) -> None:
    stored: List[int] = []
    queryd.script = lambda request: stored.append(len(collector.stored))

    async def scenario() -> None:
        async with EventTracker({**config, "flush_interval": 60}) as tracker:
            for _ in range(3):
                await tracker.track_click("u", "b", "button")
            await api.ask(COUNT)

    asyncio.run(scenario())
    assert stored == [3]


def test_a_question_is_repeated_while_its_answer_is_behind(api: QueryAPI, config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        async with EventTracker(config) as tracker:
            await tracker.track_click("u", "b", "button")
            queryd.behind_left = 3
            answer = await api.ask(COUNT)
            assert "behind" not in answer["meta"] and len(queryd.questions) == 4
            # Nothing new was tracked: that others are behind is no reason to wait.
            queryd.behind_left = 1
            answer = await api.ask(COUNT)
            assert answer["meta"]["behind"]["records"] == 3 and len(queryd.questions) == 5

    asyncio.run(scenario())


def test_a_process_that_tracks_nothing_does_not_wait(api: QueryAPI, queryd: Queryd,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_delivery, "acked", lambda: 0)
    queryd.behind_left = 1
    assert "behind" in ask(api)["meta"] and len(queryd.questions) == 1


def test_a_tracker_that_is_closed_counts_on(api: QueryAPI, config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        async with EventTracker(config) as tracker:
            await tracker.track_click("u", "b", "button")
        del tracker
        queryd.behind_left = 2
        assert "behind" not in (await api.ask(COUNT))["meta"]

    asyncio.run(scenario())


def test_an_answer_that_stays_behind_is_an_error(config: Config, queryd: Queryd) -> None:
    queryd.answers["aggregate"] = {"rows": []}
    config["query"]["wait"] = "300ms"

    async def scenario() -> None:
        async with EventTracker(config) as tracker:
            await tracker.track_click("u", "b", "button")
            queryd.behind_left = 1_000
            with pytest.raises(AnswerBehind, match="behind by 3 records, catching up"):
                await QueryAPI(config).ask(COUNT)

    asyncio.run(scenario())


def test_events_that_do_not_arrive_are_an_error_unless_nobody_waits(config: Config, collector: Collector,
                                                                    queryd: Queryd) -> None:
    queryd.answers["aggregate"] = {"rows": []}
    collector.script = lambda frame: Act(store=False, answer=False)
    config["query"]["wait"] = 0.2

    async def scenario() -> None:
        tracker = EventTracker(config)
        await tracker.track_click("u", "b", "button")
        with pytest.raises(NotAcknowledged, match="1 events of this process are not acknowledged after 0.2 s"):
            await QueryAPI(config).ask(COUNT)
        config["query"]["wait"] = 0
        assert (await QueryAPI(config).ask(COUNT))["rows"] == []
        await tracker.close(0.1)

    asyncio.run(scenario())
