"""The embedded world: scenes that the package draws itself, written out as COCO files."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from mmragbench.datasets.coco import Coco, Split
from mmragbench.errors import DataError
from mmragbench.records import Task
from mmragbench.registry import dataset

_FINISHED = "finished"


@dataset
class Scenes:
    """The embedded world, drawn from a seed when it is first used; part of it shows emblems."""

    def __init__(
        self, memory: int = 1500, queries: int = 500, seed: int = 0, root: Path | None = None
    ) -> None:
        """Nothing is drawn before `tasks`.

        Args:
            memory: how many pictures may be retrieved.
            queries: how many are asked about.
            seed: for the drawing.
            root: the folder that keeps drawn worlds; `scenes` in the cache by default.
        """
        self.memory = memory
        self.queries = queries
        self.seed = seed
        self.root = Path(root).expanduser() if root else None

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation; the slice `emblems`.

        Raises:
            DataError: a split of no pictures, or a folder that cannot be written.
        """
        world = self.draw()
        return Coco(world, queries=_split("queries"), memory=_split("memory")).tasks()

    def draw(self) -> Path:
        """The folder of this world; drawn where it is not there yet.

        Two runs may draw the same world at once: each draws apart, the first to finish stays.

        Raises:
            DataError: a split of no pictures, or a folder that cannot be written.
        """
        from mmragbench import cache, scenes

        sizes = {"memory": self.memory, "queries": self.queries}
        if min(sizes.values()) < 1:
            raise DataError(f"scenes needs a picture in each split at least, not {sizes}")
        place = (self.root or cache.folder() / "scenes") / self._key()
        if (place / _FINISHED).is_file():
            return place
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            apart = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
            try:
                scenes.write(apart, sizes, seed=self.seed)
                (apart / _FINISHED).touch()
                _settle(apart, place)
            finally:
                shutil.rmtree(apart, ignore_errors=True)
        except OSError as error:
            raise DataError(f"cannot draw scenes below {place.parent}: {error}") from error
        return place

    def _key(self) -> str:
        """What decides how the world looks: the arguments, the drawing code, Pillow's version."""
        import PIL

        from mmragbench import scenes
        from mmragbench.identity import digest, file_digest

        code = Path(scenes.__file__).parent
        drawing = {str(file.relative_to(code)): file_digest(file) for file in code.rglob("*.py")}
        return digest([self.memory, self.queries, self.seed, drawing, PIL.__version__])[:16]


def _settle(apart: Path, place: Path) -> None:
    """Give a finished world its name, unless another run was faster."""
    with suppress(OSError):
        apart.rename(place)
        return
    if not (place / _FINISHED).is_file():  # somebody has taken part of that world away
        shutil.rmtree(place)
        apart.rename(place)


def _split(name: str) -> Split:
    annotations = Path("annotations")
    return Split(
        annotations / f"captions_{name}.json",
        Path("images", name),
        annotations / f"instances_{name}.json",
    )
