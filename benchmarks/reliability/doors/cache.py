"""A cache whose files were damaged: what comes out is what was put in, or is not there."""

from __future__ import annotations

import gc
import json
import random
from pathlib import Path

import numpy as np
from damaged_files import damaged

from doors import Outcome
from mmragbench.cache.cache import Cache
from mmragbench.cache.items import Item
from mmragbench.cache.vectors import Locations
from mmragbench.data.intake import take_in
from mmragbench.records import Image

COUNT = 12


def _values(seed: int) -> tuple[dict[str, bytes], np.ndarray, dict[str, bytes]]:
    rng = random.Random(seed)
    answers = {
        f"{rng.getrandbits(256):064x}": rng.randbytes(rng.randint(1, 300)) for _ in range(COUNT)
    }
    rows = (
        np.random.default_rng(seed)
        .standard_normal((COUNT, rng.choice([1, 4, 32])))
        .astype(np.float32)
    )
    stages = {f"{rng.getrandbits(256):064x}": rng.randbytes(200) for _ in range(3)}
    return answers, rows, stages


def make(rng: random.Random, folder: Path) -> None:
    import PIL.Image

    seed = rng.getrandbits(30)
    (folder / "seed").write_text(json.dumps(seed))
    answers, rows, stages = _values(seed)
    cache = Cache(folder / "cache")
    cache.items("m").put({key: Item(value, 0.25) for key, value in answers.items()})
    cache.vectors("v").put({f"image:{i}": row for i, row in enumerate(rows)}, 0.5)
    for key, content in stages.items():
        cache.save(key, content)
    for i in range(3):
        PIL.Image.new("RGB", (8, 8), (i * 20, 0, 0)).save(folder / f"{i}.png")
    take_in(
        [Image(str(i), folder / f"{i}.png") for i in range(3)], folder / "cache" / "intake.sqlite"
    )
    gc.collect()  # closes the databases, as the end of a process does
    files = sorted(path for path in (folder / "cache").rglob("*") if path.is_file())
    for path in rng.sample(files, rng.randint(1, 3)):
        if rng.random() < 0.1:
            path.unlink()
        else:
            path.write_bytes(damaged(rng, path.read_bytes()))


def enter(folder: Path) -> Outcome:
    answers, rows, stages = _values(json.loads((folder / "seed").read_text()))
    taken = 0
    for _ in range(2):  # the second time, what was lost has been put again
        cache = Cache(folder / "cache")
        items, vectors = cache.items("m"), cache.vectors("v")
        known = items.get(list(answers))
        assert all(item == Item(answers[key], 0.25) for key, item in known.items()), (
            "changed answer"
        )
        keys = [f"image:{i}" for i in range(COUNT)]
        locations = vectors.find(keys)
        for at in np.flatnonzero(locations.rows >= 0):
            one = Locations(*(column[at : at + 1] for column in locations))
            assert (vectors.read(one)[0] == rows[at]).all(), "changed vector"
        stored = {key: cache.load(key) for key in stages}
        assert all(content in (None, stages[key]) for key, content in stored.items()), (
            "changed stage"
        )
        taken = (
            len(known)
            + int((locations.rows >= 0).sum())
            + sum(c is not None for c in stored.values())
        )
        items.put({key: Item(value, 0.25) for key, value in answers.items() if key not in known})
        lost = np.flatnonzero(locations.rows < 0)
        vectors.put({keys[at]: rows[at] for at in lost}, 0.5)
        for key in (key for key, content in stored.items() if content is None):
            cache.save(key, stages[key])
    images = [Image(str(i), folder / f"{i}.png") for i in range(3)]
    index = folder / "cache" / "intake.sqlite"
    assert take_in(images, index) == take_in(images), "changed verdict"
    return Outcome(None, taken)  # what is lost is computed again
