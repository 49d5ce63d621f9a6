"""What the caption and the note of a paper's table are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmragbench.reporting.tables.cells import Source
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.tables.table import Block, Cell, Column
from mmragbench.reporting.tables.table_tests import TableTests
from mmragbench.run_folder.numbers import Row


@dataclass(frozen=True)
class TableContent:
    """The numbers of a paper's table, and where they come from; from it captions and notes are made.

    Attributes:
        obstacles: why runs stand side by side, if they do.
        left_out: reason -> the (strategy, setting) pairs that have no line because of it.
    """

    task: str
    generated: bool
    sources: Sequence[Source]
    columns: Sequence[Column]
    blocks: Sequence[Block]
    tests: TableTests
    obstacles: Sequence[str]
    left_out: Mapping[str, Sequence[tuple[str, str]]]
    request: Request

    @property
    def rows(self) -> list[Row]:
        return [row for source in self.sources for row in source.rows]

    def strategies(self) -> dict[str, str | None]:
        """Strategy, by the paper's name -> what it is a control for, of all that have a line."""
        return {line.strategy: line.control for block in self.blocks for line in block.lines}

    @property
    def baselines(self) -> list[str]:
        """The strategies that the stars compare with, by the paper's names."""
        return sorted({self.name(s.baseline) for s in self.sources if s.baseline})

    @property
    def cells(self) -> list[Cell]:
        return [cell for block in self.blocks for line in block.lines for cell in line.cells]

    def name(self, name: str) -> str:
        """What the paper calls a strategy, a generator, a task or a suite."""
        return self.request.style.name(name)
