"""FID and KID on the same features, against three libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from parities.part import Part, Rows, library


def distances(data: Path) -> Part:
    """The same features, ours against four libraries."""
    from mmragbench.evals.images import fid, kid

    part = Part("Distances, on the same features")
    for name, x, y in feature_sets(data):
        ours = fid(x.astype(np.float32), y.astype(np.float32))
        part.add("FID", ours, scipy_fid(x, y), f"closed form, {library('scipy')} sqrtm", name)
        part.add("FID", ours, torchmetrics_fid(x, y), library("torchmetrics"), name)
        n = min(len(x), len(y), 1000)
        same = kid(x[:n].astype(np.float32), y[:n].astype(np.float32))
        tool = f"{library('torch-fidelity')}, kernel_mmd"
        part.add(f"KID, all of {n} and {n}", same, fidelity_kid(x[:n], y[:n], 1), tool, name)
        if max(len(x), len(y)) > 1000:
            tool = f"{library('torch-fidelity')}, 100 subsets"
            drawn = kid(x.astype(np.float32), y.astype(np.float32))
            part.add("KID, subsets of 1,000", drawn, fidelity_kid(x, y, 100), tool, name)
    part.notes.append(
        "FID and KID of all images are our own arithmetic. The subsets of KID are drawn by "
        "torch-fidelity itself: that line shows that it is called as its defaults call it."
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


def fidelity_kid(x: Rows, y: Rows, subsets: int) -> float:
    import torch
    from torch_fidelity.metric_kid import kernel_mmd, kid_features_to_metric

    if subsets == 1:
        return float(kernel_mmd(x.astype(np.float64), y.astype(np.float64)))
    both = [torch.from_numpy(rows).double() for rows in (y, x)]
    found = kid_features_to_metric(*both, kid_subsets=subsets, kid_subset_size=1000, verbose=False)
    return float(found["kernel_inception_distance_mean"])
