"""From files to FID and KID, resize and network included, against torch-fidelity."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmragbench.records import Image
from parities.part import Part, library, value


def pictures(data: Path) -> Part:
    """From files to FID and KID, resize and network included, against torch-fidelity."""
    part = Part("Distances, from the same pictures")
    photos = sorted((data / "flickr8k/images").glob("*.jpg"))
    sets = [
        (
            "coco/val2017, photos as shot, 35 and 35",
            sorted((data / "coco/val2017").glob("*.jpg")),
            35,
        ),
        ("flickr8k, 224 × 224, 100 and 100", photos, 100),
        ("flickr8k, 100 with noise and 100", photos, 100),
    ]
    with tempfile.TemporaryDirectory() as folder:
        weights = random_weights(Path(folder) / "inception.pth")
        for number, (name, files, n) in enumerate(sets):
            if len(files) < 2 * n:
                part.notes.append(f"Not run: {name} (not there).")
                continue
            sides = [Path(folder) / f"{number}-{side}" for side in "ab"]
            copy(files[:n], sides[0], noise="noise" in name)
            copy(files[n : 2 * n], sides[1])
            ours, theirs = ours_of(sides, weights), torch_fidelity_of(sides, weights, n)
            for measure in ("FID", "KID"):
                part.add(measure, ours[measure], theirs[measure], library("torch-fidelity"), name)
            part.notes.append(f"KID, {name}: {single_precision(sides, weights)}")
    part.notes.append(
        "InceptionV3 (2,048 features) with random weights, made here in the published file's shape: "
        "the published file is not on this machine. Both resize to 299 × 299 as TensorFlow 1 did: "
        "bilinear, no antialiasing, sides squashed."
    )
    return part


def copy(files: Sequence[Path], folder: Path, noise: bool = False) -> None:
    """As they are; with noise of standard deviation 64, as torch-fidelity's own test has it."""
    import PIL.Image

    folder.mkdir()
    rng = np.random.default_rng(2020)
    for file in files:
        if not noise:
            shutil.copy(file, folder)
            continue
        pixels = np.asarray(PIL.Image.open(file).convert("RGB"), float)
        noisy = np.clip(pixels + rng.normal(0, 64, pixels.shape), 0, 255).astype(np.uint8)
        PIL.Image.fromarray(noisy).save(folder / f"{file.stem}.png")


def single_precision(sides: Sequence[Path], weights: Path) -> str:
    """How far torch-fidelity's KID is from itself in double precision, on the same features."""
    from torch_fidelity.metric_kid import kernel_mmd

    from mmragbench.models.inception import Inception

    encoder = Inception(weights, unchecked=True, batch=16)
    files = [sorted(side.iterdir()) for side in sides]
    x, y = (encoder.encode_images([Image(f.name, f) for f in own]) for own in files)
    single, double = (float(kernel_mmd(x.astype(t), y.astype(t))) for t in (np.float32, np.float64))
    return (
        "torch-fidelity computes the kernel in single precision; on our features its function gives "
        f"{single:.8g} so, and {double:.8g} in double precision."
    )


def random_weights(path: Path) -> Path:
    """Scaled so that features spread as those of a trained network do."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Network(FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, *_: object) -> None:
            """Keep the random weights."""

    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.manual_seed(0)
    network = Network("random", ["2048"], feature_extractor_weights_path=empty)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    torch.save(network.state_dict(), path)
    return path


def ours_of(sides: Sequence[Path], weights: Path) -> dict[str, float]:
    from mmragbench.verify.fid import fid
    from mmragbench.verify.references import chosen, load

    (one,) = chosen(load(), "torch-fidelity/fid")
    asked = [one.model_copy(update={"name": m, "measure": m}) for m in ("FID", "KID")]
    features = {"use": "inception", "weights": weights, "unchecked": True, "batch": 16}
    given = {"made": str(sides[0]), "real": str(sides[1]), "features": features}
    return {name: value(scores) for name, scores in fid(asked, given, Path("/")).items()}


def torch_fidelity_of(sides: Sequence[Path], weights: Path, n: int) -> dict[str, float]:
    from torch_fidelity import calculate_metrics

    found = calculate_metrics(
        input1=str(sides[0]),
        input2=str(sides[1]),
        fid=True,
        kid=True,
        kid_subsets=1,
        kid_subset_size=n,
        feature_extractor_weights_path=str(weights),
        batch_size=1,
        cuda=False,
        cache=False,
        save_cpu_ram=True,  # no worker processes
        verbose=False,
    )
    return {
        "FID": found["frechet_inception_distance"],
        "KID": found["kernel_inception_distance_mean"],
    }
