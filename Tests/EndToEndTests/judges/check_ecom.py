"""Asks queryd about the imported `ecom` data and compares with plain Python over the CSV.

usage: check_ecom.py QUERYD_URL TOKEN CSV [extra rows of the CSV's own form, as JSON]
Prints one line a question; exits 1 at the first difference.
"""

import collections
import csv
import datetime
import gzip
import json
import sys
import urllib.request

STEPS = ["product_view", "add_to_cart", "cart", "purchase"]
WINDOW = datetime.timedelta(days=7)
EXPECTED = {"whole range": [598, 487, 353, 131], "March 2024": [282, 90, 48, 19]}


def rows(path):
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            row["time"] = datetime.datetime.fromisoformat(row["timestamp"])
            yield row


def funnel(events, start, end):
    """Users by the deepest step they reach within the window of any entry in [start, end)."""
    by_user = collections.defaultdict(list)
    for event in events:
        if event["event"] in STEPS:
            by_user[event["user_id"]].append((event["time"], STEPS.index(event["event"])))
    reached = [0] * len(STEPS)
    for stream in by_user.values():
        stream.sort()  # by time; equal times by step, so that ties convert
        deepest = 0
        for position, (entry, step) in enumerate(stream):
            if step != 0 or not start <= entry < end:
                continue
            depth = 1
            for time, step in stream[position + 1:]:
                if time - entry > WINDOW:
                    break
                if step == depth:
                    depth += 1
                    if depth == len(STEPS):
                        break
            deepest = max(deepest, depth)
        for depth in range(deepest):
            reached[depth] += 1
    return reached


def ask(url, question):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sys.argv[2]}"}
    request = urllib.request.Request(url + "/v1/query", json.dumps(question).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def table(answer, key, value):
    return {row[key]: row[value] for row in answer["rows"]}


def compare(name, expected, found):
    if expected != found:
        sys.exit(f"{name}: expected {expected}, found {found}")
    print(f"{name}: equal")


def main():
    url, _, path = sys.argv[1:4]
    events = list(rows(path))
    for extra in json.loads(sys.argv[4]) if len(sys.argv) > 4 else []:
        extra["time"] = datetime.datetime.fromisoformat(extra["timestamp"])
        events.append(extra)
    count = [{"type": "count", "alias": "events"}]

    answer = ask(url, {"kind": "aggregate", "metrics": count})
    compare("events", len(events), answer["rows"][0]["events"])

    answer = ask(url, {"kind": "aggregate", "metrics": count, "group_by": ["event_type"]})
    compare("events per type", dict(collections.Counter(e["event"] for e in events)), table(answer, "event_type", "events"))

    months = collections.defaultdict(set)
    for event in events:
        months[event["time"].strftime("%Y-%m")].add(event["user_id"])
    answer = ask(url, {
        "kind": "aggregate", "metrics": [{"type": "count_distinct", "field": "user_id", "alias": "users"}],
        "group_by": [{"time": "month"}]})
    found = {row["month"][:7]: row["users"] for row in answer["rows"]}
    compare("users per month", {month: len(users) for month, users in months.items()}, found)

    purchases = collections.Counter(e["platform"] for e in events if e["event"] == "purchase")
    answer = ask(url, {
        "kind": "aggregate", "metrics": count, "filters": {"event_type": "purchase"}, "group_by": ["properties.platform"]})
    compare("purchases by platform", dict(purchases), table(answer, "properties.platform", "events"))

    steps = [{"name": step, "event_type": step} for step in STEPS]
    first, last = datetime.datetime(2024, 1, 1), datetime.datetime(2025, 1, 1)
    ranges = {
        "whole range": (first, last, {}),
        "March 2024": (
            datetime.datetime(2024, 3, 1), datetime.datetime(2024, 4, 1),
            {"date_range": {"start": "2024-03-01", "end": "2024-03-31"}}),
    }
    for name, (start, end, extra) in ranges.items():
        answer = ask(url, {"kind": "funnel", "steps": steps, "window": "7d", **extra})
        users = [step["users"] for step in answer["steps"]]
        compare(f"funnel, {name}", funnel(events, start, end), users)
        if len(sys.argv) <= 4:
            compare(f"funnel, {name}, published figures", EXPECTED[name], users)


if __name__ == "__main__":
    main()
