"""Chat models and painters behind OpenAI's protocol: hosted models, vLLM, Ollama, Gemini's endpoint."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from mmragbench._decoding import decode_image
from mmragbench._printable import one_line
from mmragbench.backends.server.endpoint import Answer, Calls, Endpoint, Request
from mmragbench.backends.server.prices import PriceOrFree, Used, at_most
from mmragbench.backends.thoughts import without_thoughts
from mmragbench.contracts import Requirement
from mmragbench.errors import BadImage
from mmragbench.records import Drawing, Failure, Image, Prompt, Reply
from mmragbench.registry import chat, painter

KEY = "OPENAI_API_KEY"
OPERATIONAL = frozenset({"calls", "price", "key_env"})
Tokens = Annotated[int, Field(ge=1)]

MOST_TOKENS = 10_000_000
"""More than any model reads or writes at once; a count beyond it is a mistake of the server."""

FILTERED = frozenset({"content_filter", "safety", "recitation", "blocklist", "prohibited_content"})
"""Values of `finish_reason` of an answer that a filter ended."""

TEXTS = frozenset({"", "text", "output_text"})
"""Types of the parts of an answer that are its text."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Pictures:
    """Settings of the pictures that are sent to a model.

    Attributes:
        max_side: pixels; larger pictures are scaled down. All are sent as JPEG.
        detail: the protocol's word for how closely the model looks.
    """

    max_side: Annotated[int, Field(ge=16)] = 768
    detail: Literal["auto", "low", "high"] = "auto"


class _ServedModel:
    """What chat models and painters have in common: an endpoint, and pictures that cost tokens."""

    operational = OPERATIONAL

    def __init__(self, endpoint: Endpoint, calls: Calls, tokens: int, pictures: int) -> None:
        self._endpoint, self.concurrency = endpoint, calls.concurrency
        self._tokens_out, self._pictures_out = tokens, pictures
        self.price = endpoint.price
        self.per_picture = endpoint.price.image_tokens if endpoint.price else 0

    @property
    def budget(self) -> Any:
        """What calls are paid from."""
        return self._endpoint.budget

    @budget.setter
    def budget(self, budget: Any) -> None:
        self._endpoint.budget = budget

    def halt(self) -> None:
        """Make no further tries."""
        self._endpoint.halt()

    def weights(self) -> str:
        """`api:<host and path>/<model>`: no server gives a checksum."""
        return self._endpoint.identity

    def requirements(self) -> list[Requirement]:
        """The server."""
        return [self._endpoint.requirement]

    def at_most(self, prompt: Prompt) -> Used:
        """The most that one call can use."""
        return at_most(prompt, self._tokens_out, self.per_picture, self._pictures_out)

    def _raise_tokens_per_picture(self, prompt: Prompt, answer: Answer) -> None:
        """Correct `per_picture` by a server that counts more tokens for a picture than the price says."""
        if answer.used.tokens_in and prompt.images:
            tokens = -(-answer.used.tokens_in // len(prompt.images))
            self.per_picture = max(self.per_picture, tokens)


@chat
class OpenaiChat(_ServedModel):
    """Chat model: any OpenAI-compatible server (`base_url`: hosted, vLLM, Ollama, Gemini's), with pictures.

    A reply without text is a failure with the server's reason (a refusal, a filter, no choices), and
    so is one of thoughts alone; one that was cut off at `max_tokens` counts with the text that it
    has. `max_completion_tokens` is sent instead of `max_tokens` to a server that asks for it.

    Args:
        model: its name on the server.
        base_url: up to `/v1`; OpenAI's by default (`OPENAI_BASE_URL` is not read).
        key_env: the environment variable that holds the key; servers of one's own need none.
        temperature: 0 for the likeliest answer; null leaves it out, for models that refuse it.
        max_tokens: length limit of an answer, thoughts included.
        pictures: how they are sent: `{max_side: 768, detail: auto}`.
        calls: `{concurrency: 8, timeout: 120, retries: 6}`.
        price: dollars for a million tokens, `{input: 0.15, output: 0.6}`; `0` where it is free.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        key_env: str = KEY,
        temperature: Annotated[float, Field(ge=0, le=2)] | None = 0.0,
        max_tokens: Tokens = 1024,
        pictures: Pictures = Pictures(),  # noqa: B008  (frozen)
        calls: Calls = Calls(),  # noqa: B008
        price: PriceOrFree = None,
    ) -> None:
        super().__init__(Endpoint(model, base_url, key_env, calls, price), calls, max_tokens, 0)
        self._model, self._temperature, self._pictures = model, temperature, pictures
        self.samples = temperature is None or temperature > 0
        self._limit = "max_tokens"

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]:
        """One call a prompt; its seed is sent along where `temperature` is above 0."""
        return [self._reply(prompt) for prompt in prompts]

    def _reply(self, prompt: Prompt) -> Reply | Failure:
        messages = _messages(prompt, self._pictures)

        def send(client: Any) -> Any:
            settings: dict[str, Any] = {self._limit: self._tokens_out}
            if self._temperature is not None:
                settings["temperature"] = self._temperature
            if self._temperature:
                settings["seed"] = prompt.seed
            completions = client.chat.completions.with_raw_response
            return completions.create(model=self._model, messages=messages, **settings)

        worst = self.at_most(prompt)
        answer = self._endpoint.ask(Request(send, worst, _chat_usage, self._rename_limit, _missing))
        self._raise_tokens_per_picture(prompt, answer)
        cost = (answer.used.tokens_in, answer.used.tokens_out, answer.dollars, answer.retries)
        if answer.body is None:
            return Failure(answer.reason, *cost)
        reply = _reply_of(answer.body)
        if isinstance(reply, Failure):
            return Failure(reply.reason, *cost)
        return without_thoughts(Reply(reply.text, None, *cost, reply.thoughts, reply.truncated))

    def _rename_limit(self, complaint: str) -> bool:
        """For every call that was under way under the old name, and for all later ones."""
        refused = "max_completion_tokens" in complaint
        if refused:
            self._limit = "max_completion_tokens"
        return refused


@painter
class OpenaiPainter(_ServedModel):
    """Painter: image generation on any OpenAI-compatible server; image edits where pictures are shown.

    Pictures must come as base64; a link is refused and counted as a failure, since what a server
    names is not fetched from elsewhere. The protocol knows no seed.

    Args:
        model: its name on the server.
        base_url, key_env, calls: as for chat models.
        size: `1024x1024`, …, as the server has it.
        quality: the protocol's word (`low`, `standard`, `hd`, …); null leaves it out.
        price: `{image: 0.04}` dollars a picture, or by tokens, `{input: 5, output: 40,
            image_tokens: 6300}`.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        key_env: str = KEY,
        size: Annotated[str, Field(pattern=r"^(auto|\d+x\d+)$")] = "1024x1024",
        quality: str | None = None,
        calls: Calls = Calls(),  # noqa: B008
        price: PriceOrFree = None,
    ) -> None:
        tokens = price.image_tokens if price and price.output else 0
        super().__init__(Endpoint(model, base_url, key_env, calls, price), calls, tokens, 1)
        self._settings = {"model": model, "size": size}
        if quality:
            self._settings["quality"] = quality
        self._format: dict[str, str] = {"response_format": "b64_json"}

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        """One call a prompt."""
        return [self._drawing(prompt) for prompt in prompts]

    def _drawing(self, prompt: Prompt) -> Drawing | Failure:
        files = [
            (f"{i}.png", _encoded(image.open(), "PNG"), "image/png")
            for i, image in enumerate(prompt.images)
        ]

        def send(client: Any) -> Any:
            images = client.images.with_raw_response
            arguments = {**self._settings, **self._format, "prompt": prompt.text, "n": 1}
            if not files:
                return images.generate(**arguments)
            return images.edit(image=files if len(files) > 1 else files[0], **arguments)

        worst = self.at_most(prompt)
        answer = self._endpoint.ask(Request(send, worst, _image_usage, self._drop_format))
        cost = (answer.used.tokens_in, answer.used.tokens_out, answer.dollars, answer.retries)
        if answer.body is None:
            return Failure(answer.reason, *cost)
        picture = _picture(answer.body)
        if isinstance(picture, Failure):
            return Failure(picture.reason, *cost)
        try:
            return Drawing(decode_image(picture.data), picture.revised_prompt, *cost)
        except BadImage as error:
            return Failure(f"what the server drew cannot be opened: {error}", *cost)

    def _drop_format(self, complaint: str) -> bool:
        """Newer models answer in base64 only, and refuse the argument that asks for it."""
        refused = "response_format" in complaint
        if refused:
            self._format = {}
        return refused


def _messages(prompt: Prompt, pictures: Pictures) -> list[dict[str, Any]]:
    """The protocol's messages: one turn; texts alone as a string, which every server reads."""
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    content: Any = prompt.text
    if prompt.images:
        content = [
            {"type": "text", "text": part} if isinstance(part, str) else _image_part(part, pictures)
            for part in prompt.parts
        ]
    return [*system, {"role": "user", "content": content}]


def _image_part(image: Image, pictures: Pictures) -> dict[str, Any]:
    picture = image.open()
    picture.thumbnail((pictures.max_side, pictures.max_side))
    data = base64.b64encode(_encoded(picture, "JPEG", quality=90)).decode()
    url = {"url": f"data:image/jpeg;base64,{data}", "detail": pictures.detail}
    return {"type": "image_url", "image_url": url}


def _encoded(picture: Any, format: str, **settings: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, format, **settings)
    return content.getvalue()


def _chat_usage(body: dict[str, Any]) -> Used:
    usage = _dict(body.get("usage"))
    return Used(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _image_usage(body: dict[str, Any]) -> Used:
    usage, drawn = _dict(body.get("usage")), _first(body.get("data"))
    tokens = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    return Used(*tokens, pictures=int(bool(drawn)))


def _missing(body: dict[str, Any]) -> str:
    """A server that is overloaded may send an answer without choices."""
    return "" if _first(body.get("choices")) else "the server sent no choices"


def _reply_of(body: dict[str, Any]) -> Reply | Failure:
    """What a reply says, with thoughts that came in a place of their own; or why there is nothing."""
    choice = _first(body.get("choices"))
    error = body.get("error") or choice.get("error")
    message, ended = _dict(choice.get("message")), str(choice.get("finish_reason")).lower()
    if error or not choice or ended == "error":
        what = "an error" if choice else "no choices"
        return Failure(f"the server sent {what}{_reason(error)}")
    parts = [_part(part) for part in _parts(message.get("content"))]
    refusal = message.get("refusal") or "".join(text for kind, text in parts if kind == "refusal")
    if refusal:
        return Failure(f"the model refused: {_line(refusal)}")
    if ended in FILTERED:
        return Failure("the server's content filter stopped the answer")
    text = "".join(text for kind, text in parts if kind in TEXTS)
    thoughts = _thoughts(message, parts)
    if text.strip() or thoughts:
        return Reply(text, thoughts=thoughts, truncated=ended == "length")
    if ended == "length":
        return Failure("max_tokens was reached before the answer began; raise max_tokens:")
    others = ", ".join(sorted({kind for kind, _ in parts} - TEXTS))
    return Failure(f"the server sent an answer without text{f' ({_line(others)})' * bool(others)}")


def _parts(content: Any) -> list[Any]:
    """The parts of an answer: one for a text, none for null."""
    if isinstance(content, list):
        return content
    return [content] if isinstance(content, str | dict) else []


def _part(part: Any) -> tuple[str, str]:
    """The type of a part (empty for a bare text) and its text."""
    if isinstance(part, str):
        return "", part
    part = _dict(part)
    kind = "thinking" if part.get("thought") is True else str(part.get("type") or "")
    return kind, _words(part)


def _words(value: Any) -> str:
    """All text in a part, however deep: parts of parts, and texts with notes beside them."""
    if isinstance(value, list):
        return "".join(map(_words, value))
    if isinstance(value, dict):
        names = ("text", "value", "thinking", "reasoning", "summary", "refusal", "content")
        return next((_words(value[name]) for name in names if value.get(name)), "")
    return value if isinstance(value, str) else ""


def _thoughts(message: dict[str, Any], parts: list[tuple[str, str]]) -> str:
    """Thoughts from the fields and parts that servers have for them."""
    fields = (message.get(name) for name in ("reasoning_content", "reasoning", "thinking"))
    thoughts = next(filter(None, map(_words, fields)), "") or _words(
        message.get("reasoning_details")
    )
    apart = (text for kind, text in parts if "think" in kind or "reason" in kind)
    return "\n".join(filter(None, [thoughts.strip(), *apart]))


class _Picture(NamedTuple):
    """A drawing's bytes, and the prompt that the server rewrote for it, if it did."""

    data: bytes
    revised_prompt: str | None


def _picture(body: dict[str, Any]) -> _Picture | Failure:
    """The drawing in an answer, or the reason why there is none."""
    drawn = _first(body.get("data"))
    if not drawn:
        return Failure(f"the server sent no picture{_reason(body.get('error'))}")
    revised, coded = drawn.get("revised_prompt"), drawn.get("b64_json")
    if not isinstance(coded, str):
        link = "a link instead of a picture, and links are not fetched"
        return Failure(f"the server sent {link if drawn.get('url') else 'no picture'}")
    try:
        data = base64.b64decode(coded, validate=True)
    except ValueError:
        return Failure("what the server drew is no base64")
    return _Picture(data, revised if isinstance(revised, str) and revised else None)


def _reason(error: Any) -> str:
    message = _dict(error).get("message") or error
    return f": {_line(message)}" if message else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first(value: Any) -> dict[str, Any]:
    """The first object of a list; the only one, as a rule, for one is asked for."""
    values = value if isinstance(value, list) else []
    return next((item for item in values if isinstance(item, dict)), {})


def _count(value: Any) -> int:
    """A number of tokens; 0 (unknown) for a value that cannot be one."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value <= MOST_TOKENS else 0


def _line(value: Any) -> str:
    return one_line(value, 300)
