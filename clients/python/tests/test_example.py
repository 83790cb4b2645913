"""The complete example runs as it stands: against scripted daemons, and against the real ones."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from collector import Collector
from daemons import FOLDER, MISSING, Daemons
from queryd import TOKEN, Queryd

import tidemark
from tidemark.dashboard import DashboardManager
from tidemark.engine import AnalyticsEngine
from tidemark.errors import QuestionRefused
from tidemark.tracker import EventTracker, EventType

pytest.importorskip("yaml", reason="PyYAML is not installed")

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "clients" / "python" / "examples" / "complete_implementation.py"
MONTH = {"start": "30_days_ago", "end": "today"}

needs_daemons = pytest.mark.skipif(
    bool(MISSING), reason=f"no {' and '.join(MISSING)} in {FOLDER}: build them, or name their folder in TIDEMARK_BIN")


def summary(environment: Dict[str, str]) -> Dict[str, str]:
    """What the example prints at its end, by name."""
    run = subprocess.run([sys.executable, EXAMPLE], env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert "Dashboard data: 4 widgets" in run.stderr
    return dict(re.findall(r"^ *([A-Z][A-Za-z ]+): (.*)$", run.stdout, re.MULTILINE))


def check(shown: Dict[str, str]) -> None:
    assert re.fullmatch("dash_[0-9a-f]{32}", shown["Dashboard ID"])
    assert (shown["Widgets"], shown["Total Events"], shown["Page Views"], shown["Clicks"]) == ("4", "2", "1", "0")
    assert (shown["Purchases"], shown["Unique Days"], shown["Sessions"]) == ("0", "1", "1")
    assert (shown["Feature"], shown["Unique Users"], shown["Total Users"]) == ("search", "1", "1")
    assert shown["Adoption Rate"] == "100.00%"


def test_the_example_shows_what_it_tracked() -> None:
    with Collector(project="default") as collector, Queryd(collector) as queryd:
        places = {"TIDEMARK_ADDRESS": f"127.0.0.1:{collector.port}", "TIDEMARK_TOKEN": "t",
                  "TIDEMARK_QUERY_URL": queryd.url, "TIDEMARK_QUERY_TOKEN": TOKEN}
        check(summary({**os.environ, **places, "PYTHONPATH": str(ROOT / "clients" / "python" / "src")}))
        paths = [request.path.replace(request.path.split("/")[-2], "…") for request in queryd.requests[-1:]]
        assert paths == ["/v1/dashboards/…/data"]


@pytest.fixture(scope="module")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemons]:
    with Daemons(tmp_path_factory.mktemp("daemons")) as made:
        yield made


@needs_daemons
def test_the_example_runs_against_the_real_daemons(daemons: Daemons) -> None:
    check(summary(daemons.environment))


@pytest.fixture
def config(daemons: Daemons, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in daemons.environment.items():
        if name.startswith("TIDEMARK_"):
            monkeypatch.setenv(name, value)
    return tidemark.load_config(ROOT / "config" / "analytics_config.yaml")


@needs_daemons
def test_every_call_is_understood_by_the_real_daemons(config: Any, daemons: Daemons) -> None:
    user = "every_call"

    async def scenario() -> None:
        async with EventTracker(config["tracking"], sessions="idle_30_minutes") as tracker:
            await tracker.track_page_view(user, "signup", device={"os": "Linux"}, location={"country": "DE"})
            await tracker.track_click(user, "signup_button", "button")
            await tracker.track_event(EventType.SIGN_UP, user, {"nested": {"a": [1, None]}})
            for number, amount in enumerate((19.99, 5)):
                await tracker.track_purchase(user, f"p-{number}", amount, "EUR", [{"sku": "a"}])
            await tracker.track_feature_used(user, "export")
            await tracker.track_error(user, "IOError", "no disk")
            await tracker.track_page_view(user, "signup", anonymize=True)
            await tracker.identity_resolver.identify(user, traits={"plan": "pro"})
        await ask(AnalyticsEngine(config["analytics"]), user)
        await make_dashboards(DashboardManager(config["dashboard"]))

    asyncio.run(scenario())


async def ask(engine: AnalyticsEngine, user: str) -> None:
    rows = await engine.query_events(
        {"user_id": user}, ["event_type"], ["count"], order_by=["count DESC", "event_type"], limit=2, date_range=MONTH)
    assert rows == [{"event_type": "purchase", "count": 2}, {"event_type": "click", "count": 1}]
    assert rows.meta["exact"] is True
    metrics = await engine.get_user_metrics(user, MONTH)
    expected = {"total_events": 7, "unique_days": 1, "session_count": 1, "page_views": 1, "clicks": 1, "purchases": 2}
    assert {name: metrics[name] for name in expected} == expected
    assert metrics["feature_usage"] == {"export": 1}
    adoption = await engine.get_feature_adoption("export", MONTH)
    assert (adoption["unique_users"], adoption["usage_count"]) == (1, 1)
    assert list(adoption["daily_usage"].values()) == [1]
    steps: List[Dict[str, Any]] = [
        {"name": "Page", "event_type": "page_view", "filters": {"page_name": "signup"}}, {"event_type": "sign_up"}]
    funnel = await engine.get_conversion_funnel(steps, MONTH, window="7d")
    assert [step["users"] for step in funnel["steps"]] == [2, 1] and funnel["overall_conversion_rate"] == 0.5
    assert {"step", "users", "conversion_rate", "drop_off"} <= set(funnel["steps"][0])
    assert await engine.segment_users({"did": "purchase", "times": {"gte": 2}}, MONTH) == [user]
    events = await engine.storage.get_user_events(user)
    sign_up = next(event for event in events if event.event_type == "sign_up")
    assert sign_up.properties == {"nested": {"a": [1, None]}} and (sign_up.session_id or "").startswith("sess_")
    session = await engine.storage.get_session(sign_up.session_id or "")
    assert session is not None and len(session.events) == 7
    amounts = [{"type": "sum", "field": "amount"}, {"type": "count_distinct", "field": "user_id"}]
    here = await engine.aggregation_engine.aggregate(events, amounts)
    there = await engine.query_events({"user_id": user}, metrics=amounts)
    assert here == there[0] == {"sum_amount": 24.99, "count_distinct_user_id": 1}
    with pytest.raises(QuestionRefused) as caught:
        await engine.query_events(metrics=[{"type": "median", "field": "amount"}])
    assert caught.value.code == "invalid_query" and caught.value.path


async def make_dashboards(manager: DashboardManager) -> None:
    overview = tidemark.load_config(ROOT / "config" / "dashboard_config.yaml")["dashboards"]["overview"]
    table = {"widget_id": "types", "type": "table", "title": "Types", "dimensions": ["event_type"],
             "metrics": ["count"], "order_by": ["count DESC"], "limit": 5, "columns": ["event_type", "count"]}
    dashboard_id = await manager.create_dashboard(overview["name"], [*overview["widgets"], table])
    data = await manager.get_dashboard_data(dashboard_id, MONTH)
    total, active, chart, funnel, types = data["widgets"]
    assert not any("error" in widget for widget in data["widgets"])
    for made, defined in zip(data["widgets"], [*overview["widgets"], table]):
        for name in ("widget_id", "type", "title", "chart_type", "columns"):
            assert name not in defined or made[name] == defined[name], name
    assert {"value", "trend"} <= set(total)
    assert total["value"] == active["value"] >= 2 and len(chart["data"]) >= 1 and len(types["data"]) >= 5
    assert [step["step"] for step in funnel["data"]["steps"]] == ["Page View", "Click Signup", "Submit Form", "Sign Up"]
    changed = await manager.update_dashboard(dashboard_id, name="Mine")
    assert changed["name"] == "Mine" and len(changed["widgets"]) == 5
    copy = await manager.duplicate_dashboard(dashboard_id)
    listed = {row["dashboard_id"]: row for row in await manager.list_dashboards()}
    assert {dashboard_id, copy} <= set(listed)
    provisioned = [one for one, row in listed.items() if row["read_only"]]
    for call in refused(manager, provisioned):
        with pytest.raises(QuestionRefused, match="read_only"):
            await call()
    await manager.delete_dashboard(copy)
    with pytest.raises(QuestionRefused, match="not_found"):
        await manager.get_dashboard(copy)


def refused(manager: DashboardManager, provisioned: List[str]) -> List[Callable[[], Any]]:
    """What nobody may do with the dashboards of a file."""
    return [call for one in provisioned for call in (
        lambda one=one: manager.delete_dashboard(one), lambda one=one: manager.update_dashboard(one, name="x"))]
