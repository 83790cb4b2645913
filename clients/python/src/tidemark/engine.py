"""Questions for coroutines: `AnalyticsEngine`, and the engines that it is made of.

    engine = AnalyticsEngine(config["analytics"])
    rows = await engine.query_events({"event_type": "purchase"}, ["properties.currency"], ["count"])

queryd computes; here the questions are put together and the answers unpacked. Every call sees the events that this
process has tracked before it. docs/questions.md says what the fields mean and which dates there are.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from ._api import QueryAPI
from .aggregation import AggregationEngine
from .answers import Answer, Table
from .config import part_of, plain
from .errors import TidemarkError
from .storage import EventStorage

__all__ = ["AggregationEngine", "AnalyticsEngine", "FunnelEngine", "QueryEngine", "SegmentationEngine"]

Config = Optional[Mapping[str, Any]]
Row = Dict[str, Any]
DateRange = Optional[Mapping[str, str]]
Metric = Union[str, Mapping[str, Any]]
Names = Union[str, Sequence[Union[str, Mapping[str, Any]]], None]

SEGMENT_USERS_MAX = 100_000
_LISTS = ("rows", "steps", "events", "user_ids")
"""The member of an answer that is its list, by kind."""


class QueryEngine:
    """Puts questions together, and asks them."""

    def __init__(self, config: Config = None, *, api: Optional[QueryAPI] = None) -> None:
        self.config = {} if config is None else config
        self._api = api or QueryAPI(self.config)

    def build_query(
        self,
        filters: Optional[Mapping[str, Any]] = None,
        dimensions: Names = None,
        metrics: Optional[Sequence[Metric]] = None,
        group_by: Names = None,
        order_by: Names = None,
        limit: Optional[int] = None,
        *,
        date_range: DateRange = None,
        time_zone: Optional[str] = None,
    ) -> str:
        """The question as JSON: kind `aggregate` (docs/questions.md §2). What is not given is left out."""
        return json.dumps(question("aggregate", date_range, time_zone, filters=filters, dimensions=dimensions,
                                   metrics=metrics, group_by=group_by, order_by=order_by, limit=limit),
                          ensure_ascii=False)

    async def execute_query(self, query: Union[str, Mapping[str, Any]]) -> "Table[Any]":
        """Asks a question of any kind, as JSON text or a mapping; the rows, steps, events or users that it finds.

        Of the kinds `user` and `adoption` it is one row. Raises QuestionRefused where queryd does not take it.
        """
        asked = json.loads(query) if isinstance(query, str) else plain(query)
        if not isinstance(asked, dict):
            raise TypeError("a question is a JSON object")
        answer = await self._api.ask(asked)
        for name in _LISTS:
            if name in answer:
                return Table(answer[name], answer.get("meta"), answer.get("columns"))
        return Table([answer[str(answer.get("kind"))]], answer.get("meta"))


class SegmentationEngine:
    """Finds users."""

    def __init__(self, config: Config = None, *, api: Optional[QueryAPI] = None) -> None:
        self.config = {} if config is None else config
        self._api = api or QueryAPI(self.config)

    async def segment_users(self, segment_definition: Mapping[str, Any], date_range: DateRange = None,
                            limit: Optional[int] = None, *, time_zone: Optional[str] = None) -> "Table[str]":
        """The ids of the users in the segment, sorted: all, or the first `limit`. `meta["user_count"]` is how many.

        A definition is `{"did": "purchase", "times": {"gte": 2}, "within": "7d"}`, `{"trait", "op", "value"}`,
        `{"property", "op", "value"}`, or these under `all`, `any` and `not`. Raises TidemarkError when all are asked
        for and one call cannot give so many.
        """
        answer = await self._api.ask(question(
            "segment", date_range, time_zone, segment=segment_definition, 
            limit=SEGMENT_USERS_MAX if limit is None else limit))
        users, count = answer["user_ids"], answer["user_count"]
        if limit is None and count > len(users):
            raise TidemarkError(f"the segment has {count} users, one call gives {len(users)}; a limit gives the first")
        return Table(users, {**answer.get("meta", {}), "user_count": count})


class FunnelEngine:
    """Follows users through steps in their order."""

    def __init__(self, config: Config = None, *, api: Optional[QueryAPI] = None) -> None:
        self.config = {} if config is None else config
        self._api = api or QueryAPI(self.config)

    async def analyze_funnel(self, funnel_steps: Sequence[Mapping[str, Any]], date_range: DateRange = None, *,
                             window: Any = None, filters: Optional[Mapping[str, Any]] = None,
                             time_zone: Optional[str] = None) -> Answer:
        """`steps`, each with step, users, conversion_rate, drop_off and more, and `overall_conversion_rate`.

        A user reaches a step only after the steps before it, within `window` of the first (14 days); docs/questions.md
        §3 has the rules.
        """
        answer = await self._api.ask(question(
            "funnel", date_range, time_zone, steps=funnel_steps, window=window, filters=filters))
        found = {name: answer[name] for name in ("steps", "overall_conversion_rate")}
        return Answer(found, answer.get("meta"), rows=answer["steps"])


class AnalyticsEngine:
    """What one asks of a product's events.

    `config` is the section `analytics` of a loaded file, the whole file, or a dict with a section `query` that says
    where queryd is (docs/python.md); without it the environment and the defaults say so.
    """

    def __init__(self, config: Config = None) -> None:
        self.config = config = part_of(config, "analytics")
        api = QueryAPI(config)
        self.storage = EventStorage(config, api=api)
        self.query_engine = QueryEngine(config, api=api)
        self.aggregation_engine = AggregationEngine(config)
        self.segmentation_engine = SegmentationEngine(config, api=api)
        self.funnel_engine = FunnelEngine(config, api=api)
        self._api = api

    async def query_events(
        self,
        filters: Optional[Mapping[str, Any]] = None,
        dimensions: Names = None,
        metrics: Optional[Sequence[Metric]] = None,
        group_by: Names = None,
        order_by: Names = None,
        limit: Optional[int] = None,
        *,
        date_range: DateRange = None,
        time_zone: Optional[str] = None,
    ) -> "Table[Row]":
        """One row for each group, with its dimensions and metrics; without groups one row.

        A metric is `"count"` or `{"type", "field", "alias"}`. A `date_range` wins over dates in `filters`.
        """
        query = self.query_engine.build_query(
            filters, dimensions, metrics, group_by, order_by, limit, date_range=date_range, time_zone=time_zone)
        return await self.query_engine.execute_query(query)

    async def get_user_metrics(self, user_id: str, date_range: DateRange = None, *,
                               time_zone: Optional[str] = None) -> Answer:
        """total_events, unique_days, session_count, feature_usage, page_views, clicks, purchases of one person, and
        first_seen, last_seen, events_by_type, traits, device, location. Of nobody: zeros and None."""
        answer = await self._api.ask(question("user", date_range, time_zone, user_id=user_id))
        return Answer(answer["user"], answer.get("meta"))

    async def get_feature_adoption(self, feature_name: str, date_range: DateRange = None, *,
                                   filters: Optional[Mapping[str, Any]] = None,
                                   time_zone: Optional[str] = None) -> Answer:
        """feature_name, unique_users, total_users, adoption_rate, usage_count, daily_usage.

        `total_users` are those with any event in the range (under `filters`); the rate of nobody is 0.
        """
        answer = await self._api.ask(question(
            "adoption", date_range, time_zone, feature_name=feature_name, filters=filters))
        return Answer(answer["adoption"], answer.get("meta"))

    async def get_conversion_funnel(self, funnel_steps: Sequence[Mapping[str, Any]], date_range: DateRange = None, *,
                                    window: Any = None, filters: Optional[Mapping[str, Any]] = None,
                                    time_zone: Optional[str] = None) -> Answer:
        """As `FunnelEngine.analyze_funnel`."""
        return await self.funnel_engine.analyze_funnel(
            funnel_steps, date_range, window=window, filters=filters, time_zone=time_zone)

    async def segment_users(self, segment_definition: Mapping[str, Any], date_range: DateRange = None,
                            limit: Optional[int] = None, *, time_zone: Optional[str] = None) -> "Table[str]":
        """As `SegmentationEngine.segment_users`."""
        return await self.segmentation_engine.segment_users(
            segment_definition, date_range, limit, time_zone=time_zone)


def question(kind: str, date_range: DateRange, time_zone: Optional[str], **members: Any) -> Row:
    """A question without what is None or an empty list or mapping."""
    made = {"kind": kind, "date_range": date_range, "time_zone": time_zone, **members}
    return {name: plain(value) for name, value in made.items() if value is not None and value != [] and value != {}}
