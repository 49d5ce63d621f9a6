"""Drawing of scenes as pixels, at three times the size and then reduced, so that edges are smooth."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from PIL import Image, ImageDraw

from mmragbench.scenes.backdrops import BACKDROPS
from mmragbench.scenes.brush import Box, Brush
from mmragbench.scenes.colours import TONES
from mmragbench.scenes.grounds import PAINTERS, lit, paint_kitchen, paint_reef, paint_room
from mmragbench.scenes.kinds import KINDS
from mmragbench.scenes.layout import Placed
from mmragbench.scenes.mounts import draw_mounted
from mmragbench.scenes.skies import SKIES, gradient, paint_fall, paint_sky
from mmragbench.scenes.world import Scene

SIDE = 160
"""Width and height of an image, in pixels."""
_OVER = 3
_LARGE = SIDE * _OVER
_WATER = ((112, 198, 228), (28, 92, 158))
"""The gradient under water, from its top to its foot; indoors, a wall covers it."""
_FLOATING = ("air", "reef")


def paint(scene: Scene, placed: Sequence[Placed], rng: Random) -> Image.Image:
    """The image of a scene: RGB, `SIDE` pixels square."""
    top, foot = SKIES[scene.weather] if scene.weather else _WATER
    image = gradient(top, foot, _LARGE).copy()
    brush = Brush(ImageDraw.Draw(image, "RGBA"), Box(0, 0, _LARGE, _LARGE))
    _paint_place(brush, scene, rng)
    for item in placed:
        _paint_thing(image, scene, item)
    if scene.weather:
        paint_fall(brush, scene.weather, rng)
    return image.reduce(_OVER)


def _paint_place(brush: Brush, scene: Scene, rng: Random) -> None:
    if scene.weather:
        side = {"left": 1, "right": -1}.get(scene.emblem_where) or rng.choice((-1, 1))
        paint_sky(brush, scene.weather, rng, side)
        PAINTERS[scene.backdrop](brush, lit(scene.weather), rng)
    elif scene.backdrop == "table":
        paint_kitchen(brush, scene.wall, rng)
    elif scene.backdrop == "room":
        paint_room(brush, scene.wall, rng)
    else:
        paint_reef(brush, rng)


def _paint_thing(image: Image.Image, scene: Scene, item: Placed) -> None:
    box = Box(*(part * _LARGE for part in (item.box.x, item.box.y, item.box.w, item.box.h)))
    if item.group < 0:
        foot = 0.93 * _LARGE if BACKDROPS[scene.backdrop].outdoors else box.y
        if scene.emblem is not None:
            draw_mounted(image, box, foot, scene.mount, scene.emblem.design)
        return
    group = scene.groups[item.group]
    brush = Brush(ImageDraw.Draw(image, "RGBA"), box, item.mirror)
    if group.surface in ("lake", "sea"):
        brush.oval(-0.04, 0.86, 1.04, 1.04, (226, 244, 252, 120))
    elif group.surface not in _FLOATING:
        depth = min(0.09, 0.08 * box.w / box.h)
        brush.oval(0.0, 0.985 - depth, 1.02, 0.985 + depth, (20, 24, 40, 62))
    KINDS[group.kind].draw(brush, TONES[group.colour])
