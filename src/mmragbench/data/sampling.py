"""Which pictures are used: every id once, drawn by a seed, without what cannot be used."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from mmragbench.data.entries import Drawn, Entry, Picture
from mmragbench.data.intake import OUTSIDE, take_in
from mmragbench.errors import BadImage, DataError, listed
from mmragbench.formats.values import not_a_text
from mmragbench.records import Exclusion, Image, Text

CAPTIONS = "captions"

MAX_CAPTION = 1_000
"""Characters. A longer caption is a mistake in the data: no encoder reads so far."""


def unique(entries: Sequence[Entry]) -> tuple[list[Entry], list[Exclusion]]:
    """Every image id once, the first wins; and every caption id.

    Captions belong to their image, whatever their own ids are: where an id is missing, or several
    captions have it, all captions of the image are known as `<image id>#<number>`, from 0, and a
    warning says so. Images that come again are named.
    """
    entries_by_id: dict[str, Entry] = {}
    excluded: list[Exclusion] = []
    for entry in entries:
        if entry.id in entries_by_id:
            reason = f"{entry.file}: the id belongs to {entries_by_id[entry.id].file}"
            excluded.append(Exclusion("duplicate image id", entry.id, reason))
        else:
            entries_by_id[entry.id] = entry
    counts = Counter(id for entry in entries_by_id.values() for id, _ in entry.captions)
    repeated = {id: n for id, n in counts.items() if n > 1 and id}
    if repeated:
        warnings.warn(
            f"{sum(repeated.values()):,} captions share {len(repeated):,} ids ({listed(repeated)}); "
            "all of them count, as <image id>#<number>",
            stacklevel=2,
        )
    taken: set[str] = set()
    known = [_numbered(entry, repeated.keys() | {""}) for entry in entries_by_id.values()]
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
    pictures_by_place: dict[int, Picture] = {}
    excluded: list[Exclusion] = []
    while order and (limit is None or len(pictures_by_place) < limit):
        wanted = len(order) if limit is None else limit - len(pictures_by_place)
        now, order = order[:wanted], order[wanted:]
        pictures, refused = admit([entries[at] for at in now], index)
        excluded += refused
        pictures_by_place |= {
            at: pictures[entries[at].id] for at in now if entries[at].id in pictures
        }
    rest = [entries[at] for at in sorted(order)]
    return Drawn([pictures_by_place[at] for at in sorted(pictures_by_place)], rest, excluded)


def warn_of_fewer(limit: str, most: int | None, n: int, noun: str) -> None:
    """Warn where a limit (an argument's name, and its value) is larger than the data."""
    if most is not None and n < most:
        warnings.warn(
            f"{limit}: {most:,} is more than there are: all {n:,} {noun} are used", stacklevel=2
        )


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
        entry.id: Picture(
            files[entry.id], captions[entry.id], entry.categories, entry.slices, entry.label
        )
        for entry in entries
        if entry.id in files
    }
    return pictures, excluded + refused


def _captions(entry: Entry) -> tuple[tuple[Text, ...], list[Exclusion]]:
    """The captions that can be used, as they are (escaping is the renderers' affair)."""
    texts: list[Text] = []
    excluded: list[Exclusion] = []
    for id, caption in entry.captions:
        kind, reason = _objection(caption)
        if kind:
            excluded.append(Exclusion(kind, id, f"image {entry.id}: {reason}", CAPTIONS))
        else:
            texts.append(Text(id, str(caption)))
    return tuple(texts), excluded


def _objection(caption: object) -> tuple[str, str]:
    if isinstance(caption, str) and not caption.strip():
        return "empty caption", "nothing but white space"
    if isinstance(caption, str) and len(caption) > MAX_CAPTION:
        return "caption too long", f"{len(caption):,} characters, at most {MAX_CAPTION:,}"
    reason = not_a_text(caption)
    return ("caption is no text", reason) if reason else ("", "")
