"""The contract of reports: a pure function of a run's folder."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from mmragbench._files import file_digest
from mmragbench.checking.inputs import MARKUP, folder
from mmragbench.checking.rules import Breaches, short
from mmragbench.checking.subjects import Contract, Subject

PAGES = {".html", ".svg", ".xml", ".xhtml"}
SUITE = """
name: check
dataset: {use: "mmragbench.checking.inputs:SampleDataset"}
models: {kit: {use: "mmragbench.checking.stand_ins:Encoder"}}
strategies: {no-retrieval: , random: , shared-space: {encoder: kit}, oracle: }
tasks:
  text-to-image: {measures: [R@1, Success@5]}
  captioning: {generator: [nearest, consensus], k: [1, 3], measures: [R@1, CIDEr]}
baseline: no-retrieval
"""


@cache
def run() -> Path:
    """A small run with failures, ties, awkward texts, and tasks without a generator."""
    from mmragbench.verbs import run

    suite = folder("run") / "check.yaml"
    suite.write_text(SUITE, encoding="utf-8")
    return run(suite, (), folder("run") / "runs").folder


def _digests(path: Path) -> dict[str, str]:
    """Name -> digest of every file below a folder."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file_digest(file) for file in files}


def _differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Names of files that are in one only, or differ."""
    return sorted({name for name, _ in one.items() ^ other.items()})


def _target() -> Path:
    return Path(tempfile.mkdtemp(dir=folder("reports"))) / "report"


CONTRACT = Contract("how it looks, and whether its numbers are the run's")


@CONTRACT.rule("return write(target / 'report.txt', text)")
def the_main_file_is_returned(subject: Subject) -> Breaches:
    """The path of a file that it wrote below the target comes back."""
    target = _target()
    main = subject.instance(run(), target)
    is_file = isinstance(main, Path) and main.is_file()
    if not (is_file and main.resolve().is_relative_to(target.resolve())):
        yield f"it is {short(main)}"


@CONTRACT.rule("Write below `target`")
def it_writes_below_its_target_only(subject: Subject) -> Breaches:
    """Neither the run nor anything beside the target changes."""
    target, before = _target(), _digests(run())
    subject.instance(run(), target)
    if changed := _differing(before, _digests(run())):
        yield f"it changed {short(changed[:3])} of the run"
    if beside := sorted(path.name for path in target.parent.iterdir() if path != target):
        yield f"beside the target there is {short(beside[:3])}"


@CONTRACT.rule("No time of day, no path, no order of sets: a report is made of what is stored")
def the_same_bytes_again(subject: Subject) -> Breaches:
    """Two reports of one run are the same, byte for byte, wherever the run lies."""
    first, again, of_copy = _target(), _target(), _target()
    copied = of_copy.parent / "moved"
    shutil.copytree(run(), copied)
    for source, target in ((run(), first), (run(), again), (copied, of_copy)):
        subject.instance(source, target)
    for what, other in (("a second time", again), ("of a copy of the run", of_copy)):
        if differing := _differing(_digests(first), _digests(other)):
            yield f"{short(differing[:3])} differ {what}"


@CONTRACT.rule("html.escape(text), or a template that escapes")
def texts_of_the_data_are_no_markup(subject: Subject) -> Breaches:
    """A caption that looks like a script is shown, not run."""
    target = _target()
    subject.instance(run(), target)
    for page in sorted(target.rglob("*")):
        if page.suffix.lower() in PAGES and MARKUP in page.read_text("utf-8", "replace"):
            yield f"{short(page.name)} has {MARKUP} as it is"
