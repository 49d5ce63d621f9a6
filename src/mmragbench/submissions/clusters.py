"""Clusters of queries: those about one image are not independent, and are resampled together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmragbench._printable import quoted
from mmragbench.errors import DataError, listed
from mmragbench.formats.coco_captions import read_captions
from mmragbench.formats.json_values import read_json
from mmragbench.formats.judgements import Grades
from mmragbench.formats.text_lines import read_lines
from mmragbench.formats.trec import escaped
from mmragbench.formats.values import as_id, refuse_contradictions

GROUPS = (
    "a query and its group (the image that it is about) on each line, separated by a tab; or COCO's "
    "caption annotations (.json), whose ids are the queries"
)
_TITLES = ("query", "query-id", "query_id", "qid", "id")
"""Names of the first column by which a header of a file of groups is known."""

CAPTION_ID = re.compile(r"(.+)#[0-9]+")
"""A caption's id as Flickr8k and Flickr30k have it: its image, and its number."""


@dataclass(frozen=True)
class Clusters:
    """Which queries are resampled together.

    Attributes:
        groups: query -> group; a query that is not there stands for itself.
        basis: how it is known, in words; empty where it is not.
    """

    groups: Mapping[str, str]
    basis: str = ""

    @classmethod
    def of(cls, gold: Grades, file: Path | None = None) -> Clusters:
        """The clusters of judged queries: those that a file says; else queries that are named
        `image#number`, as captions are; else, where each query has one relevant document alone, the
        queries that share it.

        Raises:
            DataError: as `read_groups`.
        """
        if file:
            return cls(read_groups(file, gold), f"by {file.name}")
        names = {query: match[1] for query in gold if (match := CAPTION_ID.fullmatch(query))}
        if names:
            return cls(names, "by their ids, image#number")
        relevant = {query: [d for d, g in own.items() if g > 0] for query, own in gold.items()}
        if all(len(documents) < 2 for documents in relevant.values()):
            shared = {query: documents[0] for query, documents in relevant.items() if documents}
            return cls(shared, "by their only relevant document")
        return cls({})


def read_groups(path: Path, queries: Iterable[str]) -> Mapping[str, str]:
    """Query -> group, of a table (a header line is left out) or of COCO's caption annotations.

    Args:
        queries: the judged queries, of which some must be in the file.

    Raises:
        DataError: it is neither; none of the queries is there; a query has two groups.
    """
    known = set(queries)
    pairs = list(_of_captions(path) if path.suffix == ".json" else _pairs(path))
    if pairs and pairs[0][0].lower() in _TITLES and pairs[0][0] not in known:
        pairs = pairs[1:]
    if not any(query in known for query, _ in pairs):
        swapped = any(group in known for _, group in pairs)
        hint = "the columns are the other way round: the query comes first"
        raise DataError(
            f"{path}: not one of its {len(pairs):,} entries is about a query of the judgements: it has "
            f"{listed(dict.fromkeys(query for query, _ in pairs), 1) or 'nothing'}, they have "
            f"{listed(known and sorted(known), 1)}; "
            f"{hint if swapped else 'do the ids agree?'} (expected {GROUPS})"
        )
    groups: dict[str, str] = {}
    contradictory = [query for query, group in pairs if groups.setdefault(query, group) != group]
    refuse_contradictions(str(path), "queries", contradictory)
    return groups


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The query and the group of every line."""
    for number, line in read_lines(path, GROUPS):
        fields = [field.strip() for field in line.split("\t")]
        if line.strip():
            if len(fields) != 2 or not all(map(as_id, fields)):
                raise DataError(f"{path}, line {number} is {quoted(line)}; expected {GROUPS}")
            yield escaped(fields[0]), fields[1]


def _of_captions(path: Path) -> Iterator[tuple[str, str]]:
    """The id and the image of every caption."""
    content = read_json(path, GROUPS)
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list):
        raise DataError(f"{path} is not what it should be: expected {GROUPS}")
    for caption in read_captions(path, annotations, []):
        if caption.id:
            yield escaped(caption.id), caption.image
