"""Suites whose models are behind the loopback server, run as a user runs them, and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml
from PIL import Image as Pillow

from support import toy
from support.loopback import Loopback
from support.paths import TESTS

PRICE = {"input": 100.0, "output": 200.0, "image_tokens": 60}
"""Dollars for a million tokens; a prompt of the toy suite comes to about a cent."""


def write(root: Path, memory: int, queries: int) -> Path:
    """A toy COCO folder whose pictures differ also as JPEG: each shows its number in bits."""
    toy.write_coco(root, memory, queries)
    for number, file in enumerate(sorted(root.glob("*/*.png"))):
        picture = Pillow.open(file).convert("RGB").resize((48, 48))
        for bit in range(12):
            ink = (255, 255, 255) if number >> bit & 1 else (0, 0, 0)
            left, top = 16 * (bit % 3), 8 * (bit // 3)
            picture.paste(ink, (left, top, left + 8, top + 8))
        picture.save(file)
    return root


def suite(root: Path, url: str, **changes: object) -> dict:
    """Captioning by a chat model that reads what two strategies retrieve: two prompts a query."""
    gpt = {
        "use": "openai",
        "model": "m",
        "base_url": url,
        "price": PRICE,
        "max_tokens": 8,
        "calls": {"concurrency": 8, "timeout": 3.0, "retries": 8},
    }
    content: dict = {
        "name": "served",
        "dataset": {"use": "coco", "root": str(root)},
        "models": {"colours": {"use": "support.toy:ColourEncoder"}, "gpt": gpt},
        "strategies": {"shared-space": {"encoder": "colours"}, "random": {}},
        "generators": {"reader": {"chat": "gpt"}},
        "tasks": {"captioning": {"generator": "reader", "k": 1, "measures": ["CIDEr"]}},
    }
    return {**content, **changes}


@dataclass
class Place:
    """Where a suite is run: its file, a cache and an output folder of its own."""

    folder: Path

    def start(self, content: dict, *overrides: str) -> subprocess.Popen:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "suite.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        secrets = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")
        cache = {"MMRAGBENCH_CACHE": str(self.folder / "cache")}
        return subprocess.Popen(
            [sys.executable, "-m", "mmragbench.cli.app", "run", file, *overrides],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **cache, **secrets},
        )

    def run(self, content: dict, *overrides: str) -> tuple[int, str]:
        """Exit code, and what was said on standard error."""
        process = self.start(content, *overrides)
        _, errors = process.communicate(timeout=550)
        return process.returncode, errors

    @property
    def run_folder(self) -> Path:
        (folder,) = (self.folder / "runs").iterdir()
        return folder

    def ledger(self) -> list[dict]:
        lines = (self.run_folder / "spending.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def stored(self) -> list[str]:
        """The prompts whose replies the cache holds, as the server named them (`named`)."""
        import sqlite3

        found: list[str] = []
        for file in (self.folder / "cache" / "items").glob("*.sqlite"):
            with sqlite3.connect(file) as db:
                rows = [value for (value,) in db.execute("SELECT value FROM answers")]
            replies = [json.loads(value) for value in rows if value.startswith(b'{"text"')]
            found += [reply["text"].split()[-1] for reply in replies]
        return found


def kill_after(process: subprocess.Popen, server: Loopback, answers: int) -> None:
    """SIGKILL as soon as the server has answered so many."""
    while len(server.answered) < answers:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def bill(server: Loopback) -> float:
    """The server's own count, in dollars: every reply that it sent as a whole."""
    read = sum(asked.tokens_in for asked in server.answered)
    written = sum(asked.tokens_out for asked in server.answered)
    return (PRICE["input"] * read + PRICE["output"] * written) / 1e6


def known(ledger: list[dict]) -> float:
    """What the ledger has as told by the server."""
    return sum(line.get("dollars", 0) for line in ledger)


def unsure(ledger: list[dict]) -> float:
    """What the ledger has for calls without a reply, those under way at a kill included."""
    closed = {line["call"] for line in ledger if "reserved" not in line}
    hanging = [line for line in ledger if "reserved" in line and line["call"] not in closed]
    return sum(line.get("uncertain", 0) for line in ledger) + sum(h["reserved"] for h in hanging)


def answered_twice(server: Loopback) -> dict[str, int]:
    """Prompts to which the server sent more than one whole reply."""
    times = Counter(asked.key for asked in server.answered)
    return {key: n for key, n in times.items() if n > 1}
