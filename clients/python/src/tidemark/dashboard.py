"""Dashboards for coroutines: `DashboardManager` and its `DashboardStore`.

    manager = DashboardManager(config["dashboard"])
    dashboard_id = await manager.create_dashboard("Overview", widgets)
    data = await manager.get_dashboard_data(dashboard_id, {"start": "30_days_ago", "end": "today"})

queryd keeps the dashboards and computes their widgets; docs/questions.md says what a widget may hold.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

from ._api import QueryAPI, segment
from .answers import Answer, Table
from .config import part_of, plain
from .engine import AnalyticsEngine, DateRange

__all__ = ["DashboardManager", "DashboardStore"]

Config = Optional[Mapping[str, Any]]
_SETTINGS = ("name", "widgets", "filters", "date_range", "time_zone", "compare")
"""What of a dashboard an application may write."""


class DashboardStore:
    """Keeps definitions of dashboards, at queryd."""

    def __init__(self, config: Config = None, *, api: Optional[QueryAPI] = None) -> None:
        self.config = {} if config is None else config
        self._api = api or QueryAPI(self.config)

    async def create_dashboard(self, dashboard: Mapping[str, Any]) -> Answer:
        """Stores `{"name", "widgets", …}` and returns it with its `dashboard_id`, which queryd gives."""
        return Answer((await self._api.call("POST", "/v1/dashboards", _settings(dashboard))).body)

    async def get_dashboard(self, dashboard_id: str) -> Answer:
        """The definition. Raises QuestionRefused with code `not_found` if there is none."""
        return Answer((await self._api.call("GET", _path(dashboard_id))).body)

    async def list_dashboards(self) -> "Table[Dict[str, Any]]":
        """dashboard_id, name, widget_count, read_only and updated_at of each."""
        return Table((await self._api.call("GET", "/v1/dashboards")).body["dashboards"])

    async def update_dashboard(self, dashboard_id: str, dashboard: Mapping[str, Any],
                               version: Optional[int] = None) -> Answer:
        """Replaces the definition; with a `version` only if it is still the stored one (else `version_conflict`)."""
        headers = None if version is None else {"If-Match": f'"{version}"'}
        reply = await self._api.call("PUT", _path(dashboard_id), _settings(dashboard), headers=headers)
        return Answer(reply.body)

    async def delete_dashboard(self, dashboard_id: str) -> None:
        """Raises QuestionRefused with code `read_only` for one that a file defines."""
        await self._api.call("DELETE", _path(dashboard_id))

    async def duplicate_dashboard(self, dashboard_id: str) -> Answer:
        """A copy that may be changed, with an id of its own."""
        return Answer((await self._api.call("POST", _path(dashboard_id) + "/duplicate")).body)


class DashboardManager:
    """Makes dashboards and gets their data.

    `config` is the section `dashboard` of a loaded file, the whole file, or a dict with a section `query`.
    """

    def __init__(self, config: Config = None) -> None:
        self.config = config = part_of(config, "dashboard")
        self._api = QueryAPI(part_of(config, "dashboard_store"))
        self.analytics_engine = AnalyticsEngine(config)
        self.dashboard_store = DashboardStore(part_of(config, "dashboard_store"), api=self._api)

    async def create_dashboard(self, name: str, widgets: Sequence[Mapping[str, Any]], **settings: Any) -> str:
        """Stores a dashboard and returns its id. `settings`: filters, date_range, time_zone, compare.

        Raises QuestionRefused for a widget that cannot be; its `path` says which, `widgets[2].metrics[0].type`.
        """
        made = await self.dashboard_store.create_dashboard({"name": name, "widgets": widgets, **settings})
        return str(made["dashboard_id"])

    async def get_dashboard_data(
        self,
        dashboard_id: str,
        date_range: DateRange = None,
        *,
        time_zone: Optional[str] = None,
        override_dates: bool = False,
        compare: Optional[bool] = None,
        filters: Optional[Mapping[str, Any]] = None,
    ) -> Answer:
        """dashboard_id, name and `widgets`, each with its data: `value` and `trend`, or `data`.

        Dates that a widget has win over `date_range`, unless `override_dates`; `filters` hold for all. A widget that
        fails has `error` in place of data, and the others their data.
        """
        dates = date_range or {}
        parameters = {
            "start": dates.get("start"), "end": dates.get("end"), "time_zone": time_zone,
            "override_dates": override_dates or None, "compare": compare,
            "filters": None if filters is None else plain(filters),
        }
        body = (await self._api.fresh("GET", _path(dashboard_id) + "/data", parameters=parameters)).body
        meta = body.pop("meta", None)
        widgets = [Answer(widget, widget.get("meta"), rows=_rows(widget)) for widget in body["widgets"]]
        return Answer({**body, "widgets": widgets}, meta, rows=[_summary(widget) for widget in widgets])

    async def get_dashboard(self, dashboard_id: str) -> Answer:
        """The definition."""
        return await self.dashboard_store.get_dashboard(dashboard_id)

    async def list_dashboards(self) -> "Table[Dict[str, Any]]":
        """All dashboards, without their widgets."""
        return await self.dashboard_store.list_dashboards()

    async def update_dashboard(self, dashboard_id: str, **changes: Any) -> Answer:
        """Changes name, widgets, filters, date_range, time_zone or compare and leaves the others as they are.

        Raises QuestionRefused with code `version_conflict` if somebody else changed it meanwhile.
        """
        before = await self.dashboard_store.get_dashboard(dashboard_id)
        return await self.dashboard_store.update_dashboard(
            dashboard_id, {**before, **_settings(changes)}, before["version"])

    async def delete_dashboard(self, dashboard_id: str) -> None:
        await self.dashboard_store.delete_dashboard(dashboard_id)

    async def duplicate_dashboard(self, dashboard_id: str) -> str:
        """The id of a copy that may be changed."""
        return str((await self.dashboard_store.duplicate_dashboard(dashboard_id))["dashboard_id"])


def _path(dashboard_id: str) -> str:
    return "/v1/dashboards/" + segment(dashboard_id)


def _settings(dashboard: Mapping[str, Any]) -> Dict[str, Any]:
    """What is written of a dashboard. Raises TypeError for what is not known, but for what queryd itself adds."""
    added = ("dashboard_id", "read_only", "version", "created_at", "updated_at")
    unknown = sorted(set(dashboard) - set(_SETTINGS) - set(added))
    if unknown:
        raise TypeError(f"a dashboard has no {', '.join(unknown)}; it has {', '.join(_SETTINGS)}")
    return {name: plain(dashboard[name]) for name in _SETTINGS if dashboard.get(name) is not None}


def _rows(widget: Mapping[str, Any]) -> Optional[Any]:
    """The rows that a widget shows; None if it is one value."""
    data = widget.get("data")
    return data["steps"] if isinstance(data, dict) else data


def _summary(widget: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: widget.get(name) for name in ("widget_id", "type", "title", "value")}
