"""Crashes of components: their place in the user's file, and what is kept of them."""

from __future__ import annotations

import inspect
import logging
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import FrameSummary
from typing import Any

from mmragbench._redacting import without_plain_keys
from mmragbench.errors import MmragbenchError

LOG = logging.getLogger("mmragbench")
LOG.addHandler(logging.NullHandler())  # as libraries do: without a handler nothing is printed

ENGINE = Path(__file__).resolve().parent
LIBRARIES = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}

LONGEST = 50_000
"""Characters of a traceback that are kept, its last ones: an error may hold anything."""


class Crashed(MmragbenchError):
    """A user's component raised an unexpected error, and the run cannot continue without it."""


@dataclass(frozen=True)
class Crash:
    """What a component raised.

    Attributes:
        task: the task that it worked on; None where it was none.
        component: its name, or what it is.
        error: the error in one line.
        file: the name of the user's file that it was raised in or came through.
        line: the line in that file, from 1.
        traceback: as Python prints it.
    """

    task: str | None
    component: str
    error: str
    file: str
    line: int
    traceback: str

    @property
    def place(self) -> str:
        """`strategy.py:12`."""
        return f"{self.file}:{self.line}"


def frame(error: BaseException, make: Callable[..., Any] | None = None) -> FrameSummary:
    """The deepest line that is neither this engine's nor a library's; else the deepest in the file
    that defines the component; else the deepest of all."""
    frames = traceback.extract_tb(error.__traceback__)
    home = _file(make) if make else None
    own = [frame for frame in frames if frame.filename == home]
    return (users_frames(error) or own or frames)[-1]


def users_frames(error: BaseException) -> list[FrameSummary]:
    """The lines of a traceback that are neither this engine's nor a library's."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame)]


def place(error: BaseException, make: Callable[..., Any] | None = None) -> str:
    """The `frame` as `strategy.py:12`."""
    deepest = frame(error, make)
    return f"{Path(deepest.filename).name}:{deepest.lineno}"


def _is_users(frame: FrameSummary) -> bool:
    file = Path(frame.filename)
    inside = any(file.is_relative_to(folder) for folder in (ENGINE, *LIBRARIES))
    return not (inside or "site-packages" in file.parts or frame.filename.startswith("<"))


def _file(make: Callable[..., Any]) -> str | None:
    try:
        return inspect.getsourcefile(make)
    except TypeError:  # a built-in
        return None


def pass_on(error: BaseException) -> None:
    """Raise again what is no crash: Ctrl-C, and the end of a generator.

    All else is a crash, also what is no `Exception`: a component that exits, or a panic in Rust.
    """
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error


def summary(error: BaseException) -> str:
    """An error in one line, `KeyError: 'x'`, truncated where it is long."""
    try:
        message = str(error)
    except Exception:  # its own __str__ fails
        message = ""
    line = " ".join(f"{type(error).__name__}: {message}".split()).rstrip(": ")
    return line if len(line) <= 300 else f"{line[:300]}…"


def record(
    error: BaseException,
    component: str,
    make: Callable[..., Any] | None = None,
    task: str | None = None,
) -> None:
    """Hand a crash to whoever records them (`recorded`), and its traceback to the log.

    Args:
        error: what was raised.
        component: the component's name, or what it is.
        make: its class or function.
        task: the task that it worked on.
    """
    deepest = frame(error, make)
    text = without_plain_keys("".join(traceback.format_exception(error)))[-LONGEST:]
    file, line = Path(deepest.filename).name, deepest.lineno or 0
    crash = Crash(task, component, summary(error), file, line, text)
    LOG.error("%s crashed", component, exc_info=error, extra={"crash": crash})


class _Recorder(logging.Handler):
    """Collects crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.crashes: list[Crash] = []

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(crash := getattr(record, "crash", None), Crash):
            self.crashes.append(crash)


@contextmanager
def recorded(debug: bool = False) -> Iterator[list[Crash]]:
    """A context that collects the crashes within it. With `debug` their tracebacks go to standard
    error as well."""
    recorder = _Recorder()
    handlers = [recorder, *([logging.StreamHandler(sys.stderr)] if debug else [])]
    for handler in handlers:
        LOG.addHandler(handler)
    try:
        yield recorder.crashes
    finally:
        for handler in handlers:
            LOG.removeHandler(handler)
            handler.close()


@contextmanager
def reported(what: str, make: Callable[..., Any]) -> Iterator[None]:
    """A context in which an error of a user's component becomes a `Crashed` of one line.

    An error of one of our own components is a defect, and is raised as it is.

    Raises:
        Crashed: names the component, the error, and the place in the user's file.
    """
    try:
        yield
    except MmragbenchError:
        raise
    except BaseException as error:
        pass_on(error)
        record(error, what, make)
        if (getattr(make, "__module__", None) or "").partition(".")[0] == "mmragbench":
            raise
        raise Crashed(
            f"{what} crashed: {summary(error)} ({place(error, make)}); `run --debug` shows the traceback"
        ) from error
