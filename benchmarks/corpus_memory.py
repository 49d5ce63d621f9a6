"""How much memory and time the harness needs besides the models, on a corpus of COCO's size.

    python benchmarks/corpus_memory.py [--memory 118000] [--queries 1000] [--captions FILE]

Makes a corpus in COCO's layout in a temporary folder (some 1.5 GB at full size, removed at the end),
runs a suite on it with models that cost next to nothing, three times: with an empty cache, with the
models' answers known, and with everything known. Watches the process from outside: the kernel's
high-water mark of resident memory, of which `mapped` are pages of files (memory-mapped vectors,
libraries), which the kernel takes back when it needs them. Linux only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import yaml
from corpora import watch, world

HERE = Path(__file__).resolve().parent
RETRIEVAL = ["R@10", "nDCG@10"]
SUITE = {
    "name": "corpus",
    "models": {
        "clip": {"use": "corpora.models:Clip"},
        "sentences": {"use": "corpora.models:Sentences"},
        "namer": {"use": "corpora.models:Namer"},
    },
    "strategies": {
        "no-retrieval": {},
        "random": {},
        "shared-space": {"encoder": "clip"},
        "words": {"use": "text-grounding", "captioner": "namer", "search": "bm25"},
        "text-grounding": {"captioner": "namer", "encoder": "sentences"},
        "separate-stores": {"image_encoder": "clip", "text_encoder": "sentences"},
        "oracle": {},
    },
    "tasks": {
        "text-to-image": {"measures": RETRIEVAL},
        "image-to-text": {"measures": RETRIEVAL},
        "captioning": {
            "generator": ["nearest", "consensus"],
            "k": [5],
            "measures": [*RETRIEVAL, "CIDEr"],
        },
    },
    "baseline": "random",
}
RUNS = (
    ("nothing known",),
    ("the models' answers known", "depth=101"),
    ("all known",),
)
"""What each run finds in the cache, and how it differs from the first."""


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="corpus-", dir=asked.folder) as folder:
        root = Path(folder)
        print(f"{asked.memory:,} pictures, {asked.queries:,} queries", flush=True)
        world.write(root / "data", asked.memory, asked.queries, asked.captions)
        suite = root / "suite.yaml"
        content = {**SUITE, "dataset": {"use": "coco", "root": str(root / "data")}}
        suite.write_text(yaml.safe_dump(content, sort_keys=False))
        tables = [_table(name, _run(root, suite, *changes)) for name, *changes in RUNS]
        print("\n".join(tables))
        size = sum(path.stat().st_size for path in (root / "cache").rglob("*") if path.is_file())
        print(f"\ncache: {size / 2**20:,.0f} MiB")
        if asked.summary:
            found = max((root / "runs").glob("*/summary.json"), key=lambda p: p.stat().st_mtime)
            asked.summary.write_bytes(found.read_bytes())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--memory", type=int, default=118_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--captions", type=Path, help="a COCO caption file to recombine")
    parser.add_argument("--folder", type=Path, help="where the temporary folder goes")
    parser.add_argument("--summary", type=Path, help="keep the last run's summary.json here")
    return parser.parse_args()


def _run(root: Path, suite: Path, *changes: str) -> watch.Watched:
    command = [sys.executable, "-m", "mmragbench.cli.app", "run", str(suite), *changes]
    command += ["--output", str(root / "runs")]
    environment = {"MMRAGBENCH_CACHE": str(root / "cache"), "PYTHONPATH": _path()}
    return watch.watch(command, environment)


def _path() -> str:
    return ":".join([str(HERE), *filter(None, sys.path)])


def _table(name: str, watched: watch.Watched) -> str:
    busy = sum(stage.busy for stage in watched.stages)
    peak = watched.peak / watch.MIB
    lines = [
        f"\n{name}: {watched.seconds:,.0f} s ({busy:,.0f} s of a processor), peak {peak:,.0f} MiB",
        " seconds     busy  resident anonymous    mapped  (MiB at most)  stage",
    ]
    for stage in watched.stages:
        sizes = (stage.resident, stage.anonymous, stage.mapped)
        columns = "".join(f"{size / watch.MIB:10,.0f}" for size in sizes)
        lines.append(f"{stage.seconds:8.1f} {stage.busy:8.1f}{columns}  {stage.name}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
