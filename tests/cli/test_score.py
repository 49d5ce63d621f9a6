"""`mmragbench score`: what is printed where, what is written, exit codes."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from support.paths import TESTS

PROGRAM = Path(sys.executable).with_name("mmragbench")
KEYS = [
    "task",
    "strategy",
    "generator",
    "k",
    "slice",
    "measure",
    "estimate",
    "low",
    "high",
    "n",
    "n_failed",
    "signature",
]


def score(*arguments):
    return subprocess.run(
        [PROGRAM, "score", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS), "COLUMNS": "80"},
    )


@pytest.fixture
def run(tmp_path):
    """A TREC run that lacks the query q3, and its judgements."""
    (tmp_path / "mine.trec").write_text("q1 Q0 d1 1 0.9 s\nq2 Q0 d9 1 0.7 s\nq2 Q0 d2 2 0.6 s\n")
    (tmp_path / "qrels").write_text("q1 0 d1 1\nq2 0 d2 1\nq3 0 d3 1\n")
    return tmp_path / "mine.trec", "--qrels", tmp_path / "qrels"


def test_a_missing_query_is_one_line_and_exit_code_2(run):
    """How many, which ones, the options; nothing on standard output."""
    done = score("rankings", *run)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    for part in ("1 of 3 queries missing: q3", "--missing skip", "--missing zero"):
        assert part in done.stderr


def test_the_table_shows_the_number_its_interval_and_its_signature(run):
    """And names what is missing, and what was done about it."""
    done = score("rankings", *run, "--missing", "zero", "--measures", "RR,R@1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["measure", "estimate", "95", "%", "interval", "n", "failed"]
    assert lines[1].split()[:2] == ["RR", "0.5000"]
    assert lines[1].split()[3] == "to"
    assert "1 of 3 queries missing: q3 (counted as 0)" in lines
    signatures = [line for line in lines if "|missing:zero|n_missing:1|mmragbench:" in line]
    assert len(signatures) == 2


def test_json_is_the_rows_and_the_notes_go_to_standard_error(run, tmp_path):
    """The rows of `summary.json`, on standard output alone; also in a file, with each query's value."""
    rows = tmp_path / "rows.json"
    done = score(
        "rankings", *run, "--missing", "skip", "--measures", "RR", "--json", "--output", rows
    )
    (row,) = json.loads(done.stdout)
    assert [key for key in row if key in KEYS] == KEYS
    assert (row["task"], row["strategy"], row["slice"], row["n"]) == ("retrieval", "mine", "all", 2)
    assert json.loads(done.stderr) == {"notes": {"missing": {"count": 1, "ids": ["q3"]}}}
    (system,) = json.loads(rows.read_text())["systems"]
    assert system["rows"] == [row]
    assert (system["queries"], system["values"]) == (["q1", "q2"], {"RR": [1.0, 0.5]})


def test_scores_and_problems_are_written(run, tmp_path):
    """Every query's score, by the file's ending; every id that did not fit."""
    import pandas

    files = {name: tmp_path / "out" / name for name in ("s.csv", "s.parquet", "p.json")}
    for name in ("s.csv", "s.parquet"):
        done = score("rankings", *run, "--missing", "skip", "--measures", "RR,R@1",
                     "--scores", files[name], "--problems", files["p.json"])  # fmt: skip
        assert done.returncode == 0, done.stderr
    with files["s.csv"].open() as file:
        records = list(csv.reader(file))
    assert records[:3] == [
        ["query", "measure", "value", "error"],
        ["q1", "RR", "1.0", ""],
        ["q2", "RR", "0.5", ""],
    ]
    frame = pandas.read_parquet(files["s.parquet"])
    assert frame["value"].tolist() == [1.0, 0.5, 1.0, 0.0]
    assert list(frame) == records[0]
    assert json.loads(files["p.json"].read_text()) == {"missing": {"count": 1, "ids": ["q3"]}}


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--measures", "nDGC@10"), "unknown measure here 'nDGC@10'"),
        (("--measures", "R@"), "is not a measure"),
        (("--missing", "skip", "--scores", "s.xlsx"), "must end in .parquet or .csv"),
        (("--qrels", "/no/such/file"), "/no/such/file cannot be read"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(run, arguments, said):
    """What was asked, what there is."""
    given = (
        run[:1]
        if "--qrels" in arguments
        else (*run, *(() if "--missing" in arguments else ("--missing", "skip")))
    )
    done = score("rankings", *given, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_pictures_are_scored_on_features_of_ones_own(tmp_path):
    """A dotted path; few images are warned of."""
    for side, shades in (("made", (10, 90, 200)), ("real", (20, 80, 240))):
        (tmp_path / side).mkdir()
        for i, shade in enumerate(shades):
            Pillow.new("RGB", (4, 4), (shade, 255 - shade, 7)).save(tmp_path / side / f"{i}.png")
    done = score(
        "images",
        tmp_path / "made",
        "--real",
        tmp_path / "real",
        "--features",
        "support.toy:ColourEncoder",
    )
    assert done.returncode == 0, done.stderr
    assert "FID(ColourEncoder)" in done.stdout
    assert "FID of 3 images is biased upward, by an unknown amount" in done.stdout


def test_fid_beyond_n_is_told_below_the_table(tmp_path):
    """What the interval is of, the limit with its own, the fit, and halves beside real halves."""
    dice = np.random.default_rng(0)
    for side in ("made", "real"):
        (tmp_path / side).mkdir()
        for i, pixels in enumerate(dice.integers(0, 255, (24, 4, 4, 3), np.uint8)):
            Pillow.fromarray(pixels).save(tmp_path / side / f"{i}.png")
    given = ("images", tmp_path / "made", "--real", tmp_path / "real", "--features")
    done = score(*given, "support.toy:ColourEncoder", "--measures", "FID")
    assert "the interval is of the FID expected at this n" in done.stdout
    assert re.search(r"beyond this n .* through FID of 24, 12, 8 images, R² [01]\.\d", done.stdout)
    assert "real images of both halves" in done.stdout
    (row,) = json.loads(
        score(*given, "support.toy:ColourEncoder", "--measures", "FID", "--json").stdout
    )
    assert set(row["limit"]) == {"estimate", "low", "high", "bias", "r_squared", "images"}
    assert row["limit"]["low"] < row["limit"]["estimate"] < row["limit"]["high"]
    assert set(row["halves"]) == {"generated", "real"}


def test_a_folder_against_itself(tmp_path):
    """FID is 0, without a sign, and has no interval where no picture says anything about others."""
    for i in range(6):
        colour = (40 * i, 90, 250 - 30 * i)
        for name in ("made", "twice/a", "twice/b"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
            Pillow.new("RGB", (16, 16), colour).save(tmp_path / name / f"{i}.png")
    features = ("--features", "support.toy:ColourEncoder", "--measures", "FID")
    done = score("images", tmp_path / "made", "--real", tmp_path / "made", *features)
    assert "FID(ColourEncoder)    0.0000              -  6 " in done.stdout
    done = score("images", tmp_path / "made", "--real", tmp_path / "made", *features, "--json")
    (row,) = json.loads(done.stdout)
    assert (row["estimate"], row["low"], row["high"]) == (0, None, None)


def test_small_numbers_have_digits(tmp_path, capsys):
    """A KID of 4e-05 is not a row of zeros."""
    from rich.console import Console

    from mmragbench.cli.score_tables import of_scores

    row = {"measure": "KID(x)", "estimate": 4.1e-5, "low": -2.34e-6, "high": 8.8e-5}
    Console(width=100).print(of_scores([row | {"n": 9, "n_failed": 0}]))
    assert "4.1e-05  -2.34e-06 to 8.8e-05" in capsys.readouterr().out


def test_inception_without_its_weights_is_one_line(tmp_path):
    """It says where they belong; nothing is downloaded."""
    Pillow.new("RGB", (4, 4)).save(tmp_path / "0.png")
    done = score(
        "images",
        tmp_path,
        "--real",
        tmp_path,
        "--features",
        "inception",
        "--weights",
        tmp_path / "no.pth",
    )
    assert done.returncode == 2
    assert "inception's weights are not at" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def magic(shared_data):
    return shared_data / "caption_results" / "coco_magic.json"


def published(shared_data, name, *more):
    data = shared_data / "caption_results"
    references = data / "coco_karpathy_test_references.json"
    return score("captions", data / name, "--references", references, "--measures", "CIDEr", *more)


@pytest.mark.real_data
def test_a_published_system_has_its_published_cider(shared_data):
    """ER-SAN on COCO's Karpathy test split: 1.3497, and an interval around it."""
    done = published(shared_data, "coco_er_san.json")
    assert done.returncode == 0, done.stderr
    name, estimate, low, _, high, n, failed = done.stdout.splitlines()[1].split()
    assert (name, estimate, n, failed) == ("CIDEr", "1.3497", "5,000", "0")
    assert 1.32 < float(low) < 1.3497 < float(high) < 1.38


@pytest.mark.real_data
def test_a_published_system_that_lacks_18_images(shared_data):
    """MAGIC: an error that names them; with --missing skip 0.4929, all 18 named."""
    refused = published(shared_data, "coco_magic.json")
    assert refused.returncode == 2
    assert "18 of 5000 images missing" in refused.stderr
    done = published(shared_data, "coco_magic.json", "--missing", "skip")
    assert done.stdout.splitlines()[1].split()[:2] == ["CIDEr", "0.4929"]
    there = {row["image_id"] for row in json.loads(magic(shared_data).read_text())}
    references = json.loads(
        (magic(shared_data).parent / "coco_karpathy_test_references.json").read_text()
    )
    missing = {str(image["id"]) for image in references["images"] if image["id"] not in there}
    (line,) = [line for line in done.stdout.splitlines() if "missing:" in line and "|" not in line]
    assert set(line.partition(": ")[2].partition(" (")[0].split(", ")) == missing
    assert "|missing:skip|n_missing:18|" in done.stdout


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[str | Path, ...]:
    """The arguments for three generated pictures and the real ones of the same names."""
    dice = np.random.default_rng(0)
    for side in ("made", "real"):
        (tmp_path / side).mkdir()
        for i, pixels in enumerate(dice.integers(0, 255, (3, 32, 32, 3), np.uint8)):
            Pillow.fromarray(pixels).save(tmp_path / side / f"{i}.png")
    return "images", tmp_path / "made", "--real", tmp_path / "real"


def test_pairs_of_pictures_need_no_features(pairs, tmp_path):
    """SSIM and PSNR have an interval and each pair's value; they name no weights. Multi-scale SSIM,
    for which these are too small, is absent with torchmetrics' reason."""
    table = tmp_path / "scores.csv"
    done = score(*pairs, "--measures", "SSIM,PSNR,MS_SSIM", "--json", "--scores", table)
    assert done.returncode == 0, done.stderr
    ssim, psnr, small = json.loads(done.stdout)
    for row in (ssim, psnr):
        assert row["n"] == 3 and row["low"] <= row["estimate"] <= row["high"]
        assert "weights:" not in row["signature"] and "resize:fit-target" in row["signature"]
    assert small["estimate"] is None and "larger than" in small["reason"]
    assert len([line for line in table.read_text().splitlines() if ",SSIM," in line]) == 3


def test_pairs_and_sets_in_one_go(pairs):
    """Features, with what identifies them, are those of the measures that take some."""
    features = ("--features", "support.toy:ColourEncoder", "--measures", "SSIM,MIFID,KID")
    ssim, mifid, kid = json.loads(score(*pairs, *features, "--json").stdout)
    names = [row["measure"] for row in (ssim, mifid, kid)]
    assert names == ["SSIM", "MIFID(ColourEncoder)", "KID(ColourEncoder)"]


def test_two_sets_have_no_pairs(pairs):
    """Where files are not paired by name, SSIM is absent with that reason."""
    done = score(*pairs, "--pairs", "none", "--measures", "SSIM", "--json")
    (row,) = json.loads(done.stdout)
    assert row["estimate"] is None and "no output has anything to be compared with" in row["reason"]


def test_distances_without_features_are_refused(pairs):
    """One line says how to name some."""
    done = score(*pairs)
    assert done.returncode == 2
    assert "FID compares pictures on features; name them: --features" in done.stderr


def test_captions_by_a_measure_of_torchmetrics(tmp_path):
    """The mean of WER over the captions, each with its best reference."""
    gold = [{"image_id": 1, "id": 1, "caption": "a dog sat"}, {"image_id": 1, "id": 2, "caption": "a cat"},
            {"image_id": 2, "id": 3, "caption": "two big cats run"}]  # fmt: skip
    (tmp_path / "gold.json").write_text(json.dumps({"annotations": gold}))
    captions = [{"image_id": 1, "caption": "a cat"}, {"image_id": 2, "caption": "two cats run"}]
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    files = (tmp_path / "captions.json", "--references", tmp_path / "gold.json")
    done = score("captions", *files, "--measures", "WER", "--json")
    (row,) = json.loads(done.stdout)
    assert row["estimate"] == pytest.approx((0 + 1 / 4) / 2) and row["n"] == 2
