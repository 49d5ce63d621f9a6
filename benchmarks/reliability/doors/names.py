"""Suites whose strategies, generators, models and tasks have odd and hostile names.

What a suite lets pass is written as a run writes its cells: one folder each, all of them below the
run's folder, also where case does not count.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from doors import Outcome
from mmragbench.engine.loop import Cell
from mmragbench.engine.results import Generated, Retrieved
from mmragbench.errors import MmragbenchError
from mmragbench.planning.plan import Plan, load
from mmragbench.records import Output
from mmragbench.run_folder import writing as run_folder

PARTS = (
    "a", "A", "random", "nearest", "k1", "é", "e\u0301", "ß", "SS", "ｆ", "名", "١", "-", "_", ".", "..",
    "/", "\\", ":", "~", " ", "\t", "\n", "\0", "\x1b[31m", "\x9b", "\u202e", "\u200b", "\ud800", "%2e",
    "*", "?", "|", "<b>", "&", "'", '"', "$(id)", "`id`", "{}", "[b]", "con", "NUL", "C", "a" * 90,
    "é" * 60, "subprocess:Popen", "os", "toy", "null", "1", "-1", "1e3", "true", "../", "/etc/passwd",
)  # fmt: skip
FINE = ("random", "oracle", "images", "v1.2", "Zürich", "ViT-B-32", "a_b", "x" * 100)
OTHERS = (1, -1, 2.5, None, True, [], {"a": 1}, "a", "random")


def make(rng: random.Random, folder: Path) -> None:
    content: object = {
        "name": _name(rng, 0.95),
        "dataset": "scenes",
        "models": {_name(rng, 0.95): "open_clip" for _ in range(rng.randrange(3))},
        "strategies": {_name(rng, 0.9): rng.choice(("random", "no-retrieval")) for _ in range(2)},
        "generators": {_name(rng, 0.95): "nearest" for _ in range(rng.randrange(3))},
        "tasks": {_name(rng, 0.95): _task(rng) for _ in range(rng.choice((1, 1, 2)))},
    }
    if rng.random() < 0.1:
        content[rng.choice(list(content))] = rng.choice(OTHERS)  # type: ignore[index]
    text = json.dumps(content, ensure_ascii=rng.random() < 0.5)  # JSON is YAML
    (folder / "suite.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))


def _name(rng: random.Random, fine: float) -> str:
    if rng.random() < fine:
        return rng.choice(FINE) + rng.choice(("", "", "", "1", "A"))
    return "".join(rng.choice(PARTS) for _ in range(rng.randrange(5)))


def _task(rng: random.Random) -> object:
    generators = [_name(rng, 0.3) if rng.random() < 0.1 else "nearest" for _ in range(1)]
    measures = rng.choice((["R@5", "CIDEr"], ["CIDEr"], ["R@1"], [f"FID({_name(rng, 0.5)})"]))
    return {"measures": measures, "generator": generators, "k": rng.choice((1, [1, 5]))}


def enter(folder: Path) -> Outcome:
    suite = folder / "suite.yaml"
    plan, _ = _loaded(suite)
    run = folder / "runs" / plan.folder
    paths = [
        Path("cells") / task / strategy / f"{generator}-k{k}"
        for task, posed in plan.tasks.items()
        for strategy in plan.strategies
        for generator, k in posed.cells
    ]
    for path in paths:
        _write(run, path)
    written = [file for file in folder.rglob("*") if file.is_file() and file != suite]
    inside = {str(file.relative_to(run)).casefold() for file in written if file.is_relative_to(run)}
    assert len(inside) == len(written), "written outside of the run folder, or over another"
    outputs = [name for name in inside if name.endswith("outputs.jsonl")]
    return Outcome(len(paths), len(outputs))


def _loaded(suite: Path) -> tuple[Plan, object]:
    try:
        return load(suite)
    except UnicodeDecodeError as error:  # another door's: which bytes are a suite
        raise MmragbenchError(str(error)) from error


def _write(run: Path, path: Path) -> None:
    _, task, strategy, below = path.parts
    generator, _, k = below.rpartition("-k")
    answered = Generated((Output("q", text="a"),))
    cell = Cell(task, strategy, Retrieved(), generated={(generator, int(k)): (answered, {})})
    run_folder.write_cell(run, cell)
