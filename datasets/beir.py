"""BEIR's layout: a corpus, queries and graded judgements; texts, images, or both on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from mmragbench._printable import one_line, quoted
from mmragbench.contracts import Requirement
from mmragbench.data.entries import Limit
from mmragbench.data.exclusions import Excluded
from mmragbench.data.files import required_folder
from mmragbench.data.intake import OUTSIDE, inside, take_in
from mmragbench.data.sampling import warn_of_fewer
from mmragbench.errors import DataError, listed
from mmragbench.formats.json_values import read_objects
from mmragbench.formats.judgements import Grades, read_judgements
from mmragbench.formats.values import as_id, is_unicode
from mmragbench.records import Document, Exclusion, Image, OutputKind, Query, Task, Text
from mmragbench.registry import dataset

MAX_TEXT = 1_000_000
"""Characters. A longer text is a mistake in the data: a book is no passage."""

_EXPECTED = 'BEIR\'s lines, like {"_id": "d1", "title": "", "text": "…"}'


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
        from mmragbench.cache.cache import folder

        items: dict[str, Item] = {}
        for number, row, reason in read_objects(path, _EXPECTED):
            item = self._item(f"{path.name}:{number}", row, reason)
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

    def _item(self, where: str, row: dict[str, Any] | None, reason: str) -> Item | None:
        id = as_id(row.get("_id")) if row is not None else None
        if row is None or id is None:
            hint = "; it has 'id', which BEIR calls _id" if row and "id" in row else ""
            self._exclude("broken annotation", where, reason or f"no usable _id{hint}")
            return None
        title, text, file = (_or_empty(row.get(name)) for name in ("title", "text", "image"))
        wrong = [value for value in (title, text, file) if not isinstance(value, str)]
        if wrong:
            kind = type(wrong[0]).__name__
            self._exclude("broken annotation", id, f"{where}: {kind} where text belongs")
            return None
        text = f"{title} {text}".strip()
        if len(text) > MAX_TEXT or not is_unicode(text):
            reason = f"{where}: more than {MAX_TEXT:,} characters, or no valid Unicode"
            self._exclude("text cannot be used", id, reason)
            return None
        return Item(id, text, file)

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

    outputs: ClassVar[Mapping[str, OutputKind]] = {"retrieval": "none"}

    def __init__(
        self,
        root: Path,
        split: str = "test",
        images: Path = Path(),
        limit: Limit | None = None,
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

    def requirements(self) -> list[Requirement]:
        """The folder, where it is not there."""
        files = ["corpus.jsonl", "queries.jsonl", f"qrels/{self.split}.tsv"]
        return required_folder(self.root, files)

    def tasks(self) -> dict[str, Task]:
        """One task, `retrieval`: the queries of the split against the whole corpus.

        Title and text are joined by a space, as BEIR does. A text or image of query `7` is known
        as `query:7` to vectors made elsewhere, since a document may have the same id; that both
        have it means nothing else, and such a hit counts. A document whose image cannot be used
        keeps its text; a query is only asked whole. A judged document that is not in the corpus is
        named, and stays among the documents that should be found, as in trec_eval.

        Raises:
            DataError: a file is missing or not what it should be (`formats.judgements` says what a
                judgement is), or no query or document can be used.
        """
        left = Excluded()
        judged = self._judgements(left)
        memory = self._documents(left)
        asked = self._queries(judged, left)
        _unknown(judged, asked, {document.id for document in memory}, left)
        queries = _draw(asked, self.limit, self.seed)
        warn_of_fewer("limit", self.limit, len(queries), "judged queries")
        kept = {query.id: judged[query.id] for query in queries}
        named = tuple(left.exclusions)
        task = Task("retrieval", memory, queries, kept, exclusions=named, totals=left.totals)
        return {task.name: task}

    def _judgements(self, left: Excluded) -> Grades:
        """The split's judgements; a pair that is judged twice alike counts once."""
        path = self.root / "qrels" / f"{self.split}.tsv"
        if path not in path.parent.glob("*.tsv"):
            name = one_line(path, 160)
            raise DataError(f"{name} cannot be read (there is no such file){_splits(path)}")
        grades, repeated = read_judgements(path)
        reason = f"{path.name}: the same grade twice, counted once"
        twice = (Exclusion("repeated judgement", pair, reason) for pair in repeated)
        left.add("judgements", sum(map(len, grades.values())), twice)
        return grades

    def _documents(self, left: Excluded) -> list[Document]:
        path = self.root / "corpus.jsonl"
        reader = _Reader(self.root / self.images, "", [])
        memory = _documents(reader.take(path), reader.excluded)
        left.add("documents", len(memory), reader.excluded)
        left.add("document images", _pictured(memory), reader.pictures)
        if not memory:
            why = left.reasons("document") or ": it is empty"
            raise DataError(f"{path}: not one document can be used{why}")
        return memory

    def _queries(self, judged: Grades, left: Excluded) -> list[Query]:
        path = self.root / "queries.jsonl"
        reader = _Reader(self.root / self.images, "query:", [])
        queries = _queries(reader.take(path, judged), reader.excluded)
        left.add("queries", len(queries), reader.excluded)
        left.add("query images", _pictured(queries), reader.pictures)
        if not queries:
            rows = (row for _, row, _ in read_objects(path, _EXPECTED) if row)
            first = next(rows, None)
            ids = (
                f"it has {quoted(first.get('_id'))}, {listed(judged, 1)} is judged"
                if first
                else "it is empty"
            )
            raise DataError(
                f"{path}: not one query can be used{left.reasons('quer') or f': {ids}'}"
            )
        return queries


def _or_empty(value: object) -> Any:
    return "" if value is None else value


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


def _unknown(
    judged: Mapping[str, Mapping[str, int]],
    queries: Sequence[Query],
    known: set[str],
    left: Excluded,
) -> None:
    """Judgements that fit nothing: of queries that are not asked, of documents that are not there;
    and queries that are asked and not scored, since no document is relevant."""
    ids = {query.id for query in queries}
    queries = [id for id in judged if id not in ids]
    bare = [id for id in judged if id in ids and max(judged[id].values()) < 1]
    every = dict.fromkeys(id for query in judged for id in judged[query])
    documents = [id for id in every if id not in known]
    left.add(
        "judged queries",
        len(judged) - len(queries) - len(bare),
        [
            *(Exclusion("judged query not asked", id, "no usable query has it") for id in queries),
            *(Exclusion("no relevant document", id, "no grade of 1 or more") for id in bare),
        ],
    )
    if len(bare) == len(ids):
        raise DataError(f"not one query can be scored{left.reasons('judged queries')}")
    missing = "not a document; if it is relevant, it stays among what should be found"
    left.add(
        "judged documents",
        len(every) - len(documents),
        (Exclusion("judged document not in corpus", id, missing) for id in documents),
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
