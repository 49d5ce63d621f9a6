"""What a name, a path, a class or a function stands for."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from mmragbench import registry
from mmragbench.checking.resolve import component
from mmragbench.errors import SuiteError
from mmragbench.stores.faiss import Faiss


@pytest.mark.parametrize(
    "target, found",
    [
        ("shared_space", ("strategy", "shared-space")),
        ("R@5", ("measure", "R@k")),
        ("FID(clip)", ("measure", "FID")),
        ("mmragbench.stores.faiss:Faiss", ("store", "faiss")),
        ("support.toy:Backwards", ("strategy", "support.toy:Backwards")),
        ("support.toy:ColourEncoder", ("encoder", "support.toy:ColourEncoder")),
        ("mmragbench.evals.answers:answers", ("measure", "EM")),
        ("mmragbench.reports.csv:csv", ("report", "csv")),
        (Faiss, ("store", "faiss")),
        (lambda: Faiss(), ("store", "lambda")),
    ],
)
def test_the_kind_is_known_from_the_target(target, found):
    """By registration; else by methods or parameters; of a function, by what it makes."""
    made = component(target)
    assert made.kind == found[0] and found[1] in made.name


def test_an_entry_point_that_cannot_be_imported_is_one_line(monkeypatch):
    """It names the package's offer and what to do; nothing else of that kind is hidden behind a traceback."""
    broken = EntryPoint("lost", "no_such_package.lost:Lost", "mmragbench.stores")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [broken] if "stores" in group else []
    )
    with pytest.raises(SuiteError, match="offers 'lost' as no_such_package.lost:Lost"):
        list(registry.every("store"))
