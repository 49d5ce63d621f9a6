"""Pictures made elsewhere: a folder of them against a folder of real ones.

Files are paired by their names without the ending (`a/7.png` with `a/7.jpg`) if any agree, else they
are two sets. A file that cannot be read counts as missing, is named, and is never replaced. The
policy:

- `error`: no real picture may lack its generated one, no name be unknown, no file be unreadable;
- `skip`: complete pairs are compared, so that the real set shrinks with the generated one; of two
  sets, whatever can be read.

There is no `zero`: a distance between sets has none for one picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from mmragbench.errors import DataError
from mmragbench.formats.values import contradiction
from mmragbench.intake import take_in
from mmragbench.outside.problems import Policy, Problems, compared
from mmragbench.outside.submission import Submission
from mmragbench.records import Image, Output, Query, Task

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})

Pairs = Literal["auto", "names", "none"]


@dataclass(frozen=True)
class Folder:
    """A folder's pictures by name; of those that cannot be read, the reasons; copies left out."""

    path: Path
    images: dict[str, Image]
    unreadable: dict[str, str]
    copies: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [*self.images, *self.unreadable]


def images(made: Path, real: Path, policy: Policy = "error", pairs: Pairs = "auto") -> Submission:
    """Read both folders and settle what does not fit.

    Raises:
        DataError: a folder has no pictures, or two different pictures of one name.
        MissingOutputs: the policy does not cover what is missing, unknown or unreadable.
    """
    if pairs == "auto":
        pairs = "names" if _names(made) & _names(real) else "none"
    a, b = (read_folder(folder, whole=pairs == "none") for folder in (made, real))
    problems = _of_pairs(a, b) if pairs == "names" else _of_sets(a, b)
    problems.settle(policy)
    if pairs == "names":
        both = [name for name in b.images if name in a.images]
        task, outputs = _posed([b.images[n] for n in both], [a.images[n] for n in both])
    else:
        task, outputs = _posed([*b.images.values()], [*a.images.values()])
    return Submission(made.name, task, problems, policy, outputs=outputs, failed=a.unreadable)


def lone(folder: Path, policy: Policy = "error", real: bool = False) -> Submission:
    """One folder, where of the other side the moments are all there is.

    Raises:
        DataError: the folder has no pictures.
        MissingOutputs: the policy does not cover what is unreadable.
    """
    found = read_folder(folder, whole=True)
    pictures = list(found.images.values())
    failed = {} if real else found.unreadable
    if real:
        problems = _problems(found, len(found.names), _flaws(found))
        task, outputs = _posed(pictures, [])
    else:
        problems = _of_sets(found)
        task, outputs = _posed([], pictures)
    problems.settle(policy)
    return Submission(folder.name, task, problems, policy, outputs=outputs, failed=failed)


def _of_pairs(made: Folder, real: Folder) -> Problems:
    kinds = compared(real.names, made.names, **_flaws(made, real))
    asked = set(real.names)
    kinds["missing"] += tuple(name for name in made.unreadable if name in asked)
    return _problems(made, len(asked), kinds)


def _of_sets(made: Folder, *real: Folder) -> Problems:
    kinds = {"missing": tuple(made.unreadable), **_flaws(made, *real)}
    return _problems(made, len(made.names), kinds)


def _problems(made: Folder, asked: int, kinds: dict[str, tuple[str, ...]]) -> Problems:
    return Problems(str(made.path), "pictures", asked, kinds, policies=("error", "skip"))


def _flaws(*folders: Folder) -> dict[str, tuple[str, ...]]:
    bad = [f"{folder.path.name}/{name} ({why})" for folder in folders
           for name, why in folder.unreadable.items()]  # fmt: skip
    copies = [f"{folder.path.name}/{name}" for folder in folders for name in folder.copies]
    return {"unreadable": tuple(bad), "duplicate": tuple(copies)}


def _posed(real: Sequence[Image], made: Sequence[Image]) -> tuple[Task, list[Output]]:
    """A query for each picture of the larger set: who belongs to whom does not matter to a
    distance between sets."""
    ids = [str(i) for i in range(max(len(real), len(made)))]
    targets = dict(zip(ids, real, strict=False))
    task = Task("image-generation", [], [Query(id) for id in ids], output="image", targets=targets)
    return task, [Output(id, image=image) for id, image in zip(ids, made, strict=False)]


def read_folder(folder: Path, whole: bool = False) -> Folder:
    """Every picture below a folder, decoded once.

    Args:
        whole: names keep their endings, so that `7.png` and `7.jpg` are two.

    Raises:
        DataError: it is no folder, or has no pictures, or two different ones of one name.
    """
    found: dict[str, Path] = {}
    copies: list[str] = []
    torn: list[str] = []
    for file in _files(folder):
        name = _name(folder, file, whole)
        if name in found:
            (copies if _digest(found[name]) == _digest(file) else torn).append(name)
        found.setdefault(name, file)
    contradiction(str(folder), "names", torn)
    names = {str(path.absolute()): name for name, path in found.items()}
    taken, excluded = take_in([Image(id, Path(id)) for id in names])
    unreadable = {names[each.id]: each.kind for each in excluded}
    return Folder(folder, {names[image.id]: image for image in taken}, unreadable, tuple(copies))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder of pictures, nor an .npz file with mu and sigma")
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(f"{folder} has no pictures ({', '.join(sorted(SUFFIXES))})")
    return files


def _names(folder: Path) -> set[str]:
    return {_name(folder, file, whole=False) for file in _files(folder)}


def _name(folder: Path, file: Path, whole: bool) -> str:
    below = file.relative_to(folder)
    return (below if whole else below.with_suffix("")).as_posix()


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
