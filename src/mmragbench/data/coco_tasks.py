"""The common ground of COCO-style data: pictures with captions, and the four tasks they pose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mmragbench.data.entries import Drawn, Entry, Picture, Sample
from mmragbench.data.exclusions import Excluded
from mmragbench.data.sampling import CAPTIONS, draw, unique, warn_of_fewer
from mmragbench.data.silver import Silver
from mmragbench.data.splits import n_drawn
from mmragbench.errors import DataError, listed
from mmragbench.records import Document, OutputKind, Query, Task

OUTPUTS: Mapping[str, OutputKind] = {
    "text-to-image": "none",
    "image-to-text": "none",
    "captioning": "caption",
    "image-generation": "image",
}
"""Task of COCO-style data -> what is produced in it."""


def build_tasks(
    queries: Sequence[Entry],
    memory: Sequence[Entry] | None,
    sample: Sample,
    excluded: Excluded | None = None,
) -> dict[str, Task]:
    """From annotations to tasks: draw, take the files in, pose.

    Args:
        queries: the query split.
        memory: the memory split; None takes what the draw of the queries leaves.
        sample: how much of them. Where the draw has to leave a memory and no limit is given, it is
            `mmragbench.data.splits.n_drawn`.
        excluded: what reading the annotations has already left out; more is added.

    Raises:
        DataError: a split without a usable picture, or an image in both.
    """
    from mmragbench.cache.cache import folder

    index = folder() / "intake.sqlite"
    left = excluded or Excluded()
    if memory is None and sample.queries is None:
        sample = sample._replace(queries=n_drawn(len(queries)))
    query_entries = _unique("query", queries, left)
    query_draw = draw(query_entries, sample.queries, sample.seed, index)
    memory_entries = _unique("memory", query_draw.rest if memory is None else memory, left)
    memory_draw = draw(memory_entries, sample.memory, sample.seed, index)
    _count("query", query_draw, left)
    _some("query", query_draw, query_entries, left)
    if memory is None and not memory_entries:
        raise DataError(
            f"the limit of {sample.queries:,} leaves nothing for the memory: there are "
            f"{len(query_draw.pictures):,} images that can be used{left.reasons('query')}; write a lower "
            "limit"
        )
    _count("memory", memory_draw, left)
    _some("memory", memory_draw, memory_entries, left)
    warn_of_fewer("limit", sample.queries, len(query_draw.pictures), "query images")
    warn_of_fewer("memory_limit", sample.memory, len(memory_draw.pictures), "memory images")
    return tasks(memory_draw.pictures, query_draw.pictures, left)


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
    task_list = (
        _text_to_image(queries),
        _image_to_text(queries),
        *_generation(memory, queries),
    )
    named = tuple(left.exclusions)
    return {task.name: replace(task, exclusions=named, totals=left.totals) for task in task_list}


def _text_to_image(queries: Sequence[Picture]) -> Task:
    captioned = [(caption, picture) for picture in queries for caption in picture.captions]
    return Task(
        name="text-to-image",
        memory=[Document(picture.id, image=picture.image) for picture in queries],
        queries=[Query(c.id, text=c, group=picture.id) for c, picture in captioned],
        qrels={c.id: {picture.id: 1} for c, picture in captioned},
        slices=_slices((c.id, picture) for c, picture in captioned),
        categories={c.id: picture.categories for c, picture in captioned},
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

    def task(name: str, queries_of_task: Sequence[Query]) -> Task:
        output = OUTPUTS[name]
        own = {query.id: picture for query, picture in zip(queries_of_task, queries, strict=True)}
        return Task(
            name=name,
            memory=pairs,
            queries=queries_of_task,
            qrels=silver.qrels(tuple(own)),
            relevance=silver.label,
            output=output,
            references={id: tuple(c.content for c in p.captions) for id, p in own.items()},
            targets={id: p.image for id, p in own.items()} if output == "image" else {},
            labels={id: picture.label for id, picture in own.items() if picture.label},
            memory_labels={picture.id: picture.label for picture in memory if picture.label},
            slices=_slices(own.items()),
            categories={id: picture.categories for id, picture in own.items()},
            affinity=silver.affinity(tuple(own)),
        )

    return (
        task("captioning", _by_image(queries)),
        task("image-generation", firsts),
    )


def _by_image(queries: Sequence[Picture]) -> list[Query]:
    return [Query(picture.id, image=picture.image, group=picture.id) for picture in queries]


def _slices(pictures_by_query: Iterable[tuple[str, Picture]]) -> Mapping[str, frozenset[str]]:
    ids_by_slice: dict[str, set[str]] = {}
    for id, picture in pictures_by_query:
        for name in picture.slices:
            ids_by_slice.setdefault(name, set()).add(id)
    return {name: frozenset(ids) for name, ids in sorted(ids_by_slice.items())}


def _apart(memory: Sequence[Picture], queries: Sequence[Picture]) -> None:
    shared = sorted({picture.id for picture in memory} & {picture.id for picture in queries})
    if shared:
        raise DataError(
            f"memory and queries share {len(shared):,} images ({', '.join(shared[:3])}"
            f"{', ...' if len(shared) > 3 else ''}): a query would find itself; name other splits"
        )


def _some(side: str, drawn: Drawn, entries: Sequence[Entry], left: Excluded) -> None:
    """Raise DataError when nothing was drawn, with what stood in the way, from the table on."""
    if not drawn.pictures:
        why = left.reasons(side) or ": no image is annotated for it"
        raise DataError(f"not one {side} image can be used{why}{_lacking(entries)}")


def _lacking(entries: Sequence[Entry]) -> str:
    """The end of an error: what the folder of the first entry has in place of its file."""
    first = next((entry for entry in entries if entry.fetch is None), None)
    if first is None or (first.folder / first.file).exists():
        return ""
    if not first.folder.is_dir():
        return f"; there is no folder {first.folder}"
    names = sorted(path.name for path in first.folder.iterdir())
    return f"; {first.folder} has {listed(names, 1) or 'no files'}"
