"""A service in shell enters a suite as files: compared with ours, gated, and failing the gate when it is
made worse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support import toy
from support.paths import TESTS

PROGRAM = Path(sys.executable).with_name("mmragbench")

SERVICE = r"""
set -eu
# Both tables have an id and a colour. Ranks the documents of a query's colour, and captions its
# picture with that colour; with "worse", every third query has no hit and another caption.
mkdir -p out
awk -F '\t' -v worse="${1:-}" '
  NR == FNR { colour[$1] = $2; next }
  { seen = (worse && FNR % 3 == 0) ? "none" : $2
    for (id in colour) if (colour[id] == seen) print $1, "Q0", id, 0, 1, "service" }
' memory.tsv queries.tsv > out/captioning.trec
awk -F '\t' -v worse="${1:-}" '
  { text = (worse && FNR % 3 == 0) ? "a dog" : "a " $2 " picture"
    printf "%s{\"image_id\": %s, \"caption\": \"%s\"}", (NR > 1 ? "," : "["), $1, text }
  END { print "]" }' queries.tsv > out/captions.json
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the service, its data, and a suite."""
    root = tmp_path_factory.mktemp("service")
    coco = toy.write_coco(root / "coco", memory=24, queries=60)
    for name, first, n in (("memory", 1, 24), ("queries", 1001, 60)):
        rows = (f"{first + i}\t{toy.NAMES[i % len(toy.NAMES)]}\n" for i in range(n))
        (root / f"{name}.tsv").write_text("".join(rows))
    (root / "service.sh").write_text(SERVICE)
    suite = toy.suite(
        coco,
        name="service",
        strategies={
            "random": {},
            "shared-space": {"encoder": "colours"},
            "service": {"use": "rankings", "runs": "out"},
        },
        generators={
            "captions": {
                "use": "results_file",
                "results": {"service": "out/captions.json"},
                "otherwise": "nearest",
            }
        },
        tasks={
            "captioning": {"generator": "captions", "k": 1, "measures": ["Success@1", "ROUGE_L"]}
        },
        baseline="random",
    )
    (root / "service.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    return root


def call(place, *command):
    """A command in the folder: its exit code, and what it printed."""
    environment = {
        "PYTHONPATH": str(TESTS),
        "MMRAGBENCH_CACHE": str(place / "cache"),
        "COLUMNS": "200",
    }
    done = subprocess.run(
        command,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_a_service_is_compared_gated_and_fails_the_gate_when_it_is_worse(place):
    """Exit codes 0, 1 and 2. It is tested against our controls like our own strategies; what got worse,
    and what it does not answer any more, is named with its queries."""
    assert call(place, "sh", "service.sh") == (0, "")
    assert call(place, PROGRAM, "run", "service.yaml")[0] == 0
    (run,) = (place / "runs").iterdir()
    pairs = json.loads(call(place, PROGRAM, "compare", run, "--json")[1])
    assert {p["b"] for p in pairs} == {"random"}
    verdicts = {(p["a"], p["measure"]): p["verdict"] for p in pairs}
    assert verdicts["service", "Success@1"] == verdicts["service", "ROUGE_L"] == "better"
    assert call(place, PROGRAM, "gate", run, "--save", "accepted.json")[0] == 0
    assert call(place, PROGRAM, "gate", run, "--baseline", "accepted.json")[0] == 0

    assert call(place, "sh", "service.sh", "worse") == (0, "")
    assert call(place, PROGRAM, "run", "service.yaml")[0] == 0
    code, text = call(place, PROGRAM, "gate", run, "--baseline", "accepted.json")
    assert code == 1 and text.startswith("service does not hold. ")
    assert "captioning · service/captions-k1" in text and "report/index.html#explorer?" in text
    assert "20 queries scored in the baseline and not now: 1003, 1006" in text
    assert "shared-space" not in text.partition("Queries that got worse:")[2].partition("\n\n")[0]

    assert call(place, PROGRAM, "gate", run, "--baseline", "nowhere.json")[0] == 2
    (place / "out/captions.json").write_text("[")
    assert call(place, PROGRAM, "run", "service.yaml")[0] == 2
    assert call(place, PROGRAM, "plan", "service.yaml")[0] == 2
