"""Contrastive losses and retrieval measures over unit vectors."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.scenes.examples import NO_EMBLEM


def same_emblem(emblems: np.ndarray) -> Tensor:
    """Pairs of different rows that show one emblem: an (n, n) mask."""
    ids = torch.from_numpy(emblems)
    return (
        (ids[:, None] == ids) & (ids[:, None] != NO_EMBLEM) & ~torch.eye(len(ids), dtype=torch.bool)
    )


def matching(left: Tensor, right: Tensor, scale: Tensor, ignored: Tensor) -> Tensor:
    """Symmetric InfoNCE: row i of one side belongs to row i of the other, `ignored` pairs apart."""
    scores = (scale * left @ right.T).masked_fill(ignored, -torch.inf)
    rows = torch.arange(len(scores))
    return (functional.cross_entropy(scores, rows) + functional.cross_entropy(scores.T, rows)) / 2


def grouping(vectors: Tensor, together: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrast: a row's partners in `together` against all other rows."""
    scores = (vectors @ vectors.T / temperature).fill_diagonal_(-torch.inf)
    chances = scores.log_softmax(dim=1)
    rows = together.any(dim=1)
    partners = torch.where(together, chances, 0.0).sum(dim=1)[rows] / together.sum(dim=1)[rows]
    return -partners.mean() if rows.any() else vectors.sum() * 0


def success_at_1(queries: Tensor, targets: Tensor) -> float:
    """How often query i's nearest target is target i."""
    nearest = (queries @ targets.T).argmax(dim=1)
    return float((nearest == torch.arange(len(queries))).float().mean())


def nearest_agrees(
    queries: Tensor, ids: np.ndarray, targets: Tensor, target_ids: np.ndarray
) -> float:
    """How often a query's nearest target has the query's id."""
    nearest = (queries @ targets.T).argmax(dim=1).numpy()
    return float((target_ids[nearest] == ids).mean())
