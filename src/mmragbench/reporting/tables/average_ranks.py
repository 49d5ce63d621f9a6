"""The average rank of each strategy over data sets that stand side by side (Demšar 2006)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mmragbench.reporting.facts.headline import goodness
from mmragbench.reporting.facts.units import arrow, number
from mmragbench.reporting.tables.table import AVERAGE_RANK, Block, Cell, Column, Line

PLACES = 2


def with_average_ranks(
    columns: tuple[Column, ...], blocks: tuple[Block, ...]
) -> tuple[tuple[Column, ...], tuple[Block, ...]]:
    """The table's columns and blocks with a last column of average ranks: each contender's rank in its
    block, 1 for the best, as the mean over all columns. It is left out where no block has two
    contenders that have all numbers."""
    averages = [_averages(block) for block in blocks]
    if not any(averages):
        return columns, blocks
    head = Column("", AVERAGE_RANK, "", arrow(AVERAGE_RANK), "", PLACES)
    pairs = zip(blocks, averages, strict=True)
    return (*columns, head), tuple(replace(b, lines=tuple(_lines(b, own))) for b, own in pairs)


def ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value, 1 for the highest; equal ones share the mean of their ranks.

    >>> ranks([0.5, 0.9, 0.5])
    [2.5, 1.0, 2.5]
    """
    return [
        sum(other > value for other in values) + (values.count(value) + 1) / 2 for value in values
    ]


def _averages(block: Block) -> dict[str, float]:
    """Contender -> its average rank; empty where one of them lacks a number."""
    rivals = [line for line in block.lines if line.control is None]
    rows = [[cell.row for cell in line.cells] for line in rivals]
    if len(rivals) < 2 or any(row is None or row.estimate is None for own in rows for row in own):
        return {}
    by_column = [
        ranks([goodness(row) for row in column if row]) for column in zip(*rows, strict=True)
    ]
    return {
        line.strategy: sum(own) / len(own)
        for line, own in zip(rivals, zip(*by_column, strict=True), strict=True)
    }


def _lines(block: Block, averages: dict[str, float]) -> Iterator[Line]:
    lowest = min(averages.values(), default=0.0)
    for line in block.lines:
        rank = averages.get(line.strategy)
        cell = Cell() if rank is None else Cell(text=number(rank, PLACES), best=rank == lowest)
        yield replace(line, cells=(*line.cells, cell))
