"""The verbs of the command line, as functions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mmragbench import _crashes as crashes
from mmragbench import audits
from mmragbench._crashes import Crash
from mmragbench._files import sweep, write_atomically, write_json, write_rows
from mmragbench._places import check_folder, private
from mmragbench._validation import validated_tasks
from mmragbench.backends.server.budget import LEDGER, Budget
from mmragbench.cache.cache import Cache
from mmragbench.comparing.families import within
from mmragbench.contracts import Progress, Traits
from mmragbench.data import exclusions
from mmragbench.data.exclusions import LeftOut
from mmragbench.data.sampling import sampled
from mmragbench.data.slices import sliced
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.forecast import Forecast, forecast
from mmragbench.engine.loop import Cell, Loop
from mmragbench.engine.meter import Meter
from mmragbench.engine.process import keep_freed_memory, rare_garbage_collection
from mmragbench.engine.requirements import Required, refuse_missing, required
from mmragbench.engine.threads import aside
from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.measuring.scoring import Row, absent, failures, rows
from mmragbench.planning.plan import Plan, check_tasks, load
from mmragbench.planning.suite import Source, Suite, SuiteFieldError, SuiteLike
from mmragbench.records import Absence, Exclusion, Image, Task
from mmragbench.registry import every
from mmragbench.reporting.facts.models import foreign_toys
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
        suite: a suite file, the name of one that is shipped (`scenes`), or a folder of data, which
            becomes a suite (`mmragbench.layouts`); or a suite as a mapping, as its YAML would be, or as
            a `Suite`. Relative paths in it start at the current folder.
        overrides: `key=value`, e.g. `dataset.limit=100`.
        output: where run folders go.
        progress: who is told how far it is.
        full: store and report large pictures and every hit, however large that becomes.
        debug: print the traceback of a component that crashes; the run folder's `failures.json` has
            it in any case.

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
    with crashes.recorded(debug) as crashed:
        try:
            return _run(planned, source, folder, cache, progress, full, crashed)
        except crashes.Crashed:
            _write_crashes(folder, crashed)
            raise


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
        warnings.warn(f"failed: {crash.component}: {crash.error}", stacklevel=2)
    return load_results(finished)


def _run(
    planned: Plan,
    source: Source,
    folder: Path,
    cache: Cache,
    progress: Progress | None,
    full: bool,
    crashed: list[Crash],
) -> FinishedRun:
    if progress:
        progress.begin(f"dataset {planned.dataset.component.name}", 0)
    budget = Budget(folder / LEDGER, planned.suite.budget)
    meter = Meter(progress, budget)
    assembly = Assembly(planned.suite, cache, Meter())
    dataset = _dataset(planned, source, assembly)
    refuse_missing(required(planned, dataset, assembly))
    tasks = _tasks(planned, dataset, assembly)
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
        if source.data:
            write_atomically(folder / paths.COMMENTED_SUITE, source.text)
        run_folder.write_exclusions(folder, _excluded(planned, tasks, cells))
        summary = _write_cells(folder, planned, tasks, cells, large_pictures=full)
        _write_features(folder, planned, tasks, cells, loop.assembly)
        audits.write(folder, planned, tasks, cells, loop.assembly, progress)
        write_rows(folder / paths.FAILURES, [*_failures(cells), *map(asdict, crashed)])
        if progress:
            progress.begin("comparisons", 0)
        _write_comparisons(folder)
        if budget.totals()["calls"]:
            write_json(folder / paths.SPENDING, budget.totals())
    if progress:
        progress.begin("report", 0)
    report = write_reports(folder, full)
    left += exclusions.grouped((cell.exclusions, {}) for cell in cells.values())
    return FinishedRun(folder, report, summary, crashed, meter.total_calls, left)


def _dataset(plan: Plan, source: Source, assembly: Assembly) -> Any:
    """The suite's dataset; every component is built once, so that a bad argument is an error before
    anything is computed."""
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
        return assembly.build(plan.dataset)


def _tasks(plan: Plan, dataset: Any, assembly: Assembly) -> dict[str, Task]:
    """The tasks of the dataset, with the suite's slices."""
    with crashes.reported(f"dataset {plan.dataset.component.name}", plan.dataset.component.make):
        offered = dataset.tasks()
    offered = validated_tasks(offered, plan.dataset.component.name)
    tasks = {name: _asked(plan.suite, task) for name, task in offered.items()}
    _build_for_tasks(plan, tasks, assembly)
    return tasks


def _asked(suite: Suite, task: Task) -> Task:
    """The task with as many queries as the suite asks, and its slices."""
    spec = suite.tasks.get(task.name)
    return sliced(sampled(task, spec.queries if spec else None), suite.slices)


def _build_for_tasks(plan: Plan, tasks: Mapping[str, Task], assembly: Assembly) -> None:
    """Build each component that is made for a task, so that outputs of another system that are not
    there, or belong to other data, are an error before anything is computed."""
    for name, task in tasks.items():
        if name not in plan.tasks:
            continue
        generators = {generator: None for generator, _ in plan.tasks[name].cells}
        for strategy, bound in plan.strategies.items():
            parts = [bound, *(plan.generators[generator] for generator in generators)]
            for part in parts:
                if "task" in part.given:
                    with suppress(NotApplicable), crashes.reported(strategy, part.component.make):
                        assembly.build(part, task=task, strategy=strategy, output=task.output)


def _left_out(plan: Plan, tasks: Mapping[str, Task], source: Source) -> list[LeftOut]:
    """What the suite's tasks leave out; raises where the data does not fit the suite, or where more
    is left out than the suite allows."""
    check_tasks(plan, {name: task.output for name, task in tasks.items()}, source)
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
    for name in plan.tasks:
        of_task = [cells[name, strategy] for strategy in plan.strategies]
        for cell in of_task:
            run_folder.write_cell(folder, cell, tasks[name].output)
            summary += _cell_rows(plan, tasks[name], cell)
        write_explorer_data(folder, tasks[name], of_task, controls, large_pictures)
    write_rows(folder / paths.SUMMARY, summary)
    return summary


def _excluded(
    plan: Plan, tasks: Mapping[str, Task], cells: Mapping[tuple[str, str], Cell]
) -> dict[str, list[Exclusion]]:
    """Task -> what was left out of its data, and of the outputs of other systems."""
    excluded = {name: list(tasks[name].exclusions) for name in plan.tasks}
    for (name, _), cell in cells.items():
        excluded[name] += cell.exclusions
    return excluded


def _failures(cells: Mapping[tuple[str, str], Cell]) -> Iterator[Row]:
    """A row for each query without an answer, with the seed where there are several."""
    for cell in cells.values():
        yield from failures(_key(cell), cell.retrieved.rankings.errors)
        for seed, setting, generated in cell.outputs():
            named = {} if seed is None else {"seed": seed}
            errors = {output.query: output.error for output in generated.outputs if output.error}
            yield from failures(_key(cell, *setting) | named, errors)


def _write_crashes(folder: Path, crashed: Sequence[Crash]) -> None:
    """Keep what ended a run early; where the folder holds a finished run, its files stay."""
    if not (folder / run_files.LIST).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(folder / paths.FAILURES, [asdict(crash) for crash in crashed])


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
        if Traits(plan.generators[generator].component.make).copies:
            key |= {"copies": True}
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
        cells: a row a (task, strategy): documents and queries (None where the data is not at hand),
            generators, measures, models, and whether its rankings are known already.
        models: what each model would be asked, at most, and how much of it is known; nothing where
            the data is not at hand.
        requirements: what must lie where, or would be downloaded or called.
        budget: the suite's, in US dollars.
        left_out: what could not be used of the data.
        warning: that toys are given pictures that are not of their world; None where there are none.
    """

    cells: list[Row]
    models: list[Forecast]
    requirements: list[Required] = field(default_factory=list)
    budget: float | None = None
    left_out: list[LeftOut] = field(default_factory=list)
    warning: str | None = None


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
    assembly = Assembly(planned.suite, cache, Meter())
    dataset = _dataset(planned, source, assembly)
    requirements = required(planned, dataset, assembly)
    tasks, left = _tasks_at_hand(planned, source, dataset, assembly)
    loop = Loop(planned, tasks, cache, Meter()) if tasks else None
    cells = [
        {
            "task": task,
            "strategy": strategy,
            "generators": [str(Setting(*setting)) for setting in planned.tasks[task].cells],
            "documents": len(tasks[task].memory) if tasks else None,
            "queries": len(tasks[task].queries) if tasks else None,
            "models": sorted({name for _, name in planned.strategies[strategy].models.values()}),
            "known": loop is not None and loop.known(task, strategy),
        }
        for task in planned.tasks
        for strategy in planned.strategies
    ]
    models = forecast(planned, tasks, loop) if loop else []
    used = {name: planned.suite.models[name] for _, name in planned.models}
    warning = foreign_toys(used, planned.dataset.component.name)
    return PlanSummary(cells, models, requirements, planned.suite.budget, left, warning)


def _tasks_at_hand(
    plan: Plan, source: Source, dataset: Any, assembly: Assembly
) -> tuple[dict[str, Task], list[LeftOut]]:
    """The tasks of a dataset and what they leave out; none where its files are not on this machine.
    Then the suite is checked by what the dataset says of its tasks."""
    if not Traits(dataset).requirements:
        tasks = _tasks(plan, dataset, assembly)
        return tasks, _left_out(plan, tasks, source)
    if outputs := Traits(dataset).outputs:
        check_tasks(plan, outputs, source)
    return {}, []
