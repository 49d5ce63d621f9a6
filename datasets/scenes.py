"""The embedded world: scenes that the package draws itself, written out as COCO files."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

from mmragbench.data.coco_tasks import OUTPUTS
from mmragbench.datasets.coco import Coco, Split
from mmragbench.errors import DataError
from mmragbench.records import Task
from mmragbench.registry import dataset

_FINISHED = "finished"
"""The file of a world that holds the digest of all others; written last."""


@dataset
class Scenes:
    """The embedded world, drawn from a seed when it is first used; part of it shows emblems."""

    outputs = OUTPUTS

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
        """Text-to-image, image-to-text, captioning and image-generation; the slice `emblems`, whose
        pictures have their emblem as their class.

        Raises:
            DataError: a split of no pictures, or a folder that cannot be written.
        """
        world = self.draw()
        splits = {name: _split(name) for name in ("queries", "memory")}
        return Coco(world, **splits, classes="emblem").tasks()

    def draw(self) -> Path:
        """The folder of this world; drawn where it is not there yet, or is not as it was drawn.

        Two runs may draw the same world at once: each draws apart, the first to finish stays.

        Raises:
            DataError: a split of no pictures, or a folder that cannot be written.
        """
        from mmragbench import scenes
        from mmragbench.cache import cache

        sizes = {"memory": self.memory, "queries": self.queries}
        if min(sizes.values()) < 1:
            raise DataError(f"scenes needs a picture in each split at least, not {sizes}")
        place = (self.root or cache.folder() / "scenes") / self._key()
        if _is_whole(place):
            return place
        if (place / _FINISHED).exists():
            warnings.warn(f"{place} is not as it was drawn; it is drawn anew", stacklevel=2)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            apart = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
            try:
                scenes.write(apart, sizes, seed=self.seed)
                (apart / _FINISHED).write_text(_digest(apart))
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
        from mmragbench._files import file_digest
        from mmragbench.cache.identity import digest

        code = Path(scenes.__file__).parent
        drawing = {str(file.relative_to(code)): file_digest(file) for file in code.rglob("*.py")}
        return digest([self.memory, self.queries, self.seed, drawing, PIL.__version__])[:16]


def _settle(apart: Path, place: Path) -> None:
    """Give a finished world its name, unless another run was faster."""
    with suppress(OSError):
        apart.rename(place)
        return
    if not _is_whole(place):  # somebody has taken part of that world away, or changed it
        shutil.rmtree(place)
        apart.rename(place)


def _is_whole(place: Path) -> bool:
    """Whether all files of a world are there, and as they were drawn."""
    try:
        return (place / _FINISHED).read_bytes() == _digest(place).encode()
    except OSError:
        return False


def _digest(place: Path) -> str:
    from mmragbench._files import file_digest
    from mmragbench.cache.identity import digest

    files = sorted(path for path in place.rglob("*") if path.is_file() and path.name != _FINISHED)
    return digest([[path.relative_to(place).as_posix(), file_digest(path)] for path in files])


def _split(name: str) -> Split:
    annotations = Path("annotations")
    return Split(
        annotations / f"captions_{name}.json",
        Path("images", name),
        annotations / f"instances_{name}.json",
    )
