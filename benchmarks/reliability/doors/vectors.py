"""Files of vectors, .npz and .safetensors, through the encoder `precomputed`."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from damaged_arrays import damage, odd_array

from doors import Outcome

KINDS = ("float32", "float16", "float64", "int8", "uint16", "int64")


def make(rng: random.Random, folder: Path) -> None:
    """A file, mostly good, with one or two things odd about it, its bytes perhaps damaged; and beside
    it the ids that stand for its rows."""
    arrays: dict[str, Any] = {}
    width = rng.choice([1, 2, 8, 33])
    for name in rng.choice([["image"], ["text"], ["image", "text"], ["image", "caption"]]):
        n = rng.choice([0, 1, 2, 7, 40])
        arrays[f"{name}_ids"] = _ids(rng, n)
        arrays[f"{name}_embeddings"] = _rows(rng, n, width)
    for _ in range(rng.choice([0, 0, 1, 2])):
        key = rng.choice(list(arrays))
        arrays[key] = odd_array(rng, np.asarray(arrays[key]))
    if rng.random() < 0.1:
        arrays[rng.choice(["image_ids", "text_embeddings", "other", "caption_ids"])] = np.arange(3)
    if rng.random() < 0.1:
        del arrays[rng.choice(list(arrays))]
    file = folder / rng.choice(["v.npz", "v.npz", "v.safetensors"])
    write(file, arrays, rng)
    asked = {k: _known(v) for k, v in arrays.items() if k.endswith("_ids")}
    (folder / "asked.json").write_text(json.dumps(None if damage(rng, file) else asked))


def write(file: Path, arrays: dict[str, Any], rng: random.Random) -> None:
    """As numpy or safetensors write them; safetensors' ids go into its metadata."""
    if file.suffix == ".npz":
        rng.choice([np.savez, np.savez_compressed])(file, **arrays)
        return
    from safetensors.numpy import save_file

    tensors = {k: np.ascontiguousarray(v) for k, v in arrays.items() if _is_tensor(v)}
    lists = {k: json.dumps(np.asarray(v).tolist(), default=str) for k, v in arrays.items()}
    metadata = {k: text for k, text in lists.items() if k not in tensors or k.endswith("_ids")}
    for name in metadata:
        tensors.pop(name, None)
    save_file(tensors, file, metadata)


def _is_tensor(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "fiub"


def _ids(rng: random.Random, n: int) -> Any:
    kind = rng.choice(["words", "numbers", "bytes", "wide"])
    if kind == "numbers":
        return np.arange(n) + rng.choice([0, 10**12])
    names = [f"{rng.choice(['a b', 'ü', '図', 'q'])}{i}" for i in range(n)]
    if kind == "bytes":
        return np.array([name.encode() for name in names] or np.zeros(0, "S1"))
    return np.array([name + "x" * (kind == "wide") * 500 for name in names] or np.zeros(0, "U1"))


def _rows(rng: random.Random, n: int, width: int) -> Any:
    dice = np.random.default_rng(rng.getrandbits(32))
    rows = dice.normal(size=(n, width)) * rng.choice([1, 1, 10, 1e-6, 1e4])
    return rows.astype(rng.choice(KINDS))


def _known(ids: Any) -> list[str]:
    values = np.asarray(ids).ravel().tolist()
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]


def enter(folder: Path) -> Outcome:
    """Every id is asked for; each has one row of length 1."""
    from mmragbench.models.precomputed import Precomputed
    from mmragbench.records import Image, Text

    (file,) = folder.glob("v.*")
    encoder = Precomputed(file)
    asked = json.loads((folder / "asked.json").read_text())
    modalities = encoder.modalities
    if asked is None:
        return Outcome(None, len(modalities))
    taken = 0
    for key, ids in asked.items():
        if key == "image_ids":
            rows = encoder.encode_images([Image(id, Path(id)) for id in ids])
        else:
            rows = encoder.encode_texts([Text(id, id) for id in ids])
        if not np.allclose(np.linalg.norm(rows.astype(np.float64), axis=1), 1, atol=2e-3):
            raise AssertionError("a row that is not of length 1 was taken")
        taken += len(rows)
    return Outcome(sum(map(len, asked.values())), taken)
