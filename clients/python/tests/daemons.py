"""The real collectord and queryd, on ports of their own and a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Dict, List

START_SECONDS = 20

FOLDER = Path(os.environ.get("TIDEMARK_BIN") or Path(__file__).resolve().parents[3] / ".build" / "debug")
MISSING = [name for name in ("collectord", "queryd") if not os.access(FOLDER / name, os.X_OK)]


class Daemons:
    """Runs from `with` to its end."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._folder = folder
        self._processes: List["subprocess.Popen[bytes]"] = []
        self.address = ""
        self.query_url = ""

    def __enter__(self) -> "Daemons":
        try:
            ready = self._start("collectord", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
            self.address = ready["listen"]
            self.query_url = "http://" + self._start("queryd", "--listen", "127.0.0.1:0")["listen"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def environment(self) -> Dict[str, str]:
        """Where they are, for a program that is started."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
        return {**kept, "TIDEMARK_ADDRESS": self.address, "TIDEMARK_QUERY_URL": self.query_url,
                "TIDEMARK_DATA": str(self.data), "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")}

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()

    def _start(self, name: str, *arguments: str) -> Dict[str, str]:
        """What the daemon says when it is ready."""
        with open(self._folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(
                [FOLDER / name, "--data", self.data, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._processes.append(process)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            for line in self.log(name).splitlines():
                if '"ready"' in line:
                    said = json.loads(line)
                    if said.get("message") == "ready":
                        return {key: str(value) for key, value in said.items()}
            time.sleep(0.01)
        raise AssertionError(f"{name} did not get ready: {self.log(name)}")
