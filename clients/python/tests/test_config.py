"""The configuration file, and where the daemons are."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import tidemark
from tidemark._places import collector_place, query_place
from tidemark.config import host_and_port, plain, seconds
from tidemark.errors import ConfigError, TokenError

pytest.importorskip("yaml", reason="PyYAML is not installed")

CONFIG = Path(__file__).resolve().parents[3] / "config"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADDRESS", "QUERY_URL", "TOKEN", "QUERY_TOKEN", "DATA"):
        monkeypatch.delenv(f"TIDEMARK_{name}", raising=False)
    monkeypatch.delenv("DB_PASSWORD", raising=False)


def load(folder: Path, text: str) -> Any:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return tidemark.load_config(file)


def test_the_file_of_the_daemons_gives_every_section_that_the_classes_take() -> None:
    config = tidemark.load_config(CONFIG / "analytics_config.yaml")
    assert config["analytics"]["retention" if "retention" in config["analytics"] else "storage"]
    assert config["tracking"]["batch_size"] == 100 and config["tracking"]["enabled"] is True
    assert config["tracking"]["identity"]["merge_window"] == 30
    assert config["tracking"]["identity"]["storage"]["retention"]["events"] == 365
    assert config["tracking"]["events"]["click"]["properties"] == ["element_id", "element_type", "element_text"]
    assert config["tracking"]["storage"]["type"] == "postgresql"
    for name in ("storage", "query", "aggregation", "segmentation", "funnel"):
        assert isinstance(config["analytics"][name], dict), name
    assert isinstance(config["dashboard"]["analytics"], dict)
    assert isinstance(config["dashboard"]["dashboard_store"], dict)


def test_the_file_declares_the_properties_of_each_type() -> None:
    events = tidemark.load_config(CONFIG / "analytics_config.yaml")["tracking"]["events"]
    assert {name: (event["enabled"], event["properties"]) for name, event in events.items()} == {
        "page_view": (True, ["url", "referrer", "page_name"]),
        "click": (True, ["element_id", "element_type", "element_text"]),
        "feature_used": (True, ["feature_name", "feature_version"]),
        "purchase": (True, ["purchase_id", "amount", "currency", "items"]),
        "error": (True, ["error_type", "error_message", "stack_trace"]),
    }


def test_the_file_of_dashboards_gives_their_widgets() -> None:
    overview = tidemark.load_config(CONFIG / "dashboard_config.yaml")["dashboards"]["overview"]
    assert overview["name"] == "Product Overview"
    assert [widget["type"] for widget in overview["widgets"]] == ["metric", "metric", "chart", "funnel"]


def test_a_variable_that_is_not_set_fails_only_who_reads_it(tmp_path: Path) -> None:
    config = load(tmp_path, "analytics: {storage: {connection: {password: '${DB_PASSWORD}', port: 1}}}\n")
    connection = config["analytics"]["storage"]["connection"]
    assert connection["port"] == 1
    with pytest.raises(ConfigError, match=r"analytics\.storage\.connection\.password: .* DB_PASSWORD is not set"):
        connection["password"]
    with pytest.raises(ConfigError):
        connection.get("password")
    with pytest.raises(ConfigError):
        list(connection.items())
    with pytest.raises(ConfigError):
        plain(config)
    with pytest.raises(ConfigError):
        json.dumps(config)
    assert "${DB_PASSWORD}" in str(config)


def test_a_variable_is_filled_when_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(tmp_path, "a: x${B}y\nc: ['${B}', {d: '${B:-z}'}]\ne: ${B:-5}\nf: '${B:-5}'\ng: $B\n")
    monkeypatch.setenv("B", "1")
    assert (config["a"], config["c"][0], config["c"][1]["d"], config["e"]) == ("x1y", "1", "1", 1)
    assert (config["f"], config["g"]) == ("1", "$B")
    assert dict(config.items())["a"] == "x1y" and "x1y" in list(config.values())
    assert config.copy()["a"] == "x1y" and config.setdefault("a", 2) == "x1y" and config.pop("a") == "x1y"


def test_copies_are_filled_and_printing_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "tdm_x")
    section = load(tmp_path, "query: {token: '${SECRET}', url: 'http://q'}\nother: {a: '${NOT_SET}'}\n")
    query = section["query"]
    for made in ({**query}, dict(query), query | {"a": 1}, {"a": 1} | query, copy.deepcopy(query)):
        assert made["token"] == "tdm_x"
    assert {**section}["query"]["token"] == section["query"].get("token") == "tdm_x"
    assert "${SECRET}" in str(section) and "tdm_x" not in str(section) + repr(query_place(section))
    assert section["query"] is section["query"]


@pytest.mark.parametrize("value, expected", [("", "5"), (None, "5"), ("7", "7"), ("${C}", "${C}")])
def test_the_default_stands_for_unset_and_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any,
                                                expected: str) -> None:
    monkeypatch.delenv("B", raising=False)
    if value is not None:
        monkeypatch.setenv("B", value)
    assert load(tmp_path, "a: '${B:-5}'\n")["a"] == expected


def test_text_without_quotes_becomes_what_it_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(tmp_path, "a: ${N}\nb: ${YES}\nc: '${N}'\nd: ${WORD}\ne: ${COLON}\n")
    for name, text in {"N": "100", "YES": "true", "WORD": "null", "COLON": "a: b"}.items():
        monkeypatch.setenv(name, text)
    assert [config[name] for name in "abcde"] == [100, True, "100", "null", "a: b"]


@pytest.mark.parametrize("text, match", [
    ("a: '${1}'\n", r"a: a variable is written"), ("a: [\n", "is not YAML"), ("- 1\n", "a mapping of sections"),
    ("analytics: 5\n", "analytics must be a mapping"), ("analytics: {tracking: 5}\n", "analytics.tracking must be"),
])
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        load(tmp_path, text)["a"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere.yaml: cannot be read: No such file"):
        tidemark.load_config(tmp_path / "nowhere.yaml")


def test_without_pyyaml_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match=r"pip install 'tidemark\[yaml\]'"):
        load(tmp_path, "a: 1\n")


@pytest.mark.parametrize(
    "text, expected", [(5, 5), ("500ms", 0.5), ("15m", 900), ("2 h", 7200), (0.5, 0.5), ("1d", 86400)])
def test_times_are_read_as_the_daemons_do(text: Any, expected: float) -> None:
    assert seconds(text, "a") == expected


@pytest.mark.parametrize("text", ["", "5 weeks", "-1", True, None, "m"])
def test_what_is_no_time_is_refused(text: Any) -> None:
    with pytest.raises(ConfigError, match="a: a time"):
        seconds(text, "a")


def test_addresses() -> None:
    assert host_and_port("[::1]:80", "a") == ("::1", 80)
    assert host_and_port("h.example:65535", "a") == ("h.example", 65535)
    for wrong in ("h", "h:0", "h:65536", "::1:80", "h:", ":80"):
        with pytest.raises(ConfigError, match="a: host:port"):
            host_and_port(wrong, "a")


# Where the daemons are.


def test_the_defaults_are_those_of_the_daemons() -> None:
    place = collector_place({})
    assert (place.host, place.port, place.unix_socket, place.project) == ("127.0.0.1", 7311, None, "default")
    assert place.token.file == "./data/default.token"
    asked = query_place({})
    assert (asked.url, asked.token.file, asked.project) == ("http://127.0.0.1:7312", "./data/query.token", None)


def test_the_sections_of_the_daemons_say_where_they_listen(tmp_path: Path) -> None:
    config = load(
        tmp_path, "collector: {data: /srv/t, listen: '0.0.0.0:81'}\nquery: {listen: '[::]:82', timeout: 5s}\n")
    place = collector_place(config["tracking"])
    assert (place.host, place.port, place.token.file) == ("127.0.0.1", 81, "/srv/t/default.token")
    for section in (config["analytics"], config["tracking"], config):
        asked = query_place(section)
        assert (asked.url, asked.timeout_seconds) == ("http://[::1]:82", 15)
        assert asked.token.file == "/srv/t/query.token"
    assert query_place(config["analytics"]["query"]).url == query_place(config["analytics"]["funnel"]).url == asked.url
    assert query_place({"query": {"listen": "h:1", "tls": {"certificate": "c", "key": "k"}}}).url == "https://h:1"


def test_keys_for_applications_win_over_where_the_daemons_listen() -> None:
    config = {"collector": {"listen": "a:1", "address": "b:2", "token": "x", "project": "shop"},
              "query": {"listen": "a:1", "url": "https://c/", "token": "y", "project": "shop", "data": "/d"}}
    place, asked = collector_place(config), query_place(config)
    assert (place.host, place.port, place.token.read(), place.project) == ("b", 2, "x", "shop")
    assert (asked.url, asked.token.read(), asked.project) == ("https://c", "y", "shop")
    assert asked.token.file == "/d/query.token"


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"ADDRESS": "h:5", "QUERY_URL": "http://h:6", "TOKEN": "a", "QUERY_TOKEN": "b", "DATA": "/e"}
    for name, value in values.items():
        monkeypatch.setenv(f"TIDEMARK_{name}", value)
    config = {"collector": {"address": "b:2", "token": "x", "data": "/d"}, "query": {"url": "http://c", "token": "y"}}
    place, asked = collector_place(config), query_place(config)
    assert (place.host, place.port, place.token.read(), place.token.file) == ("h", 5, "a", "/e/default.token")
    assert (asked.url, asked.token.read(), asked.token.file) == ("http://h:6", "b", "/e/query.token")
    monkeypatch.setenv("TIDEMARK_ADDRESS", "/run/tidemark/collector.sock")
    assert collector_place(config).unix_socket == "/run/tidemark/collector.sock"


@pytest.mark.parametrize("url", ["h:1", "ftp://h", "http://", "http://h:x", "http://u:p@h", "http://h?a=1"])
def test_a_wrong_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="queryd's URL"):
        query_place({"query": {"url": url}})


@pytest.mark.parametrize("token", ["a b", "a\nb", "tokén€"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(token: str) -> None:
    for config in ({"query": {"token": token}}, {"query": {"token": 12}}):
        with pytest.raises(ConfigError, match=r"^query\.token: ") as caught:
            query_place(config).token.read()
        assert token not in str(caught.value)


def test_the_end_of_a_line_is_no_part_of_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_TOKEN", "tdm_1\n")
    assert collector_place({}).token.read() == "tdm_1"


def test_a_token_of_digits_wants_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS", "0123")
    with pytest.raises(ConfigError, match=r"collector\.token: a text.*quotes"):
        collector_place(load(tmp_path, "collector:\n  token: ${DIGITS}\n"))
    assert collector_place(load(tmp_path, "collector: {token: '${DIGITS}'}\n")).token.read() == "0123"


def test_a_missing_token_says_what_to_do(tmp_path: Path) -> None:
    token = query_place({"query": {"data": str(tmp_path)}}).token
    with pytest.raises(TokenError, match=r"no token for queryd: .*query\.token does not exist; give the token in "
                                         r"TIDEMARK_QUERY_TOKEN, or name the daemons' data folder in TIDEMARK_DATA"):
        token.read()
    file = tmp_path / "query.token"
    file.write_text("")
    with pytest.raises(TokenError, match="is empty"):
        token.read()
    file.write_bytes(b"\xff")
    with pytest.raises(TokenError, match="not a token"):
        token.read()
    file.unlink()
    file.mkdir()
    with pytest.raises(TokenError, match="Is a directory; run as its owner"):
        token.read()
    file.rmdir()
    file.write_text("tdm_1\n")
    assert token.read() == "tdm_1"
