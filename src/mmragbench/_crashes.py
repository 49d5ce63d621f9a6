"""Components that crash: where in whose file, and the traceback, which goes to a run's `crashes.log`."""

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
    """A component of the user's raised something unforeseen where nothing can go on without it."""


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
    """Raise again what is no crash: Ctrl-C, and the end of a generator. All else is one, also what is
    no `Exception`: a component that exits, or the panic of a library in Rust."""
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error


def said(error: BaseException) -> str:
    """`KeyError: 'x'`: one line, cut where it is long."""
    try:
        message = str(error)
    except Exception:  # an error that cannot even say what it is
        message = ""
    line = " ".join(f"{type(error).__name__}: {message}".split()).rstrip(": ")
    return line if len(line) <= 300 else f"{line[:300]}…"


def log(what: str, error: BaseException) -> None:
    """Keep the traceback of a crash."""
    LOG.error("%s crashed", what, exc_info=error)


@contextmanager
def logged(folder: Path, debug: bool = False) -> Iterator[None]:
    """Tracebacks of crashes go meanwhile to `<folder>/crashes.log`, which is there only if something
    crashed; with `debug` to standard error as well."""
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
    """A log whose folder is made with its first line."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> Any:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk costs the traceback, not the run."""


@contextmanager
def told(what: str, make: Callable[..., Any]) -> Iterator[None]:
    """What a component of the user's raises meanwhile is an error in one line; what one of our own
    raises is a defect, and passes.

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
            f"{what} crashed: {said(error)} ({place(error, make)}); `run --debug` shows the traceback"
        ) from error
