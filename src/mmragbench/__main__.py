"""The entry point of the command line: Ctrl-C and threads are looked after before anything else is
imported."""

from __future__ import annotations

from mmragbench.engine.cores import share_cores
from mmragbench.engine.interrupts import INTERRUPTS


def main() -> None:
    """Run the command line."""
    try:
        INTERRUPTS.watch()
        share_cores()
        from mmragbench.cli.app import main as commands

        commands()
    except KeyboardInterrupt:
        INTERRUPTS.end()


if __name__ == "__main__":
    main()
