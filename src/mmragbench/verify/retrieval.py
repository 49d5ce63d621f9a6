"""Zero-shot retrieval with a suite's own parts: dataset, encoder, `shared-space`, evaluators.

The model's vectors are cached from run to run, as in a run of a suite; rankings and scores are
computed anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mmragbench.cache.cache import Cache, folder
from mmragbench.data.coco_tasks import tasks as tasks_of
from mmragbench.data.entries import Drawn
from mmragbench.data.sampling import draw
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.meter import Meter
from mmragbench.errors import NotApplicable
from mmragbench.measuring.scoring import score
from mmragbench.planning.plan import Plan, plan
from mmragbench.planning.suite import Source, validate
from mmragbench.records import Scores, Task
from mmragbench.verify.references import Reference


def retrieval(
    references: Sequence[Reference], given: Mapping[str, Any], data: Path
) -> dict[str, Scores]:
    """Our scores by the references' names.

    Args:
        references: measures of the same model on the same data, in one direction or both.
        given: `dataset` and `model`, as a suite says them; the dataset's root lies below `data`.
        data: the data folder.

    Raises:
        NotApplicable: images of the split are not there or cannot be used.
    """
    planned = _plan(references, given, data)
    assembly = Assembly(planned.suite, Cache(), Meter())
    tasks = _tasks(planned.suite.dataset, lambda: assembly.build(planned.dataset).tasks())
    by_measure = {
        (name, str(scores.measure)): scores
        for name in planned.tasks
        for scores in _scores(planned, assembly, tasks[name])
    }
    return {one.name: by_measure[str(one.task), one.measure] for one in references}


def _plan(references: Sequence[Reference], given: Mapping[str, Any], data: Path) -> Plan:
    """The plan of a suite with one encoder and one strategy."""
    measures: dict[str, list[str]] = {}
    for reference in references:
        measures.setdefault(str(reference.task), []).append(reference.measure)
    content = {
        "name": "verify",
        "dataset": {**given["dataset"], "root": str(data / given["dataset"]["root"])},
        "models": {"encoder": given["model"]},
        "strategies": {"shared-space": {"encoder": "encoder"}},
        "tasks": {task: {"measures": names} for task, names in measures.items()},
        "depth": 10,
    }
    source = Source(references[0].family, yaml.safe_dump(content))
    return plan(validate(content, source), source)


def _tasks(dataset: Mapping[str, Any], build: Any) -> Mapping[str, Task]:
    """The dataset's tasks; of Karpathy's splits without the memory of 113,000 pictures, which no
    reference needs."""
    if "karpathy" not in dataset:
        built: Mapping[str, Task] = build()
        return built
    from mmragbench.datasets.coco import karpathy

    root = Path(dataset["root"])
    entries, _, _ = karpathy(root, root / dataset["karpathy"])
    drawn = draw(entries, None, index=folder() / "intake.sqlite")
    _refuse_missing(drawn, len(entries), root)
    return tasks_of([], drawn.pictures)


def _refuse_missing(drawn: Drawn, expected: int, root: Path) -> None:
    """Raise NotApplicable where pictures of the split are missing."""
    missing = expected - len(drawn.pictures)
    if missing or not drawn.pictures:
        first = f", the first: {drawn.excluded[0].reason}" if drawn.excluded else ""
        raise NotApplicable(
            f"{missing:,} of {expected:,} pictures of the split below {root} are missing{first}"
        )


def _scores(planned: Plan, assembly: Assembly, task: Task) -> list[Scores]:
    depth = planned.depth(task.name)
    strategy = assembly.build(planned.strategies["shared-space"], task=task)
    strategy.index(task.memory)
    rankings = strategy.retrieve(task.queries, depth)
    measures = planned.tasks[task.name].retrieval
    return score(measures, task, rankings, [], _no_features, depth)["all"]


def _no_features(name: str) -> Any:
    raise ValueError(f"no measure of rankings needs features, but {name} was asked for")
