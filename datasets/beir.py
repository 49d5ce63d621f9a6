"""BEIR's layout: a corpus, queries and graded judgements; texts, images, or both on either side."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from mmragbench.captioned import is_id
from mmragbench.errors import DataError
from mmragbench.exclusions import Excluded
from mmragbench.intake import OUTSIDE, inside, take_in
from mmragbench.records import Document, Exclusion, Image, Query, Task, Text
from mmragbench.registry import dataset

MAX_TEXT = 1_000_000
"""Characters. A longer text is a mistake in the data: a book is no passage."""

_HEADER = ("query-id", "corpus-id", "score")


@dataclass(frozen=True)
class Item:
    """A line of the corpus or of the queries: what it says, and the file that it names."""

    id: str
    text: str
    file: str


@dataclass(frozen=True)
class Taken:
    """What came in of one file, by id, and the pictures that did."""

    items: Mapping[str, Item]
    images: Mapping[str, Image]


@dataclass(frozen=True)
class _Reader:
    """Reads one side below a root; `prefix` goes before the ids of its texts and images. Pictures
    that can't be used are told apart from lines: a document keeps its text."""

    root: Path
    prefix: str
    excluded: list[Exclusion]
    pictures: list[Exclusion] = field(default_factory=list)

    def take(self, path: Path, wanted: Mapping[str, object] | None = None) -> Taken:
        """All items of a JSON Lines file, or those that are wanted, with pictures taken in."""
        from mmragbench.cache import folder

        items: dict[str, Item] = {}
        for number, row in _lines(path, self.excluded):
            item = self._item(path, number, row)
            if item is None or (wanted is not None and item.id not in wanted):
                continue
            if item.id in items:
                self._exclude("duplicate id", item.id, f"{path.name}:{number}: the first one stays")
            else:
                items[item.id] = item
        images = {id: file for id, item in items.items() if (file := self._image(path, item))}
        taken, refused = take_in(list(images.values()), folder() / "intake.sqlite")
        self.pictures.extend(refused)
        names = {f"{self.prefix}{id}": id for id in images}
        return Taken(items, {names[image.id]: image for image in taken})

    def _item(self, path: Path, number: int, row: dict[str, Any]) -> Item | None:
        id, where = row.get("_id"), f"{path.name}:{number}"
        if not is_id(id):
            self._exclude("broken annotation", where, "a line without a usable _id")
            return None
        parts = [row.get(name) or "" for name in ("title", "text")]
        file = row.get("image") or ""
        wrong = [value for value in (*parts, file) if not isinstance(value, str)]
        if wrong:
            kind = type(wrong[0]).__name__
            self._exclude("broken annotation", str(id), f"{where}: {kind} where text belongs")
            return None
        text = " ".join(parts).strip()
        if len(text) > MAX_TEXT or not _is_text(text):
            reason = f"{where}: more than {MAX_TEXT:,} characters, or no valid Unicode"
            self._exclude("text cannot be used", str(id), reason)
            return None
        return Item(str(id), text, file)

    def _image(self, path: Path, item: Item) -> Image | None:
        if not item.file:
            return None
        try:
            return Image(f"{self.prefix}{item.id}", inside(self.root, item.file))
        except DataError as error:
            self.pictures.append(Exclusion(OUTSIDE, item.id, f"{path.name}: {error}"))
            return None

    def _exclude(self, kind: str, id: str, reason: str) -> None:
        self.excluded.append(Exclusion(kind, id, reason))


@dataset
class Beir:
    """A retrieval dataset in BEIR's layout, with images where lines name them."""

    def __init__(
        self,
        root: Path,
        split: str = "test",
        images: Path = Path(),
        limit: int | None = None,
        seed: int = 0,
    ) -> None:
        """Nothing is read before `tasks`.

        Below the root lie `corpus.jsonl` (`_id`, `title`, `text`, `image`), `queries.jsonl`
        (`_id`, `text`, `image`) and `qrels/<split>.tsv`. A file is read line by line; documents'
        texts are held, images are not.

        Args:
            root: the folder that everything lies in.
            split: which judgements.
            images: the folder that the names of images start from; the root by default.
            limit: how many of the judged queries to draw; all by default. The corpus stays whole.
            seed: for the draw.
        """
        self.root = Path(root).expanduser()
        self.split = split
        self.images = images
        self.limit = limit
        self.seed = seed

    def tasks(self) -> dict[str, Task]:
        """One task, `retrieval`: the queries of the split against the whole corpus.

        Title and text are joined by a space, as BEIR does. A text or image of query `7` is known
        as `query:7` to vectors made elsewhere, since a document may have the same id; that both
        have it means nothing else, and such a hit counts. A document whose image cannot be used
        keeps its text; a query is only asked whole.

        Raises:
            DataError: a file is missing or not what it should be, or no query or document can be
                used.
        """
        broken: list[Exclusion] = []
        judged = read_qrels(self.root / "qrels" / f"{self.split}.tsv", broken)
        folder = self.root / self.images
        corpus, questions = _Reader(folder, "", []), _Reader(folder, "query:", [])
        memory = _documents(corpus.take(self.root / "corpus.jsonl"), corpus.excluded)
        asked = _queries(questions.take(self.root / "queries.jsonl", judged), questions.excluded)
        left = Excluded()
        left.add("lines of judgements", sum(map(len, judged.values())), broken)
        left.add("documents", len(memory), corpus.excluded)
        left.add("document images", _pictured(memory), corpus.pictures)
        left.add("queries", len(asked), questions.excluded)
        left.add("query images", _pictured(asked), questions.pictures)
        known = {document.id for document in memory}
        qrels = {query.id: _held(judged[query.id], known) for query in asked}
        _unknown(judged, {query.id for query in asked}, known, left)
        if not memory or not asked:
            noun, nouns = ("query", "queries") if memory else ("document", "documents")
            raise DataError(f"{self.root}: not one {noun} can be used{left.reasons(nouns)}")
        queries = _draw(asked, self.limit, self.seed)
        kept = {query.id: qrels[query.id] for query in queries}
        named = tuple(left.exclusions)
        task = Task("retrieval", memory, queries, kept, exclusions=named, totals=left.totals)
        return {task.name: task}


def read_qrels(path: Path, excluded: list[Exclusion]) -> dict[str, dict[str, int]]:
    """Query id -> document id -> grade; lines that say neither are appended to `excluded`.

    Raises:
        DataError: the file is missing, or its first line does not name BEIR's columns.
    """
    qrels: dict[str, dict[str, int]] = {}
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            header = [name.strip() for name in next(rows, [])]
            if not set(_HEADER) <= set(header):
                raise DataError(f"{path}: expected tab-separated {', '.join(_HEADER)} in line 1")
            places = [header.index(name) for name in _HEADER]
            for number, row in enumerate(rows, 2):
                try:
                    query, document, grade = (row[place].strip() for place in places)
                    qrels.setdefault(query, {})[document] = int(grade)
                except (IndexError, ValueError):
                    if row:
                        where = f"{path.name}:{number}"
                        reason = "not a query, a document and a whole grade"
                        excluded.append(Exclusion("broken judgement", where, reason))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}){_splits(path)}") from error
    return qrels


def _splits(path: Path) -> str:
    there = sorted(file.stem for file in path.parent.glob("*.tsv"))
    return f"; there is {', '.join(there)}" if there else "; expected BEIR's qrels/<split>.tsv"


def _documents(taken: Taken, excluded: list[Exclusion]) -> list[Document]:
    documents = []
    for id, item in taken.items.items():
        image = taken.images.get(id)
        if image or item.text:
            texts = (Text(id, item.text),) if item.text else ()
            documents.append(Document(id, image, texts))
        else:
            excluded.append(Exclusion("empty document", id, "neither a text nor a usable image"))
    return documents


def _queries(taken: Taken, excluded: list[Exclusion]) -> list[Query]:
    queries = []
    for id, item in taken.items.items():
        image = taken.images.get(id)
        if item.file and image is None:
            excluded.append(Exclusion("query without its image", id, item.file))
        elif image or item.text:
            text = Text(f"query:{id}", item.text) if item.text else None
            queries.append(Query(id, image, text, group=id))
        else:
            excluded.append(Exclusion("empty query", id, "neither a text nor an image"))
    return queries


def _held(grades: Mapping[str, int], known: set[str]) -> dict[str, int]:
    return {id: grade for id, grade in grades.items() if id in known}


def _unknown(
    judged: Mapping[str, Mapping[str, int]], asked: set[str], known: set[str], left: Excluded
) -> None:
    """Judgements that fit nothing: of queries that are not asked, of documents that are not there."""
    queries = [id for id in judged if id not in asked]
    every = dict.fromkeys(id for query in judged for id in judged[query])
    documents = [id for id in every if id not in known]
    left.add(
        "judged queries",
        len(judged) - len(queries),
        (Exclusion("judged query not asked", id, "no usable query has this id") for id in queries),
    )
    left.add(
        "judged documents",
        len(every) - len(documents),
        (Exclusion("judged document not in corpus", id, "not a document") for id in documents),
    )


def _pictured(items: Sequence[Document | Query]) -> int:
    return sum(item.image is not None for item in items)


def _draw(queries: list[Query], limit: int | None, seed: int) -> list[Query]:
    """At most so many, by the hashes of their ids, in the file's order."""
    if limit is None:
        return queries
    if limit < 1:
        raise DataError(f"a limit of {limit} leaves nothing to draw; write 1 or more")
    ranked = sorted(queries, key=lambda query: sha256(f"{seed} {query.id}".encode()).digest())
    kept = {query.id for query in ranked[:limit]}
    return [query for query in queries if query.id in kept]


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _lines(path: Path, excluded: list[Exclusion]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file with their line numbers; other lines are named."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = _object(line)
                    if row is not None:
                        yield number, row
                    else:
                        where, reason = f"{path.name}:{number}", "not an object in JSON"
                        excluded.append(Exclusion("broken annotation", where, reason))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
