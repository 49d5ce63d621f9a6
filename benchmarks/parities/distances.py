"""FID and KID on the same features, against three libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from parities.part import Part, Rows, library


def distances(data: Path) -> Part:
    """The same features, ours against four libraries."""
    from mmragbench.statistics import fid_interval, kid_interval

    part = Part("Distances, on the same features")
    for name, x, y in feature_sets(data):
        ours = fid_interval(x, y, resamples=2).estimate
        part.add("FID", ours, scipy_fid(x, y), f"closed form, {library('scipy')} sqrtm", name)
        part.add("FID", ours, torchmetrics_fid(x, y), library("torchmetrics"), name)
        n = min(len(x), len(y))
        for paired, estimator in ((0, "unbiased"), (n, "u-statistic")):
            ours = kid_interval(x[:n], y[:n], resamples=2, paired=paired).estimate
            theirs = fidelity_kid(x[:n], y[:n], estimator)
            what = "KID of pairs" if paired else "KID of two sets"
            tool = f"{library('torch-fidelity')}, {estimator}"
            part.add(f"{what}, {n:,} and {n:,}", ours, theirs, tool, name)
    part.notes.append(
        "KID of pairs leaves the kernels of pairs out of the mixed term, which torch-fidelity calls "
        "the u-statistic; of sets that are no pairs nothing is left out. Both are of all images, where "
        "torch-fidelity's command draws subsets: that has the same expectation for independent sets."
    )
    if not (data / "flickr8k").is_dir():
        part.notes.append("Real features: not run, flickr8k/ is not there.")
    return part


def feature_sets(data: Path) -> Iterator[tuple[str, Rows, Rows]]:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(512, 512)) / np.sqrt(512)
    x, y = rng.normal(size=(1200, 512)) @ mix, rng.normal(0.1, 1.2, size=(1100, 512)) @ mix
    yield "random, 1,200 and 1,100 × 512", x.astype(np.float32), y.astype(np.float32)
    path = data / "flickr8k" / "two_tower_embeddings.npz"
    if path.is_file():
        splits = [
            set((data / f"flickr8k/splits/{s}.txt").read_text().split()) for s in ("train", "dev")
        ]
        with np.load(path) as arrays:
            ids, rows = arrays["image_ids"], arrays["image_embeddings"].astype(np.float32)
        a, b = (rows[[str(id) in split for id in ids]] for split in splits)
        yield f"flickr8k images, two-tower, {len(a):,} and {len(b):,} × {rows.shape[1]}", a, b


def scipy_fid(x: Rows, y: Rows) -> float:
    from scipy.linalg import sqrtm

    x, y = x.astype(np.float64), y.astype(np.float64)
    a, b, step = np.cov(x, rowvar=False), np.cov(y, rowvar=False), x.mean(0) - y.mean(0)
    return float(step @ step + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


def torchmetrics_fid(x: Rows, y: Rows) -> float:
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    identity = torch.nn.Identity()
    identity.num_features = x.shape[1]  # type: ignore[assignment]
    metric = FrechetInceptionDistance(feature=identity, normalize=True)
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(x).double(), real=True)
    metric.update(torch.from_numpy(y).double(), real=False)
    return float(metric.compute())


def fidelity_kid(x: Rows, y: Rows, estimator: str) -> float:
    from torch_fidelity.metric_kid import kernel_poly, mmd2

    a, b = x.astype(np.float64), y.astype(np.float64)
    return float(mmd2(*(kernel_poly(p, q) for p, q in ((a, a), (a, b), (b, b))), mmd_est=estimator))
