"""A package's measure where lower is better, from the command line alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support import toy

PACKAGE = '''"""How far apart two pictures are, as LPIPS says it: 0 to 1, and lower is better."""

import numpy as np

from mmragbench.records import Absence, Score, Scores
from mmragbench.registry import measures
from mmragbench.signature import signature


@measures("LPIPS", scores=("image",), better="lower", margin=0.05, display="LPIPS of pixels")
def lpips(measures, task, rankings, outputs, **_):
    """Mean absolute difference of pixels."""
    outputs = {output.query: output for output in outputs}
    scores = tuple(_score(outputs.get(q.id), q.id, task.targets[q.id]) for q in task.queries)
    n = sum(score.value is not None for score in scores)
    absence = None if n else Absence("no picture")
    return [Scores(m, signature(m, n=n), scores, absence=absence, bounds=(0, 1)) for m in measures]


def _score(output, query, target):
    if output is None or output.image is None:
        return Score(query, error=output.error if output else "no output")
    a, b = (np.asarray(image.open(), dtype=float) for image in (output.image, target))
    return Score(query, float(np.abs(a - b).mean() / 255))
'''

NEAR = {"use": "shared-space", "encoder": "colours"}
FAR = {"use": "support.toy:Backwards"}


class Place:
    """A folder with the package, two suites that differ in one strategy, and their runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "perceptual.py").write_text(PACKAGE)
        coco = toy.write_coco(root / "coco", memory=24, queries=40)
        self.good, self.bad = (
            self.run(name, coco, own) for name, own in (("good", NEAR), ("bad", FAR))
        )

    def run(self, name: str, coco: Path, own: dict[str, str]) -> Path:
        """A run in which the strategy `own` finds pictures of the same colour, or others."""
        task = {"generator": ["nearest"], "k": 1, "measures": ["perceptual:lpips"]}
        suite = toy.suite(
            coco,
            models={"colours": {"use": "support.toy:ColourEncoder"}},
            strategies={"random": {}, "own": own, "far": FAR},
            generators={"nearest": {}},
            tasks={"image-generation": task},
            baseline="random",
        )
        (self.root / f"{name}.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
        assert self.call("run", f"{name}.yaml", "--output", name).returncode == 0
        (folder,) = (self.root / name).iterdir()
        return folder

    def call(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """`mmragbench` with these arguments, in the folder."""
        paths = [str(self.root), str(Path(toy.__file__).parents[1])]
        return subprocess.run(
            [sys.executable, "-m", "mmragbench", *map(str, arguments)],
            cwd=self.root,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(paths), "MMRAGBENCH_CACHE": str(self.root / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("lpips"))


def test_a_number_that_rises_is_a_regression(place: Place) -> None:
    """The gate fails where LPIPS rose, and holds where it fell; the margin is the measure's own."""
    for before, now, code, verdict in (
        (place.good, place.bad, 1, "1 regressed"),
        (place.bad, place.good, 0, "1 holds"),
    ):
        assert place.call("gate", before, "--save", "baseline.json").returncode == 0
        gate = place.call("gate", now, "--baseline", "baseline.json")
        assert gate.returncode == code, gate.stderr
        assert verdict in gate.stdout
        assert "Margins: LPIPS 0.05." in gate.stdout


@pytest.mark.parametrize(
    ("format", "arrow", "best"),
    [
        ("html", r"↓", r"<b>([\d.]+)</b>"),
        ("latex", r"\$\\downarrow\$", r"\\textbf\{([\d.]+)\}"),
        ("markdown", r"↓", r"\| \*\*([\d.]+)\*\*"),
    ],
)
def test_tables_point_down_and_the_smallest_is_bold(
    place: Place, format: str, arrow: str, best: str
) -> None:
    """In each format one number is bold: that of the nearer strategy, which is the smaller one."""
    table = place.call("report", place.good, "--format", format).stdout
    assert re.search(f"LPIPS of pixels.{{,30}}{arrow}", table), table
    (bold,) = re.findall(best, table)
    rows = place.call("report", place.good, "--format", "csv").stdout.splitlines()
    fields = [dict(zip(rows[0].split(","), row.split(","), strict=True)) for row in rows[1:]]
    numbers = {row["strategy"]: float(row["estimate"]) for row in fields}
    assert numbers["own"] < numbers["far"]
    assert float(bold) == pytest.approx(numbers["own"], abs=5e-4)


def test_the_page_says_that_lower_is_better(place: Place) -> None:
    """In the answer, in the table's head, and the larger number is not marked as the best."""
    page = (place.good / "report/index.html").read_text(encoding="utf-8")
    assert "own is better than far on image-generation" in re.sub("<[^>]+>", "", page)
    assert "(lower is better; nearest, k\u00a0=\u00a01)" in page
    assert 'LPIPS of pixels<small> <span title="lower is better">↓</span>' in page
    strong = set(re.findall(r"<strong>(0\.\d+)</strong>", page))
    assert len(strong) == 1 and float(strong.pop()) < 0.1


def test_comparisons_know_the_direction(place: Place) -> None:
    """A negative difference is better."""
    compared = place.call("compare", place.good, "--baseline", "far", "--json").stdout
    assert '"verdict": "better"' in compared
