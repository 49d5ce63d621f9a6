"""Files of a mean and a covariance, through `score images`' own reader and its distance."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
from damaged_arrays import damage, odd_array

from doors import Outcome


def make(rng: random.Random, folder: Path) -> None:
    """Moments of random features, mostly good."""
    dice = np.random.default_rng(rng.getrandbits(32))
    d = rng.choice([1, 2, 5, 16])
    rows = dice.normal(size=(rng.choice([2, 5, 40]), d)) * rng.choice([1, 1e-8, 1e6])
    kind = rng.choice([np.float64, np.float64, np.float32])
    arrays = {"mu": rows.mean(axis=0).astype(kind)}
    arrays["sigma"] = np.atleast_2d(np.cov(rows, rowvar=False)).astype(kind)
    if rng.random() < 0.1:
        arrays["sigma"] = rng.choice([-1, np.tri(d) * 3, 1e30]) * arrays["sigma"]
    for _ in range(rng.choice([0, 0, 1])):
        key = rng.choice(["mu", "sigma"])
        arrays[key] = odd_array(rng, arrays[key])
    if rng.random() < 0.05:
        del arrays[rng.choice(["mu", "sigma"])]
    if rng.random() < 0.05:
        arrays["extra"] = np.array([{}], object)
    np.savez(folder / "m.npz", **arrays)
    (folder / "whole.json").write_text(json.dumps(not damage(rng, folder / "m.npz")))


def enter(folder: Path) -> Outcome:
    """What is taken is a Gaussian: as far from itself as nothing, and from another by a number."""
    from mmragbench.submissions.moments import Moments, frechet

    moments = Moments.read(folder / "m.npz")
    d, scale = len(moments.mean), max(1.0, float(np.trace(moments.covariance)))
    other = Moments(np.zeros(d), np.eye(d))
    if not np.isfinite(frechet(moments, other)):
        raise AssertionError("a distance that is not a number")
    if abs(frechet(moments, moments)) > 1e-2 * scale:
        raise AssertionError("moments that are far from themselves")
    with np.load(folder / "m.npz", allow_pickle=False) as file:
        given = len(file["mu"]) if json.loads((folder / "whole.json").read_text()) else None
    return Outcome(given, d)
