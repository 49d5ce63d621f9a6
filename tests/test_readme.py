"""The README tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from mmragbench.planning.suite import Source, validate
from mmragbench.registry import _components, find

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)[number]


def test_the_tree_shows_the_rooms_that_there_are():
    """The catalogues, and below the engine its rooms and what plug-ins import; no other."""
    shown, folder = set(), ""
    for line in block("text").splitlines():
        name = line.split()[0]
        if line.startswith(" "):
            shown.add(folder + name)
        else:
            folder = name
            shown.add(name)
    engine = ROOT / "src" / "mmragbench"
    inside = {path.name + "/" * path.is_dir() for path in engine.glob("[!_]*")}
    catalogues = {path.name + "/" for path in engine.iterdir() if (ROOT / path.name).is_dir()}
    rooms = {f"src/mmragbench/{name}" for name in inside - catalogues - {"py.typed"}}
    assert shown == rooms | catalogues | {"src/mmragbench/", "suites/", "training/"}


def test_the_suite_in_the_readme_is_valid():
    """Its keys are a suite's, and all its names are bound."""
    from mmragbench.planning.plan import plan

    text = block("yaml")
    source = Source("README.md", text)
    assert plan(validate(yaml.safe_load(text), source), source).tasks


def test_the_strategy_in_the_readme_works():
    """The file, as it is printed, defines a strategy that retrieves."""
    from mmragbench.records import Document, Query

    code = block("python")
    scope = {"__name__": "mmragbench.strategies.newest_first"}
    try:
        exec(compile(code, "newest_first.py", "exec"), scope)
        strategy = find("strategy", "newest-first").make()
        strategy.index([Document("a"), Document("b"), Document("c")])
        (ranking,) = strategy.retrieve([Query("q")], 2)
        assert ranking.ids == ("c", "b")
    finally:
        _components.pop(("strategy", "newest-first"), None)
