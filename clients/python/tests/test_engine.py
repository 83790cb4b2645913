"""The engines ask the right questions and unpack the answers."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Awaitable, Dict, List, TypeVar

import pytest
from queryd import Queryd

from tidemark.answers import Answer, Table
from tidemark.engine import AnalyticsEngine, FunnelEngine, QueryEngine, SegmentationEngine
from tidemark.errors import QuestionRefused, TidemarkError

Config = Dict[str, Any]
Result = TypeVar("Result")
MONTH = {"start": "30_days_ago", "end": "today"}
STEPS: List[Dict[str, Any]] = [{"name": "Page View", "event_type": "page_view", "filters": {"page_name": "signup"}},
         {"name": "Sign Up", "event_type": "sign_up"}]
SCHEMA = Path(__file__).resolve().parents[3] / "protocol" / "query.schema.json"


def run(act: Awaitable[Result]) -> Result:
    async def scenario() -> Result:
        return await act

    return asyncio.run(scenario())


def test_a_query_is_the_question_as_json() -> None:
    engine = QueryEngine({})
    query = engine.build_query({"event_type": "purchase"}, ["properties.currency"], ["count"], ["properties.currency"],
                               ["count DESC"], 10, date_range=MONTH, time_zone="Europe/Berlin")
    assert json.loads(query) == {
        "kind": "aggregate", "filters": {"event_type": "purchase"}, "dimensions": ["properties.currency"],
        "metrics": ["count"], "group_by": ["properties.currency"], "order_by": ["count DESC"], "limit": 10,
        "date_range": MONTH, "time_zone": "Europe/Berlin"}
    assert json.loads(engine.build_query({}, [], ["count"])) == {"kind": "aggregate", "metrics": ["count"]}


def test_queries_are_in_the_grammar_of_questions(config: Config, queryd: Queryd) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    checked = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    query = QueryEngine({}).build_query(
        {"event_type": "a"}, ["day"], [{"type": "sum", "field": "n", "alias": "m"}], ["day"], "m DESC", 1,
        date_range=MONTH)
    checked.validate(json.loads(query))
    queryd.answers["funnel"] = {"steps": [], "overall_conversion_rate": 0}
    queryd.answers["segment"] = {"user_ids": [], "user_count": 0}
    engine = AnalyticsEngine(config)
    run(engine.get_conversion_funnel(STEPS, MONTH, window="7d", filters={"a": 1}, time_zone="UTC"))
    run(engine.segment_users({"did": "purchase"}, MONTH))
    run(engine.get_user_metrics("u", MONTH))
    run(engine.get_feature_adoption("search", MONTH, filters={"a": 1}))
    run(engine.storage.get_events("u", "click", "30_days_ago", "today", limit=5))
    assert len(queryd.questions) == 5
    for question in queryd.questions:
        checked.validate(question)


def test_rows_come_with_what_they_were_computed_from(config: Config, queryd: Queryd) -> None:
    rows = [{"day": "2026-03-20", "count": 2}, {"day": "2026-03-21", "count": 3}]
    queryd.answers["aggregate"] = {"rows": rows, "columns": ["day", "count"]}
    found = run(AnalyticsEngine(config).query_events(
        {"event_type": "click"}, ["day"], ["count"], order_by=["day"], date_range=MONTH))
    assert found == rows and isinstance(found, Table)
    assert found.meta["exact"] is True and found.columns == ["day", "count"]
    assert queryd.questions == [{"kind": "aggregate", "filters": {"event_type": "click"}, "dimensions": ["day"],
                                 "metrics": ["count"], "order_by": ["day"], "date_range": MONTH}]


@pytest.mark.parametrize("kind, answer, expected", [
    ("aggregate", {"rows": [{"count": 1}]}, [{"count": 1}]), ("funnel", {"steps": [{"users": 1}]}, [{"users": 1}]),
    ("events", {"events": [{"event_id": "e"}], "next_cursor": None}, [{"event_id": "e"}]),
    ("segment", {"user_ids": ["u"], "user_count": 1}, ["u"]), ("user", {"user": {"clicks": 1}}, [{"clicks": 1}]),
    ("adoption", {"adoption": {"usage_count": 1}}, [{"usage_count": 1}]),
])
def test_a_question_of_any_kind_may_be_executed(config: Config, queryd: Queryd, kind: str, answer: Config,
                                                expected: Any) -> None:
    queryd.answers[kind] = answer
    engine = QueryEngine(config["query"])
    assert run(engine.execute_query(json.dumps({"kind": kind}))) == expected
    assert run(engine.execute_query({"kind": kind})) == expected


def test_a_query_that_is_no_object_is_refused(config: Config) -> None:
    with pytest.raises(TypeError, match="a JSON object"):
        run(QueryEngine(config["query"]).execute_query("[]"))
    with pytest.raises(ValueError):
        run(QueryEngine(config["query"]).execute_query("SELECT * FROM events"))


def test_user_metrics_have_their_fields_and_their_range(config: Config, queryd: Queryd) -> None:
    metrics = run(AnalyticsEngine(config).get_user_metrics("user_123", MONTH, time_zone="Asia/Tokyo"))
    assert isinstance(metrics, Answer) and metrics.meta["exact"] is True
    assert {"total_events", "unique_days", "session_count", "feature_usage", "page_views", "clicks",
            "purchases"} <= set(metrics)
    assert queryd.questions == [
        {"kind": "user", "user_id": "user_123", "date_range": MONTH, "time_zone": "Asia/Tokyo"}]


def test_feature_adoption_has_its_fields_and_its_range(config: Config, queryd: Queryd) -> None:
    adoption = run(AnalyticsEngine(config).get_feature_adoption("search", MONTH))
    assert list(adoption) == [
        "feature_name", "unique_users", "total_users", "adoption_rate", "usage_count", "daily_usage"]
    assert queryd.questions == [{"kind": "adoption", "feature_name": "search", "date_range": MONTH}]


def test_a_funnel_has_steps_and_a_rate(config: Config, queryd: Queryd) -> None:
    steps = [{"step": "Page View", "users": 4, "conversion_rate": 1, "drop_off": 0},
             {"step": "Sign Up", "users": 1, "conversion_rate": 0.25, "drop_off": 0.75}]
    queryd.answers["funnel"] = {"steps": steps, "overall_conversion_rate": 0.25, "columns": []}
    for made in (run(AnalyticsEngine(config).get_conversion_funnel(STEPS, MONTH, window="7d")),
                 run(FunnelEngine(config["query"]).analyze_funnel(STEPS, MONTH, window="7d"))):
        assert made == {"steps": steps, "overall_conversion_rate": 0.25} and made.meta["exact"] is True
    assert queryd.questions[0] == queryd.questions[1] == {
        "kind": "funnel", "steps": STEPS, "window": "7d", "date_range": MONTH}


def test_a_segment_is_whole_or_an_error(config: Config, queryd: Queryd) -> None:
    queryd.answers["segment"] = {"user_ids": ["a", "b"], "user_count": 2}
    definition = {"all": [{"did": "purchase", "times": {"gte": 2}}, {"trait": "plan", "op": "eq", "value": "pro"}]}
    users = run(AnalyticsEngine(config).segment_users(definition, MONTH))
    assert users == ["a", "b"] and users.meta["user_count"] == 2
    assert queryd.questions == [{"kind": "segment", "segment": definition, "date_range": MONTH, "limit": 100_000}]
    queryd.answers["segment"] = {"user_ids": ["a", "b"], "user_count": 3}
    engine = SegmentationEngine(config["query"])
    with pytest.raises(TidemarkError, match="the segment has 3 users, one call gives 2"):
        run(engine.segment_users(definition, MONTH))
    assert run(engine.segment_users(definition, MONTH, limit=2)).meta["user_count"] == 3
    run(engine.segment_users(definition, MONTH, limit=0))
    assert queryd.questions[-1]["limit"] == 0  # queryd refuses it.


def test_a_question_that_is_refused_says_where(config: Config, queryd: Queryd) -> None:
    with pytest.raises(QuestionRefused) as caught:
        run(AnalyticsEngine(config).query_events())
    assert caught.value.code == "invalid_query" and caught.value.allowed == ["aggregate", "funnel"]


def test_a_whole_file_serves_as_well_as_its_section(config: Config, queryd: Queryd) -> None:
    run(AnalyticsEngine({"analytics": config, "tracking": {}}).get_user_metrics("u"))
    assert queryd.questions == [{"kind": "user", "user_id": "u"}]


def test_answers_become_frames(config: Config, queryd: Queryd) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    queryd.answers["aggregate"] = {"rows": [], "columns": ["day", "count"]}
    steps = [{"step": "a", "users": 2}, {"step": "b", "users": 1}]
    queryd.answers["funnel"] = {"steps": steps, "overall_conversion_rate": 0.5}
    engine = AnalyticsEngine(config)
    assert list(run(engine.query_events()).to_pandas().columns) == ["day", "count"]
    assert list(run(engine.get_conversion_funnel(STEPS)).to_pandas()["users"]) == [2, 1]
    assert run(engine.get_user_metrics("u")).to_pandas()["total_events"][0] == 0
    assert run(engine.storage.get_events()).to_pandas().empty


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'tidemark\[pandas\]'"):
        Table([]).to_pandas()
