"""A report's explorer, read in a test as the page's own script reads it."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any


class Explored:
    """A page's explorer, unpacked as the page's script does it."""

    def __init__(self, page: str) -> None:
        chunks = re.findall(
            r'<script type="[^"]+" id="explorer-([^"]+)">(.*?)</script>', page, re.S
        )
        self.chunks = dict(chunks)
        self.index = json.loads(self.chunks["index"])
        self.names = [task["name"] for task in self.index["tasks"]]

    def unpack(self, name: str) -> Any:
        return json.loads(zlib.decompress(base64.b64decode(self.chunks[name])))

    def facts(self, task: str) -> Any:
        return self.index["tasks"][self.names.index(task)]

    def task(self, task: str) -> Any:
        return self.unpack(f"task-{self.names.index(task)}")

    def query(self, task: str, id: str) -> Any:
        return next(query for query in self.task(task)["queries"] if query["id"] == id)

    def prompts(self, task: str) -> Any:
        return self.unpack(f"prompts-{self.names.index(task)}")

    def pictures(self) -> list[bytes]:
        sheets = [text for name, text in self.chunks.items() if name.startswith("sheet-")]
        return [base64.b64decode(line) for sheet in sheets for line in sheet.split("\n")]
