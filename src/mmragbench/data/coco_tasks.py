"""The common ground of COCO-style data: pictures with captions, and the four tasks they pose."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from mmragbench.data.exclusions import Excluded
from mmragbench.data.intake import OUTSIDE, inside, take_in
from mmragbench.data.silver import Silver
from mmragbench.errors import BadImage, DataError, listed
from mmragbench.formats.values import not_a_text
from mmragbench.records import Document, Exclusion, Image, OutputKind, Query, Task, Text

CAPTIONS = "captions"

MAX_CAPTION = 1_000
"""Characters. A longer caption is a mistake in the data: no encoder reads so far."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture as annotations promise it; nothing about it has been checked.

    Attributes:
        id: the image's id.
        folder: where the file must lie.
        file: its name below the folder.
        captions: (id, caption) pairs; a caption may turn out to be no string.
        categories: names of the things in it, where instances are known.
        slices: names of the slices that it belongs to.
        annotations: how many rows or records of a table it was made from.
        fetch: for a picture that is no file in a folder yet (bytes in a table): makes it one when
            it is drawn, and returns its path; raises BadImage where there is none, and DataError
            where it lies outside of what may be read.
    """

    id: str
    folder: Path
    file: str
    captions: tuple[tuple[str, object], ...]
    categories: frozenset[str] = frozenset()
    slices: frozenset[str] = frozenset()
    annotations: int = 1
    fetch: Callable[[], Path] | None = field(default=None, compare=False, repr=False)

    def path(self) -> Path:
        """Where its file lies; for bytes in a table, after writing them there.

        Raises:
            BadImage: there is no picture.
            DataError: it lies outside of what may be read.
        """
        return self.fetch() if self.fetch else inside(self.folder, self.file)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was taken in: its file decodes, and it has a caption at least."""

    image: Image
    captions: tuple[Text, ...]
    categories: frozenset[str] = frozenset()
    slices: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        return self.image.id


class Sample(NamedTuple):
    """How much to draw: at most so many query and memory pictures (None: all), by this seed."""

    queries: int | None = None
    memory: int | None = None
    seed: int = 0


class Drawn(NamedTuple):
    """The pictures of a draw, the entries that it did not touch, and those it could not use."""

    pictures: list[Picture]
    rest: list[Entry]
    excluded: list[Exclusion]


def pose(
    queries: Sequence[Entry],
    memory: Sequence[Entry] | None,
    sample: Sample,
    excluded: Excluded | None = None,
) -> dict[str, Task]:
    """From annotations to tasks: draw, take the files in, pose.

    Args:
        queries: the query split.
        memory: the memory split; None takes what the draw of the queries leaves.
        sample: how much of them.
        excluded: what reading the annotations has already left out; more is added.

    Raises:
        DataError: a split without a usable picture, or an image in both.
    """
    from mmragbench.cache.cache import folder

    index = folder() / "intake.sqlite"
    left = excluded or Excluded()
    asked = draw(_unique("query", queries, left), sample.queries, sample.seed, index)
    held = _unique("memory", asked.rest if memory is None else memory, left)
    kept = draw(held, sample.memory, sample.seed, index)
    _count("query", asked, left)
    _some("query", asked, left)
    if memory is None and not held:
        raise DataError(
            f"the limit of {sample.queries:,} leaves nothing for the memory: there are "
            f"{len(asked.pictures):,} images that can be used{left.reasons('query')}; write a lower "
            "limit"
        )
    _count("memory", kept, left)
    _some("memory", kept, left)
    return tasks(kept.pictures, asked.pictures, left)


def unique(entries: Sequence[Entry]) -> tuple[list[Entry], list[Exclusion]]:
    """Every image id once, the first wins; and every caption id.

    Captions belong to their image, whatever their own ids are: where an id is missing, or several
    captions have it, all captions of the image are known as `<image id>#<number>`, from 0, and a
    warning says so. Images that come again are named.
    """
    kept: dict[str, Entry] = {}
    excluded: list[Exclusion] = []
    for entry in entries:
        if entry.id in kept:
            reason = f"{entry.file}: the id belongs to {kept[entry.id].file}"
            excluded.append(Exclusion("duplicate image id", entry.id, reason))
        else:
            kept[entry.id] = entry
    counts = Counter(id for entry in kept.values() for id, _ in entry.captions)
    repeated = {id: n for id, n in counts.items() if n > 1 and id}
    if repeated:
        warnings.warn(
            f"{sum(repeated.values()):,} captions share {len(repeated):,} ids ({listed(repeated)}); "
            "all of them count, as <image id>#<number>",
            stacklevel=2,
        )
    taken: set[str] = set()
    known = [_numbered(entry, repeated.keys() | {""}) for entry in kept.values()]
    return [_first_of_each(entry, taken, excluded) for entry in known], excluded


def _numbered(entry: Entry, unusable: Collection[str]) -> Entry:
    """With ids of its own for its captions, if one of theirs cannot be used."""
    if not any(id in unusable for id, _ in entry.captions):
        return entry
    own = tuple((f"{entry.id}#{n}", caption) for n, (_, caption) in enumerate(entry.captions))
    return replace(entry, captions=own)


def _first_of_each(entry: Entry, taken: set[str], excluded: list[Exclusion]) -> Entry:
    """Without captions whose id another one has by now."""
    own = []
    for id, caption in entry.captions:
        if id in taken:
            reason = f"a caption of image {entry.id} has the id of an earlier one"
            excluded.append(Exclusion("duplicate caption id", id, reason))
        else:
            taken.add(id)
            own.append((id, caption))
    return replace(entry, captions=tuple(own))


def draw(
    entries: Sequence[Entry], limit: int | None, seed: int = 0, index: Path | None = None
) -> Drawn:
    """Take in all entries, or at most `limit` that can be used; in the order of the annotations.

    Which ones depends on the seed and on the ids alone (their hashes are sorted), so that a
    larger limit adds to a smaller one. An entry that cannot be used makes room for the next.

    Raises:
        DataError: a limit under 1.
    """
    if limit is not None and limit < 1:
        raise DataError(f"a limit of {limit} leaves nothing to draw; write 1 or more")
    order = list(range(len(entries)))
    if limit is not None:
        order.sort(key=lambda at: sha256(f"{seed} {entries[at].id}".encode()).digest())
    found: dict[int, Picture] = {}
    excluded: list[Exclusion] = []
    while order and (limit is None or len(found) < limit):
        wanted = len(order) if limit is None else limit - len(found)
        now, order = order[:wanted], order[wanted:]
        pictures, refused = admit([entries[at] for at in now], index)
        excluded += refused
        found |= {at: pictures[entries[at].id] for at in now if entries[at].id in pictures}
    rest = [entries[at] for at in sorted(order)]
    return Drawn([found[at] for at in sorted(found)], rest, excluded)


def admit(
    entries: Sequence[Entry], index: Path | None = None
) -> tuple[dict[str, Picture], list[Exclusion]]:
    """Check captions and files of entries with unique ids: pictures by id, and the exclusions."""
    images: list[Image] = []
    captions: dict[str, tuple[Text, ...]] = {}
    excluded: list[Exclusion] = []
    for entry in entries:
        captions[entry.id], refused = _captions(entry)
        excluded += refused
        if not captions[entry.id]:
            excluded.append(Exclusion("no captions", entry.id, f"{entry.file}: no usable caption"))
            continue
        try:
            images.append(Image(entry.id, entry.path()))
        except DataError as error:
            excluded.append(Exclusion(OUTSIDE, entry.id, str(error)))
        except BadImage as error:
            excluded.append(Exclusion("missing image", entry.id, str(error)))
    taken, refused = take_in(images, index)
    files = {image.id: image for image in taken}
    pictures = {
        entry.id: Picture(files[entry.id], captions[entry.id], entry.categories, entry.slices)
        for entry in entries
        if entry.id in files
    }
    return pictures, excluded + refused


def _unique(side: str, entries: Sequence[Entry], left: Excluded) -> list[Entry]:
    kept, twice = unique(entries)
    left.add(f"{side} annotations", sum(entry.annotations for entry in kept), twice)
    return kept


def _count(side: str, drawn: Drawn, left: Excluded) -> None:
    """Captions that can't be used are counted apart from pictures that can't."""
    captions = [each for each in drawn.excluded if each.of == CAPTIONS]
    images = [each for each in drawn.excluded if each.of != CAPTIONS]
    kept = sum(len(picture.captions) for picture in drawn.pictures)
    left.add(f"{side} {CAPTIONS}", kept, captions)
    left.add(f"{side} images", len(drawn.pictures), images)


def tasks(
    memory: Sequence[Picture], queries: Sequence[Picture], excluded: Excluded | None = None
) -> dict[str, Task]:
    """The four tasks of COCO-style data.

    Raises:
        DataError: memory and queries share an image.
    """
    _apart(memory, queries)
    left = excluded or Excluded()
    posed = (
        _text_to_image(queries),
        _image_to_text(queries),
        *_generation(memory, queries),
    )
    named = tuple(left.exclusions)
    return {task.name: replace(task, exclusions=named, totals=left.totals) for task in posed}


def _text_to_image(queries: Sequence[Picture]) -> Task:
    asked = [(caption, picture) for picture in queries for caption in picture.captions]
    return Task(
        name="text-to-image",
        memory=[Document(picture.id, image=picture.image) for picture in queries],
        queries=[Query(c.id, text=c, group=picture.id) for c, picture in asked],
        qrels={c.id: {picture.id: 1} for c, picture in asked},
        slices=_slices((c.id, picture) for c, picture in asked),
        categories={c.id: picture.categories for c, picture in asked},
    )


def _image_to_text(queries: Sequence[Picture]) -> Task:
    return Task(
        name="image-to-text",
        memory=[Document(c.id, texts=(c,)) for picture in queries for c in picture.captions],
        queries=_by_image(queries),
        qrels={picture.id: {c.id: 1 for c in picture.captions} for picture in queries},
        slices=_slices((picture.id, picture) for picture in queries),
        categories={picture.id: picture.categories for picture in queries},
    )


def _generation(memory: Sequence[Picture], queries: Sequence[Picture]) -> tuple[Task, Task]:
    """Captioning, and image generation from one caption a picture, the first: FID wants one
    image for each real one."""
    silver = Silver(memory, queries)
    pairs = [Document(picture.id, picture.image, picture.captions) for picture in memory]
    firsts = [
        Query(picture.captions[0].id, text=picture.captions[0], group=picture.id)
        for picture in queries
    ]

    def task(name: str, output: OutputKind, asked: Sequence[Query]) -> Task:
        own = {query.id: picture for query, picture in zip(asked, queries, strict=True)}
        return Task(
            name=name,
            memory=pairs,
            queries=asked,
            qrels=silver.qrels(tuple(own)),
            relevance=silver.label,
            output=output,
            references={id: tuple(c.content for c in p.captions) for id, p in own.items()},
            targets={id: p.image for id, p in own.items()} if output == "image" else {},
            slices=_slices(own.items()),
            categories={id: picture.categories for id, picture in own.items()},
            affinity=silver.affinity(tuple(own)),
        )

    return (
        task("captioning", "caption", _by_image(queries)),
        task("image-generation", "image", firsts),
    )


def _by_image(queries: Sequence[Picture]) -> list[Query]:
    return [Query(picture.id, image=picture.image, group=picture.id) for picture in queries]


def _slices(asked: Iterable[tuple[str, Picture]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for id, picture in asked:
        for name in picture.slices:
            found.setdefault(name, set()).add(id)
    return {name: frozenset(ids) for name, ids in sorted(found.items())}


def _captions(entry: Entry) -> tuple[tuple[Text, ...], list[Exclusion]]:
    """The captions that can be used, as they are (escaping is the renderers' affair)."""
    kept: list[Text] = []
    excluded: list[Exclusion] = []
    for id, caption in entry.captions:
        kind, reason = _objection(caption)
        if kind:
            excluded.append(Exclusion(kind, id, f"image {entry.id}: {reason}", CAPTIONS))
        else:
            kept.append(Text(id, str(caption)))
    return tuple(kept), excluded


def _objection(caption: object) -> tuple[str, str]:
    if isinstance(caption, str) and not caption.strip():
        return "empty caption", "nothing but white space"
    if isinstance(caption, str) and len(caption) > MAX_CAPTION:
        return "caption too long", f"{len(caption):,} characters, at most {MAX_CAPTION:,}"
    reason = not_a_text(caption)
    return ("caption is no text", reason) if reason else ("", "")


def _apart(memory: Sequence[Picture], queries: Sequence[Picture]) -> None:
    shared = sorted({picture.id for picture in memory} & {picture.id for picture in queries})
    if shared:
        raise DataError(
            f"memory and queries share {len(shared):,} images ({', '.join(shared[:3])}"
            f"{', ...' if len(shared) > 3 else ''}): a query would find itself; name other splits"
        )


def _some(side: str, drawn: Drawn, left: Excluded) -> None:
    """Raise DataError when nothing was drawn, with what stood in the way, from the table on."""
    if not drawn.pictures:
        why = left.reasons(side) or ": no image is annotated for it"
        raise DataError(f"not one {side} image can be used{why}")
