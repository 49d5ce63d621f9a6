"""A headless Chromium that a test drives: pages are opened, clicked and read over its debugging pipe
(Chrome DevTools Protocol, messages of JSON that end with a zero byte)."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
    "--disable-background-networking --disable-component-update --remote-debugging-pipe"
)
PATIENCE = 20
"""Seconds within which what a test waits for has to come."""


class Browser:
    """One tab of a Chromium."""

    def __init__(self, commands: int, replies: int) -> None:
        self._commands, self._replies = commands, replies
        self._buffer, self._number, self._session = b"", 0, ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def send(self, method: str, **params: Any) -> Any:
        """Send a command and wait for its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._next()
            if reply.get("id") == self._number:
                assert "error" not in reply, reply
                return reply["result"]

    def _next(self) -> Any:
        while b"\0" not in self._buffer:
            chunk = os.read(self._replies, 1 << 20)
            assert chunk, "the browser has ended"
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def size(self, width: int, height: int = 900, dark: bool = False) -> None:
        """Set the window's size in pixels, and the reader's preferred colours."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, address: str) -> None:
        """Open an address and wait until its explorer has counted its queries, if it has one."""
        self.send("Page.navigate", url="about:blank")  # another fragment alone would open nothing
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")
        self.wait("document.querySelector('#explorer .count')?.textContent !== ''")

    def read(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        reply = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in reply, reply["exceptionDetails"]
        return reply["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.read(condition):
            assert time.monotonic() < end, f"{condition} did not become true"
            time.sleep(0.02)

    def click(self, selector: str) -> None:
        """Click the middle of the first element of a CSS selector, with the mouse."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.read(
            f"{element}.closest('details')?.setAttribute('open', ''); "
            f"{element}.scrollIntoView({{block: 'center', behavior: 'instant'}})"
        )
        x, y = self.read(
            f"(() => {{ const box = {element}.getClientRects()[0]; "
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            where = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.send("Input.dispatchMouseEvent", **where)

    def press(self, key: str) -> None:
        """Press a key: `Escape`, `Enter`, `Tab`, `ArrowRight`."""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowRight": 39}
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            code = {"windowsVirtualKeyCode": codes[key], "key": key, "code": key}
            self.send("Input.dispatchKeyEvent", type=kind, **code, **text)

    def screenshot(self, path: Path) -> None:
        """Store what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A Chromium with an empty profile in a folder; it ends with the block."""
    (to_read, commands), (replies, to_write) = os.pipe(), os.pipe()
    pipe = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, to_write)]  # out of 3's way
    command = f"exec {CHROMIUM} {OPTIONS} --user-data-dir={profile} 3<&{pipe[0]} 4>&{pipe[1]}"
    process = subprocess.Popen(["bash", "-c", command], pass_fds=pipe, stderr=subprocess.DEVNULL)
    for end in (to_read, to_write, *pipe):
        os.close(end)
    try:
        yield Browser(commands, replies)
    finally:
        process.terminate()
        process.wait()
        os.close(commands)
        os.close(replies)
