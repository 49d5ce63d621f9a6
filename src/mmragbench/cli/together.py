"""Runs of one suite under different seeds, put together for as long as a command needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmragbench.run_folder.reading import Run


@contextmanager
def together(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """One run over all seeds, where the runs are of one suite under different seeds; else the runs.

    Raises:
        DataError: they are of one suite, and differ in more than the seed.
    """
    from mmragbench.run_folder.over_seeds import folder_over_seeds, of_one_suite
    from mmragbench.run_folder.reading import Run
    from mmragbench.verbs import over_seeds

    if not (by_seed := of_one_suite(runs)):
        yield list(runs)
        return
    name = folder_over_seeds(by_seed).name
    with TemporaryDirectory() as folder:
        yield [Run(over_seeds(by_seed, Path(folder) / name))]
