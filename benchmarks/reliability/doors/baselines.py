"""Baselines of the gate."""

from __future__ import annotations

import json
import random
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import runs
from damaged_files import damaged

from doors import Outcome
from mmragbench.gating.gate import gate, save_baseline
from mmragbench.gating.stored_baseline import table_path

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**400, 1.5, "", "x", "CIDEr@0", "FID(a/../..)", [], {}, ["x"], {"a": 1},
    "eJwDAAAAAAE=", "é", "\ud800", 2**63, "nan",
)  # fmt: skip


def edited(rng: random.Random, node: Any) -> Any:
    """With one value, somewhere, replaced, removed or added."""
    if isinstance(node, dict) and node and rng.random() < 0.85:
        key = rng.choice(list(node))
        if rng.random() < 0.15:
            return {k: v for k, v in node.items() if k != key}
        return {**node, key: edited(rng, node[key])}
    if isinstance(node, list) and node and rng.random() < 0.85:
        at = rng.randrange(len(node))
        if rng.random() < 0.15:
            return node[:at] + node[at + 1 :]
        return [*node[:at], edited(rng, node[at]), *node[at + 1 :]]
    if isinstance(node, str) and rng.random() < 0.5:
        return damaged(rng, node.encode()).decode("utf-8", "replace")
    return rng.choice(ODD)


def make(rng: random.Random, folder: Path) -> None:
    saved = runs.finished().parent / "baseline.json"
    if not saved.is_file():
        save_baseline(runs.finished(), saved)
    target = folder / "baseline.json"
    for file in (saved, table_path(saved)):
        shutil.copy(file, folder)
    damage = rng.random()
    if damage < 0.4:
        target.write_text(json.dumps(edited(rng, json.loads(saved.read_text()))))
    elif damage < 0.7:
        target.write_bytes(damaged(rng, saved.read_bytes()))
    else:
        _damage_table(rng, target)


def _damage_table(rng: random.Random, path: Path) -> None:
    """Half of the time as if it had been saved so."""
    content = damaged(rng, table_path(path).read_bytes())
    table_path(path).write_bytes(content)
    if rng.random() < 0.5:
        summary = json.loads(path.read_text())
        path.write_text(json.dumps({**summary, "table": sha256(content).hexdigest()}))


def enter(folder: Path) -> Outcome:
    gate(runs.finished(), folder / "baseline.json")
    return Outcome(None, 1)
