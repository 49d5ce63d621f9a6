"""How the command line ends where something outside of the program goes wrong, or Ctrl-C is pressed.

Nothing heavy is imported here: Ctrl-C may come while the rest is.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from _thread import interrupt_main
from types import FrameType
from typing import NoReturn

from mmragbench.errors import MmragbenchError

AGAIN = 0.01
"""Seconds after which a Ctrl-C that was swallowed comes again."""

STOPPED = "stopped; the same command goes on from here"

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


class Interrupts:
    """Ctrl-C: the first one ends what is under way in order, a second one ends at once. Either way one
    line says that the same command goes on."""

    def __init__(self) -> None:
        self._count = 0
        self._told = False

    def watch(self) -> None:
        """From now on, wherever the program is when it comes."""
        signal.signal(signal.SIGINT, self._handle)
        sys.unraisablehook = self._swallowed

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            self.end()
        raise KeyboardInterrupt

    def _swallowed(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Python swallows what is raised in a destructor or a weak reference's callback, with a traceback
        on standard error: a Ctrl-C that comes just there comes again a moment later."""
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            sys.__unraisablehook__(unraisable)
            return
        self._count -= 1
        again = threading.Timer(AGAIN, _interrupt)
        again.daemon = True
        again.start()

    def end(self) -> NoReturn:
        """Say it, and leave without waiting for threads; all that is finished is on disk."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not self._told:
            self._told = True
            os.write(2, f"{STOPPED}\n".encode())
        os._exit(130)


def _interrupt() -> None:
    """As Ctrl-C does: the main thread, also out of a sleep (where a system can do that)."""
    if sys.platform == "win32":
        interrupt_main()
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


INTERRUPTS = Interrupts()


def outside(error: Exception) -> MmragbenchError:
    """What the world did to the program (a disk, a file, memory), as an error in one line."""
    if isinstance(error, MemoryError):
        return MmragbenchError(
            "the memory does not suffice; ask for less at once, and run it again"
        )
    if isinstance(error, OSError):
        reason = (error.strerror or str(error)).lower()
        where = "" if error.filename is None else f"{error.filename}: "
        again = "; make room or fix it, and the same command goes on from here"
        return MmragbenchError(f"{where}{reason}{again if error.errno in FULL else ''}")
    return MmragbenchError(f"a file cannot be used ({type(error).__name__}: {error})")


def flush() -> None:
    """Write what is left. A stream that nobody reads any more is no error, nor is one that was closed
    from the start."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
