"""Listing the measures imports no scoring library."""

from __future__ import annotations

import subprocess
import sys

HEAVY = "torch torchmetrics torch_fidelity ir_measures pytrec_eval pandas scipy nltk pycocoevalcap"


def test_importing_the_measures_is_light() -> None:
    """Each file of measures, and the Inception encoder, imports its libraries when it is used."""
    modules = (
        "captions",
        "meteor",
        "retrieval",
        "images",
        "clipscore",
        "torchmetrics",
        "image_similarity",
        "prdc",
    )
    imports = "; ".join(f"import mmragbench.evals.{module}" for module in modules)
    code = f"import sys; {imports}; import mmragbench.models.inception; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(HEAVY.split()) & set(done.stdout.split()) == set()
