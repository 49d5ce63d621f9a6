"""mmragbench: compare multimodal RAG strategies on one retrieve → generate loop.

import mmragbench as mb
run = mb.run("suites/scenes.yaml")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.5.0"

__all__ = [
    "Suite", "__version__", "compare_strategies", "export", "gate", "load", "plan", "run",
    "save_baseline",
]  # fmt: skip

VERBS = {
    "Suite": "mmragbench.planning.suite",
    "compare_strategies": "mmragbench.verbs",
    "export": "mmragbench.exporting.export",
    "gate": "mmragbench.gating.gate",
    "load": "mmragbench.frames.loading",
    "plan": "mmragbench.verbs",
    "run": "mmragbench.verbs",
    "save_baseline": "mmragbench.gating.gate",
}
"""Verb -> the module that it is in."""


def __getattr__(name: str) -> Any:
    """The verbs, imported when they are used."""
    if name in VERBS:
        return getattr(import_module(VERBS[name]), name)
    raise AttributeError(f"module 'mmragbench' has no attribute {name!r}")
