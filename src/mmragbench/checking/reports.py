"""Rules for reports: a pure function of a run's folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mmragbench._files import file_digest
from mmragbench.checking.inputs import MARKUP, folder
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import expect, short

UNCHECKED = "how it looks, and whether its numbers are the run's"
PAGES = {".html", ".svg", ".xml", ".xhtml"}
SUITE = """
name: check
dataset: {use: "mmragbench.checking.inputs:Tried"}
models: {kit: {use: "mmragbench.checking.stand_ins:Encoder"}}
strategies: {no-retrieval: , random: , shared-space: {encoder: kit}, oracle: }
tasks:
  text-to-image: {measures: [R@1, Success@5]}
  captioning: {generator: [nearest, consensus], k: [1, 3], measures: [R@1, CIDEr]}
baseline: no-retrieval
"""


def chunks(subject: Subject) -> Iterator[Chunk]:
    """None: a report gets a run."""
    return iter(())


@cache
def run() -> Path:
    """A small run with failures, ties, awkward texts, and tasks without a generator."""
    from mmragbench.verbs import run

    suite = folder("run") / "check.yaml"
    suite.write_text(SUITE, encoding="utf-8")
    return run(suite, (), folder("run") / "runs").folder


def _files(path: Path) -> dict[str, str]:
    """Name -> digest of every file below a folder."""
    found = sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file_digest(file) for file in found}


def _target() -> Path:
    return Path(tempfile.mkdtemp(dir=folder("reports"))) / "report"


def the_main_file_is_returned(subject: Subject) -> None:
    """The path of a file below the target comes back."""
    target = _target()
    main = subject.instance(run(), target)
    expect(
        isinstance(main, Path)
        and main.is_file()
        and main.resolve().is_relative_to(target.resolve()),
        "the path of a file that it wrote below the target",
        f"it is {short(main)}",
        "return write(target / 'report.txt', text)",
    )


def it_writes_below_its_target_only(subject: Subject) -> None:
    """Neither the run nor anything beside the target changes."""
    target, before = _target(), _files(run())
    subject.instance(run(), target)
    after = _files(run())
    changed = sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    expect(
        not changed,
        "a run folder that is left alone",
        f"it changed {short(changed[:3])}",
        "Write below `target`",
    )
    beside = sorted(path.name for path in target.parent.iterdir() if path != target)
    expect(
        not beside,
        "nothing beside the target",
        f"there is {short(beside[:3])}",
        "Write below `target`",
    )


def the_same_bytes_again(subject: Subject) -> None:
    """Two reports of one run are the same, byte for byte, wherever the run lies."""
    first, again, elsewhere = _target(), _target(), _target()
    copied = elsewhere.parent / "moved"
    shutil.copytree(run(), copied)
    for source, target in ((run(), first), (run(), again), (copied, elsewhere)):
        subject.instance(source, target)
    for what, other in (("a second time", again), ("of a copy of the run", elsewhere)):
        one, two = _files(first), _files(other)
        differing = sorted(
            name for name in one.keys() | two.keys() if one.get(name) != two.get(name)
        )
        expect(
            not differing,
            f"the same bytes {what}",
            f"{short(differing[:3])} differ",
            "No time of day, no path, no order of sets: a report is made of what is stored",
        )


def texts_of_the_data_are_no_markup(subject: Subject) -> None:
    """A caption that looks like a script is shown, not run."""
    target = _target()
    subject.instance(run(), target)
    pages = [file for file in target.rglob("*") if file.suffix.lower() in PAGES]
    bad = [
        file.name for file in pages if MARKUP in file.read_text(encoding="utf-8", errors="replace")
    ]
    expect(
        not bad,
        "captions that are escaped",
        f"{short(bad)} has {MARKUP} as it is",
        "html.escape(text), or a template that escapes",
    )


RULES = (
    the_main_file_is_returned,
    it_writes_below_its_target_only,
    the_same_bytes_again,
    texts_of_the_data_are_no_markup,
)
