"""Suites are checked at the door: what is wrong, where, what there is, what to do."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from mmragbench.errors import SuiteError
from mmragbench.planning.plan import load
from mmragbench.planning.suite import shipped_suites
from mmragbench.verbs import plan


def message(path: Path, *overrides: str) -> str:
    with pytest.raises(SuiteError) as caught:
        load(path, overrides)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("path", shipped_suites(), ids=lambda path: path.stem)
def test_shipped_suites_are_valid(path):
    """Every suite that ships binds all its names."""
    plan, _ = load(path)
    assert plan.tasks


def test_an_unknown_key_names_its_line_and_the_nearest_key(suite_file):
    """`baselin:` is refused with the line, the nearest key and all keys."""
    text = message(suite_file(baselin="random"))
    assert "toy.yaml:" in text
    assert "Did you mean 'baseline'?" in text


def test_an_unknown_argument_names_the_arguments(suite_file):
    """A strategy's misspelt argument is refused with the arguments that it takes."""
    text = message(suite_file(), "strategies.shared-space.documnet=mean")
    assert "strategies.shared-space.documnet" in text
    assert "Did you mean 'document'?" in text


def test_a_value_that_does_not_fit_names_the_choices(suite_file):
    """`document: average` is refused with what may stand there."""
    text = message(suite_file(), "strategies.shared-space.document=average")
    assert "'image', 'text', 'mean' or 'max'" in text


def test_a_model_that_is_not_defined_names_those_that_are(suite_file):
    """A strategy cannot name a model that the suite does not define."""
    text = message(suite_file(), "strategies.shared-space.encoder=clip")
    assert "unknown model 'clip'" in text
    assert "colours, namer" in text


def test_a_missing_argument_is_named(suite_file):
    """shared-space without an encoder says that it needs one, and which models there are."""
    text = message(suite_file(strategies={"shared-space": {}}))
    assert "needs 'encoder'" in text
    assert "colours" in text


def test_an_unknown_component_names_the_nearest(suite_file):
    """A misspelt strategy is refused with the nearest name."""
    assert "Did you mean 'shared-space'?" in message(suite_file(strategies={"shared-spice": {}}))


def test_an_unknown_measure_is_refused(suite_file):
    """A measure that nobody registered is refused with those that exist."""
    text = message(suite_file(), "tasks.captioning.measures=[CIDER]")
    assert "Did you mean 'CIDEr'?" in text


def test_a_distance_needs_the_name_of_its_features(suite_file):
    """`FID` alone is not a measure: it says on which features."""
    text = message(suite_file(), "tasks.captioning.measures=[FID]")
    assert "FID(name of an encoder)" in text


def test_a_measure_of_outputs_needs_a_generator(suite_file):
    """CIDEr without a generator says so, once it is known that there is such a task."""
    with pytest.raises(SuiteError, match="add generator: with one or more of"):
        plan(suite_file(tasks={"captioning": {"measures": ["CIDEr"]}}))


def test_a_baseline_must_be_a_strategy(suite_file):
    """The baseline is one of the suite's strategies."""
    assert "unknown strategy 'nothing'" in message(suite_file(baseline="nothing"))


@pytest.mark.parametrize(
    ("primary", "said"),
    [
        ({"captioning": "CIDER"}, "primary.captioning: unknown measure of captioning 'CIDER'."),
        ({"captionning": "CIDEr"}, "primary.captionning: unknown task 'captionning'."),
        ({"text-to-image": "R@5"}, "There is: R@1, Success@5."),
        ("CIDEr", "primary: unknown measure of text-to-image 'CIDEr'."),
        ("CIDEr", "One for each task is primary: {task: measure}."),
    ],
)
def test_a_primary_measure_is_one_of_the_task(suite_file, primary, said):
    """A misspelt one, another task's, or a task that is not there: one line, before anything runs."""
    text = message(suite_file(primary=primary))
    assert said in text
    assert "\n" not in text


def test_the_primary_measure_is_part_of_what_a_run_is(suite_file):
    """It stands in the resolved suite, and another one is another run; none is as before there were
    any."""
    path = suite_file()
    planned = load(path, ("primary={captioning: CIDEr}",))[0]
    assert planned.resolved()["primary"] == {"captioning": "CIDEr"}
    assert len({planned.folder, load(path)[0].folder, load(path, ("primary={}",))[0].folder}) == 2


def test_a_key_that_is_there_twice_is_refused(tmp_path):
    """YAML would silently keep the last one."""
    path = tmp_path / "twice.yaml"
    path.write_text("name: a\nseed: 1\nseed: 2\n")
    assert "twice.yaml:3: 'seed' is there twice" in message(path)


def test_text_that_is_not_yaml_is_one_line(tmp_path):
    """A broken file is told in one line."""
    path = tmp_path / "broken.yaml"
    path.write_text("name: [unclosed\nstrategies: {")
    assert "is not YAML" in message(path)


def test_a_suite_that_does_not_exist_names_the_shipped_ones():
    """A wrong path says what there is."""
    assert "scenes" in message(Path("nowhere.yaml"))


def test_an_override_that_is_none_is_explained(suite_file):
    """`limit` without a value is not an override."""
    assert "write key=value" in message(suite_file(), "limit")


def test_defaults_are_written_out(suite_file):
    """The resolved suite says what was not said: the document kind, the store, the depth."""
    resolved = load(suite_file())[0].resolved()
    assert resolved["strategies"]["shared-space"]["document"] == "mean"
    assert resolved["strategies"]["shared-space"]["store"] == {"use": "faiss"}
    assert resolved["depth"] == 100


def test_the_run_folder_follows_the_resolved_suite(suite_file):
    """Spelling out a default changes nothing; another value is another run."""
    path = suite_file()
    same = load(path, ("strategies.shared-space.document=mean",))[0].folder
    other = load(path, ("strategies.shared-space.document=image",))[0].folder
    assert load(path)[0].folder == same
    assert other != same


def test_a_model_that_cannot_be_made_is_told_with_its_line(suite_file):
    """Found when components are built, before any data is read by them: still the line, the place
    and the choices, in one line."""
    import mmragbench as mb

    models = {
        "colours": {"use": "open_clip", "name": "shipped:scenes/klip"},
        "namer": {"use": "support.toy:ColourCaptioner"},
    }
    with pytest.raises(SuiteError, match=r"toy\.yaml:\d+: models\.colours: .*scenes/clip"):
        mb.run(suite_file(models=models))


def test_a_strategy_that_lacks_what_its_arguments_ask_for_is_told_with_its_line(suite_file):
    """A dense search without an encoder is refused by the strategy itself."""
    import mmragbench as mb

    strategies = {"text-grounding": {"search": "dense"}}
    with pytest.raises(SuiteError, match=r"toy\.yaml:\d+: strategies\.text-grounding: .*encoder"):
        mb.run(suite_file(strategies=strategies, baseline=None))


@pytest.mark.parametrize("use, near", [("opnai", "openai"), ("raeder", "reader")])
def test_an_unknown_generator_is_told_of_models_too(use, near):
    """A generator may be named by its model, so these are among the choices."""
    said = message(Path("scenes"), f"generators.mine={{use: {use}}}")
    assert f"unknown generator {use!r}. Did you mean {near!r}?" in said


LAUGHS = "\n".join(
    ["a0: &a0 {k: x}"]
    + [
        f"a{i}: &a{i} {{" + ", ".join(f"k{j}: *a{i - 1}" for j in range(9)) + "}"
        for i in range(1, 12)
    ]
)


@pytest.mark.parametrize(
    "content, expected",
    [
        ("name: toy".encode("utf-16"), "seems to be UTF-16; convert it: iconv -f UTF-16 "),
        ("name: toy".encode("utf-16-le"), "seems to be UTF-16LE; convert it: iconv"),
        (
            b"a: 1\nname: caf\xe9\n",
            "bad.yaml, line 2, is not UTF-8 text, it seems to be CP1252, in which it reads 'name: café'",
        ),
        (b"a: 1\nb: !!python/name:os.system\n", "bad.yaml:2: tag:yaml.org,2002:python/name"),
        (b"a: !!binary aGk=\n", "is a tag"),
        (b"? [a, b]\n: 2\n", "bad.yaml:1: a key is a list"),
        (b"x: 1\na: &a {b: *a}\n", "stands for itself"),
        (b"a: &a [*a]\n", "stands for itself"),
        (b"[" * 3000, "more than 50 levels"),
        (b"a:\n" + b"".join(b" " * i + b"b:\n" for i in range(1, 900)), "more than 50 levels"),
        (LAUGHS.encode(), "more than 20,000 values"),
        (b"seed: " + b"9" * 6000, "a number of 6,000 digits"),
        (b"seed: 0x" + b"f" * 6000, "digits"),
        (b"created: 2024-13-45\n", "is not YAML"),
        (b"a: 1\n\tb: 2\n", "bad.yaml:2 is not YAML: it begins with a tab; indent it with blanks"),
        (
            b"a: 1\nb: [c\n d: e\n",
            "bad.yaml:3 is not YAML: while parsing a flow sequence, did not find",
        ),
        (b"a: 1\nb: {c: [{d: 1, d: 2}]}\n", "bad.yaml:2: 'd' is there twice"),
        (b"name: " + b"x" * 3_000_000, "characters; a suite has at most"),
        (b"name: a\x00b", "seems to be UTF-16|is not YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_at_once(tmp_path, content, expected):
    """One line that names the file and, where there is one, the line; within two seconds."""
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    began = time.perf_counter()
    text = message(path)
    assert time.perf_counter() - began < 2
    assert "bad.yaml" in text and len(text) < 500
    assert re.search(expected if "|" in expected else re.escape(expected), text)


@pytest.mark.parametrize(
    "override",
    ["seed=" + "9" * 6000, "seed=!!python/name:os", "name={a: 1, a: 2}", "a=" + "[" * 3000,
     "name=\udcff", "a." * 3000 + "b=1", "name=&a [*a]", "name={? [a] : 1}"],
)  # fmt: skip
def test_overrides_are_plain_too(suite_file, override):
    """The error names the beginning of the override."""
    text = message(suite_file(), override)
    assert override[:2] in text and len(text) < 500


def test_a_suite_may_begin_with_a_byte_order_mark_and_use_aliases(suite_file):
    """What editors write, and what YAML has anchors for."""
    path = suite_file()
    extra = b"slices: &s [length]\n"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + extra)
    assert load(path)[0].suite.slices == ["length"]


KEY = "sk-proj-Zq4vW8xT1mJ9rB7nK2Lp"
MISPLACED = [
    "{}", "models.x=[{}", "name.{}.y=1", "a=b: c: {}", "{}=1", "strategies.x.use={}", "baseline={}",
    "max_excluded={}", "strategies.{}={{use: random}}", "tasks.captioning.measures={}",
    "tasks.{}={{measures: [R@1]}}", "strategies.shared-space.encoder={}", "models.colours.use={}",
    "description={}", "dataset.root={}", "dataset.limit={}", "seed={}", "slices={}", "name={}",
]  # fmt: skip


@pytest.mark.parametrize("override", MISPLACED)
def test_a_key_in_the_wrong_place_is_refused_and_not_repeated(suite_file, override):
    """Whatever part of an override it was pasted into; its run would be on disk with it."""
    assert KEY[:12] not in message(suite_file(), override.format(KEY))


def test_an_error_repeats_no_key_and_keeps_other_words():
    """Digests, paths and names stay as they are."""
    words = "snapshots/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 sk-learn-models-of-many-kinds"
    assert str(SuiteError(f"unknown {KEY!r} in {words}")) == f"unknown '…' in {words}"


@pytest.mark.parametrize("key", ["yes", "1", "1.5", "~", "off"])
def test_a_key_that_is_no_text_to_yaml_is_told_to_be_quoted(suite_file, key):
    """With its line; in quotes it is a name."""
    path = suite_file()
    content = path.read_text()
    path.write_text(content.replace("strategies:\n", f"strategies:\n  {key}: {{use: random}}\n"))
    assert "in quotes" in message(path) and re.search(r"toy\.yaml:\d+: ", message(path))
    if key not in {"~", "1.5"}:
        quoted = f"strategies:\n  '{key}': {{use: random}}\n"
        path.write_text(content.replace("strategies:\n", quoted))
        assert key in load(path)[0].strategies


@pytest.mark.parametrize("seed", ["-1", "9223372036854775808", "1.5"])
def test_a_seed_that_no_generator_takes_is_refused(suite_file, seed):
    """Before anything is drawn."""
    assert "seed" in message(suite_file(), f"seed={seed}")


@pytest.mark.parametrize("cutoff", ["1000000001", "9" * 20, "9" * 5000])
def test_a_cutoff_beyond_all_ranks_is_refused(suite_file, cutoff):
    """trec_eval holds it in a machine's word, and names its measures by it."""
    tasks = f'tasks={{text-to-image: {{measures: ["R@{cutoff}"]}}}}'
    assert "a cutoff is at most 1,000,000,000" in message(suite_file(), tasks)


def test_utf_32_is_named_as_it_is(tmp_path):
    """Its mark begins as that of UTF-16 does."""
    (tmp_path / "s.yaml").write_bytes("name: x\n".encode("utf-32"))
    assert "seems to be UTF-32;" in message(tmp_path / "s.yaml")
