"""The verbs of the command line, as functions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mmragbench import _crashes as crashes
from mmragbench import audits
from mmragbench._files import sweep, write_atomically, write_json, write_rows
from mmragbench._places import check_folder, private
from mmragbench._validation import validated_tasks
from mmragbench.backends.server.budget import LEDGER, Budget
from mmragbench.cache.cache import Cache
from mmragbench.comparing.families import within
from mmragbench.data import exclusions
from mmragbench.data.exclusions import LeftOut
from mmragbench.data.slices import sliced
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.forecast import Forecast, forecast
from mmragbench.engine.loop import Cell, Loop
from mmragbench.engine.meter import Meter, Progress
from mmragbench.engine.process import keep_freed_memory, rare_garbage_collection
from mmragbench.engine.threads import aside
from mmragbench.errors import SuiteError
from mmragbench.measuring.scoring import Row, absent, failures, rows
from mmragbench.planning.plan import Plan, check_tasks, load
from mmragbench.planning.suite import Source, SuiteFieldError, SuiteLike
from mmragbench.records import Absence, Image, Task
from mmragbench.registry import every
from mmragbench.run_folder import files as run_files
from mmragbench.run_folder import paths
from mmragbench.run_folder import writing as run_folder
from mmragbench.run_folder.explorer_data import write_explorer_data
from mmragbench.run_folder.finished import FinishedRun
from mmragbench.run_folder.manifest import manifest
from mmragbench.run_folder.over_seeds import folder_over_seeds, put_together
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run
from mmragbench.run_folder.thumbnails import thumbnail

if TYPE_CHECKING:
    from mmragbench.frames.results import Results

RETRIEVES_NOTHING = "retrieves nothing"


@rare_garbage_collection()
@private()
def run(
    suite: SuiteLike,
    overrides: Sequence[str] = (),
    output: Path | str = "runs",
    progress: Progress | None = None,
    full: bool = False,
    debug: bool = False,
) -> FinishedRun:
    """Run a suite and write its run folder below `output`.

    From then on the process keeps freed memory for its next use (`mmragbench.engine.process`). The
    command line also sets how threads wait (`mmragbench.engine.cores.share_cores`), which has to be done
    before numpy and PyTorch are imported.

    Args:
        suite: a suite file, or the name of one that is shipped (`scenes`); or a suite as a mapping,
            as its YAML would be, or as a `Suite`. Relative paths in it start at the current folder.
        overrides: `key=value`, e.g. `dataset.limit=100`.
        output: where run folders go.
        progress: who is told how far it is.
        full: store and report large pictures and every hit, however large that becomes.
        debug: print the traceback of a component that crashes; the run folder's `crashes.log` has it
            in any case.

    Raises:
        MmragbenchError: the suite or its data cannot be used, or nothing can be written there; one
            line, with what to do.
    """
    keep_freed_memory()
    planned, source = load(suite, overrides)
    folder = Path(output) / planned.folder
    check_folder("--output", folder)
    cache = Cache()
    sweep(cache.root)
    with crashes.logged(folder, debug):
        return _run(planned, source, folder, cache, progress, full)


def compare_strategies(
    strategies: Mapping[str, Any],
    dataset: Any,
    tasks: Mapping[str, Any],
    models: Mapping[str, Any] | None = None,
    output: Path | str = "runs",
    **suite: Any,
) -> Results:
    """Compare strategies on the tasks of a dataset: run them, write a run folder with its report, and
    load what it holds.

        results = mb.compare_strategies(
            strategies={"mine": MyStrategy(depth=3), "shared-space": {"encoder": "clip"}, "random": None},
            dataset="scenes",
            tasks={"text-to-image": {"measures": ["Success@1", "nDCG@10"]}},
            models={"clip": {"use": "open_clip", "name": "shipped:scenes/clip"}},
        )
        results.summary

    A component is given as in a suite's YAML, by its name or as `{"use": name, ...}` with arguments,
    or as a Python class, or as an object. An object is left as it is: a copy of it indexes each
    memory. Answers are reused between runs as long as its code and its state are the same (see
    `mmragbench.cache.fingerprint`); a warning says where that cannot be known.

    Args:
        strategies: name -> strategy.
        dataset: one dataset.
        tasks: name of a task of the dataset -> `measures`, and `generator` and `k` where something
            is generated. A measure is a name, or a function with `@measures`.
        models: name -> encoder, captioner, chat model, painter or reranker.
        output: where run folders go.
        suite: further keys of a suite: `generators`, `baseline`, `name`, `seed`, ...

    Raises:
        MmragbenchError: something does not exist or does not fit; one line, with what to do.
    """
    from mmragbench.frames.loading import load as load_results

    content = {"strategies": strategies, "dataset": dataset, "tasks": tasks, "models": models or {}}
    finished = run({"name": "comparison", **content, **suite}, output=output)
    for crash in finished.crashed:
        warnings.warn(crash["error"], stacklevel=2)
    return load_results(finished)


def _run(
    planned: Plan,
    source: Source,
    folder: Path,
    cache: Cache,
    progress: Progress | None,
    full: bool,
) -> FinishedRun:
    if progress:
        progress.begin(f"dataset {planned.dataset.component.name}", 0)
    budget = Budget(folder / LEDGER, planned.suite.budget)
    meter = Meter(progress, budget)
    tasks = _pose(planned, source, cache)
    left = _left_out(planned, tasks, source)
    loop = Loop(planned, tasks, cache, meter)
    loop.assembly.fetch(planned.models)
    with aside() as thread:
        thumbnails = [thread.submit(thumbnail, folder, image) for image in _shown_pictures(loop)]
        cells = _all_cells(loop, planned, tasks, progress)
        for future in thumbnails:
            future.result()
    with run_files.writing(folder):
        _write_head(folder, planned, loop)
        summary = _write_cells(folder, planned, tasks, cells, large_pictures=full)
        _write_features(folder, planned, tasks, cells, loop.assembly)
        loop.crashed += audits.write(folder, planned, tasks, cells, loop.assembly, progress)
        if progress:
            progress.begin("comparisons", 0)
        _write_comparisons(folder)
        if budget.totals()["calls"]:
            write_json(folder / paths.SPENDING, budget.totals())
    if progress:
        progress.begin("report", 0)
    report = write_reports(folder, full)
    return FinishedRun(folder, report, summary, loop.crashed, meter.total_calls, left)


def _pose(plan: Plan, source: Source, cache: Cache) -> dict[str, Task]:
    """The tasks of the suite's dataset; every component is built once, so that a bad argument is
    told before anything is computed."""
    assembly = Assembly(plan.suite, cache, Meter())
    for name, bound in plan.strategies.items():
        if "task" not in bound.given:
            make = bound.component.make
            try:
                with crashes.reported(f"strategy {name}", make):
                    assembly.build(bound)
            except SuiteFieldError as error:
                raise source.error(error.place, error.message) from error
            except SuiteError as error:
                raise source.error(("strategies", name), str(error)) from error
    with crashes.reported(f"dataset {plan.dataset.component.name}", plan.dataset.component.make):
        offered = assembly.build(plan.dataset).tasks()
    tasks = validated_tasks(offered, plan.dataset.component.name)
    return {name: sliced(task, plan.suite.slices) for name, task in tasks.items()}


def _left_out(plan: Plan, tasks: Mapping[str, Task], source: Source) -> list[LeftOut]:
    """What the suite's tasks leave out; raises where the data does not fit the suite, or where more
    is left out than the suite allows."""
    check_tasks(plan, tasks, source)
    left = exclusions.left_out(tasks[name] for name in plan.tasks)
    exclusions.check(left, plan.suite.max_excluded)
    return left


def _shown_pictures(loop: Loop) -> list[Image]:
    """The pictures of queries and targets, once each: reports will show them whatever is found, and
    they are made smaller while models are loaded."""
    tasks = [prepared.task for prepared in loop.prepared.values()]
    pictures = [query.image for task in tasks for query in task.queries if query.image]
    return list(dict.fromkeys([*pictures, *(i for task in tasks for i in task.targets.values())]))


def _write_head(folder: Path, plan: Plan, loop: Loop) -> None:
    resolved = yaml.safe_dump(plan.resolved(), sort_keys=False, allow_unicode=True)
    write_atomically(folder / paths.SUITE, resolved)
    run_folder.write_tasks(
        folder, {name: prepared.task for name, prepared in loop.prepared.items()}
    )
    write_json(folder / paths.MANIFEST, manifest(plan, loop.prepared, loop.assembly))


def _all_cells(
    loop: Loop, plan: Plan, tasks: Mapping[str, Task], progress: Progress | None
) -> dict[tuple[str, str], Cell]:
    """Strategy by strategy, tasks with the same memory one after the other (one index serves)."""
    by_memory = sorted(plan.tasks, key=lambda name: loop.prepared[name].memory.digest)
    order = [(task, strategy) for strategy in plan.strategies for task in by_memory]
    cells = {}
    for number, (task, strategy) in enumerate(order, start=1):
        if progress:
            progress.cell(number, len(order), f"{task} · {strategy}")
        cells[task, strategy] = loop.cell_over_seeds(task, strategy)
    return cells


def _write_cells(
    folder: Path,
    plan: Plan,
    tasks: Mapping[str, Task],
    cells: Mapping[tuple[str, str], Cell],
    large_pictures: bool,
) -> list[Row]:
    controls = {name for name, bound in plan.strategies.items() if bound.component.control}
    summary: list[Row] = []
    failed: list[Row] = []
    for name in plan.tasks:
        of_task = [cells[name, strategy] for strategy in plan.strategies]
        for cell in of_task:
            run_folder.write_cell(folder, cell, tasks[name].output)
            summary += _cell_rows(plan, tasks[name], cell)
            failed += _failures(cell)
        write_explorer_data(folder, tasks[name], of_task, controls, large_pictures)
    write_rows(folder / paths.SUMMARY, summary)
    write_rows(folder / paths.FAILURES, failed)
    return summary


def _failures(cell: Cell) -> Iterator[Row]:
    """A row for each query that a generator did not answer, with the seed where there are several."""
    for seed, setting, generated in cell.outputs():
        named = {} if seed is None else {"seed": seed}
        yield from failures(_key(cell, *setting) | named, generated.outputs)


def _unfinished(folder: Path) -> Run:
    """The run's own files while it writes them, which are not listed yet."""
    return Run(folder, run_files.Files(folder))


def _write_comparisons(folder: Path) -> None:
    pairs = within(_unfinished(folder))
    write_rows(folder / paths.COMPARISONS, [pair.row() for pair in pairs])


def _write_features(
    folder: Path,
    plan: Plan,
    tasks: Mapping[str, Task],
    cells: Mapping[tuple[str, str], Cell],
    assembly: Assembly,
) -> None:
    """The features behind distances between sets of images: real ones a task, generated ones a
    cell; they were computed for the scores, and are looked up."""
    for (name, strategy), cell in cells.items():
        for seed, setting, generated in cell.outputs():
            _, scored = cell.generated[setting]
            images = {o.query: o.image for o in generated.outputs if o.image}
            features_used = {s.measure.features for s in scored.get("all", []) if s.absence is None}
            for features in sorted(filter(None, features_used)):
                encoder = assembly.model("encoder", features)
                cell_folder = paths.in_cell(name, strategy, setting=Setting(*setting))
                if seed is not None and generated is not cell.generated[setting][0]:
                    cell_folder = paths.in_seed(seed, cell_folder)
                for target, shown in (
                    (cell_folder, images),
                    (paths.in_task(name), tasks[name].targets),
                ):
                    rows = encoder.encode_images(list(shown.values()))
                    run_folder.write_features(folder / target, features, list(shown), rows)


def _key(cell: Cell, generator: str | None = None, k: int | None = None) -> dict[str, Any]:
    return {"task": cell.task, "strategy": cell.strategy, "generator": generator, "k": k}


def _cell_rows(plan: Plan, task: Task, cell: Cell) -> list[Row]:
    measures = plan.tasks[cell.task]
    control = {"control": plan.strategies[cell.strategy].component.control}
    result = []
    if cell.scored:
        result += rows(_key(cell) | control, cell.scored)
    else:
        why = cell.retrieved.absence or Absence(RETRIEVES_NOTHING)
        result += absent(_key(cell) | control, measures.retrieval, task, why)
    for (generator, k), (generated, scored) in cell.generated.items():
        key = _key(cell, generator, k) | control
        if generated.absence is not None:
            result += absent(key, measures.generation, task, generated.absence)
        else:
            result += rows(key, scored)
    return result


def over_seeds(runs: Sequence[Run], folder: Path | None = None) -> Path:
    """Put runs of one suite under different seeds together: one run folder with its comparisons.

    Args:
        runs: in the order of the seeds.
        folder: where it is written; by default beside the first run.

    Raises:
        DataError: they differ in more than the seed.
    """
    target = folder or folder_over_seeds(runs)
    with run_files.writing(target):
        put_together(runs, target)
        _write_comparisons(target)
    return target


def write_reports(folder: Path, full: bool = False) -> Path:
    """Every registered report, below `<run>/report`; the HTML page's path.

    Args:
        folder: a run folder.
        full: the page shows all that is stored, however large it becomes.
    """
    target = folder / "report"
    check_folder("the report's folder", target)
    make = {report.name: report.make for report in every("report")}
    with run_files.unlisted(folder):
        page: Path = make.pop("html")(folder, target, full=full)
        for other in make.values():
            other(folder, target)
    return page


@dataclass(frozen=True)
class PlanSummary:
    """What a run would do.

    Attributes:
        cells: a row a (task, strategy): documents, queries, generators, measures, models, and
            whether its rankings are known already.
        models: what each model would be asked, at most, and how much of it is known.
        budget: the suite's, in US dollars.
        left_out: what could not be used of the data.
    """

    cells: list[Row]
    models: list[Forecast]
    budget: float | None = None
    left_out: list[LeftOut] = field(default_factory=list)


@private()
def plan(suite: SuiteLike, overrides: Sequence[str] = ()) -> PlanSummary:
    """What a run of this suite would do; calls no model.

    Args:
        suite: as for `run`.
        overrides: `key=value`, e.g. `dataset.limit=100`.

    Raises:
        MmragbenchError: the suite or its data cannot be used.
    """
    planned, source = load(suite, overrides)
    cache = Cache()
    tasks = _pose(planned, source, cache)
    left = _left_out(planned, tasks, source)
    loop = Loop(planned, tasks, cache, Meter())
    cells = [
        {
            "task": task,
            "strategy": strategy,
            "generators": [str(Setting(*setting)) for setting in planned.tasks[task].cells],
            "documents": len(tasks[task].memory),
            "queries": len(tasks[task].queries),
            "models": sorted({name for _, name in planned.strategies[strategy].models.values()}),
            "known": loop.known(task, strategy),
        }
        for task in planned.tasks
        for strategy in planned.strategies
    ]
    return PlanSummary(cells, forecast(planned, tasks, loop), planned.suite.budget, left)
