"""mmragbench: compare multimodal RAG strategies on one retrieve → generate loop.

import mmragbench as mb
run = mb.run("suites/scenes.yaml")
"""

from __future__ import annotations

from typing import Any

__version__ = "0.3.0"

__all__ = ["__version__", "gate", "plan", "run", "save_baseline"]


def __getattr__(name: str) -> Any:
    """The verbs, imported when they are used."""
    if name in ("run", "plan"):
        from mmragbench import verbs

        return getattr(verbs, name)
    if name in ("gate", "save_baseline"):
        from mmragbench.gating import verdicts

        return getattr(verdicts, name)
    raise AttributeError(f"module 'mmragbench' has no attribute {name!r}")
