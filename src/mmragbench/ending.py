"""How the command line ends where something outside of the program goes wrong, or Ctrl-C is pressed.

Nothing heavy is imported here: Ctrl-C may come while the rest is.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from mmragbench.errors import MmragbenchError

STOPPED = "stopped; the same command goes on from here"

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


class Interrupts:
    """Ctrl-C: the first one ends what is under way in order, a second one ends at once. Either way one
    line says that the same command goes on."""

    def __init__(self) -> None:
        self._count = 0
        self._told = False

    def watch(self) -> None:
        """From now on."""
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            self.end()
        raise KeyboardInterrupt

    def end(self) -> NoReturn:
        """Say it, and leave without waiting for threads; all that is finished is on disk."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not self._told:
            self._told = True
            os.write(2, f"{STOPPED}\n".encode())
        os._exit(130)


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
        again = "; make room or mend it, and the same command goes on from here"
        return MmragbenchError(f"{where}{reason}{again if error.errno in FULL else ''}")
    return MmragbenchError(f"a file cannot be used ({type(error).__name__}: {error})")


def flush() -> None:
    """Write what is left; nobody who has stopped reading is told so."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
