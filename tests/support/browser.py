"""A page in headless Chromium, driven by its DevTools protocol through a pipe."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)

COMMAND = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
COMMAND += ("--disable-background-networking", "--disable-component-update", "--hide-scrollbars")
COMMAND += ("--remote-debugging-pipe",)


class Tab:
    """One tab of a browser: it opens files, evaluates JavaScript and takes pictures."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests, self._replies = os.fdopen(requests, "wb"), os.fdopen(replies, "rb")
        self._count, self._rest, self._session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a method of the protocol."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        self._requests.write(json.dumps(message).encode() + b"\0")
        self._requests.flush()
        reply = self._wait(lambda message: message.get("id") == self._count)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return dict(reply["result"])

    def open(self, page: Path, width: int, dark: bool = False, fragment: str = "") -> None:
        """Load a file in a window of this width, in CSS pixels."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call("Page.navigate", url="about:blank")
        self._wait(lambda message: message.get("method") == "Page.loadEventFired")
        self.call("Page.navigate", url=page.resolve().as_uri() + fragment)
        self._wait(lambda message: message.get("method") == "Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        options = {"returnByValue": True, "awaitPromise": True}
        result = self.call("Runtime.evaluate", expression=script, **options)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def picture(self, file: Path, top: float, height: float, width: float) -> None:
        """Write a part of the page as a PNG file."""
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        options = {"captureBeyondViewport": True, "clip": clip}
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **options)["data"]))

    def _wait(self, wanted: Any) -> dict[str, Any]:
        """The next message that is wanted; others before it are dropped."""
        while True:
            message, separator, rest = self._rest.partition(b"\0")
            if separator:
                self._rest = rest
                if wanted(parsed := json.loads(message)):
                    return dict(parsed)
            elif chunk := os.read(self._replies.fileno(), 1 << 16):
                self._rest += chunk
            else:
                raise RuntimeError("the browser has ended")


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """A tab of a browser of its own, whose profile lies in this folder."""
    to_browser, from_browser = map(_high, os.pipe()), map(_high, os.pipe())
    (its_requests, requests), (replies, its_replies) = to_browser, from_browser

    def place() -> None:
        os.dup2(its_requests, 3)
        os.dup2(its_replies, 4)

    command = [str(CHROMIUM), *COMMAND, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        command, preexec_fn=place, pass_fds=(3, 4), stderr=subprocess.DEVNULL
    )
    os.close(its_requests)
    os.close(its_replies)
    try:
        yield Tab(requests, replies)
    finally:
        process.terminate()
        process.wait(20)


def _high(descriptor: int) -> int:
    """The descriptor under a number above those that Chromium reads and writes (3 and 4)."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
