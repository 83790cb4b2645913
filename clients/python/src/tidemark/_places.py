"""Where the daemons are, and the tokens they want: the environment, then the sections of the file, then the defaults.

| environment | file | default |
|---|---|---|
| TIDEMARK_ADDRESS | `collector.address`, `collector.listen` | 127.0.0.1:7311 |
| TIDEMARK_QUERY_URL | `query.url`, `query.listen` | http://127.0.0.1:7312 |
| TIDEMARK_TOKEN | `collector.token` | the text in `<data>/default.token` |
| TIDEMARK_QUERY_TOKEN | `query.token` | the text in `<data>/query.token` |
| TIDEMARK_DATA | `collector.data`, for queries `query.data` before it | ./data |
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from .config import host_and_port, seconds
from .errors import ConfigError, TokenError

Config = Mapping[str, Any]
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}


@dataclass(frozen=True)
class Token:
    """A token, or the file that holds it: read when it is first needed."""

    text: Optional[str] = field(repr=False)
    file: str
    whose: str
    variable: str

    def read(self) -> str:
        """Raises TokenError, which says what to do."""
        if self.text:
            return self.text
        remedy = (f"give the token in {self.variable}, or name the daemons' data folder in TIDEMARK_DATA "
                  "(collectord leaves its first tokens there)")
        path = Path(self.file).absolute()
        try:
            text = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise TokenError(f"no token for {self.whose}: {path} does not exist; {remedy}") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a token"
            raise TokenError(f"no token for {self.whose}: {path}: {reason}; run as its owner, or {remedy}") from None
        if not text:
            raise TokenError(f"no token for {self.whose}: {path} is empty; {remedy}")
        if not _is_sendable(text):
            raise TokenError(f"no token for {self.whose}: {path}: not a token; {remedy}")
        return text


@dataclass(frozen=True)
class CollectorPlace:
    """Where events go."""

    host: str
    port: int
    unix_socket: Optional[str]
    token: Token
    project: str


@dataclass(frozen=True)
class QueryPlace:
    """Where questions go."""

    url: str
    token: Token
    project: Optional[str]
    timeout_seconds: float
    """How long one call may take: what queryd allows a question, and ten seconds for the way."""
    wait_seconds: float
    """How long a call waits for this process's own events to be in the answer."""
    ca_file: Optional[str]


def _setting(variable: str, *values: Any) -> Any:
    """The first that is there."""
    return next((value for value in (os.environ.get(variable), *values) if value not in (None, "")), None)


def _is_sendable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _token(variable: str, value: Any, key: str) -> Optional[str]:
    """The token of the environment, else of the file. No error shows it."""
    text = _setting(variable, value)
    if text is None:
        return None
    if not isinstance(text, str):
        raise ConfigError(f"{key}: a text is wanted, not {type(text).__name__}; write it in quotes, variables too")
    if not _is_sendable(text.strip()):
        raise ConfigError(f"{key}: a token has no spaces, ends of lines or letters beyond ASCII")
    return text.strip() or None


def _section(config: Config, key: str) -> Config:
    """The section of this name in the configuration's `storage`, else in the configuration itself, else nothing."""
    storage = config.get("storage")
    for place in (storage if isinstance(storage, Mapping) else {}, config):
        section = place.get(key)
        if section is not None:
            if not isinstance(section, Mapping):
                raise ConfigError(f"{key} must be a mapping")
            return section
    return {}


def _reachable(listen: Any, key: str) -> Optional[str]:
    """The address at which one reaches what listens here."""
    if listen is None:
        return None
    host, port = host_and_port(listen, key)
    host = _EVERYWHERE.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def collector_place(config: Config) -> CollectorPlace:
    """From a configuration that has, or has not, a section `collector`."""
    own = _section(config, "collector")
    address = str(_setting("TIDEMARK_ADDRESS", own.get("address"), _reachable(own.get("listen"), "collector.listen"),
                           "127.0.0.1:7311"))
    data = str(_setting("TIDEMARK_DATA", own.get("data"), "./data"))
    token = Token(_token("TIDEMARK_TOKEN", own.get("token"), "collector.token"), os.path.join(data, "default.token"),
                  "the collector", "TIDEMARK_TOKEN")
    is_path = "/" in address
    host, port = ("127.0.0.1", 7311) if is_path else host_and_port(address, "the collector's address")
    return CollectorPlace(host, port, address if is_path else None, token, str(own.get("project") or "default"))


def query_place(config: Config) -> QueryPlace:
    """From a section `query`, or a configuration that has one; `collector.data` counts where that has one too."""
    own = _section(config, "query") if "query" in config or "storage" in config else config
    listen = _reachable(own.get("listen"), "query.listen")
    scheme = "https" if own.get("tls") else "http"
    url = str(_setting("TIDEMARK_QUERY_URL", own.get("url"), f"{scheme}://{listen or '127.0.0.1:7312'}"))
    data = str(_setting("TIDEMARK_DATA", own.get("data"), _section(config, "collector").get("data"), "./data"))
    token = Token(_token("TIDEMARK_QUERY_TOKEN", own.get("token"), "query.token"), os.path.join(data, "query.token"),
                  "queryd", "TIDEMARK_QUERY_TOKEN")
    ca_file = own.get("ca_file")
    return QueryPlace(
        _checked(url), token, own.get("project"), seconds(own.get("timeout", 60), "query.timeout") + 10,
        seconds(own.get("wait", 10), "query.wait"), None if ca_file is None else str(ca_file))


def _checked(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.username or parts.query or parts.fragment:
        may_hold_a_secret = parts.username or parts.query or parts.fragment
        shown = "one with a user, a question mark or a #" if may_hold_a_secret else repr(url)
        raise ConfigError(f"queryd's URL: http://host:port or https://host:port, not {shown}")
    return url.rstrip("/")
