"""Dashboards: kept by queryd, with the data of their widgets."""

from __future__ import annotations

import asyncio
from typing import Any, Dict, List

import pytest
from queryd import Queryd, Request, error

from tidemark.dashboard import DashboardManager, DashboardStore
from tidemark.errors import QuestionRefused
from tidemark.tracker import EventTracker

Config = Dict[str, Any]
MONTH = {"start": "30_days_ago", "end": "today"}
WIDGETS: List[Dict[str, Any]] = [
    {"widget_id": "users", "type": "metric", "title": "Users",
     "metrics": [{"type": "count_distinct", "field": "user_id"}]},
    {"widget_id": "days", "type": "chart", "title": "Days", "chart_type": "bar", "dimensions": ["day"]},
    {"widget_id": "funnel", "type": "funnel", "title": "Funnel", "funnel_steps": []},
]


def test_a_dashboard_is_made_read_changed_copied_and_removed(config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        manager = DashboardManager(config)
        dashboard_id = await manager.create_dashboard("Overview", WIDGETS, time_zone="Europe/Berlin")
        assert dashboard_id.startswith("dash_") and len(dashboard_id) == 37
        assert queryd.requests[-1].body == {"name": "Overview", "widgets": WIDGETS, "time_zone": "Europe/Berlin"}
        found = await manager.get_dashboard(dashboard_id)
        assert (found["name"], found["widgets"], found["version"]) == ("Overview", WIDGETS, 1)
        (row,) = await manager.list_dashboards()
        assert (row["dashboard_id"], row["widget_count"]) == (dashboard_id, 3)
        changed = await manager.update_dashboard(dashboard_id, name="Week")
        assert (changed["name"], changed["widgets"], changed["version"]) == ("Week", WIDGETS, 2)
        assert queryd.requests[-1].body == {"name": "Week", "widgets": WIDGETS, "time_zone": "Europe/Berlin"}
        assert queryd.requests[-1].headers["if-match"] == '"1"'
        copy = await manager.duplicate_dashboard(dashboard_id)
        assert copy != dashboard_id and len(await manager.list_dashboards()) == 2
        await manager.delete_dashboard(copy)
        assert len(await manager.list_dashboards()) == 1
        with pytest.raises(QuestionRefused, match="not_found"):
            await manager.get_dashboard("../../etc/passwd?")
        assert queryd.requests[-1].path == "/v1/dashboards/..%2F..%2Fetc%2Fpasswd%3F"

    asyncio.run(scenario())


def test_a_change_does_not_overwrite_another(config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        store = DashboardStore(config["query"])
        made = await store.create_dashboard({"name": "a", "widgets": []})
        await store.update_dashboard(made["dashboard_id"], {**made, "name": "b"}, made["version"])
        with pytest.raises(QuestionRefused) as caught:
            await store.update_dashboard(made["dashboard_id"], {**made, "name": "c"}, made["version"])
        assert (caught.value.status, caught.value.code) == (412, "version_conflict")
        assert (await store.get_dashboard(made["dashboard_id"]))["name"] == "b"
        assert (await store.update_dashboard(made["dashboard_id"], {"name": "d", "widgets": []}))["name"] == "d"

    asyncio.run(scenario())


def test_what_a_dashboard_has_not_is_refused(config: Config) -> None:
    with pytest.raises(TypeError, match="a dashboard has no color; it has name, widgets"):
        asyncio.run(DashboardManager(config).create_dashboard("a", [], color="red"))


def test_a_widget_that_cannot_be_is_named(config: Config, queryd: Queryd) -> None:
    queryd.script = lambda request: error(400, "invalid_query", "unknown type", path="widgets[0].type")
    with pytest.raises(QuestionRefused, match=r"widgets\[0\]\.type: unknown type"):
        asyncio.run(DashboardManager(config).create_dashboard("a", [{"type": "pie"}]))


def test_data_has_every_widget(config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        manager = DashboardManager(config)
        dashboard_id = await manager.create_dashboard("Overview", WIDGETS)
        data = await manager.get_dashboard_data(dashboard_id, MONTH)
        assert queryd.requests[-1].parameters == MONTH
        assert (data["dashboard_id"], data["name"], data.meta) == (dashboard_id, "Overview", {"time_zone": "UTC"})
        metric, chart, funnel = data["widgets"]
        assert [metric[name] for name in ("widget_id", "type", "title", "value")] == ["users", "metric", "Users", 7]
        assert (chart["chart_type"], chart["data"]) == ("bar", [{"day": "2026-01-01", "count": 2}])
        assert funnel["data"]["overall_conversion_rate"] == 0.5 and funnel.meta["exact"] is True
        await manager.get_dashboard_data(dashboard_id, {"start": "today"}, time_zone="Asia/Tokyo", override_dates=True,
                                         compare=False, filters={"plan": "pro"})
        assert queryd.requests[-1].parameters == {
            "start": "today", "time_zone": "Asia/Tokyo", "override_dates": "true", "compare": "false",
            "filters": '{"plan":"pro"}'}
        await manager.get_dashboard_data(dashboard_id)
        assert queryd.requests[-1].parameters == {}

    asyncio.run(scenario())


def test_data_has_what_was_tracked_before(config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        manager = DashboardManager(config)
        dashboard_id = await manager.create_dashboard("Overview", WIDGETS)
        async with EventTracker(config) as tracker:
            await tracker.track_click("u", "a", "b")
            queryd.behind_left = 2  # Some widget's answer is behind.
            data = await manager.get_dashboard_data(dashboard_id)
        assert all("behind" not in widget["meta"] for widget in data["widgets"])
        assert len(queryd.requests) == 3

    asyncio.run(scenario())


def test_one_failing_widget_leaves_the_others(config: Config, queryd: Queryd) -> None:
    async def scenario() -> None:
        manager = DashboardManager(config)
        dashboard_id = await manager.create_dashboard("Overview", WIDGETS)

        def script(request: Request) -> Any:
            reply = queryd.answer(request)
            reply.body["widgets"][0] = {"widget_id": "users", "type": "metric", "error": {"code": "over_budget"}}
            return reply

        queryd.script = script
        failed, chart, _ = (await manager.get_dashboard_data(dashboard_id))["widgets"]
        assert failed["error"]["code"] == "over_budget" and len(chart["data"]) == 1

    asyncio.run(scenario())


def test_widgets_become_frames(config: Config) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")

    async def scenario() -> None:
        manager = DashboardManager(config)
        data = await manager.get_dashboard_data(await manager.create_dashboard("Overview", WIDGETS))
        assert list(data.to_pandas()["widget_id"]) == ["users", "days", "funnel"]
        metric, chart, funnel = data["widgets"]
        assert metric.to_pandas()["value"][0] == 7
        assert (chart.to_pandas()["count"][0], funnel.to_pandas()["users"][0]) == (2, 2)

    asyncio.run(scenario())


def test_sections_of_a_file_say_where_queryd_is(config: Config, queryd: Queryd) -> None:
    sections = {"analytics": {"query": config["query"]}, "dashboard_store": {"query": config["query"]}}
    for given in (sections, {"dashboard": sections, "tracking": {}}):
        manager = DashboardManager(given)
        assert asyncio.run(manager.list_dashboards()) == []
        assert asyncio.run(manager.analytics_engine.get_user_metrics("u"))["total_events"] == 0
