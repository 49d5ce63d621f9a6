"""One model behind an OpenAI-compatible server: asked with patience, within the budget."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked

from mmragbench._printable import one_line, shortened
from mmragbench._redacting import Redactor, is_variable
from mmragbench.backends.server.budget import Purse
from mmragbench.backends.server.prices import Price, Used, dollars
from mmragbench.backends.server.replies import Complaint, complaint, described, parse, refusal
from mmragbench.backends.server.retries import another_try, retry_after, wait
from mmragbench.errors import MissingExtra, MmragbenchError, SuiteError

HOSTED = "https://api.openai.com/v1"
OUTAGE = 20
"""So many items in a row without any answer, and the server counts as gone."""

NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
"""Causes of a failed call that never reached the server: it cost nothing."""


NO_ADDRESS = "base_url: is no address; write it like http://127.0.0.1:8000/v1"

NOTHING = Used()


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Calls:
    """How a server is called; changes no answer.

    Attributes:
        concurrency: calls under way at once.
        timeout: seconds without a sign of the server.
        retries: further tries after one that another may mend.
    """

    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    timeout: Annotated[float, Field(gt=0)] = 120.0
    retries: Annotated[int, Field(ge=0, le=100)] = 6


class ServerError(MmragbenchError):
    """The server will answer nothing at all: a wrong key, an unknown model, an outage."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one item: the reply's JSON, or the reason why there is none; what the server
    told of its cost, and how many further tries it took."""

    body: dict[str, Any] | None
    reason: str = ""
    used: Used = NOTHING
    dollars: float = 0.0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class _Trouble:
    reason: str
    again: bool = False
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request and what there is to know of its reply.

    Attributes:
        send: makes the call on the client; returns the raw reply (it has `text` and `headers`).
        worst: what it uses at most.
        used: what a reply says that it used.
        mend: told what a server has against a request (status 400); True if it is another request
            now, which is sent at once.
        lacks: what a reply lacks that another try may bring, in words; empty where it is whole.
    """

    send: Callable[[Any], Any]
    worst: Used
    used: Callable[[dict[str, Any]], Used]
    mend: Callable[[str], bool] = lambda _: False
    lacks: Callable[[dict[str, Any]], str] = lambda _: ""


class Endpoint:
    """A model on a server.

    Args:
        model: its name there.
        base_url: up to `/v1`; None is OpenAI's. The environment's `OPENAI_BASE_URL` is not
            looked at: where a model is, belongs to what identifies its answers.
        key_env: the name of the environment variable with the key; where it is not set, a server
            of one's own is called without a key.
        price: what its calls cost.
    """

    def __init__(
        self, model: str, base_url: str | None, key_env: str, calls: Calls, price: Price | None
    ) -> None:
        self._key_env = _variable(key_env)
        self.model, self.base_url = model, _checked(base_url or HOSTED, self._redactor)
        self._calls, self.price = calls, price
        self.purse = Purse()
        self._lock = threading.Lock()
        self._made: Any = None
        self._halted = threading.Event()
        self._in_a_row, self._answered = 0, False

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc

    @property
    def identity(self) -> str:
        """In place of a checksum, which no server gives: where the model is and its name."""
        path = urlsplit(self.base_url).path.rstrip("/")
        return f"api:{self.host}{path}/{self.model}"

    def halt(self) -> None:
        """Wait for no further try: the run is at its end."""
        self._halted.set()

    def ask(self, request: Request) -> Answer:
        """Call, and call again while it may help.

        Raises:
            Overspent: the budget is used up.
            ServerError: it is not this item alone that will have no answer.
        """
        attempt, free = 0, 3
        while True:
            found = self._attempt(request, attempt)
            if isinstance(found, Answer):
                self._alive()
                return found
            if found.reason.startswith("400") and free and request.mend(found.reason):
                free -= 1
                continue
            if not found.again:
                self._alive()
                return Answer(None, found.reason, retries=attempt)
            if attempt >= self._calls.retries:
                self._count_out(found)
                tries = f" (the last of {attempt + 1} tries)" if attempt else ""
                return Answer(None, found.reason + tries, retries=attempt)
            attempt += 1
            if self._halted.wait(wait(attempt, found.after, random.random)):
                return Answer(None, f"{found.reason} (the run was stopped)", retries=attempt - 1)

    def _attempt(self, request: Request, attempt: int) -> Answer | _Trouble:
        client = self._client()
        import openai

        call = self.purse.reserve(self.model, dollars(self.price, request.worst))
        told: dict[str, Any] = {"attempt": attempt}
        trouble: Any = None
        try:
            raw = request.send(client)
        except openai.APIError as error:
            trouble = error  # dealt with outside: what is raised must not drag its text along
        except BaseException:
            self.purse.settle(call, self.model, 0.0, NOTHING, status="not sent", **told)
            raise
        if isinstance(trouble, openai.APIStatusError):
            self.purse.settle(call, self.model, 0.0, NOTHING, status=trouble.status_code, **told)
            said = refusal(trouble.body, self._redactor, trouble.status_code)
            return self._refused(said, trouble.response.headers)
        if trouble is not None:
            return self._broken(trouble, call, told)
        return self._replied(raw, request, call, told)

    def _replied(
        self, raw: Any, request: Request, call: str, told: dict[str, Any]
    ) -> Answer | _Trouble:
        """A reply with a status of success; what it holds may still be a refusal."""
        redactor = self._redactor
        body = parse(raw.text, redactor)
        if body is None:
            self.purse.lose(call, self.model, "half a reply", **told)
            return _Trouble(described(raw.text), again=True)
        names = {"served": "model", "fingerprint": "system_fingerprint"}
        told |= {name: _name(body.get(field)) for name, field in names.items()}
        spent = request.used(body)
        counted = bool(spent.tokens_in or spent.tokens_out)
        error = complaint(body, redactor)
        if error and error.status:
            paid = dollars(self.price, spent) if counted else 0.0
            self.purse.settle(call, self.model, paid, spent, status=error.status, **told)
            return self._refused(error, raw.headers)
        lacking = "" if error or spent.tokens_out else request.lacks(body)
        if lacking and not counted:
            self.purse.lose(call, self.model, lacking, **told)
            return _Trouble(lacking, again=True)
        most = request.worst._replace(pictures=spent.pictures)
        paid = dollars(self.price, spent if counted else most)
        self.purse.settle(call, self.model, paid, spent, **told)
        if lacking:
            return _Trouble(lacking, again=True)
        return Answer(body, "", spent, paid, told["attempt"])

    def _refused(self, error: Complaint, headers: Any) -> _Trouble:
        """A status: a trouble of this item, or the end of the run.

        Raises:
            ServerError: it is of the key, the model or the account.
        """
        status, said = error.status or 0, error.message
        if status == 401:
            raise ServerError(
                f"{self.host} refuses the key (401): set {self._key_env} to one that is valid "
                "there, and run the same command again"
            )
        if status == 404:
            raise ServerError(
                f"{self.host} does not know the model {shortened(self.model, 80)!r} or the path of "
                f"{self.base_url} (404: {said}); mend model: or base_url:"
            )
        if status == 402 or error.code == "insufficient_quota":
            raise ServerError(f"{self.host} wants payment first ({status}: {said}); then run again")
        if status == 400 and error.param in ("model", "temperature", "seed", "size", "quality"):
            raise ServerError(
                f"{shortened(self.model, 80)} does not take {error.param}: as it is (400: {said})"
            )
        again = another_try(status)
        after = retry_after(headers) if again else None
        return _Trouble(f"{status}: {said}", again, after)

    def _broken(self, error: Any, call: str, told: dict[str, Any]) -> _Trouble:
        """No reply: it cost nothing where the call never arrived, else no one knows."""
        cause = type(error.__cause__).__name__
        if cause in NEVER_SENT:
            self.purse.settle(call, self.model, 0.0, NOTHING, status="not sent", **told)
            return _Trouble(f"{self.host} cannot be reached", again=True)
        late = "Timeout" in type(error).__name__
        self.purse.lose(call, self.model, "timeout" if late else "connection broke", **told)
        seconds = f"no answer within {self._calls.timeout:g} s"
        return _Trouble(seconds if late else f"the connection broke ({cause})", again=True)

    @property
    def _redactor(self) -> Redactor:
        """Strikes the key out of what the server says."""
        return Redactor(self._key())

    def _alive(self) -> None:
        self._in_a_row, self._answered = 0, True

    def _count_out(self, trouble: _Trouble) -> None:
        """An item is given up. Where no other has had an answer meanwhile, so is the server."""
        with self._lock:
            self._in_a_row += 1
            gone = self._in_a_row >= OUTAGE
        if gone or (not self._answered and "cannot be reached" in trouble.reason):
            raise ServerError(
                f"{self.host} gives no answers ({trouble.reason}); see that it runs and that "
                "base_url: is right, then run the same command again: every answer is kept"
            )

    def _client(self) -> Any:
        """Raises MissingExtra or SuiteError (no key)."""
        with self._lock:
            if self._made is None:
                try:
                    from openai import OpenAI
                except ImportError as error:
                    raise MissingExtra("openai", "openai") from error
                self._made = OpenAI(
                    api_key=self._needed_key(),
                    base_url=self.base_url,
                    max_retries=0,
                    timeout=self._calls.timeout,
                )
            return self._made

    def _key(self) -> str:
        """The key, empty where there is none; white space around it, as files end in, is none of it."""
        return os.environ.get(self._key_env, "").strip()

    def _needed_key(self) -> str:
        key = self._key()
        if not key and self.base_url == HOSTED:
            raise SuiteError(
                f"{self.host} wants a key, and {self._key_env} is not set: set it, or give "
                "base_url: of a server that wants none"
            )
        if not (key.isascii() and (key + "x").isprintable()):
            raise SuiteError(
                f"the key in {self._key_env} has characters that no key has (a line's end, a quote "
                "of a text program); set it anew"
            )
        return key or "none"


def _variable(key_env: str) -> str:
    """The name of an environment variable. A key that was put in its place is not repeated."""
    if is_variable(key_env):
        return key_env
    raise SuiteError(
        "key_env: is not the name of an environment variable (capitals, digits and _, like "
        "OPENAI_API_KEY), and is not repeated here since it may be a key; put the key into a "
        "variable and write its name, which goes into the run's files"
    )


def _checked(url: str, redactor: Redactor) -> str:
    """An address that holds no secret; it is not repeated, since it may hold one."""
    try:
        parts, clear = urlsplit(url), urlsplit(unquote(url))
        address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is none
        raise SuiteError(NO_ADDRESS) from None
    if "@" in clear.netloc or clear.query or clear.fragment or redactor.holds(clear.geturl()):
        raise SuiteError(
            "base_url: must hold no user, password, key, query or fragment, since it is written "
            "into the run's files; put the key into the environment variable that key_env: names"
        )
    if not address or not url.isprintable() or " " in url:
        raise SuiteError(NO_ADDRESS)
    return url


def _name(value: Any) -> str | None:
    """A name that a server gives, cut; None for what is no text."""
    return one_line(value, 120) if isinstance(value, str) else None
