"""The daemons that the page is tested against: real ones, with the demo's events, in a folder of their own."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Dict, List, Optional

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60


class Service:
    """A queryd that answers: its address, a token, and how to ask it without a browser."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.token = token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer as JSON, or None where it has no body. An error status raises `urllib.error.HTTPError`."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def ask(self, question: Dict[str, Any]) -> Any:
        return self.call("POST", "/v1/query", question)

    def login_link(self) -> str:
        """A link that logs in once."""
        return str(self.call("POST", "/v1/login-links", {})["url"])

    def stop(self) -> None:
        """A running server that was named stays as it is."""


class Daemons(Service):
    """collectord and queryd on free ports, with `tidemark demo` streamed into them."""

    def __init__(self, binaries: Path, events: int, users: int) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="tidemark-page-")
        self.data = Path(self.folder.name) / "data"
        self.data.mkdir()
        self.binaries = binaries
        self.running: List[subprocess.Popen[bytes]] = []
        ingest, metrics, questions = free_places(3)
        self.questions = questions
        try:
            self._start("collectord", metrics, "--listen", ingest, "--http", metrics)
            self._start("queryd", questions, "--listen", questions)
            self._run("demo", "--data", str(self.data), "--address", ingest,
                      "--events", str(events), "--users", str(users))
            super().__init__(f"http://{questions}", (self.data / "query.token").read_text().strip())
            self._await_events()
        except BaseException:
            self.stop()
            raise

    def login_link(self) -> str:
        """As a person gets it: by `tidemark login`."""
        printed = self._run("login", "--data", str(self.data), "--address", self.questions)
        return next(word for word in printed.split() if word.startswith("http://"))

    def stop(self) -> None:
        """Ends first who reads, then who writes."""
        for process in reversed(self.running):
            process.terminate()
            process.wait(timeout=30)
        self.running.clear()
        self.folder.cleanup()

    def _start(self, name: str, ready: str, *arguments: str) -> None:
        log = self.data / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen([str(self.binaries / name), "--data", str(self.data), *arguments],
                                       stdout=output, stderr=output, cwd=self.folder.name)
        self.running.append(process)
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not get ready:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([str(self.binaries / "tidemark"), *arguments], capture_output=True, text=True,
                              timeout=120, cwd=self.folder.name)
        if done.returncode != 0:
            raise RuntimeError(f"tidemark {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _await_events(self) -> None:
        """Until the answers hold the demo and nothing more arrives, so that two questions see the same."""
        deadline = time.monotonic() + READY_SECONDS
        seen = -1
        while time.monotonic() < deadline:
            count = self.ask({"kind": "aggregate", "metrics": ["count"]})["rows"][0]["count"]
            if count == seen and count > 0:
                return
            seen = count
            time.sleep(0.3)
        raise RuntimeError("the demo's events did not show up in an answer")


def service() -> Service:
    """A server that runs already (TIDEMARK_URL with TIDEMARK_TOKEN), or daemons from TIDEMARK_BIN or .build/debug."""
    url: Optional[str] = os.environ.get("TIDEMARK_URL")
    if url:
        return Service(url, os.environ["TIDEMARK_TOKEN"])
    return Daemons(Path(os.environ.get("TIDEMARK_BIN") or ROOT / ".build" / "debug").resolve(), 20_000, 400)


def free_places(count: int) -> List[str]:
    """Loopback addresses nobody listens on, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    places = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return places


def is_ready(place: str) -> bool:
    connection = http.client.HTTPConnection(place, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
