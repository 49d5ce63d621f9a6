"""COCO's caption annotations and its results format: captions by `image_id`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError
from mmragbench.formats.json_values import read_json
from mmragbench.formats.values import as_id, contradiction, not_a_text
from mmragbench.records import Exclusion

RESULTS = "COCO results, a list of {image_id, caption}"


class Caption(NamedTuple):
    """An annotation: the image that it is about, its own id ("" where it has none that can be
    used), and the caption as it stands, which may be no text."""

    image: str
    id: str
    text: object


def read_captions(
    path: Path, annotations: Sequence[Any], excluded: list[Exclusion]
) -> Iterator[Caption]:
    """The captions of a list of annotations, in its order; what is none is appended to `excluded`.

    What decides is `image_id`, as in pycocoevalcap: an annotation's own id may be missing.
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


def read_results(path: Path) -> tuple[dict[str, str | None], list[str]]:
    """Image id -> caption (or None), and the ids that were given twice with the same caption.

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
    contradiction(str(path), "images", contradictory)
    return captions, repeated


def _results(path: Path) -> Iterator[tuple[str, str | None]]:
    rows = read_json(path, RESULTS)
    if not isinstance(rows, list):
        raise DataError(f"{path} is not what it should be: expected {RESULTS}")
    for place, row in enumerate(rows):
        record = row if isinstance(row, dict) else {}
        id, caption = as_id(record.get("image_id")), record.get("caption", False)
        reason = "" if caption is None else not_a_text(caption)
        if id is None or reason:
            raise DataError(
                f"{path}: entry {place} is {quoted(row)} ({reason or 'no usable image_id'}); "
                f"expected {RESULTS}"
            )
        yield id, caption
