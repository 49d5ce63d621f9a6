"""COCO captions: any annotation file in COCO's format and its folder of images."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from mmragbench._printable import one_line, quoted
from mmragbench.contracts import Requirement
from mmragbench.data.coco_tasks import OUTPUTS, build_tasks
from mmragbench.data.entries import Entry, Limit, Sample
from mmragbench.data.exclusions import Excluded
from mmragbench.data.files import required_folder
from mmragbench.data.positives import extend
from mmragbench.data.splits import REST, warn_of_rest
from mmragbench.data.tables import build_tasks_of_splits, names
from mmragbench.errors import DataError, listed, unknown
from mmragbench.formats.coco_captions import read_captions
from mmragbench.formats.json_values import read_json
from mmragbench.formats.values import as_id, described, is_unicode, refuse_contradictions
from mmragbench.records import Exclusion, Task
from mmragbench.registry import dataset

SIDES = {"test": "queries", "train": "memory", "restval": "memory"}
"""Karpathy's split -> the side that it stands on; `val` stands on none."""


@dataclass(frozen=True)
class Split:
    """Where one side of the data lies; relative paths start at the dataset's root.

    Attributes:
        captions: an annotation file with `images` and `annotations`.
        images: the folder of the image files.
        instances: an annotation file with `categories`, for silver relevance.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    captions: Path
    images: Path
    instances: Path | None = None


@dataset
class Coco:
    """Captions and photographs in COCO's format, with separate memory and query splits."""

    outputs = OUTPUTS

    def __init__(  # noqa: PLR0913, PLR0917 - the vocabulary of a suite
        self,
        root: Path,
        queries: Split | None = None,
        memory: Split | Literal["rest"] | None = None,
        karpathy: Path | None = None,
        positives: Path | None = None,
        classes: str | None = None,
        limit: Limit | None = None,
        memory_limit: Limit | None = None,
        seed: int = 0,
    ) -> None:
        """Nothing is read before `tasks`.

        Args:
            root: the folder that everything lies in.
            queries: the query split; by default val2017 in the layout of COCO's archives, or
                train2017 where there is no other.
            memory: the memory split; by default train2017 where that is another one, else `rest`: what
                the draw leaves of the query split.
            karpathy: `dataset_coco.json` in place of both: test against train and restval.
            positives: extended positives for retrieval both ways, as a folder and the name that
                its files begin with: `positives/eccv` (`mmragbench.data.positives`).
            classes: a supercategory of the instances, `animal`, whose categories are classes: a picture
                that shows one of them alone has it as its label.
            limit: how many query images to draw; by default all, beside the memory `rest` a fifth
                (50 or a half of few images, at most 1,000).
            memory_limit: how many memory images to draw; all by default.
            seed: for the draws.
        """
        self.root = Path(root).expanduser()
        self.queries = queries
        self.memory = memory
        self.karpathy = karpathy
        self.positives = positives
        self.classes = classes
        self.sample = Sample(limit, memory_limit, seed)

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation.

        Raises:
            DataError: a file is missing or not COCO's, a split has no usable image, or the
                splits share one.
        """
        tasks = self._tasks()
        return extend(tasks, self.root / self.positives.expanduser()) if self.positives else tasks

    def requirements(self) -> list[Requirement]:
        """The folder, where it is not there."""
        if self.karpathy is not None:
            return required_folder(self.root, [self.karpathy, "the images that it names"])
        splits = [self.queries or _usual("val2017"), self.memory or _usual("train2017")]
        named = [split for split in splits if isinstance(split, Split)]
        return required_folder(self.root, [path for s in named for path in (s.captions, s.images)])

    def _tasks(self) -> dict[str, Task]:
        if self.karpathy is not None:
            if self.queries or self.memory:
                raise DataError("karpathy names both splits; leave out queries and memory")
            file = self.root / self.karpathy
            query_entries, memory_entries, left = karpathy(self.root, file, self.classes)
            return build_tasks(query_entries, memory_entries, self.sample, left)
        train = self._present("train2017")
        queries = self.queries or self._present("val2017") or train
        if queries is None:
            raise DataError(
                f"{self.root / _usual('val2017').captions} is missing; name a file and its "
                "pictures with queries: {captions: ..., images: ...}"
            )
        memory = self.memory or (train if train and train != queries else REST)
        if self.memory is None and memory == REST:
            warn_of_rest(self.root)
        return build_tasks_of_splits(self._read, queries, memory, self.sample)

    def _read(self, split: Split, excluded: list[Exclusion]) -> list[Entry]:
        entries, refused = read(self.root, split, self.classes)
        excluded += refused
        return entries

    def _present(self, name: str) -> Split | None:
        """A split in COCO's own layout, with its instances if it has them; None where it is missing."""
        usual = _usual(name)
        if not (self.root / usual.captions).is_file():
            return None
        instances = usual.captions.with_name(f"instances_{name}.json")
        return replace(usual, instances=instances if (self.root / instances).is_file() else None)


def _usual(name: str) -> Split:
    """A split in the layout of COCO's archives, without instances."""
    return Split(Path("annotations", f"captions_{name}.json"), Path(name))


def read(
    root: Path, split: Split, classes: str | None = None
) -> tuple[list[Entry], list[Exclusion]]:
    """The images of a split with their captions, and the annotations that fit no image; their labels
    are categories of the supercategory `classes`.

    Raises:
        DataError: a file is missing, broken, or not in COCO's format.
    """
    path = root / split.captions
    content = _load(path, "images", "annotations")
    excluded: list[Exclusion] = []
    images = _images(root / split.images, path, content["images"], excluded)
    captions: dict[str, list[tuple[str, object]]] = {id: [] for id in images}
    for caption in read_captions(path, content["annotations"], excluded):
        if caption.image in captions:
            captions[caption.image].append((caption.id, caption.text))
        else:
            reason = f"{path.name}: a caption of image {caption.image}, which is not listed"
            excluded.append(Exclusion("unknown image", caption.id or caption.image, reason))
    things = _things(root / split.instances, images, classes) if split.instances else Things()
    if classes and not split.instances:
        raise DataError(f"classes: {classes} needs instances, and {path.name} has none beside it")
    entries = [
        replace(
            things.described(entry),
            captions=tuple(own := captions[id]),
            annotations=1 + len(own),
        )
        for id, entry in images.items()
    ]
    return entries, excluded


def _images(
    folder: Path, path: Path, records: Sequence[Any], excluded: list[Exclusion]
) -> dict[str, Entry]:
    """The listed images, by id. Where two files have one id, nobody knows whose captions its
    captions are: neither is used."""
    by_id: dict[str, list[Entry]] = {}
    for place, row in enumerate(records):
        record = row if isinstance(row, dict) else {}
        try:
            entry = _image(folder, record)
        except DataError as error:
            where = as_id(record.get("id")) or f"{path.name}: images[{place}]"
            reason = f"{path.name}: images[{place}]: {error}"
            excluded.append(Exclusion("broken annotation", where, reason))
        else:
            by_id.setdefault(entry.id, []).append(entry)
    for id, entries in by_id.items():
        if len(entries) > 1:
            named = entries if _differ(entries) else entries[1:]
            files = listed(dict.fromkeys(entry.file for entry in entries))
            reason = f"{path.name}: {len(entries)} images have the id: {files}"
            excluded += [Exclusion("duplicate image id", id, reason)] * len(named)
    return {id: entries[0] for id, entries in by_id.items() if not _differ(entries)}


def _differ(entries: Sequence[Entry]) -> bool:
    return len(entries) > 1 and len({entry.file for entry in entries}) > 1


def _image(folder: Path, record: dict[str, Any]) -> Entry:
    id, file = as_id(record.get("id")), record.get("file_name")
    if id is None or not isinstance(file, str):
        raise DataError("an image without a usable id or file_name")
    return Entry(id, folder, file, (), slices=names(record, "slices"))


@dataclass(frozen=True)
class Things:
    """What the images of a file of instances show.

    Attributes:
        categories: image id -> names of the categories of its instances.
        classes: the names of the categories that are classes.
    """

    categories: Mapping[str, frozenset[str]] = field(default_factory=dict)
    classes: frozenset[str] = frozenset()

    def described(self, entry: Entry) -> Entry:
        """The entry with its categories; and its label, where it shows one of the classes alone."""
        categories = self.categories.get(entry.id, frozenset())
        shown = categories & self.classes
        label = "".join(shown) if len(shown) == 1 else ""
        return replace(entry, categories=categories, label=label)


def _things(path: Path, images: Collection[str], classes: str | None) -> Things:
    """The things by image; a warning says how many images have none, and some must have one."""
    things = read_things(path, classes)
    known = things.categories
    without = [id for id in images if id not in known]
    if images and len(without) == len(images):
        raise DataError(
            f"{path}: not one of its {len(known):,} images is among those with captions: it has "
            f"{listed(known, 1) or 'none'}, they have {listed(without, 1)}; do the ids agree?"
        )
    if without:
        count = f"{len(without):,} of {len(images):,} images have no instances"
        warnings.warn(f"{path}: {count}: {listed(without)}", stacklevel=2)
    return things


def read_things(path: Path, classes: str | None = None) -> Things:
    """What a file of instances says; a warning counts those that are none.

    Args:
        path: the file.
        classes: the supercategory whose categories are classes.

    Raises:
        DataError: the file is missing, broken, or has no instances; a category has two names; there is
            no such supercategory.
    """
    content = _load(path, "annotations", "categories")
    named = _names(path, content["categories"])
    names_by_image: dict[str, set[str]] = {}
    broken: list[str] = []
    for place, row in enumerate(content["annotations"]):
        record = row if isinstance(row, dict) else {}
        image, category = as_id(record.get("image_id")), as_id(record.get("category_id"))
        if image is None or category not in named:
            broken.append(f"annotations[{place}]: {quoted(row)}")
        else:
            names_by_image.setdefault(image, set()).add(named[category])
    if broken:
        count = f"{len(broken):,} of {len(content['annotations']):,} instances"
        wanted = "no usable image_id, or a category_id that is not listed"
        first = f"{path}: {count} have {wanted}; first: {one_line(broken[0], 160)}"
        if not names_by_image:
            raise DataError(f"{first}; expected instances with image_id and category_id")
        warnings.warn(f"{first}; they are left out", stacklevel=2)
    of_images = {image: frozenset(things) for image, things in names_by_image.items()}
    return Things(of_images, _of_supercategory(path, content["categories"], classes))


def _of_supercategory(path: Path, records: Sequence[Any], wanted: str | None) -> frozenset[str]:
    """The names of the categories of a supercategory; none where none is wanted."""
    known = [row for row in records if isinstance(row.get("supercategory"), str)]
    members = frozenset(row["name"] for row in known if row["supercategory"] == wanted)
    if wanted is not None and not members:
        supercategories = dict.fromkeys(row["supercategory"] for row in known)
        raise DataError(f"{path}: " + unknown("supercategory", wanted, supercategories))
    return members


def _names(path: Path, records: Sequence[Any]) -> dict[str, str]:
    """Category id -> name; the ids match by their text, as those of images do."""
    named: dict[str, str] = {}
    torn: list[str] = []
    for row in records:
        record = row if isinstance(row, dict) else {}
        id, name = as_id(record.get("id")), record.get("name")
        if id is None or not isinstance(name, str) or not is_unicode(name):
            raise DataError(
                f"{path}: {quoted(row)} is no category; expected instances, and categories with id "
                "and name"
            )
        if named.setdefault(id, name) != name:
            torn.append(id)
    refuse_contradictions(str(path), "categories", torn)
    return named


def karpathy(
    root: Path, path: Path, classes: str | None = None
) -> tuple[list[Entry], list[Entry], Excluded]:
    """Karpathy's split: queries are test, memory is train and restval, ids are COCO's own; and the
    images that cannot be used.

    Instances of 2014 are used where `annotations/` has them.

    Raises:
        DataError: the file is missing, broken, or something else; a side has no images; the
            instances are of other images.
    """
    sides: dict[str, list[Entry]] = {"queries": [], "memory": []}
    others: dict[str, None] = {}
    broken: list[Exclusion] = []
    for place, row in enumerate(_load(path, "images")["images"]):
        record = row if isinstance(row, dict) else {}
        try:
            side = SIDES.get(record["split"])
            if side:
                sides[side].append(_karpathy_entry(root, record))
            else:
                others[quoted(record["split"])] = None
        except (AttributeError, KeyError, TypeError) as error:
            why = f"{path.name}: images[{place}]: {type(error).__name__}: {one_line(error, 160)}"
            id = as_id(record.get("cocoid")) or f"{path.name}: images[{place}]"
            broken.append(Exclusion("broken annotation", id, why))
    excluded = Excluded()
    excluded.add("annotations", sum(map(len, sides.values())), broken)
    empty = [side for side, entries in sides.items() if not entries]
    if empty:
        wanted = "Karpathy's images with split (test, train, restval), filename and sentences"
        known = f"; other splits are {', '.join(list(others)[:5])}" if others else ""
        why = excluded.reasons("annotations") or known
        raise DataError(f"{path}: no image for {' and '.join(empty)}{why}; expected {wanted}")
    things = _things_of_2014(root / "annotations", [*sides["queries"], *sides["memory"]], classes)
    queries, memory = ([things.described(entry) for entry in entries] for entries in sides.values())
    return queries, memory, excluded


def _things_of_2014(folder: Path, entries: Sequence[Entry], classes: str | None) -> Things:
    """The things of all files of 2014's instances; those of one file at least must fit."""
    files = sorted(folder.glob("instances_*2014.json"))
    if classes and not files:
        raise DataError(f"classes: {classes} needs instances, and {folder} has none of 2014")
    parts = [read_things(file, classes) for file in files]
    things = {id: names for part in parts for id, names in part.categories.items()}
    if files and not any(entry.id in things for entry in entries):
        raise DataError(
            f"{files[0]}: not one of the instances' {len(things):,} images is in Karpathy's file: "
            f"they have {listed(things, 1) or 'none'}, it has "
            f"{listed(dict.fromkeys(entry.id for entry in entries), 1)}; do the ids agree?"
        )
    return Things(things, frozenset[str]().union(*(part.classes for part in parts)))


def _karpathy_entry(root: Path, record: dict[str, Any]) -> Entry:
    id = as_id(record.get("cocoid", record["filename"]))
    if id is None:
        raise TypeError(f"{quoted(record.get('cocoid'))} is no usable cocoid")
    file = Path(record.get("filepath", ""), record["filename"])
    captions = tuple(
        (as_id(each.get("sentid")) or "", each.get("raw")) for each in record["sentences"]
    )
    return Entry(id, root, str(file), captions)


def _load(path: Path, *lists: str) -> dict[str, list[Any]]:
    """A JSON object with these lists of objects, without the outlines of instances, which are most
    of COCO's 450 MB of them."""
    wanted = f"COCO annotations, an object with the lists {' and '.join(lists)}"
    content = read_json(path, wanted, without="segmentation")
    if not isinstance(content, dict) or not all(_are_objects(content.get(key)) for key in lists):
        raise DataError(f"{path} is {described(content)}; expected {wanted}")
    return content


def _are_objects(value: object) -> bool:
    """A list of objects; single ones that are none are left out by who reads them."""
    return isinstance(value, list) and (not value or any(isinstance(each, dict) for each in value))
