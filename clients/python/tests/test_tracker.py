"""The tracker for coroutines, against a collector on a real socket."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict, List

import pytest
from collector import Collector

import tidemark
from tidemark import batch
from tidemark.errors import ConfigError, TokenError
from tidemark.idle_sessions import USERS_MAX, IdleSessions
from tidemark.tracker import Event, EventTracker, EventType, UserSession
from tidemark.values import Json

Config = Dict[str, Any]
NOON = datetime(2026, 3, 20, 12, tzinfo=timezone.utc)


def tracked(config: Config, collector: Collector, act: Callable[[EventTracker], Awaitable[Any]],
            **arguments: Any) -> List[batch.Event]:
    """What the collector has after `act`."""

    async def scenario() -> None:
        async with EventTracker(config, **arguments) as tracker:
            await act(tracker)

    asyncio.run(scenario())
    return collector.stored


def test_every_call_sends_its_type_and_its_properties(config: Config, collector: Collector) -> None:
    ids: List[str] = []

    async def act(tracker: EventTracker) -> None:
        ids.append(await tracker.track_event(EventType.SUBMIT, "u", {"form_name": "signup"}))
        ids.append(await tracker.track_page_view("u", "home", {"url": "https://e.example/home", "referrer": "/"}))
        ids.append(await tracker.track_page_view("u", "home"))
        ids.append(await tracker.track_click("u", "buy", "button", {"element_text": "Buy"}))
        ids.append(await tracker.track_feature_used("u", "search", {"results_count": 10}))
        ids.append(await tracker.track_purchase("u", "p-1", Decimal("19.99"), "EUR", [{"sku": "a"}], {"coupon": "x"}))
        ids.append(await tracker.track_error("u", "IOError", "no disk", "trace"))
        ids.append(await tracker.track_error("u", "IOError", "no disk"))
        ids.append(await tracker.track_event("tour_finished", "u"))

    stored = tracked(config, collector, act)
    items = Json('[{"sku":"a"}]')
    assert [(event.type, event.properties) for event in stored] == [
        ("submit", {"form_name": "signup"}),
        ("page_view", {"page_name": "home", "url": "https://e.example/home", "referrer": "/"}),
        ("page_view", {"page_name": "home"}),
        ("click", {"element_id": "buy", "element_type": "button", "element_text": "Buy"}),
        ("feature_used", {"feature_name": "search", "results_count": 10}),
        ("purchase", {"purchase_id": "p-1", "amount": 19.99, "currency": "EUR", "items": items, "coupon": "x"}),
        ("error", {"error_type": "IOError", "error_message": "no disk", "stack_trace": "trace"}),
        ("error", {"error_type": "IOError", "error_message": "no disk"}),
        ("tour_finished", {}),
    ]
    assert len(set(ids)) == len(ids) and all(len(one) == 36 and one.startswith("evt_") for one in ids)
    assert {event.user_id for event in stored} == {"u"}


def test_every_event_type_has_its_name() -> None:
    assert {one.name: one.value for one in EventType} == {
        name.upper(): name for name in (
            "page_view", "click", "submit", "sign_up", "sign_in", "sign_out", "feature_used", "purchase", "error",
            "custom")}


def test_device_location_context_and_session_are_sent_as_given_and_never_made_up(config: Config,
                                                                                collector: Collector) -> None:
    async def act(tracker: EventTracker) -> None:
        await tracker.track_event(EventType.CLICK, "u", {}, "s", device, place, {"plan": "pro"}, timestamp=NOON)
        await tracker.track_event(EventType.CLICK, "u", {})
        await tracker.track_page_view("u", "home", session_id="s2", device={"type": "phone"})

    device = {"type": "web", "os": "Linux", "browser": "Firefox", "screen_resolution": "1920x1080"}
    place = {"country": "DE", "region": "NW", "city": "Köln"}
    first, second, third = tracked(config, collector, act)
    assert (first.session_id, first.device, first.location, first.context) == ("s", device, place, {"plan": "pro"})
    assert first.timestamp == int(NOON.timestamp()) * 1_000_000
    assert (second.session_id, second.device, second.location, second.context) == (None, {}, {}, {})
    assert (third.session_id, third.device) == ("s2", {"type": "phone"})


def test_bad_arguments_raise_at_once(config: Config) -> None:
    async def scenario() -> None:
        async with EventTracker(config) as tracker:
            wrongs: List[Dict[str, Any]] = [
                {"event_type": "$identify"}, {"event_type": ""}, {"user_id": 5}, {"properties": [1]},
                {"properties": {"n": float("nan")}}, {"timestamp": datetime(2026, 1, 1)}]
            for wrong in wrongs:
                with pytest.raises((TypeError, ValueError)):
                    await tracker.track_event(**{"event_type": "a", "user_id": "u", **wrong})
            stats = tracker.stats()
            assert stats is not None and stats.queued == 0

    asyncio.run(scenario())


def test_tracking_that_is_off_sends_nothing_needs_no_token_and_counts(config: Config, collector: Collector) -> None:
    async def scenario() -> None:
        del config["collector"]["token"]
        async with EventTracker({**config, "enabled": False}) as tracker:
            assert await tracker.track_page_view("u", "home") == ""
            assert await tracker.track_click("u", "a", "b", anonymize=True) == ""
            assert await tracker.identity_resolver.identify("u", "device") == ""
            assert tracker.dropped == 3 and tracker.stats() is None and await tracker.flush()

    asyncio.run(scenario())
    assert collector.stored == [] and collector.hellos == []


@pytest.mark.parametrize("off", ["page_view", "click", "feature_used", "purchase", "error"])
def test_a_type_that_is_off_is_dropped_and_counted(config: Config, collector: Collector, off: str) -> None:
    async def act(tracker: EventTracker) -> None:
        ids = [await tracker.track_page_view("u", "home"), await tracker.track_click("u", "a", "b"),
               await tracker.track_feature_used("u", "a"), await tracker.track_purchase("u", "p", 5, "EUR", []),
               await tracker.track_error("u", "IOError", "no disk")]
        assert ids.count("") == tracker.dropped == 1

    config["events"] = {"sign_up": {"enabled": True}, off: {"enabled": False, "properties": ["element_id"]}}
    types = [event.type for event in tracked(config, collector, act)]
    assert types == [one for one in ("page_view", "click", "feature_used", "purchase", "error") if one != off]


def test_batch_size_and_flush_interval_are_those_of_the_configuration(config: Config, collector: Collector) -> None:
    async def scenario() -> None:
        tracker = EventTracker({**config, "batch_size": 3, "flush_interval": "60s"})
        assert (tracker.batch_size, tracker.flush_interval) == (3, 60)
        for number in range(4):
            await tracker.track_click("u", str(number), "button")
        while len(collector.stored) < 3:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.03)
        assert len(collector.stored) == 3
        assert await tracker.flush(5) and len(collector.stored) == 4
        assert await tracker.close(5)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_a_whole_file_serves_as_well_as_its_section(config: Config, collector: Collector) -> None:
    async def act(tracker: EventTracker) -> None:
        assert tracker.batch_size == 7

    tracked({"tracking": {**config, "batch_size": 7}, "analytics": {}}, collector, act)
    assert EventTracker({"tracking": {"enabled": False}}).is_enabled is False


def test_a_client_may_be_given(config: Config, collector: Collector) -> None:
    client = tidemark.Client(port=collector.port, token="t", project="shop", flush_interval=0.01)

    async def act(tracker: EventTracker) -> None:
        assert tracker.client is client
        await tracker.track_click("u", "a", "b")

    assert len(tracked({}, collector, act, client=client)) == 1


def test_a_tracker_starts_without_a_loop_and_threads_may_share_it(config: Config, collector: Collector) -> None:
    tracker = EventTracker(config)

    def work() -> None:
        asyncio.run(tracker.track_click("u", "a", "b"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asyncio.run(tracker.close(5)) and len(collector.stored) == 4


def test_a_missing_token_fails_the_start_and_says_what_to_do(config: Config, tmp_path: Path) -> None:
    config["collector"].update(token=None, data=str(tmp_path))
    with pytest.raises(TokenError, match="default.token does not exist; give the token in TIDEMARK_TOKEN"):
        EventTracker(config)


@pytest.mark.parametrize("wrong, match", [
    ({"enabled": "no"}, "tracking.enabled: true or false"), ({"sessions": "midnight"}, "tracking.sessions"),
    ({"events": 5}, "tracking.events must be a mapping"), ({"flush_interval": "soon"}, "tracking.flush_interval"),
    ({"batch_size": "x"}, "tracking.batch_size: a whole number, 1 to 65536; not 'x'"),
    ({"batch_size": 0}, "tracking.batch_size: a"), ({"batch_size": 2.5}, "tracking.batch_size: a"),
    ({"events": {"a": {"enabled": 1}}}, "events.a.enabled"),
    ({"privacy": {"hash_user_id": True}}, "privacy.hash_user_id: not built yet"),
    ({"collector": 5}, "collector must be a mapping"),
])
def test_what_cannot_be_configured_is_refused(config: Config, wrong: Config, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        EventTracker({**config, **wrong})


def test_a_config_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(TypeError, match="config must be a mapping"):
        EventTracker("config.yaml")  # type: ignore[arg-type]


# Sessions.


@pytest.mark.parametrize("by_argument", [False, True])
def test_idle_sessions_end_after_half_an_hour_without_an_event(config: Config, collector: Collector,
                                                               by_argument: bool) -> None:
    async def act(tracker: EventTracker) -> None:
        for user, minutes in (("u", 0), ("u", 30), ("v", 40), ("u", 60), ("u", 91), ("u", 45)):
            await tracker.track_event("a", user, timestamp=NOON + timedelta(minutes=minutes))
        await tracker.track_event("a", "u", session_id="given", timestamp=NOON + timedelta(minutes=92))
        await tracker.track_event("a", "u", timestamp=NOON + timedelta(minutes=93))

    if by_argument:
        stored = tracked(config, collector, act, sessions="idle_30_minutes")
    else:
        stored = tracked({**config, "sessions": "idle_30_minutes"}, collector, act)
    first, second, other, third, later, between, given, after = [event.session_id or "" for event in stored]
    assert first == second == third == between and first.startswith("sess_") and len(first) == 37
    assert len({first, other, later}) == 3
    assert given == after == "given"


def test_a_late_event_does_not_cut_the_visit_that_runs(config: Config, collector: Collector) -> None:
    async def act(tracker: EventTracker) -> None:
        for minutes in (0, -120, 10, -115):
            await tracker.track_event("a", "u", timestamp=NOON + timedelta(minutes=minutes))

    stored = tracked({**config, "sessions": "idle_30_minutes"}, collector, act)
    ids = [event.session_id for event in stored]
    assert ids[0] == ids[2] != ids[1] == ids[3]


def test_threads_that_track_at_once_share_a_visit(config: Config, collector: Collector) -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        tracker = EventTracker(config, sessions="idle_30_minutes")
        start = threading.Barrier(8)

        def one() -> None:
            start.wait()
            for user in range(100):
                asyncio.run(tracker.track_event("a", str(user)))

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert asyncio.run(tracker.close(5))
    assert len({(event.user_id, event.session_id) for event in collector.stored}) == 100


def test_only_so_many_visits_are_remembered() -> None:
    sessions = IdleSessions()
    for number in range(USERS_MAX + 1):
        sessions.extend(str(number), "s", NOON)
    assert sessions.active("0", NOON) is None and sessions.active("1", NOON) == "s"


def test_a_session_that_the_application_creates_runs(config: Config) -> None:
    async def scenario() -> None:
        async with EventTracker(config) as tracker:
            storage = tracker.storage
            assert await storage.get_active_session("u") is None
            await storage.create_session(UserSession("s", "u", datetime.now(timezone.utc).isoformat()))
            assert await storage.get_active_session("u") == "s"
            await storage.add_event_to_session(
                Event("e", "a", "u", "t", {}, (NOON + timedelta(days=900)).isoformat()))
            assert await storage.get_active_session("u", NOON + timedelta(days=900)) == "t"

    asyncio.run(scenario())


# Privacy.


def test_an_anonymous_event_says_nothing_of_who_it_was(config: Config, collector: Collector) -> None:
    async def act(tracker: EventTracker) -> None:
        await tracker.identity_resolver.identify("user_7")
        for user in ("user_7", "user_8"):
            await tracker.track_event(
                EventType.PURCHASE, user,
                {"amount": 5, "email": "a@b.example", "Client-IP": "x", "note": "10.1.2.3", "owner": user,
                 "nested": {"userId": 1, "kept": [1, "::1", {"session_id": "s"}]}},
                "s", {"os": "Linux", "deviceId": "d"}, {"country": "DE", "latitude": 52.5}, {"from": "s", "page": "/a"},
                anonymize=True)
        await tracker.track_page_view("user_7", "home", anonymize=True)

    stored = [event for event in tracked({**config, "sessions": "idle_30_minutes"}, collector, act)
              if not event.type.startswith("$")]
    for event in stored[:2]:
        assert (event.user_id, event.session_id, event.group) == (None, None, None)
        assert event.properties == {"amount": 5, "nested": Json('{"kept":[1,{}]}')}
        assert (event.device, event.location, event.context) == ({"os": "Linux"}, {"country": "DE"}, {"page": "/a"})
    (anonymous,) = {event.anonymous_id for event in stored}
    identified = [event for event in collector.stored if event.type == "$identify"]
    assert anonymous is not None and anonymous.startswith("anon_")
    assert anonymous not in {event.anonymous_id for event in identified}


def test_another_process_has_another_anonymous_id(config: Config, collector: Collector,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(tracker: EventTracker) -> None:
        await tracker.track_event("a", "u", anonymize=True)
        monkeypatch.setattr("tidemark.tracker.os.getpid", lambda: 5)
        await tracker.track_event("a", "u", anonymize=True)

    assert len({event.anonymous_id for event in tracked(config, collector, act)}) == 2


def test_addresses_are_cut_when_the_configuration_says_so(config: Config, collector: Collector) -> None:
    async def act(tracker: EventTracker) -> None:
        await tracker.track_event(
            "a", "u", {"ip": "203.0.113.77", "version": "1.2.3.4"},
            context={"X-Forwarded-For": "2001:db8:1:2::9, 10.1.2.3:80"})
        await tracker.identity_resolver.identify("u", "d", {"last_ip": "x", "client_ip": "203.0.113.77"})

    event, identify = tracked({**config, "privacy": {"anonymize_ip": True}}, collector, act)
    assert identify.traits == {"last_ip": "x", "client_ip": "203.0.113.0"}
    assert event.properties == {"ip": "203.0.113.0", "version": "1.2.3.4"}
    assert event.context == {"X-Forwarded-For": "2001:db8:1::, 10.1.2.0"} and event.user_id == "u"


# Identity.


def test_identify_and_alias_are_events_of_their_own(config: Config, collector: Collector) -> None:
    async def act(tracker: EventTracker) -> None:
        resolver = tracker.identity_resolver
        assert await resolver.resolve("u") == "u"
        assert (await resolver.identify("u", "device", {"plan": "pro"})).startswith("evt_")
        assert await resolver.storage.resolve_identity("u") == "u"
        await resolver.storage.create_identity("old", "u")

    identify, alias = tracked(config, collector, act)
    assert (identify.type, identify.user_id, identify.anonymous_id, identify.traits) == (
        "$identify", "u", "device", {"plan": "pro"})
    assert (alias.type, alias.user_id, alias.properties) == ("$alias", "u", {"previous_id": "old"})


def test_identity_that_is_off_says_nothing(config: Config, collector: Collector) -> None:
    async def act(tracker: EventTracker) -> None:
        assert await tracker.identity_resolver.identify("u", "device") == ""
        await tracker.track_click("u", "a", "b")

    assert [event.type for event in tracked({**config, "identity": {"enabled": False}}, collector, act)] == ["click"]
