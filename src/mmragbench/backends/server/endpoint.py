"""One model behind an OpenAI-compatible server: called with retries, within the budget."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked

from mmragbench._printable import one_line, shortened
from mmragbench._redacting import Redactor, is_variable
from mmragbench.backends.server.budget import Budget
from mmragbench.backends.server.prices import Price, Used, dollars
from mmragbench.backends.server.replies import Complaint, complaint, described, parse, refusal
from mmragbench.backends.server.retries import (
    Halted,
    Transient,
    is_retriable,
    retry_after,
    retrying,
)
from mmragbench.contracts import Requirement
from mmragbench.errors import MissingExtra, MmragbenchError, SuiteError

HOSTED = "https://api.openai.com/v1"
API = "api:"
"""What begins the identity of a model on a server."""

OUTAGE = 20
"""Items in a row without an answer after which the server counts as gone."""

NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
"""Causes of a failed call that never reached the server: it cost nothing."""


NO_ADDRESS = "base_url: is no address; write it like http://127.0.0.1:8000/v1"

NOTHING = Used()


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Calls:
    """Settings of the calls to a server; they change no answer.

    Attributes:
        concurrency: calls under way at once.
        timeout: seconds without a byte from the server.
        retries: further tries after a failure that may pass.
    """

    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    timeout: Annotated[float, Field(gt=0)] = 120.0
    retries: Annotated[int, Field(ge=0, le=100)] = 6


class ServerError(MmragbenchError):
    """The server will answer no request: a wrong key, an unknown model, an outage."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a request, or the reason why there is none.

    Attributes:
        body: the reply's JSON.
        used, dollars: what it cost, as the server counts.
        retries: how many further tries it took.
    """

    body: dict[str, Any] | None
    reason: str = ""
    used: Used = NOTHING
    dollars: float = 0.0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and how its reply is read.

    Attributes:
        send: makes the call on the client; returns the raw reply (it has `text` and `headers`).
        most: what it can use at most.
        used: takes from a reply what it used.
        adapt: changes the request after a server's complaint about it (status 400), and returns
            whether it did; then it is sent again at once.
        missing: says what a reply lacks that another call may bring; empty where it is complete.
    """

    send: Callable[[Any], Any]
    most: Used
    used: Callable[[dict[str, Any]], Used]
    adapt: Callable[[str], bool] = lambda _: False
    missing: Callable[[dict[str, Any]], str] = lambda _: ""


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
        self.budget = Budget()
        self._lock = threading.Lock()
        self._opened_client: Any = None
        self._halted = threading.Event()
        self._retrying = retrying(calls.retries, self._halted)
        self._failed_in_a_row, self._answered = 0, False

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc

    @property
    def identity(self) -> str:
        """The model's address and name, in place of a checksum, which no server gives."""
        path = urlsplit(self.base_url).path.rstrip("/")
        return f"{API}{self.host}{path}/{self.model}"

    @property
    def requirement(self) -> Requirement:
        """The server that is called, and whether its key is lacking."""
        lacks_key = self.base_url == HOSTED and not self._key()
        missing = (
            f"{self._key_env} is not set: set it, or give base_url: of a server that wants none"
            if lacks_key
            else ""
        )
        paid = ", which costs money" if self.price and not self.price.is_free else ""
        return Requirement("call", f"{self.identity.removeprefix(API)}{paid}", missing)

    def halt(self) -> None:
        """End all waiting for further tries, since the run ends."""
        self._halted.set()

    def ask(self, request: Request) -> Answer:
        """Send a request, and send it again while that may help.

        Raises:
            BudgetExceeded: the budget is used up.
            ServerError: no request at all will have an answer.
        """
        attempts = count()
        try:
            answer = self._retrying(lambda: self._adapted(request, next(attempts)))
        except Transient as error:
            return self._give_up(error.reason, next(attempts) - 1)
        except Halted:
            return Answer(None, "the run ended before another try", retries=next(attempts) - 1)
        self._failed_in_a_row, self._answered = 0, True
        return answer

    def _adapted(self, request: Request, attempt: int) -> Answer:
        """One call; one that the server refuses (400) is sent once more if it can be adapted."""
        answer = self._attempt(request, attempt)
        if answer.reason.startswith("400") and request.adapt(answer.reason):
            answer = self._attempt(request, attempt)
        return answer

    def _attempt(self, request: Request, attempt: int) -> Answer:
        """One call: its cost is reserved before it and settled after it."""
        client = self._client()
        import openai

        call = self.budget.reserve(self.model, dollars(self.price, request.most))
        details: dict[str, Any] = {"attempt": attempt}
        failure: openai.APIError | None = None
        try:
            raw = request.send(client)
        except openai.APIError as error:
            failure = error  # handled below: an error raised here would show its text
        except BaseException:
            self.budget.settle(call, self.model, 0.0, NOTHING, status="not sent", **details)
            raise
        if isinstance(failure, openai.APIStatusError):
            status = failure.status_code
            self.budget.settle(call, self.model, 0.0, NOTHING, status=status, **details)
            complaint = refusal(failure.body, self._redactor, status)
            return self._refused(complaint, failure.response.headers, attempt)
        if failure is not None:
            raise self._without_reply(failure, call, details) from None
        return self._replied(raw, request, call, details)

    def _replied(self, raw: Any, request: Request, call: str, details: dict[str, Any]) -> Answer:
        """The answer of a reply with a status of success, whose body may still be an error."""
        body = parse(raw.text, self._redactor)
        if body is None:
            self.budget.settle_unknown(call, self.model, "half a reply", **details)
            raise Transient(described(raw.text))
        names = {"served": "model", "fingerprint": "system_fingerprint"}
        details |= {name: _name(body.get(field)) for name, field in names.items()}
        used = request.used(body)
        counted = bool(used.tokens_in or used.tokens_out)
        error = complaint(body, self._redactor)
        if error and error.status:
            paid = dollars(self.price, used) if counted else 0.0
            self.budget.settle(call, self.model, paid, used, status=error.status, **details)
            return self._refused(error, raw.headers, details["attempt"])
        missing = "" if error or used.tokens_out else request.missing(body)
        if missing and not counted:
            self.budget.settle_unknown(call, self.model, missing, **details)
            raise Transient(missing)
        counted_use = used if counted else request.most._replace(pictures=used.pictures)
        paid = dollars(self.price, counted_use)
        self.budget.settle(call, self.model, paid, used, **details)
        if missing:
            raise Transient(missing)
        return Answer(body, "", used, paid, details["attempt"])

    def _refused(self, error: Complaint, headers: Any, attempt: int) -> Answer:
        """The answer to a request that the server refuses: none, with the reason.

        Raises:
            Transient: another call may succeed.
            ServerError: none will, because of the key, the model or the account.
        """
        status, message = error.status or 0, error.message
        if status == 401:
            raise ServerError(
                f"{self.host} refuses the key (401): set {self._key_env} to one that is valid "
                "there, and run the same command again"
            )
        if status == 404:
            raise ServerError(
                f"{self.host} does not know the model {shortened(self.model, 80)!r} or the path of "
                f"{self.base_url} (404: {message}); fix model: or base_url:"
            )
        if status == 402 or error.code == "insufficient_quota":
            raise ServerError(
                f"{self.host} wants payment first ({status}: {message}); then run again"
            )
        if status == 400 and error.param in ("model", "temperature", "seed", "size", "quality"):
            raise ServerError(
                f"{shortened(self.model, 80)} does not take {error.param}: as it is (400: {message})"
            )
        if is_retriable(status):
            raise Transient(f"{status}: {message}", retry_after(headers))
        return Answer(None, f"{status}: {message}", retries=attempt)

    def _without_reply(self, error: Any, call: str, details: dict[str, Any]) -> Transient:
        """The error of a call without a reply: it cost nothing if it never arrived, else its cost is
        unknown."""
        cause = type(error.__cause__).__name__
        if cause in NEVER_SENT:
            self.budget.settle(call, self.model, 0.0, NOTHING, status="not sent", **details)
            return Transient(f"{self.host} cannot be reached")
        late = "Timeout" in type(error).__name__
        why = "timeout" if late else "connection broke"
        self.budget.settle_unknown(call, self.model, why, **details)
        seconds = f"no answer within {self._calls.timeout:g} s"
        return Transient(seconds if late else f"the connection broke ({cause})")

    def _give_up(self, reason: str, retries: int) -> Answer:
        """The answer after the last try: none, with the reason.

        Raises:
            ServerError: no request had an answer meanwhile, so that the server is gone.
        """
        with self._lock:
            self._failed_in_a_row += 1
            gone = self._failed_in_a_row >= OUTAGE
        if gone or (not self._answered and "cannot be reached" in reason):
            raise ServerError(
                f"{self.host} gives no answers ({reason}); see that it runs and that "
                "base_url: is right, then run the same command again: every answer is kept"
            ) from None
        tries = f" (the last of {retries + 1} tries)" if retries else ""
        return Answer(None, reason + tries, retries=retries)

    @property
    def _redactor(self) -> Redactor:
        """Removes the key from the server's texts."""
        return Redactor(self._key())

    def _client(self) -> Any:
        """The client, opened at the first call.

        Raises:
            MissingExtra: openai is not installed.
            SuiteError: there is no key.
        """
        with self._lock:
            if self._opened_client is None:
                try:
                    from openai import OpenAI
                except ImportError as error:
                    raise MissingExtra("openai", "openai") from error
                self._opened_client = OpenAI(
                    api_key=self._needed_key(),
                    base_url=self.base_url,
                    max_retries=0,
                    timeout=self._calls.timeout,
                )
            return self._opened_client

    def _key(self) -> str:
        """The key without white space around it; empty where there is none."""
        return os.environ.get(self._key_env, "").strip()

    def _needed_key(self) -> str:
        """The key; `none` for a server that needs none.

        Raises:
            SuiteError: it is missing, or has characters that no key has.
        """
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
    """A checked name of an environment variable; the error does not repeat it, since it may be a key."""
    if is_variable(key_env):
        return key_env
    raise SuiteError(
        "key_env: is not the name of an environment variable (capitals, digits and _, like "
        "OPENAI_API_KEY), and is not repeated here since it may be a key; put the key into a "
        "variable and write its name, which goes into the run's files"
    )


def _checked(url: str, redactor: Redactor) -> str:
    """A checked address without secrets; errors do not repeat it, since it may have one."""
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
    """A name of a server, shortened; None where it is no text."""
    return one_line(value, 120) if isinstance(value, str) else None
