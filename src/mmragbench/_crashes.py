"""Crashes of components: their place in the user's file, and tracebacks in a run's `crashes.log`."""

from __future__ import annotations

import inspect
import logging
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import FrameSummary
from typing import Any

from mmragbench.errors import MmragbenchError

LOG = logging.getLogger("mmragbench")
LOG.addHandler(logging.NullHandler())  # as libraries do: without a handler nothing is printed

ENGINE = Path(__file__).resolve().parent
LIBRARIES = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}

FILE = "crashes.log"


class Crashed(MmragbenchError):
    """A user's component raised an unexpected error, and the run cannot continue without it."""


def place(error: BaseException, make: Callable[..., Any] | None = None) -> str:
    """`strategy.py:12`: the deepest line that is neither this engine's nor a library's; else the
    deepest in the file that defines the component; else the deepest of all."""
    frames = traceback.extract_tb(error.__traceback__)
    home = _file(make) if make else None
    users = [frame for frame in frames if _is_users(frame)]
    own = [frame for frame in frames if frame.filename == home]
    frame = (users or own or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


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


def log(what: str, error: BaseException) -> None:
    """Log the traceback of a crash."""
    LOG.error("%s crashed", what, exc_info=error)


@contextmanager
def logged(folder: Path, debug: bool = False) -> Iterator[None]:
    """A context in which tracebacks of crashes go to `<folder>/crashes.log`.

    The file exists only if something crashed. With `debug` they go to standard error as well.
    """
    (folder / FILE).unlink(missing_ok=True)
    handlers: list[logging.Handler] = [_LateFile(folder / FILE)]
    if debug:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        LOG.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            LOG.removeHandler(handler)
            handler.close()


class _LateFile(logging.FileHandler):
    """A log file whose folder is created with its first line."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> Any:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore what prevents writing: a full disk loses the traceback, not the run."""


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
        log(what, error)
        if (getattr(make, "__module__", None) or "").partition(".")[0] == "mmragbench":
            raise
        raise Crashed(
            f"{what} crashed: {summary(error)} ({place(error, make)}); `run --debug` shows the traceback"
        ) from error
