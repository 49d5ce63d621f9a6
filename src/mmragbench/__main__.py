"""The entry point of the command line: Ctrl-C is looked after before anything else is imported."""

from __future__ import annotations

from mmragbench.ending import INTERRUPTS


def main() -> None:
    """Run the command line."""
    INTERRUPTS.watch()
    try:
        from mmragbench.cli import main as commands
    except KeyboardInterrupt:
        INTERRUPTS.end()
    commands()


if __name__ == "__main__":
    main()
