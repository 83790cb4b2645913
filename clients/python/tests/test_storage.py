"""Events in and out, and their shape."""

from __future__ import annotations

import asyncio
from typing import Any, Dict, Optional

import pytest
from collector import Act, Collector
from queryd import Queryd

import tidemark
from tidemark import storage as storage_module
from tidemark.engine import AnalyticsEngine
from tidemark.errors import NotAcknowledged
from tidemark.events import Event, UserSession, instant
from tidemark.storage import EventStorage
from tidemark.tracker import EventTracker

Config = Dict[str, Any]


def event(number: int, **fields: Any) -> Event:
    values = {"event_id": f"evt_{number:032x}", "event_type": "tick", "user_id": "u", "session_id": None,
              "properties": {"n": number}, "timestamp": f"2026-03-20T12:00:{number:02d}", **fields}
    return Event(**values)


def test_what_is_stored_comes_back(config: Config, collector: Collector) -> None:
    async def scenario() -> None:
        storage = EventStorage(config)
        sent = [event(1, session_id="s", device={"os": "Linux"}, location={"country": "DE"}, context={"a": [1, None]}),
                event(2, user_id=None, anonymous_id="d", timestamp="2026-03-20T13:00:02.25+01:00", group_key="acme"),
                event(3, event_type="tock", timestamp="2026-03-20T12:00:03Z")]
        await storage.store_events(sent)
        assert len(collector.stored) == 3  # It returned after the acknowledgement.
        back = await storage.get_events()
        for one, other in zip(sent, back):
            assert instant(one.timestamp) == instant(other.timestamp)
            assert other.timestamp.endswith("Z") and other.received_at is not None
            shown = {**other.to_dict(), "timestamp": one.timestamp, "received_at": None}
            assert shown == one.to_dict()
        assert [one.event_id for one in await storage.get_user_events("u")] == [sent[0].event_id, sent[2].event_id]
        assert [one.user_id for one in await storage.get_events(user_id="d")] == [None]
        assert [one.event_id for one in await storage.get_events(event_type="tock")] == [sent[2].event_id]
        session = await storage.get_session("s")
        assert session == UserSession("s", "u", back[0].timestamp, back[0].timestamp, [back[0]], {})
        assert await storage.get_session("none") is None
        assert await storage.close(5)

    asyncio.run(scenario())


def test_the_question_says_what_is_wanted(config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        storage = EventStorage(config)
        await storage.get_events("u", "click", "30_days_ago", "today", filters={"page": "/"}, time_zone="Asia/Kolkata")
        await storage.get_events(end_date="today", limit=7)

    asyncio.run(scenario())
    first, second = queryd.questions
    assert first == {
        "kind": "events", "order": "asc", "limit": 10_000, "time_zone": "Asia/Kolkata",
        "filters": {"and": [{"user_id": "u", "event_type": "click"}, {"page": "/"}]},
        "date_range": {"start": "30_days_ago", "end": "today"}}
    assert second == {"kind": "events", "order": "asc", "limit": 7, "date_range": {"end": "today"}}


def test_all_pages_are_read_and_no_more_than_wanted(config: Config, queryd: Queryd,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "_PAGE_EVENTS", 4)

    async def scenario() -> None:
        storage = EventStorage(config)
        await storage.store_events([event(number) for number in range(10)])
        assert [one.properties["n"] for one in await storage.get_events()] == list(range(10))
        assert [question["limit"] for question in queryd.questions] == [4, 4, 4]
        found = await storage.get_events(limit=6)
        assert [one.properties["n"] for one in found] == list(range(6)) and found.meta["exact"]
        assert [question["limit"] for question in queryd.questions[3:]] == [4, 2]
        await storage.close(5)

    asyncio.run(scenario())


def test_events_that_are_not_acknowledged_in_time_are_an_error(config: Config, collector: Collector) -> None:
    collector.script = lambda frame: Act(store=False, answer=False)

    async def scenario() -> None:
        storage = EventStorage(config)
        with pytest.raises(NotAcknowledged, match="1 events are not all acknowledged after 0.1 s"):
            await storage.store_events([event(1)], timeout=0.1)
        await storage.close(0.1)

    asyncio.run(scenario())


def test_more_events_than_the_queue_holds_are_all_stored(config: Config, collector: Collector) -> None:
    async def scenario() -> None:
        client = tidemark.Client(port=collector.port, token="t", project="shop", queue_events_max=10)
        async with EventTracker(config, client=client) as tracker:
            await tracker.storage.store_events([event(number) for number in range(55)])
            assert len(collector.stored) == 55 and client.stats().skipped == 0

    asyncio.run(scenario())


def test_a_loop_turns_while_many_events_are_stored(config: Config, collector: Collector) -> None:
    async def scenario() -> int:
        storage = EventStorage(config)
        task = asyncio.create_task(storage.store_events([event(number) for number in range(60)] * 500))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        await task
        await storage.close()
        return turns

    assert asyncio.run(scenario()) > 30, "others have had their turns meanwhile"


def test_events_that_are_dropped_are_an_error(config: Config) -> None:
    async def scenario() -> None:
        storage = EventStorage(config)
        await storage.store_events([event(1)])
        await storage.close()
        with pytest.raises(NotAcknowledged, match="1 events were dropped"):
            await storage.store_events([event(2)])

    asyncio.run(scenario())


@pytest.mark.parametrize("within", [None, "storage", "analytics", "tracking"])
def test_addresses_are_cut_in_what_is_stored(config: Config, collector: Collector, within: Optional[str]) -> None:
    privacy: Config = {"privacy": {"anonymize_ip": True}}
    sections = {**config, **(privacy if within is None else {within: {**privacy, **config}})}
    asyncio.run(EventStorage(sections).store_events([event(1, context={"ip": "203.0.113.77"})]))
    (stored,) = collector.stored
    assert stored.context == {"ip": "203.0.113.0"}


def test_who_only_asks_needs_no_setting_of_trackers(config: Config, queryd: Queryd) -> None:
    config["privacy"] = {"hash_user_id": True}
    assert asyncio.run(AnalyticsEngine(config).get_user_metrics("u"))["total_events"] == 0


@pytest.mark.parametrize("wrong", [{"event_id": "x"}, {"user_id": None}, {"timestamp": "soon"}, {"traits": {"a": 1}},
                                   {"event_type": "$reset"}])
def test_an_event_that_cannot_be_stored_is_refused(config: Config, wrong: Config) -> None:
    with pytest.raises(ValueError):
        asyncio.run(EventStorage(config).store_events([event(1, **wrong)]))


def test_an_event_goes_to_json_and_back() -> None:
    one = event(1, device={"os": "Linux"}, location={"city": "Köln"}, context={"a": [1, None]}, session_id="s",
                anonymous_id="d")
    assert Event.from_json(one.to_json()) == one and Event.from_dict(one.to_dict()) == one
    small = Event.from_dict({"event_id": "e", "event_type": "a", "timestamp": "2026-01-01", "device": None, "other": 1})
    assert (small.user_id, small.session_id, small.properties, small.device) == (None, None, {}, {})
    with pytest.raises(KeyError, match="timestamp"):
        Event.from_dict({"event_id": "e", "event_type": "a"})


@pytest.mark.parametrize("text, micros", [
    ("1970-01-01T00:00:01", 1_000_000), ("1970-01-01T00:00:01.5Z", 1_500_000), ("1970-01-01", 0),
    ("1970-01-01T01:00:00.1234567+01:00", 123_456)])
def test_instants_are_read_as_utc_unless_they_say_otherwise(text: str, micros: int) -> None:
    assert round(instant(text).timestamp() * 1e6) == micros
