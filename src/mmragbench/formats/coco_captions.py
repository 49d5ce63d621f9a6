"""COCO's caption annotations: captions by `image_id`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench._printable import quoted
from mmragbench.formats.values import as_id
from mmragbench.records import Exclusion


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
