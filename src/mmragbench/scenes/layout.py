"""Layout of scenes: a box for each thing, in parts of the image's side, far things first."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from mmragbench.scenes.backdrops import BACKDROPS
from mmragbench.scenes.brush import Box
from mmragbench.scenes.kinds import KINDS
from mmragbench.scenes.world import SIZES, Group, Scene

_SPANS = {"left": (0.02, 0.48), "right": (0.52, 0.98), "middle": (0.26, 0.74), "": (0.02, 0.98)}
_BESIDE_EMBLEM = {"left": (0.02, 0.38), "right": (0.62, 0.98), "middle": (0.26, 0.74)}


@dataclass(frozen=True)
class Placed:
    """A thing with its box; `group` is the index of its group, -1 for the emblem."""

    group: int
    box: Box
    mirror: bool


def place(scene: Scene, rng: Random) -> list[Placed]:
    """All things, from the farthest to the nearest."""
    placed: list[Placed] = []
    for index, group in enumerate(scene.groups):
        placed += _place_group(scene, index, group, rng)
    if scene.emblem is not None:
        placed.append(Placed(-1, _emblem_box(scene, rng), False))
    return sorted(placed, key=lambda item: (item.group != -1, item.box.y + item.box.h))


def _place_group(scene: Scene, index: int, group: Group, rng: Random) -> list[Placed]:
    spans = _BESIDE_EMBLEM if scene.emblem else _SPANS
    left, right = spans[group.where]
    wide, high = KINDS[group.kind].size
    alone = len(scene.groups) == 1 and group.count == 1 and not scene.emblem
    scale = SIZES[group.size] * (1.2 if alone else 1.0) * rng.uniform(0.95, 1.05)
    scale = min(scale, (right - left) / (wide * (1 + 1.06 * (group.count - 1))))
    top, bottom = BACKDROPS[scene.backdrop].surfaces[group.surface]
    far_near = {0: (0.7, 1.0), 1: (0.0, 0.15)}.get(index) if scene.in_front else None
    low, far_end = far_near or (0.0, 1.0)
    line = top + (bottom - top) * rng.uniform(low, far_end)
    if group.surface == "air":
        line = max(line, 0.03 + high * scale)
    scale = min(scale, (line - 0.02) / high)
    mirror = rng.random() < 0.5
    step = (right - left) / group.count
    boxes = []
    for i in range(group.count):
        w, h = wide * scale, high * scale
        slack = max(0.0, step - w) / 2
        x = left + step * (i + 0.5) - w / 2 + rng.uniform(-slack, slack) * 0.7
        foot = line + rng.uniform(-0.5, 0.5) * min(0.07, (bottom - top) * 0.6) * (group.count > 1)
        boxes.append(Placed(index, _inside(x, min(foot, 0.98) - h, w, h), mirror))
    return boxes


def _emblem_box(scene: Scene, rng: Random) -> Box:
    side = rng.uniform(0.42, 0.46) if scene.groups else rng.uniform(0.44, 0.5)
    middle = {"left": 0.09 + side / 2, "middle": 0.5, "right": 0.91 - side / 2}[scene.emblem_where]
    outdoors = BACKDROPS[scene.backdrop].outdoors
    top = rng.uniform(0.16, 0.22) if outdoors else rng.uniform(0.1, 0.14)
    if scene.mount == "stone":
        top = rng.uniform(0.32, 0.36)
    if scene.backdrop == "table" and scene.emblem_where == "middle" and scene.groups:
        top, side = 0.07, 0.42
        middle = 0.5
    return Box(middle - side / 2 + rng.uniform(-0.01, 0.01), top, side, side)


def _inside(x: float, y: float, w: float, h: float) -> Box:
    return Box(min(max(x, 0.005), 0.995 - w), min(max(y, 0.005), 0.995 - h), w, h)
