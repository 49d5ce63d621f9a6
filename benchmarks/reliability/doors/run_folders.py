"""Run folders whose files were damaged, lost, or are another run's: every command that reads them."""

from __future__ import annotations

import json
import random
import shutil
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import runs
from damaged_files import damaged

import mmragbench as mb
from doors import Outcome
from mmragbench.cli.compare import _show_pairs
from mmragbench.comparing.baseline import against
from mmragbench.comparing.decomposition import gains
from mmragbench.comparing.families import between, within
from mmragbench.frames.tables import TABLES
from mmragbench.reporting.paper.folder import written
from mmragbench.reporting.tables.paper_tables import tables
from mmragbench.reporting.tables.request import Request
from mmragbench.run_folder.files import unlisted
from mmragbench.run_folder.reading import Run, open_run


def make(rng: random.Random, folder: Path) -> None:
    run = folder / "run"
    shutil.copytree(runs.finished(), run, ignore=shutil.ignore_patterns("report", "thumbnails"))
    if rng.random() < 0.3:
        (run / "files.json").unlink()  # as older versions left it
    files = sorted(path for path in run.rglob("*") if path.is_file() and path.name != ".lock")
    for path in rng.sample(files, rng.choice([0, 1, 1, 1, 2])):
        if rng.random() < 0.15:
            path.unlink()
        else:
            path.write_bytes(damaged(rng, path.read_bytes()))
    verbs = ["compare", "between", "gate", "save", "tables", "load", "export"]
    (folder / "verb.json").write_text(json.dumps(rng.choice(verbs)))


def enter(folder: Path) -> Outcome:
    run, verb = folder / "run", json.loads((folder / "verb.json").read_text())
    _enter(run, verb, folder)
    return Outcome(None, 1)


def _enter(run: Path, verb: str, folder: Path) -> None:
    if verb == "gate":
        saved = runs.finished().parent / "baseline.json"
        if not saved.is_file():
            mb.save_baseline(runs.finished(), saved)
        mb.gate(run, saved)
    elif verb == "save":
        mb.save_baseline(run, folder / "baseline.json")
    elif verb == "load":
        results = mb.load(run)
        for table in TABLES:
            getattr(results, table)
        results.compare("all")
        results._repr_html_()
    elif verb == "export":
        mb.export(run, "trec", folder / "out")
    else:
        with unlisted(run):
            _read(run, verb)


def _read(run: Path, verb: str) -> None:
    if verb == "compare":
        found = open_run(run)
        with redirect_stdout(StringIO()):
            _show_pairs(against(found, found.suite.get("baseline")), as_json=False)
        within(found)
        gains(found)
    elif verb == "between":
        between(open_run(run), open_run(runs.finished()))
    else:
        request = Request((), (), "all", None, "subscript")
        written(tables([Run(run)], request), "latex", request.style)
