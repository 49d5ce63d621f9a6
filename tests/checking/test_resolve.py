"""What a name, a path, a class or a function stands for."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from mmragbench import registry
from mmragbench.checking.resolve import component
from mmragbench.errors import SuiteError
from mmragbench.stores.faiss import Faiss


@pytest.mark.parametrize(
    "target, kind, name",
    [
        ("shared_space", "strategy", "shared-space"),
        ("R@5", "measure", "R@k"),
        ("FID(clip)", "measure", "FID"),
        ("mmragbench.stores.faiss:Faiss", "store", "faiss"),
        ("mmragbench.evals.answers:answers", "measure", "EM"),
        ("mmragbench.reports.csv:csv", "report", "csv"),
        (Faiss, "store", "faiss"),
    ],
)
def test_the_kind_is_known_from_the_registration(target, kind, name):
    """By name, by dotted path, or by the class or function itself."""
    found = component(target)
    assert (found.kind, found.name) == (kind, name)


@pytest.mark.parametrize(
    "target, name",
    [("support.toy:Backwards", "support.toy:Backwards"), (lambda: Faiss(), "<lambda>")],
)
def test_the_kind_of_what_is_not_registered_has_to_be_said(target, name):
    """It is not guessed from methods: the error names the kinds that there are."""
    with pytest.raises(SuiteError, match="not registered; say which kind it is, --kind KIND"):
        component(target)
    found = component(target, "store")
    assert found.kind == "store" and found.name.endswith(name)


def test_an_entry_point_that_cannot_be_imported_is_one_line(monkeypatch):
    """It names the package's offer and what to do; nothing else of that kind is hidden behind a traceback."""
    broken = EntryPoint("lost", "no_such_package.lost:Lost", "mmragbench.stores")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [broken] if "stores" in group else []
    )
    with pytest.raises(SuiteError, match="offers 'lost' as no_such_package.lost:Lost"):
        list(registry.every("store"))
