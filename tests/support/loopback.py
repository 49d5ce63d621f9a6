"""A server on 127.0.0.1 that speaks OpenAI's protocol, and fails by a seeded schedule.

Which fault a request meets depends on the seed, on what is asked and on how often that was asked
before: not on the order in which requests arrive.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image as Pillow

TRANSIENT = ("429", "500", "truncated", "dropped", "slow")
FINAL = ("refusal", "empty")


@dataclass
class Asked:
    """One request, and what became of it."""

    key: str
    text: str
    fault: str
    body: dict
    headers: dict
    at: float
    tokens_in: int = 0
    tokens_out: int = 0
    sent: bool = False


@dataclass
class Loopback:
    """
    Args:
        faults: share of requests that meet a fault that another try mends.
        final: share of prompts that are refused, or answered with no choices, whenever asked.
        latency: seconds before an answer.
        slow: seconds that a `slow` fault waits; longer than the client's timeout.
        script: faults of the first requests, in order of arrival, before the schedule;
            `body:` and any text is that text with status 200.
        answer: the words of a good reply.
        body: all of a good reply.
    """

    faults: float = 0.0
    final: float = 0.0
    seed: int = 0
    latency: float = 0.0
    slow: float = 1.5
    key: str | None = None
    script: list[str] = field(default_factory=list)
    answer: Callable[[Asked], str] | None = None
    body: Callable[[Asked], dict] | None = None
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Loopback:
        self._lock, self._times = threading.Lock(), Counter()
        handler = type("Handler", (_Handler,), {"loopback": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def answered(self) -> list[Asked]:
        """Requests whose whole reply was sent."""
        return [asked for asked in self.asked if asked.sent]

    def fault_of(self, key: str) -> str:
        """The next fault for a prompt."""
        with self._lock:
            if self.script:
                return self.script.pop(0)
            time_of = self._times[key]
            self._times[key] += 1
        if _draw(self.seed, key, "final") < self.final:
            return FINAL[int(_draw(self.seed, key, "which") * len(FINAL))]
        if _draw(self.seed, key, time_of) < self.faults:
            return TRANSIENT[int(_draw(self.seed, key, time_of, "kind") * len(TRANSIENT))]
        return ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address) -> None:
        """Clients that are killed break connections: nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    loopback: Loopback
    wbufsize = -1  # one packet a reply
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        server = self.loopback
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if len(raw) < int(self.headers["Content-Length"]):  # whoever asked was killed meanwhile
            self.close_connection = True
            return None
        body = json.loads(raw) if raw.startswith(b"{") else {"form": raw.decode("latin-1")}
        key = sha256(raw if "form" not in body else body["form"][200:].encode()).hexdigest()[:16]
        asked = Asked(key, _text(body), "", body, self._headers(), time.monotonic())
        asked.fault = server.fault_of(key)
        server.asked.append(asked)
        if server.key and self.headers["Authorization"] != f"Bearer {server.key}":
            said = f"Incorrect API key provided: {self.headers['Authorization'][7:]}."
            return self._send(401, {"error": {"message": said}})
        time.sleep(server.latency)
        return self._misbehave(asked) if asked.fault else self._reply(asked, self._good(asked))

    def _headers(self) -> dict:
        return {name.lower(): value for name, value in self.headers.items()}

    def _misbehave(self, asked: Asked) -> None:
        fault, _, rest = asked.fault.partition(":")
        if fault == "429" and not rest.startswith("{"):
            headers = {"Retry-After": rest or "0"}
            self._send(429, {"error": {"message": "slow down"}}, headers)
        elif fault.isdigit():
            self._send(int(fault), {"error": json.loads(rest) if rest else {"message": "oh dear"}})
        elif fault == "body":
            self._raw(200, rest.encode(), {"Content-Type": "application/json"})
        elif fault == "truncated":
            data = json.dumps(self._good(asked)).encode()[:-9]
            self._raw(200, data, {"Content-Type": "application/json"})
        elif fault == "dropped":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")
            self.close_connection = True
        elif fault == "slow":
            time.sleep(self.loopback.slow)
            self.close_connection = True
        else:
            self._reply(asked, self._good(asked) | _odd(fault))

    def _good(self, asked: Asked) -> dict:
        if self.loopback.body:
            return self.loopback.body(asked)
        if "images" in self.path:
            drawn = base64.b64encode(_png((len(asked.text) % 256, 9, 9))).decode()
            return {"created": 1, "data": [{"b64_json": drawn, "revised_prompt": "revised"}]}
        answer = (self.loopback.answer or colour_of)(asked)
        return {
            "id": "x",
            "object": "chat.completion",
            "model": asked.body["model"] + "-2026-01-01",
            "system_fingerprint": "fp_1",
            "choices": [{"finish_reason": "stop", "message": {"content": answer}}],
            "usage": {
                "prompt_tokens": 20 + len(asked.text) // 4,
                "completion_tokens": max(1, len(answer) // 4),
            },
        }

    def _reply(self, asked: Asked, good: dict) -> None:
        usage = good.get("usage", {})
        asked.tokens_in = usage.get("prompt_tokens", 0)
        asked.tokens_out = usage.get("completion_tokens", 0)
        self._send(200, good)
        asked.sent = True

    def _send(self, status: int, body: dict, headers: dict | None = None) -> None:
        said = {"Content-Type": "application/json", **(headers or {})}
        self._raw(status, json.dumps(body).encode(), said)

    def _raw(self, status: int, data: bytes, headers: dict) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *_) -> None:
        pass


def pictures_of(body: dict) -> list[Pillow.Image]:
    """The pictures of a chat request, decoded."""
    found = []
    for message in body.get("messages", ()):
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                data = part["image_url"]["url"].removeprefix("data:image/jpeg;base64,")
                found.append(Pillow.open(io.BytesIO(base64.b64decode(data))))
    return found


def named(asked: Asked) -> str:
    """The colour, and which prompt it was."""
    return f"{colour_of(asked)} {asked.key}"


def colour_of(asked: Asked) -> str:
    """`a red picture`, of the last picture; of a text its last word."""
    from support.toy import COLOURS, NAMES

    pictures = pictures_of(asked.body)
    if not pictures:
        return asked.text.split()[-1]
    mean = np.asarray(pictures[-1]).mean(axis=(0, 1))
    near = min(NAMES, key=lambda name: float(np.linalg.norm(mean - np.array(COLOURS[name]))))
    return f"a {near} picture"


def _text(body: dict) -> str:
    if "messages" not in body:
        return body.get("prompt", "")
    parts = []
    for message in body["messages"]:
        content = message["content"]
        parts += [content] if isinstance(content, str) else [p.get("text", "") for p in content]
    return "\n".join(filter(None, parts))


def _odd(fault: str) -> dict:
    def one(message: dict, ended: str = "stop") -> dict:
        return {"choices": [{"finish_reason": ended, "message": message}]}

    return {
        "refusal": one({"content": None, "refusal": "I can't help with that."}),
        "empty": {"choices": []},
        "null": one({"content": None}),
        "filtered": one({"content": "half a sen"}, "content_filter"),
        "cut": one({"content": "half an answer"}, "length"),
        "cut-empty": one({"content": ""}, "length"),
        "error-200": {"choices": None, "error": {"message": "upstream is down"}},
        "link": {"data": [{"url": "http://127.0.0.1:9/picture.png"}]},
        "no-picture": {"data": []},
        "bad-picture": {"data": [{"b64_json": base64.b64encode(b"GIF89a").decode()}]},
        "bad-base64": {"data": [{"b64_json": "!!!"}]},
    }[fault]


def _png(colour: tuple[int, int, int]) -> bytes:
    content = io.BytesIO()
    Pillow.new("RGB", (8, 8), colour).save(content, "PNG")
    return content.getvalue()


def _draw(*parts: object) -> float:
    return int(sha256(" ".join(map(str, parts)).encode()).hexdigest()[:12], 16) / 16**12
