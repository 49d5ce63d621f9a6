"""What a component may say of itself beside its methods: read in one place, with one default."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from mmragbench.contracts import Paid, Traits
from mmragbench.errors import SuiteError
from mmragbench.models.openai import OpenaiChat
from mmragbench.records import Measure
from mmragbench.registry import every, find, measures, strategy

ROOT = Path(__file__).resolve().parents[1]
NAMES = [name for name, value in vars(Traits).items() if isinstance(value, property)]


class Plain:
    """Says nothing of itself."""


class Talkative:
    """Says all of it, as attributes or methods."""

    operational = frozenset({"batch_size"})
    reads, samples, by_id, resize, precision, concurrency = 1, True, True, "none", "bf16-cuda", 3
    modalities = frozenset({"image"})

    def __init__(self) -> None:
        self.loaded = 0

    def weights(self) -> str:
        return "sha256:abc"

    def halt(self) -> None:
        pass

    def load(self) -> None:
        self.loaded += 1


def test_a_plain_class_has_the_defaults() -> None:
    """Nothing has to be said, on the class or on an instance."""
    for component in (Plain, Plain()):
        said = {name: getattr(Traits(component), name) for name in NAMES}
        assert {name: value for name, value in said.items() if value} == {"modalities": {"text"}}
    Traits(Plain()).load()


def test_what_is_said_is_read() -> None:
    """Each by its name; `load` is called."""
    component = Talkative()
    traits = Traits(component)
    assert (traits.operational, traits.reads) == ({"batch_size"}, 1)
    assert (Traits(Talkative).operational, Traits(Talkative).reads) == ({"batch_size"}, 1)
    assert traits.samples and traits.by_id
    assert (traits.modalities, traits.weights) == ({"image"}, "sha256:abc")
    assert (traits.resize, traits.precision, traits.concurrency) == ("none", "bf16-cuda", 3)
    assert traits.halt == component.halt
    traits.load()
    assert component.loaded == 1


def test_traits_are_asked_for_in_one_place() -> None:
    """Nobody else reads one of them by `getattr` with a default of their own. Two that check an
    answer of unknown form before it is used do: what an encoder reads, and weights that are a file."""
    asked = re.compile(rf'getattr\([^()]+(?:\(\))?, "({"|".join(NAMES)})"')
    folders = (
        "src/mmragbench",
        "models",
        "generators",
        "strategies",
        "stores",
        "evals",
        "datasets",
    )
    found = {
        (path.name, name)
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for name in asked.findall(path.read_text(encoding="utf-8"))
        if path.name != "contracts.py"
    }
    assert found == {
        ("_validation.py", "modalities"),
        ("models.py", "modalities"),
        ("features.py", "weights"),
        ("sentence_transformers.py", "modalities"),  # of the library's own model
    }


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"margin": "lots"}, "a margin is a number above zero"),
        ({"margin": -1}, "a margin is a number above zero"),
        ({"scores": "caption"}, "scores is a tuple"),
        ({"scores": ("captions",)}, "scores is a tuple"),
        ({"better": "lowest"}, "better is 'higher' or 'lower'"),
    ],
    ids=str,
)
def test_a_definition_that_cannot_be_is_refused_where_it_stands(stated, reason) -> None:
    """Not when the gate, months later, asks for its margin."""
    with pytest.raises(SuiteError, match=reason):
        measures("Odd", **stated)


def test_a_file_of_a_catalogue_that_cannot_be_imported_is_one_line(tmp_path, monkeypatch) -> None:
    """It is named, also where somebody asks for another component."""
    import mmragbench.stores as catalogue

    monkeypatch.setattr(catalogue, "__path__", [*catalogue.__path__, str(tmp_path)])
    for content, reason in (("def", "SyntaxError"), ("import no_such_package", "no_such_package")):
        (tmp_path / "broken_store.py").write_text(content)
        importlib.invalidate_caches()
        with pytest.raises(SuiteError, match=f"stores/broken_store.py .*{reason}"):
            list(every("store"))


def test_what_costs_money_is_known_by_its_members() -> None:
    """A price, something to spend from and what a call can come to: such a model is given a budget."""
    assert isinstance(OpenaiChat("m", "http://localhost:1/v1"), Paid)
    assert not isinstance(Talkative(), Paid)


def test_a_definition_says_what_only_it_can_know() -> None:
    """A measure's direction, unit and margin, and a strategy's control, are the component's."""
    fid, recall = find("measure", "FID"), find("measure", "R@k")
    assert (fid.info.better, fid.info.distance, fid.info.margin) == ("lower", "FID", "5%")
    assert (recall.info.better, recall.info.unit, recall.info.margin) == ("higher", "%", "0.02")
    controls = {
        name: find("strategy", name).control for name in ("no-retrieval", "random", "oracle")
    }
    assert controls == {"no-retrieval": "floor", "random": "chance", "oracle": "ceiling"}
    assert find("strategy", "shared-space").control is None


def test_a_dotted_path_has_what_the_definition_says() -> None:
    """Also of the class behind it, under whatever name."""
    assert find("strategy", "mmragbench.strategies.oracle:Oracle").control == "ceiling"
    assert find("measure", "mmragbench.evals.images:images").info.better == "lower"


def test_a_direction_is_one_of_two() -> None:
    """A misspelt one is refused where it stands."""
    with pytest.raises(SuiteError, match=r"Loss: better is 'higher' or 'lower', not 'smaller'"):
        measures("Loss", better="smaller")


def test_the_name_of_a_measure_says_nothing_of_its_direction() -> None:
    """Who has only the name, and asks for the direction, is told so rather than given a default."""
    with pytest.raises(LookupError, match=r"only the name of FID\(clip\) is known"):
        _ = Measure.parse("FID(clip)").info
    assert callable(strategy(control="floor"))
