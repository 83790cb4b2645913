#!/usr/bin/env python3
"""usage: bench/dashboard.py [demo events] [rounds]

What a person waits for: the data of the seed's dashboard of four widgets over the demo's events, and the page until its
charts are drawn, in headless Chromium. Release builds in .build/release; run it with the Python that scripts/test makes
(.venv/bin/python), which has Playwright.

The data is asked for with `Cache-Control: no-cache`, so that every round computes; the page as a browser asks.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from playwright.sync_api import sync_playwright

INGEST, QUESTIONS, METRICS = "127.0.0.1:17311", "127.0.0.1:17312", "127.0.0.1:17313"
PROGRAMS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".build", "release")


def program(name, *arguments, **options):
    return subprocess.run([os.path.join(PROGRAMS, name), *arguments], check=True, **options)


def start(name, address, *arguments):
    daemon = subprocess.Popen([os.path.join(PROGRAMS, name), *arguments], stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://{address}/readyz", timeout=1)
            return daemon
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{name} did not get ready")


def figures(milliseconds):
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"median {statistics.median(ordered):.0f} ms, p95 {p95:.0f} ms, {len(ordered)} rounds"


def measure_data(token, rounds, **headers):
    url = f"http://{QUESTIONS}/v1/dashboards/overview/data?start=30_days_ago&end=today"
    taken = []
    for _ in range(rounds):
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}", **headers})
        started = time.perf_counter()
        body = urllib.request.urlopen(request).read()
        taken.append((time.perf_counter() - started) * 1000)
        widgets = json.loads(body)["widgets"]
        assert len(widgets) == 4 and not any("error" in widget for widget in widgets), body[:2000]
    return taken


def measure_page(data, rounds):
    """Milliseconds until every chart of the dashboard is drawn, and the bytes that came over the wire meanwhile."""
    taken, transferred = [], 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for _ in range(rounds):
            link = program("tidemark", "login", "--data", data, "--address", QUESTIONS, capture_output=True, text=True)
            context = browser.new_context(viewport={"width": 1280, "height": 900})  # an empty cache each time
            page = context.new_page()
            page.goto(link.stdout.strip())
            page.wait_for_selector("nav")
            devtools = context.new_cdp_session(page)
            devtools.send("Network.enable")
            sizes = []
            devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
            devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
            started = time.perf_counter()
            page.goto(f"http://{QUESTIONS}/#/dashboards/overview")
            page.reload(wait_until="commit")
            page.wait_for_selector("[data-widget] >> nth=3")
            page.wait_for_selector(".skeleton, [aria-busy=true]", state="detached")
            page.wait_for_selector("[data-widget] canvas >> nth=1")  # the small lines in both tiles come last
            taken.append((time.perf_counter() - started) * 1000)
            transferred = sum(sizes)
            context.close()
        browser.close()
    return taken, transferred


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    folder = tempfile.mkdtemp()
    data = os.path.join(folder, "data")
    daemons = []
    try:
        daemons.append(start("collectord", METRICS, "--data", data, "--listen", INGEST, "--http", METRICS))
        program(
            "tidemark", "demo", "--data", data, "--address", INGEST, "--events", str(events), "--users", "50000",
            "--days", "10")
        program("tidemark", "compact", "--data", data)
        daemons.append(start("queryd", QUESTIONS, "--data", data, "--listen", QUESTIONS))
        with open(os.path.join(data, "query.token"), encoding="ascii") as file:
            token = file.read().strip()
        measure_data(token, 1)
        print(f"== dashboard `overview` over {events} demo events, 10 days, all in the table, warm")
        print("data, every round computed:", figures(measure_data(token, rounds, **{"Cache-Control": "no-cache"})))
        print("data, unchanged since the last round:", figures(measure_data(token, rounds)))
        taken, transferred = measure_page(data, rounds)
        print("page until four widgets are drawn, nothing cached in the browser:", figures(taken))
        print(f"transferred: {transferred / 1024:.0f} KiB")
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait()
        shutil.rmtree(folder)


main()
