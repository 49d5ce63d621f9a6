"""The manifest of a run: versions, commit, machine, data, weights. No keys, no user names."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmragbench import __version__
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.loop import PreparedTask
from mmragbench.planning.plan import Plan
from mmragbench.statistics import ALPHA, RESAMPLES

PACKAGES = (
    "bm25s", "datasets", "diffusers", "faiss-cpu", "ir-measures", "numpy", "open-clip-torch",
    "openai", "pillow", "pycocoevalcap", "pypdf", "scikit-image", "scipy", "sentence-transformers", "torch",
    "torchmetrics", "torchvision", "transformers",
)  # fmt: skip

STATISTICS = {
    "level": 0.95,
    "alpha": ALPHA,
    "resamples": RESAMPLES,
    "seed": 0,
    "interval": "the studentised bootstrap of groups of queries (of jackknife pseudo-values for Bleu and "
    "METEOR, of influences for FID and KID), or Wilson's score interval for rates of ungrouped queries",
    "test": "the studentised bootstrap that also gives their intervals, or Tango's score test for paired "
    "rates of ungrouped queries",
    "correction": "Holm",
}
"""How intervals and tests are made (`mmragbench.statistics`); a group is one image's queries."""

OVER_SEEDS = (
    "the half-width of the interval of queries (values averaged over seeds), combined with that of "
    "Student's interval of the seeds' means (Banerjee 1961)"
)
"""How they are made of means over several seeds."""


def manifest(
    plan: Plan, prepared: Mapping[str, PreparedTask], assembly: Assembly
) -> dict[str, Any]:
    """The manifest, as plain data: everything that is needed to make the run again."""
    resolved = plan.resolved()
    return {
        "mmragbench": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "suite": plan.suite.name,
        "suite_hash": plan.hash,
        "seed": plan.suite.seed,
        **({"seeds": plan.suite.seeds} if plan.suite.seeds else {}),
        "git": _git(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "packages": {name: installed for name in PACKAGES if (installed := _version(name))},
        "dataset": resolved["dataset"],
        "data": {name: _data(task) for name, task in prepared.items()},
        "models": {
            name: {
                **resolved["models"][name],
                "weights": assembly.weights(role, name),
                "origin": assembly.origin(role, name),
            }
            for role, name in plan.models
        },
        **({"files": files} if (files := _files(plan, assembly)) else {}),
        **({"objects": plan.objects()} if plan.objects() else {}),
        "statistics": STATISTICS | ({"over_seeds": OVER_SEEDS} if plan.suite.seeds else {}),
    }


def _files(plan: Plan, assembly: Assembly) -> dict[str, str]:
    """The files and folders that strategies and generators read -> the digest of their content."""
    parts = (*plan.strategies.values(), *plan.generators.values())
    return {path: digest for part in parts for path, digest in assembly.files(part).items()}


def _data(prepared: PreparedTask) -> dict[str, Any]:
    return {
        "documents": len(prepared.task.memory),
        "queries": len(prepared.task.queries),
        **prepared.digests(),
        **({"source": prepared.task.source} if prepared.task.source else {}),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    """The commit of the checkout that this code runs from; None for an installed wheel."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    return {"commit": git("rev-parse", "HEAD") or None, "dirty": bool(git("status", "--porcelain"))}
