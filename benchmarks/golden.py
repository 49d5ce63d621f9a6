"""A record of everything that comes out, to compare two versions of the code number by number.

    python benchmarks/golden.py make FOLDER [--data DATA]   # with this checkout's code
    python benchmarks/golden.py compare OLD NEW             # exit code 1 if anything differs

`make` runs the demo (and, where DATA has `flickr8k` and `caption_results`, these), scores published
captions, saves and tries a gate, and writes every report and export. `compare` opens each file as
what it is: JSON and tables by their values, features as arrays, the rest line by line. What depends
on the clock or the place (costs, times, paths, names of run folders) is left out.
"""

from __future__ import annotations

import json
import re
import reprlib
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

REPORTS = ("latex", "markdown", "csv", "html")
EXPORTS = ("trec", "coco", "beir", "mteb")

UNSTEADY = ("manifest.json", "files.json", "cost.json", "index.html", "plan.json")
"""Files that name the clock, the machine or digests of such."""

TIMED = re.compile(r"-over-(latency|indexing)\.svg$")
"""Figures of times."""

HASHED = re.compile(r"\b([a-z0-9][a-z0-9-]*)-[0-9a-f]{8}\b")
"""A run folder's name: the suite's, and a hash of what it was made of."""

COMMIT = re.compile(r"\bcommit [0-9a-f]{10,40}\b")


def make(folder: Path, data: Path | None) -> None:
    """Everything that the commands write, below `folder`."""
    folder.mkdir(parents=True)
    _run(folder, "run", "scenes", "--output", "runs")
    if data is not None:
        _run(folder, "run", "flickr8k", f"dataset.root={data / 'flickr8k'}", "--output", "runs")
        published = data / "caption_results"
        references = published / "coco_karpathy_test_references.json"
        for system in sorted(published.glob("coco_*.json")):
            if system != references:
                scored = _run(folder, "score", "captions", str(system), "--references",
                              str(references), "--measures", "CIDEr,Bleu_1,Bleu_4,ROUGE_L")  # fmt: skip
                (folder / f"score-{system.stem}.txt").write_text(scored)
    for run in sorted((folder / "runs").iterdir()):
        _written(folder, run)


def _written(folder: Path, run: Path) -> None:
    """What is made of a finished run."""
    name = run.name.rpartition("-")[0]
    at = str(run.relative_to(folder))
    for form in REPORTS:
        _run(folder, "report", at, "--format", form, "--output", f"papers/{name}-{form}")
    (folder / f"methods-{name}.txt").write_text(_run(folder, "report", at, "--methods"))
    for form in EXPORTS:
        _run(folder, "export", at, "--format", form, "--output", f"exports/{name}-{form}")
    (folder / f"compare-{name}.json").write_text(_run(folder, "compare", at, "--json"))
    baseline = f"baseline-{name}.json"
    _run(folder, "gate", at, "--save", baseline)
    (folder / f"gate-{name}.txt").write_text(_run(folder, "gate", at, "--baseline", baseline))


def _run(folder: Path, *arguments: str) -> str:
    print("mmragbench", *arguments, file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "mmragbench", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return f"{done.stdout}exit code {done.returncode}\n"


def compare(old: Path, new: Path) -> int:
    """The number of files that differ; each is named, with its first difference."""
    before, now = (_files(folder) for folder in (old, new))
    for name in sorted(before.keys() ^ now.keys()):
        print(f"only in {'the old' if name in before else 'the new'}: {name}")
    counts: Counter[str] = Counter()
    values, unlike = 0, len(before.keys() ^ now.keys())
    for name in sorted(before.keys() & now.keys()):
        a, b = (dict(_leaves(files[name])) for files in (before, now))
        values += len(a)
        counts[Path(name).suffix] += 1
        if differences := [key for key in a.keys() | b.keys() if a.get(key) != b.get(key)]:
            key = min(differences)
            was, now_is = (reprlib.repr(leaves.get(key)) for leaves in (a, b))
            print(f"{name}: {len(differences):,} of {len(a):,} differ; "
                  f"first {key}: {was} is {now_is} now")  # fmt: skip
            unlike += 1
    kinds = ", ".join(f"{count:,} {kind or 'without an ending'}" for kind, count in counts.items())
    print(f"{values:,} values in {sum(counts.values()):,} files ({kinds}); {unlike:,} files differ")
    return unlike


def _files(folder: Path) -> dict[str, Path]:
    """Name -> file; run folders by their suites' names."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        HASHED.sub(r"\1", str(path.relative_to(folder))): path
        for path in found
        if path.name not in UNSTEADY and path.suffix != ".pdf" and not TIMED.search(path.name)
    }


def _leaves(path: Path) -> Iterator[tuple[str, Any]]:
    """Place in the file -> value."""
    if path.suffix == ".json":
        value, end = json.JSONDecoder().raw_decode(text := path.read_text())
        yield from _of_json("", value)
        yield "after", text[end:].strip()  # a command's exit code
    elif path.suffix == ".parquet":
        for name, column in pq.read_table(path).to_pydict().items():
            yield from _of_json(name, column)
    elif path.suffix == ".npz":
        with np.load(path) as arrays:
            for name in arrays.files:
                yield name, (arrays[name].shape, arrays[name].tobytes())
    elif path.suffix in (".webp", ".png"):
        yield "", path.read_bytes()
    else:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            yield f"line {number}", COMMIT.sub("commit", HASHED.sub(r"\1", line))


def _of_json(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in inner:
            yield from _of_json(f"{place}/{key}", part)
    else:
        yield place, HASHED.sub(r"\1", value) if isinstance(value, str) else value


def main() -> None:
    action, *rest = sys.argv[1:] or [""]
    if action == "make":
        data = Path(rest[2]).resolve() if rest[1:2] == ["--data"] else None
        shutil.rmtree(rest[0], ignore_errors=True)
        make(Path(rest[0]).resolve(), data)
    elif action == "compare" and len(rest) == 2:
        sys.exit(compare(Path(rest[0]), Path(rest[1])) > 0)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
