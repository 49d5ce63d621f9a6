"""The plots of a task's section, in groups."""

from __future__ import annotations

from dataclasses import dataclass

from mmragbench.reporting.facts.curves import Curve, curves
from mmragbench.reporting.facts.forest import Forest, forests
from mmragbench.reporting.facts.headline import Headline
from mmragbench.reporting.facts.pareto import Tradeoff, tradeoffs
from mmragbench.run_folder.reading import Run, TaskFacts


@dataclass(frozen=True, slots=True)
class Plots:
    """A task's plots.

    Attributes:
        main: differences by the primary measure under the headline's setting, on all queries.
        pairs: the same between all pairs, where these are many.
        slices: as `main` on each slice.
        others: differences by every other measure and setting, on all queries.
    """

    main: tuple[Forest, ...]
    pairs: tuple[Forest, ...]
    slices: tuple[Forest, ...]
    others: tuple[Forest, ...]
    curves: tuple[Curve, ...]
    tradeoffs: tuple[Tradeoff, ...]


def plots(run: Run, facts: TaskFacts, headline: Headline | None) -> Plots:
    """All that can be drawn of a task; each group is empty where nothing can."""
    every = forests(run, facts)
    drawn = [forest for forest in every if not forest.many]
    main = [forest for forest in drawn if headline and _alike(forest, headline)]
    many = [forest for forest in every if forest.many and forest.slice == "all"]
    return Plots(
        main=tuple(forest for forest in main if forest.slice == "all"),
        pairs=tuple(forest for forest in many if headline and _alike(forest, headline)),
        slices=tuple(forest for forest in main if forest.slice != "all"),
        others=tuple(f for f in drawn if f.slice == "all" and f not in main),
        curves=tuple(curve for curve in curves(run) if curve.task == facts.name),
        tradeoffs=tuple(tradeoffs(run, headline) if headline else ()),
    )


def _alike(forest: Forest, headline: Headline) -> bool:
    own = (forest.measure, forest.generator, forest.k)
    return own == (headline.measure, headline.generator, headline.k)
