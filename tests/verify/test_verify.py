"""`mmragbench verify`: what each verdict means, and that it is reached for the right reason."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from mmragbench.cli import app as cli
from mmragbench.records import Absence, Measure, Score, Scores
from mmragbench.verify import references
from mmragbench.verify import run as checking
from mmragbench.verify.outcomes import judge
from mmragbench.verify.references import Need, Reference, Source, chosen, load
from mmragbench.verify.run import check
from mmragbench.verify.text_report import lines
from support import toy

SOURCE = Source(title="a paper", where="https://example.org/table-1", version="1")
REFERENCES = load()


def reference(**changes) -> Reference:
    """One made-up number."""
    given = {
        "name": "made/up/here/CIDEr",
        "family": "made/up",
        "kind": "captions",
        "measure": "CIDEr",
        "value": 1.0,
        "tolerance": 0.01,
        "source": SOURCE,
        "protocol": "made up",
    }
    return Reference(**{**given, **changes})


def scored(value=1.0, signature="CIDEr|n:2", **changes) -> Scores:
    scores = (Score("a", value), Score("b", value))
    return Scores(Measure("CIDEr"), signature, **{"scores": scores, **changes})


def statuses(outcomes) -> set[str]:
    return {each.status for each in outcomes}


@pytest.mark.parametrize(
    "value, status",
    [(1.0, "PASS"), (1.0099, "PASS"), (0.9901, "PASS"), (1.02, "FAIL"), (0.98, "FAIL")],
)
def test_agreement_is_within_the_tolerance(value, status):
    """Either way; the difference is ours less theirs."""
    outcome = judge(reference(), scored(value))
    assert outcome.status == status
    assert outcome.difference == pytest.approx(value - 1.0)


def test_another_protocol_is_not_comparable_and_says_where():
    """A fact of the published number that our signature contradicts, or does not state."""
    facts = {"n": "5000", "tok": "ptb-java"}
    outcome = judge(reference(facts=facts), scored(signature="CIDEr|n:2"))
    assert outcome.status == "NOT COMPARABLE"
    assert outcome.reason == "n: ours 2, theirs 5000; tok: ours unsaid, theirs ptb-java"


def test_failed_queries_are_a_fail_even_if_the_rest_agrees():
    """A number that leaves some out is not the published one."""
    outcome = judge(reference(), scored(scores=(Score("a", 1.0), Score("b", error="timeout"))))
    assert (outcome.status, outcome.reason) == ("FAIL", "1 queries failed")


def test_no_number_is_not_run_but_a_crash_is_a_fail():
    """Java is not installed: NOT RUN. Our evaluator broke: FAIL."""
    no_java, crash = Absence("Java is not installed"), Absence("KeyError: 'x'", "crashed")
    assert judge(reference(), scored(absence=no_java)).status == "NOT RUN"
    assert judge(reference(), scored(absence=crash)).status == "FAIL"


def test_a_defect_of_ours_is_a_fail(monkeypatch, tmp_path):
    """Whatever is raised that is not about something missing."""

    def broken(references, given, data):
        raise ZeroDivisionError("one over nothing")

    monkeypatch.setattr(checking, "_function", lambda kind: broken)
    (outcome,) = check([reference()], tmp_path)
    assert outcome.status == "FAIL"
    assert outcome.reason == "ZeroDivisionError: one over nothing"


def test_a_protocol_known_to_differ_is_never_computed(monkeypatch, tmp_path):
    """RA-CM3's table: the reason is stored with the number."""
    monkeypatch.setattr(checking, "_function", lambda kind: pytest.fail("it was computed"))
    outcomes = check(chosen(REFERENCES, "ra-cm3"), tmp_path)
    assert statuses(outcomes) == {"NOT COMPARABLE"}
    assert all("LAION" in each.reason for each in outcomes)


def test_everything_that_is_missing_is_named_with_a_way_to_get_it(tmp_path, monkeypatch):
    """Files below the data folder, weights of the hub, weights of torch hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    outcomes = check(REFERENCES, tmp_path)
    assert statuses(outcomes) == {"NOT RUN", "NOT COMPARABLE"}
    text = "\n".join(lines(outcomes))
    assert f"{tmp_path}/coco/dataset_coco.json (https://cs.stanford.edu" in text
    assert "laion/CLIP-ViT-B-32-laion2B-s34B-b79K" in text
    assert f"weights {tmp_path}/torch/hub/checkpoints/weights-inception-2015-12-05" in text
    assert text.endswith(f"0 PASS · 0 FAIL · {len(outcomes) - 12} NOT RUN · 12 NOT COMPARABLE")


def test_a_missing_program_is_named(tmp_path, monkeypatch):
    """Java."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (outcome,) = check([reference(needs=(Need(program="java", get="a package"),))], tmp_path)
    assert str(outcome.missing[0]) == "the program java (a package)"


def test_those_of_the_same_inputs_are_computed_together(monkeypatch, tmp_path):
    """One call for the measures of one file; another input is another call."""
    calls = []

    def count(references, given, data):
        calls.append(len(references))
        return {each.name: scored() for each in references}

    monkeypatch.setattr(checking, "_function", lambda kind: count)
    names = ["a", "b", "c"]
    outcomes = check([reference(name=n, given={"file": n > "b"}) for n in names], tmp_path)
    assert calls == [2, 1]
    assert [each.reference.name for each in outcomes] == names


# Captions


def caption_files(folder, captions) -> dict:
    """Two images' references, and a system's captions of them."""
    texts = {1: ["a red bus", "a bus in red"], 2: ["two dogs play", "dogs at play"]}
    rows = [{"image_id": i, "id": 10 * i, "caption": c} for i, cs in texts.items() for c in cs]
    content = {"images": [{"id": 1}, {"id": 2}], "annotations": rows}
    (folder / "references.json").write_text(json.dumps(content))
    results = [{"image_id": i, "caption": c} for i, c in captions.items()]
    (folder / "results.json").write_text(json.dumps(results))
    return {"results": "results.json", "references": "references.json", "tokenizer": "ptb-py"}


def bleu(value, folder, **changes):
    given = caption_files(folder, {1: "a red bus", 2: "two dogs"})
    made = reference(measure="Bleu_1", value=value, tolerance=1e-9, given=given, **changes)
    return check([made], folder)[0]


def test_captions_pass_fail_and_differ(tmp_path):
    """Unigram precision 1, five tokens for six: exp(1 - 6/5), nearest lengths 3 and 3."""
    ours = float(np.exp(1 - 6 / 5))
    assert bleu(ours, tmp_path, facts={"n": "2"}).status == "PASS"
    assert bleu(ours + 0.001, tmp_path).status == "FAIL"
    assert bleu(ours, tmp_path, facts={"n": "3"}).status == "NOT COMPARABLE"


def test_two_sources_of_one_number_are_both_settled(tmp_path):
    """clean-fid prints its own value and TTUR's of the same pictures."""
    given = caption_files(tmp_path, {1: "a red bus", 2: "two dogs"})
    made = [
        reference(name=n, measure="Bleu_1", value=v, given=given)
        for n, v in (("a", 0.8187), ("b", 0.5))
    ]
    assert [each.status for each in check(made, tmp_path)] == ["PASS", "FAIL"]


def test_a_file_that_is_not_what_it_should_be_is_a_fail(tmp_path):
    """Data that is there and broken is not data that is missing."""
    given = caption_files(tmp_path, {1: "a"})
    (tmp_path / "results.json").write_text("{")
    (outcome,) = check([reference(given=given)], tmp_path)
    assert outcome.status == "FAIL"
    assert "results.json" in outcome.reason


@pytest.mark.real_data
@pytest.mark.parametrize("row", ["magic", "er-san"])
def test_published_caption_files_pass(shared_data, row):
    """All measures without Java."""
    outcomes = check(chosen(REFERENCES, f"captions/python/{row}"), shared_data)
    assert statuses(outcomes) == {"PASS"}


@pytest.mark.real_data
def test_an_altered_published_value_fails(shared_data):
    """CIDEr 0.4930 for 0.4929: outside of the tolerance."""
    (one,) = chosen(REFERENCES, "captions/python/magic/CIDEr")
    altered = one.model_copy(update={"value": one.value + 1e-4})
    (outcome,) = check([altered], shared_data)
    assert outcome.status == "FAIL"
    assert outcome.difference == pytest.approx(-1e-4, abs=1e-6)


@pytest.mark.real_data
def test_the_two_tower_vectors_pass(shared_data):
    """Hit rates both ways, on the whole dev split."""
    outcomes = check(chosen(REFERENCES, "two-tower"), shared_data)
    assert [each.status for each in outcomes] == ["PASS"] * 6


# Distances


def two_folders(folder) -> dict:
    """Pictures of one colour each: 12 made, 10 real."""
    for name, count, first in (("made", 12, 0), ("real", 10, 3)):
        for i in range(count):
            toy.draw(folder / name / f"{i}.png", toy.NAMES[(i + first) % 8], i)
    return {"made": "made", "real": "real", "features": {"use": "support.toy:ColourEncoder"}}


def closed_form(folder) -> float:
    """FID by scipy, apart."""
    from scipy.linalg import sqrtm

    from mmragbench.records import Image

    x, y = (
        toy.ColourEncoder()
        .encode_images([Image(p.name, p) for p in sorted((folder / side).iterdir())])
        .astype(float)
        for side in ("made", "real")
    )
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    step = x.mean(0) - y.mean(0)
    return float(step @ step + np.trace(a + b) - 2 * np.trace(sqrtm(a @ b)).real)


def test_distances_pass_and_fail(tmp_path):
    """FID of two folders, as they lie: paired names (0.png, ...) are not pairs here."""
    given = two_folders(tmp_path)
    facts = {"dims": "3", "n_real": "10", "n_generated": "12"}
    own = {"kind": "fid", "measure": "FID", "given": given, "facts": facts, "tolerance": 1e-6}
    value = closed_form(tmp_path)
    assert [each.reason for each in check([reference(**own, value=value)], tmp_path)] == [None]
    assert statuses(check([reference(**own, value=value)], tmp_path)) == {"PASS"}
    assert statuses(check([reference(**own, value=value * 1.001)], tmp_path)) == {"FAIL"}


def test_weights_that_turn_out_to_be_missing_are_not_a_fail(tmp_path, monkeypatch):
    """Inception's own message says where to put them."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    given = {**two_folders(tmp_path), "features": {"use": "inception"}}
    (outcome,) = check([reference(kind="fid", measure="FID", given=given)], tmp_path)
    assert outcome.status == "NOT RUN"
    assert "inception" in outcome.missing[0].what


# The command


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs `mmragbench verify` on made-up references; each call says which."""

    def run(made, *arguments):
        monkeypatch.setattr(references, "load", lambda: made)
        return CliRunner().invoke(cli.app, ["verify", "--data", str(tmp_path), *arguments])

    return run


def made_up(folder, value):
    given = caption_files(folder, {1: "a red bus", 2: "two dogs"})
    name = f"made/up/{value}/Bleu_1"
    return reference(name=name, measure="Bleu_1", value=value, tolerance=1e-6, given=given)


def test_exit_codes(command, tmp_path):
    """1 if anything failed; 0 where all agrees, cannot be run or cannot be compared."""
    good, bad = made_up(tmp_path, float(np.exp(-0.2))), made_up(tmp_path, 0.5)
    absent = reference(name="made/up/b", needs=(Need(path="nowhere", get="ask"),))
    other = reference(name="made/up/c", differs="another split")
    assert command([good, absent, other]).exit_code == 0
    failed = command([good, bad])
    assert failed.exit_code == 1
    assert "1 PASS · 1 FAIL · 0 NOT RUN · 0 NOT COMPARABLE" in failed.stdout


def test_what_is_printed(command, tmp_path):
    """Ours, theirs, difference, tolerance; what is missing; why not comparable."""
    absent = reference(name="made/up/b", needs=(Need(path="nowhere", get="ask"),))
    other = reference(name="made/up/c", differs="another split")
    text = command([made_up(tmp_path, 0.5), absent, other]).stdout
    assert "FAIL  made/up/0.5/Bleu_1     0.818731     0.500000     +3.2e-01        1e-06" in text
    assert f"missing: {tmp_path}/nowhere (ask)" in text
    assert "another split" in text


def test_json_has_everything(command, tmp_path):
    """One object a reference, with its source, on standard output alone."""
    made = [made_up(tmp_path, 0.5), reference(name="made/up/c", differs="another split")]
    first, second = json.loads(command(made, "--json").stdout)
    assert (first["status"], second["status"]) == ("FAIL", "NOT COMPARABLE")
    assert first["difference"] == pytest.approx(np.exp(-0.2) - 0.5)
    assert first["source"] == SOURCE.model_dump()
    assert first["signature"].startswith("Bleu_1|")


def test_the_data_folder_may_come_from_the_environment(tmp_path, monkeypatch):
    """MMRAGBENCH_DATA."""
    monkeypatch.setenv("MMRAGBENCH_DATA", str(tmp_path / "elsewhere"))
    done = CliRunner().invoke(cli.app, ["verify", "--only", "two-tower"])
    assert done.exit_code == 0
    assert f"{tmp_path}/elsewhere/flickr8k/captions.txt" in done.stdout


@pytest.mark.real_data
@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_published_captions_pass_with_javas_tokeniser(shared_data):
    """The protocol as published; METEOR takes minutes and is left to the command."""
    rows = chosen(REFERENCES, "captions/java/magic")
    outcomes = check([each for each in rows if each.measure != "METEOR"], shared_data)
    assert statuses(outcomes) == {"PASS"}
