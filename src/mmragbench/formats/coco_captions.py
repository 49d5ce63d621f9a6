"""COCO's caption annotations and its results format: captions by `image_id`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError
from mmragbench.formats.json_values import read_json
from mmragbench.formats.values import as_id, described, not_a_text, refuse_contradictions
from mmragbench.records import Exclusion

RESULTS = "COCO results, a list of {image_id, caption}"


class Caption(NamedTuple):
    """An annotation: its image's id, its own id ("" without a usable one), and its caption.

    The caption is the file's value, which may be no text.
    """

    image: str
    id: str
    text: object


def read_captions(
    path: Path, annotations: Sequence[Any], excluded: list[Exclusion]
) -> Iterator[Caption]:
    """The captions of a list of annotations, in its order; broken ones are appended to `excluded`.

    An annotation needs an `image_id`, as in pycocoevalcap; its own id may be missing.
    """
    for place, row in enumerate(annotations):
        record = row if isinstance(row, dict) else {}
        image, id = as_id(record.get("image_id")), as_id(record.get("id"))
        if image is None or "caption" not in record:
            where = f"{path.name}: annotations[{place}]"
            reason = f"{quoted(row)} has no usable image_id, or no caption"
            excluded.append(Exclusion("broken annotation", id or where, f"{where}: {reason}"))
        else:
            yield Caption(image, id or "", record["caption"])


class Results(NamedTuple):
    """Image id -> caption (or None), and the ids that occur twice with the same caption."""

    captions: dict[str, str | None]
    repeated: list[str]


def read_results(path: Path) -> Results:
    """The captions of a file in COCO's results format.

    Raises:
        DataError: not COCO's results format, or an image has two different captions.
    """
    captions: dict[str, str | None] = {}
    repeated: list[str] = []
    contradictory: list[str] = []
    for id, caption in _results(path):
        if id in captions:
            (repeated if captions[id] == caption else contradictory).append(id)
        captions.setdefault(id, caption)
    refuse_contradictions(str(path), "images", contradictory)
    return Results(captions, repeated)


def _results(path: Path) -> Iterator[tuple[str, str | None]]:
    rows = read_json(path, RESULTS)
    if not isinstance(rows, list):
        raise DataError(f"{path} is {described(rows)}; expected {RESULTS}")
    for place, row in enumerate(rows):
        record = row if isinstance(row, dict) else {}
        id, caption = as_id(record.get("image_id")), record.get("caption")
        reason = "" if caption is None else not_a_text(caption)
        if "caption" not in record:
            reason = "no caption"
        if id is None or reason:
            raise DataError(
                f"{path}: entry {place} is {quoted(row)} ({reason or 'no usable image_id'}); "
                f"expected {RESULTS}"
            )
        yield id, caption
