"""Models of the Hugging Face hub that suites of own data name: used where their weights are at hand."""

from __future__ import annotations

from mmragbench.backends.weights import UNRESOLVED, fingerprint

REPOSITORIES = {
    "clip": "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "sentences": "sentence-transformers/all-MiniLM-L6-v2",
}
"""A model's name in suites -> its repository."""


def at_hand() -> frozenset[str]:
    """The names of those whose weights lie in the hub's local cache."""
    return frozenset(
        name for name, repository in REPOSITORIES.items()
        if not fingerprint(repository).startswith(UNRESOLVED)
    )  # fmt: skip
