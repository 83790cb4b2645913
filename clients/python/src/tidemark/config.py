"""The configuration file of the daemons, for applications: `load_config`, and the sections that it gives.

One file may serve both: the section `analytics:` says what is tracked; `collector:` and `query:` say where the daemons
are; `dashboards:` holds definitions. `docs/python.md` lists the keys.
"""

from __future__ import annotations

import copy
import math
import os
import re
from pathlib import Path
from typing import Any, Dict, ItemsView, Iterator, Mapping, Optional, Tuple, Union, ValuesView

from .errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(ms|s|m|h|d)?\Z")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MISSING = object()


class Section(Dict[str, Any]):
    """A mapping of the file. `${NAME}` and `${NAME:-default}` are filled when a value is first read by its key.

    So a variable that is not set fails who needs it, naming the key, and nobody else. Printing a section shows
    the texts as the file has them. `dict(section)` fills the texts that stand in it, `plain` those below too.
    """

    def __init__(self, values: Mapping[str, Any], place: str = "") -> None:
        super().__init__(values)
        self._place = place

    def __iter__(self) -> Iterator[str]:
        # With a method of its own, `dict(section)` and `{**section}` read by the keys, and so get filled texts.
        return super().__iter__()

    def __or__(self, other: Any) -> Any:
        return {**self, **other} if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return {**other, **self} if isinstance(other, Mapping) else NotImplemented

    def __deepcopy__(self, memo: Any) -> "Section":
        return Section({key: copy.deepcopy(value, memo) for key, value in dict.items(self)}, self._place)

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        filled = _filled(value, f"{self._place}.{key}" if self._place else str(key))
        if isinstance(filled, (dict, list)) and filled is not value:
            # Kept, so that who changes it finds his change. A text is not: printed, it might show a secret.
            super().__setitem__(key, filled)
        return filled

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        if key not in self and default is not _MISSING:
            return default
        value = self[key]
        del self[key]
        return value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        return ItemsView(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return ValuesView(self)

    def copy(self) -> "Section":
        return Section(dict.copy(self), self._place)


class _Unquoted(str):
    """A text without quotes in the file that has a variable: what it is filled with may be a number or a bool."""


def plain(value: Any) -> Any:
    """A copy of dicts and lists only, with everything filled."""
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in value}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def _filled(value: Any, place: str) -> Any:
    if isinstance(value, str) and "${" in value:
        text = _VARIABLE.sub(lambda match: _variable(match, place), value)
        return _scalar(text) if isinstance(value, _Unquoted) else text
    if isinstance(value, dict) and not isinstance(value, Section):
        return Section(value, place)
    if type(value) is list:
        made = [_filled(inner, f"{place}[{index}]") for index, inner in enumerate(value)]
        return value if all(new is old for new, old in zip(made, value)) else made
    return value


def _variable(match: "re.Match[str]", place: str) -> str:
    name, default = match[1], match[2]
    if name is None:
        raise ConfigError(f"{place}: a variable is written ${{NAME}} or ${{NAME:-default}}: {match.string!r}")
    value = os.environ.get(name)
    if default is not None:
        return value or default
    if value is None:
        raise ConfigError(f"{place}: the environment variable {name} is not set; set it, or write ${{{name}:-default}}")
    return value


def load_config(path: Union[str, "os.PathLike[str]"]) -> Section:
    """Reads a YAML file. The result has the file's sections, and those that the classes of this package take:

    | key | for |
    |---|---|
    | `tracking`, or `storage`, `identity` in it | `EventTracker`, `EventStorage`, `IdentityResolver` |
    | `analytics`, or `query`, `aggregation`, `segmentation`, `funnel` in it | `AnalyticsEngine` and its engines |
    | `dashboard`, or `dashboard_store` in it | `DashboardManager`, `DashboardStore` |

    Raises ConfigError for a file that cannot be used, ImportError without PyYAML.
    """
    name = os.fspath(path)
    read = _parsed(name)
    if not isinstance(read, dict):
        raise ConfigError(f"{name}: a mapping of sections is wanted")
    file = {"analytics": {}, **read}
    for key in ("analytics", "collector", "query"):
        if file.get(key) is None:
            file[key] = {}
        if not isinstance(file[key], dict):
            raise ConfigError(f"{name}: {key} must be a mapping")
    return Section({**file, **_views(name, file)})


def _views(name: str, file: Dict[str, Any]) -> Dict[str, Any]:
    """The sections that the classes take, each with all that it needs."""
    analytics = file["analytics"]

    def part(key: str) -> Dict[str, Any]:
        value = analytics.get(key)
        if value is not None and not isinstance(value, dict):
            raise ConfigError(f"{name}: analytics.{key} must be a mapping")
        return value or {}

    where = {"collector": file["collector"], "query": file["query"]}
    storage = {**part("storage"), **where, "privacy": part("privacy")}
    identity = {**part("identity"), "storage": storage, "privacy": part("privacy")}
    tracking = {**part("tracking"), "events": part("events"), "privacy": part("privacy"), "storage": storage,
                "identity": identity}
    whole = {**analytics, "tracking": tracking, "storage": storage, "identity": identity, "query": file["query"],
             "aggregation": {}, "segmentation": {"query": file["query"]}, "funnel": {"query": file["query"]}}
    return {"tracking": tracking, "analytics": whole,
            "dashboard": {"analytics": whole, "dashboard_store": {"query": file["query"]}}}


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise ImportError("load_config needs PyYAML: pip install 'tidemark[yaml]'") from None
    return yaml


def _parsed(name: str) -> Any:
    yaml = _yaml()

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        """Tells texts with variables that stand in quotes from those that do not."""

    Loader.add_implicit_resolver("!variable", re.compile(r".*\$\{"), None)
    Loader.add_constructor("!variable", lambda loader, node: _Unquoted(loader.construct_scalar(node)))
    try:
        return yaml.load(Path(name).read_text(encoding="utf-8"), Loader)
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: is not YAML: {error}") from None


def _scalar(text: str) -> Any:
    """What the text means in YAML without quotes."""
    yaml = _yaml()
    value = yaml.safe_load(text)
    return value if isinstance(value, (int, float)) else text


# Readers of settings.


def part_of(config: Optional[Mapping[str, Any]], key: str) -> Mapping[str, Any]:
    """The section `key` of a configuration, or the configuration itself if it is that section already."""
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise TypeError(f"config must be a mapping, not {type(config).__name__}")
    value = config.get(key)
    return value if isinstance(value, Mapping) else config


def seconds(value: Any, key: str) -> float:
    """A time: 500ms, 5s, 15m, 2h, 30d, or plain seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(f"{key}: a time such as 500ms, 5s, 15m, or seconds; not {value!r}")
    return float(match[1]) * _UNIT_SECONDS[match[2] or "s"]


def boolean(value: Any, key: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{key}: true or false, not {value!r}")
    return value


def whole_number(value: Any, key: str, most: int) -> int:
    """A number from 1 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise ConfigError(f"{key}: a whole number, 1 to {most}; not {value!r}")
    return int(value)


def host_and_port(text: Any, key: str) -> Tuple[str, int]:
    """host:port, or [IPv6]:port."""
    match = re.match(r"(?:\[([^\]]+)\]|([^:\[\]]+)):([0-9]{1,5})\Z", str(text))
    if match is None or not 0 < int(match[3]) < 65536:
        raise ConfigError(f"{key}: host:port, not {text!r}")
    return match[1] or match[2], int(match[3])
