"""Pictures of another system: a folder of them against a folder of real ones.

A folder's pictures are all files below it, links followed, that have a picture's ending or content;
hidden files and files that are no pictures are left out and counted. Files are paired by their names
without the ending (`a/7.png` with `a/7.jpg`) if any agree, else they are two sets. A file that cannot
be read counts as missing, is named, and is never replaced. The policy:

- `error`: no real picture may lack its generated one, no name be unknown, no file be unreadable;
- `skip`: complete pairs are compared, so that the real set shrinks with the generated one; of two
  sets, whatever can be read.

There is no `zero`: a distance between sets has none for one picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from mmragbench._decoding import has_frames
from mmragbench.data.picture_folders import Folder, Listing, list_pictures, read_folder
from mmragbench.records import Image, Output, Query, Task
from mmragbench.submissions.problems import MissingOutputs, Policy, Problems, compared
from mmragbench.submissions.submission import Submission

NO_PICTURE, HIDDEN = "no picture", "hidden"
"""Kinds of files that are left out without being missing pictures: `Problems` counts them."""

Pairs = Literal["auto", "names", "none"]


def images(
    generated: Path, real: Path, policy: Policy = "error", pairs: Pairs = "auto"
) -> Submission:
    """Read both folders, and apply the policy to what does not match.

    Raises:
        DataError: a folder has no pictures, or two different pictures of one name.
        MissingOutputs: the policy does not cover what is missing, unknown or unreadable.
    """
    listings = list_pictures(generated), list_pictures(real)
    paired = pairs == "names" or (pairs == "auto" and _agree(*listings))
    a, b = (read_folder(listing, whole=not paired) for listing in listings)
    if not paired:
        problems = _of_sets(a, b)
        _settle(problems, policy)
        task, outputs = _as_sets([*b.images.values()], [*a.images.values()])
    else:
        problems = _of_pairs(a, b)
        _settle(problems, policy, a, b)
        both = [name for name in b.images if name in a.images]
        task, outputs = _as_pairs([b.images[n] for n in both], [a.images[n] for n in both])
    return Submission(
        generated.name, task, problems, policy, real, outputs=outputs, failed=a.unreadable
    )


def _agree(generated: Listing, real: Listing) -> bool:
    """Whether two files share a name, upper and lower case aside: a difference in case alone is
    reported later, as an error."""
    a, b = ({stem.casefold() for stem in listing.stems()} for listing in (generated, real))
    return bool(a & b)


def _settle(problems: Problems, policy: Policy, *sides: Folder) -> None:
    """`Problems.settle`, whose message also has the reasons of unreadable files, and a hint where the
    names of two folders match in part, which may be chance."""
    try:
        problems.settle(policy)
    except MissingOutputs as error:
        if policy not in problems.policies:
            raise
        bad = problems.line("unreadable", examples=3)
        sentences = [str(error), *([bad] if bad and bad not in str(error) else [])]
        if len({frozenset(side.names) for side in sides}) > 1:
            n, m = (f"{len(side.names):,}" for side in sides)
            sentences += [*_cases(problems), f"if names agree by chance, --pairs none compares all {n} "
                     f"with all {m} as two sets"]  # fmt: skip
        raise MissingOutputs("; ".join(sentences)) from error


def _cases(problems: Problems) -> Iterator[str]:
    """A sentence on names that differ in upper and lower case alone, if there are any."""
    missing = {name.casefold() for name in problems.ids["missing"]}
    alike = [name for name in problems.ids["unknown"] if name.casefold() in missing]
    if alike:
        yield f"{len(alike):,} differ in upper and lower case only: {alike[0]}"


def single_folder(folder: Path, policy: Policy = "error", real: bool = False) -> Submission:
    """One folder, which is compared with stored moments.

    Raises:
        DataError: the folder has no pictures.
        MissingOutputs: the policy does not cover what is unreadable.
    """
    content = read_folder(list_pictures(folder), whole=True)
    pictures = list(content.images.values())
    failed = {} if real else content.unreadable
    if real:
        problems = _problems(content, len(content.names), _flaws(content))
        task, outputs = _as_sets(pictures, [])
    else:
        problems = _of_sets(content)
        task, outputs = _as_sets([], pictures)
    _settle(problems, policy)
    return Submission(folder.name, task, problems, policy, folder, outputs=outputs, failed=failed)


def _of_pairs(generated: Folder, real: Folder) -> Problems:
    kinds = compared(real.names, generated.names, **_flaws(generated, real))
    expected = set(real.names)
    kinds["missing"] += tuple(name for name in generated.unreadable if name in expected)
    return _problems(generated, len(expected), kinds)


def _of_sets(generated: Folder, *real: Folder) -> Problems:
    kinds = {"missing": tuple(generated.unreadable), **_flaws(generated, *real)}
    return _problems(generated, len(generated.names), kinds)


def _problems(generated: Folder, expected: int, kinds: dict[str, tuple[str, ...]]) -> Problems:
    return Problems(str(generated.path), "pictures", expected, kinds, policies=("error", "skip"))


def _flaws(*folders: Folder) -> dict[str, tuple[str, ...]]:
    """Kind -> the files of all folders that are counted under it."""
    bad = [f"{folder.path.name}/{name} ({why})" for folder in folders
           for name, why in folder.unreadable.items()]  # fmt: skip
    copies = [f"{folder.path.name}/{name}" for folder in folders for name in folder.copies]
    listings = [folder.listing for folder in folders]
    others = [f"{listing.path.name}/{listing.name(file)}" for listing in listings
              for file in listing.others]  # fmt: skip
    hidden = [f"{listing.path.name}/{listing.name(file)}" for listing in listings
              for file in listing.hidden]  # fmt: skip
    frames = [f"{folder.path.name}/{name}" for folder in folders
              for name, image in folder.images.items() if has_frames(image.path)]  # fmt: skip
    return {"unreadable": tuple(bad), "duplicate": tuple(copies), "with several frames": tuple(frames),
            NO_PICTURE: tuple(others), HIDDEN: tuple(hidden)}  # fmt: skip


class TaskAndOutputs(NamedTuple):
    """The task that pictures answer, and the pictures as its outputs."""

    task: Task
    outputs: list[Output]


def _as_pairs(real: Sequence[Image], generated: Sequence[Image]) -> TaskAndOutputs:
    """A query for each pair."""
    ids = [str(i) for i in range(len(real))]
    return _task_and_outputs(
        dict(zip(ids, real, strict=True)), dict(zip(ids, generated, strict=True))
    )


def _as_sets(real: Sequence[Image], generated: Sequence[Image]) -> TaskAndOutputs:
    """A query for each picture, since none belongs to another; those of real pictures have no output,
    which is no failure."""
    targets = {f"real-{i}": image for i, image in enumerate(real)}
    return _task_and_outputs(targets, {f"made-{i}": image for i, image in enumerate(generated)})


def _task_and_outputs(targets: dict[str, Image], generated: dict[str, Image]) -> TaskAndOutputs:
    queries = [Query(id) for id in targets | generated]
    task = Task("image-generation", [], queries, output="image", targets=targets)
    return TaskAndOutputs(task, [Output(id, image=image) for id, image in generated.items()])
