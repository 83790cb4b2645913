"""Latency of two questions: queryd over HTTP against DuckDB on the same table, in the same run.

usage: queries.py QUERYD_URL TOKEN_FILE EVENTS_TABLE [--runs N] [--threads N]
Both sides are warm, no result is cached, the zone is UTC; the table is read through its Delta log.
"""

import argparse
import json
import os
import statistics
import time
import urllib.request

import duckdb
import duckdb_extension_delta

STEPS = [
    ("page_view", "page_name", "signup"), ("click", "element_id", "signup_button"),
    ("submit", "form_name", "signup"), ("sign_up", None, None),
]
WINDOW_DAYS = 7


def questions():
    steps = [
        {"name": kind, "event_type": kind, **({"filters": {name: value}} if name else {})} for kind, name, value in STEPS]
    return {
        "count by type": {"kind": "aggregate", "metrics": ["count"], "group_by": ["event_type"]},
        "4-step funnel, 7 days": {"kind": "funnel", "steps": steps, "window": f"{WINDOW_DAYS}d"},
    }


def funnel_sql():
    """Users that reach each step in order within the window of an entry, by joins."""
    parts, matches = [], []
    for number, (kind, name, value) in enumerate(STEPS):
        condition = f"event_type = '{kind}'" + (f" AND properties_{name} = '{value}'" if name else "")
        parts.append(f"s{number} AS (SELECT user_key, timestamp AS t FROM events WHERE {condition} AND user_key <> 0)")
        if number:
            previous = "s0.t AS entry, s0.t AS t FROM s0" if number == 1 else f"entry, t FROM m{number - 1}"
            source = f"(SELECT user_key, {previous})"
            matches.append(
                f"m{number} AS (SELECT p.user_key, p.entry, min(s.t) AS t FROM {source} p JOIN s{number} s "
                f"ON s.user_key = p.user_key AND s.t >= p.t AND s.t <= p.entry + INTERVAL {WINDOW_DAYS} DAY "
                f"GROUP BY p.user_key, p.entry)")
    counts = ", ".join(
        f"(SELECT count(DISTINCT user_key) FROM {'s0' if number == 0 else f'm{number}'})" for number in range(len(STEPS)))
    return f"WITH {', '.join(parts + matches)} SELECT {counts}"


def connect(table, threads):
    connection = duckdb.connect()
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    connection.execute(f"LOAD '{folder}/extensions/v{duckdb.__version__}/delta.duckdb_extension'")
    connection.execute(f"SET threads = {threads}")
    connection.execute(f"CREATE VIEW events AS SELECT * FROM delta_scan('{table}')")
    return connection


def milliseconds(call, runs):
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        result = call()
        times.append((time.perf_counter() - started) * 1000)
    return result, min(times), statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("token_file")
    parser.add_argument("table")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with open(options.token_file, encoding="ascii") as file:
        headers = {"Authorization": f"Bearer {file.read().strip()}", "Cache-Control": "no-cache"}

    def ask(question):
        request = urllib.request.Request(options.url + "/v1/query", json.dumps(question).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    connection = connect(options.table, options.threads)
    sql = {
        "count by type": "SELECT event_type, count(*) FROM events WHERE NOT starts_with(event_type, '$') GROUP BY 1 ORDER BY 1",
        "4-step funnel, 7 days": funnel_sql(),
    }
    print(f"rows: {connection.execute('SELECT count(*) FROM events').fetchone()[0]}, runs: {options.runs}, warm")
    for name, question in questions().items():
        answer, ours_min, ours_median = milliseconds(lambda: ask(question), options.runs)
        rows, theirs_min, theirs_median = milliseconds(lambda: connection.execute(sql[name]).fetchall(), options.runs)
        if question["kind"] == "funnel":
            ours, theirs = [step["users"] for step in answer["steps"]], list(rows[0])
        else:
            ours, theirs = [(row["event_type"], row["count"]) for row in answer["rows"]], [tuple(row) for row in rows]
        agree = "equal" if ours == theirs else f"DIFFERENT: {ours} and {theirs}"
        print(
            f"{name}: tidemark {ours_min:.1f} ms (median {ours_median:.1f}), duckdb {theirs_min:.1f} ms "
            f"(median {theirs_median:.1f}), answers {agree}")


if __name__ == "__main__":
    main()
