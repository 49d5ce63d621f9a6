"""The nouns. Frozen, defined once; nothing else crosses a folder boundary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

if TYPE_CHECKING:
    import PIL.Image

Modality = Literal["image", "text"]
OutputKind = Literal["none", "caption", "answer", "image"]
Better = Literal["higher", "lower"]
Distance = Literal["FID", "KID"]
Control = Literal["floor", "chance", "ceiling"]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by reference: opened when asked, never held.

    `digest` is the SHA-256 of the file's bytes (hex), set when a dataset takes the file in.
    """

    id: str
    path: Path
    digest: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether the file is there and, where the digest is known, still has its bytes."""
        from mmragbench._files import file_digest

        try:
            return self.path.is_file() and self.digest in ("", file_digest(self.path))
        except OSError:
            return False

    def open(self, side: int | None = None) -> PIL.Image.Image:
        """Decode the file: an RGB picture, EXIF orientation applied.

        Args:
            side: a JPEG may come smaller than it is, with both sides at least this long (pixels).

        Raises:
            BadImage: the file is missing, truncated, empty, too large or not an image.
        """
        from mmragbench._decoding import open_image

        return open_image(self.path, side)


@dataclass(frozen=True, slots=True)
class Text:
    """A text with the id under which vectors made elsewhere know it."""

    id: str
    content: str

    @property
    def digest(self) -> str:
        """SHA-256 of the UTF-8 bytes, hex."""
        return sha256(self.content.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """One memory entry; the image or the texts may be absent."""

    id: str
    image: Image | None = None
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What the user asks with. Queries about one image share a `group` and are resampled together."""

    id: str
    image: Image | None = None
    text: Text | None = None
    group: str = ""


class Hit(NamedTuple):
    """A document and its score (unitless; higher is better)."""

    id: str
    score: float


class Hits(Sequence[Hit]):
    """Hits in two columns, as stores and files have them; each is made when it is asked for.

    A run has hits by the hundred thousand: as objects they take ten times the memory, and the time
    to make them is felt.
    """

    __slots__ = ("ids", "scores")

    def __init__(self, ids: Sequence[str] = (), scores: Sequence[float] = ()) -> None:
        self.ids, self.scores = ids, scores

    @classmethod
    def of(cls, hits: Iterable[tuple[str, float]]) -> Hits:
        """The same hits in columns."""
        if isinstance(hits, Hits):
            return hits
        columns = tuple(zip(*hits, strict=True))
        return cls(*columns)

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> Hits: ...
    def __getitem__(self, at: int | slice) -> Hit | Hits:
        if isinstance(at, slice):
            return Hits(self.ids[at], self.scores[at])
        return Hit(self.ids[at], self.scores[at])

    def __iter__(self) -> Iterator[Hit]:
        # several times as fast as Hit(id, score)
        return map(partial(tuple.__new__, Hit), zip(self.ids, self.scores, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


@dataclass(frozen=True, slots=True)
class Ranking:
    """The hits for one query, best first. Ties: score descending, then id descending (trec_eval).

    One without hits scores 0; one with an `error` was never made, and is not scored.
    """

    query: str
    hits: Sequence[Hit] = ()
    error: str | None = None

    @classmethod
    def of(cls, query: str, hits: Iterable[tuple[str, float]], k: int | None = None) -> Ranking:
        """Sort hits into trec_eval's order and keep the first `k`."""
        ordered = sorted(((float(score), id) for id, score in hits), reverse=True)
        return cls(query, tuple(Hit(id, score) for score, id in ordered[:k]))

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(Hits.of(self.hits).ids)


@dataclass(frozen=True, slots=True)
class Failure:
    """What took the place of one item's result: the reason why there is none. A server may have
    charged for it all the same (`Reply` says in which units)."""

    reason: str
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a chat model or a painter is told: texts and pictures in order, in one turn.

    `seed` is for those that sample: painters, and chat models with a temperature. `documents` says
    how many of the parts, from the first, belong to each retrieved document, best first.
    """

    parts: tuple[str | Image, ...]
    system: str = ""
    seed: int = 0
    documents: tuple[int, ...] = ()

    def without_last_document(self) -> Prompt:
        """The same prompt without the parts of its last document."""
        *others, last = self.documents
        end = sum(others)
        parts = (*self.parts[:end], *self.parts[end + last :])
        return replace(self, parts=parts, documents=tuple(others))

    @property
    def images(self) -> tuple[Image, ...]:
        return tuple(part for part in self.parts if isinstance(part, Image))

    @property
    def text(self) -> str:
        """The texts alone, a part a line."""
        return "\n".join(part for part in self.parts if isinstance(part, str))

    def __str__(self) -> str:
        """All of it, a part a line; a picture is `[image <id> <start of its digest>]`."""
        parts = (
            part if isinstance(part, str) else f"[image {part.id} {part.digest[:12]}]"
            for part in self.parts
        )
        return "\n".join([*filter(None, [self.system]), *parts])


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model said.

    `prompt` is the text that it was really given, where a template made one out of the prompt.
    Tokens are as the model or its server counts them; 0 where it does not tell. `dollars` is what
    they came to by the suite's price, `retries` how often a server was asked again. `thoughts` are
    what a reasoning model wrote before its answer; `truncated` says that a length limit ended it.
    `dropped` is how many documents of the prompt, from the last, were left out since all of them are
    more than the model reads.
    """

    text: str
    prompt: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    retries: int = 0
    thoughts: str = ""
    truncated: bool = False
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a painter drew: pixels, of which the cache makes a file; the rest as in `Reply`."""

    picture: PIL.Image.Image | Image
    prompt: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    retries: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """What a generator answered for one query: a text or an image, or an error; never two of them.

    `shown` are the ids of the documents that the model was given; `prompt` what it was told, byte for
    byte.
    """

    query: str
    text: str | None = None
    image: Image | None = None
    error: str | None = None
    shown: tuple[str, ...] = ()
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a number or a whole result is not there: nothing failed, it does not apply or cannot be
    computed here; or a component crashed, which another run may not. In words, a crash begins with
    `failed: `.
    """

    reason: str
    kind: Literal["not applicable", "crashed"] = "not applicable"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Absence | None:
        """Why a row of `summary.json` has no number; None where it has one."""
        if not row.get("reason"):
            return None
        return cls(str(row["reason"]), row.get("absence") or "not applicable")

    @property
    def crashed(self) -> bool:
        """Whether a component raised something unforeseen; such results are computed again."""
        return self.kind == "crashed"

    def __str__(self) -> str:
        return f"failed: {self.reason}" if self.crashed else self.reason


@dataclass(frozen=True, slots=True)
class Score:
    """One measure on one query: a value (on the measure's raw scale), or the error instead of it.

    With neither, the query has no gold for this measure (no relevant document): it is not scored.
    """

    query: str
    value: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Something that a dataset could not use, by name, with the reason.

    Attributes:
        kind: what the report counts by (`truncated image`, `no captions`, ...).
        id: which one.
        reason: why.
        of: what it is one of, as `Task.totals` calls them: `query images`, `memory captions`, ...
    """

    kind: str
    id: str
    reason: str
    of: str = field(default="", compare=False)


@dataclass(frozen=True)
class Task:
    """What is asked: the memory, the queries, the gold, and what a generator has to produce.

    Attributes:
        name: `text-to-image`, `image-to-text`, `captioning`, `image-generation`, ...
        memory: what may be retrieved; sized and indexable.
        queries: what is asked.
        qrels: query id -> document id -> grade (1 and more is relevant). A query that is absent
            or has no relevant document is not scored for retrieval.
        relevance: where the grades come from: `gold`, `gold+` and the name of extended
            positives, or `silver:` and the rule.
        output: what a generator produces: `none` (retrieval only), `caption`, `answer` or `image`.
        references: query id -> reference captions (output `caption`; CLIPScore for images), or
            the answers that are right (output `answer`).
        targets: query id -> the real image (output `image`).
        labels: query id -> the class that its answer should show or name, by the class's name; a query
            that is absent has none. It need not be the class of the query's own picture: what is
            right may stand in the memory alone.
        memory_labels: document id -> the class that its picture shows.
        original_labels: query id -> what was right before the memory was edited, where it was.
        label_images: class -> pictures of it, where the memory has none.
        slices: slice name -> query ids. Every query is in the slice `all`, which is not listed.
        categories: query id -> what its image shows, where the dataset says so; for slices.
        exclusions: what the dataset could not use.
        totals: how many there were before anything was left out, by what exclusions are `of`:
            `query images`, ...; a dataset that counts nothing says nothing.
        affinity: for the `oracle` alone: query id -> document id -> closeness to the gold answer,
            which orders documents of the same grade.
        source: where the data came from, as far as the suite does not say it: the commit of a hub
            repository.
    """

    name: str
    memory: Sequence[Document]
    queries: Sequence[Query]
    qrels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    relevance: str = "gold"
    output: OutputKind = "none"
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: Mapping[str, Image] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    memory_labels: Mapping[str, str] = field(default_factory=dict)
    original_labels: Mapping[str, str] = field(default_factory=dict)
    label_images: Mapping[str, tuple[Image, ...]] = field(default_factory=dict)
    slices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    categories: Mapping[str, frozenset[str]] = field(default_factory=dict)
    exclusions: tuple[Exclusion, ...] = ()
    totals: Mapping[str, int] = field(default_factory=dict)
    affinity: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    source: str = ""

    def subset(self, ids: frozenset[str]) -> Task:
        """The same task asked with some of its queries only (a slice)."""
        return replace(self, queries=[q for q in self.queries if q.id in ids], slices={})


LAST_CUTOFF = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MeasureInfo:
    """What a measure says of its own numbers, at its definition (`registry.measures`); each row of
    `summary.json` stores it.

    Attributes:
        better: whether a higher or a lower number is better.
        unit: how numbers are shown: `%`, `×100` and `×1000` multiply them; anything else (`dB`)
            stands beside them; empty for the raw scale.
        margin: the loss that matters to the gate, if its user states no other: on the measure's raw
            scale (`0.02`), or a share of the baseline's number (`5%`).
        display: the name that reports show, if it is another than the measure's own.
        distance: for a distance between the features of generated images and of real ones: which of
            `statistics` tests it.
    """

    better: Better = "higher"
    unit: str = ""
    margin: str = "5%"
    display: str | None = None
    distance: Distance | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> MeasureInfo:
        """As a row of `summary.json` stores it.

        Raises:
            KeyError: the row does not say which direction is better.
        """
        return cls(
            row["better"], row["unit"], row["margin"], row.get("display"), row.get("distance")
        )

    def row(self) -> dict[str, str]:
        """For a row of `summary.json`."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure is a value: `Measure.parse(str(m)) == m`.

    `features` names the encoder whose features a distance is taken on: `FID(clip)`.
    `cutoff` is the rank at which a retrieval measure stops: `nDCG@10`.
    A measure whose definition was looked up, or that a run stored, also has its `info`.
    """

    name: str
    features: str | None = None
    cutoff: int | None = None
    _info: MeasureInfo | None = field(default=None, compare=False, repr=False)

    @property
    def info(self) -> MeasureInfo:
        """What the measure says of its numbers.

        Raises:
            LookupError: only its name is known, as after `parse`.
        """
        if self._info is None:
            raise LookupError(f"only the name of {self} is known, not which direction is better")
        return self._info

    def with_info(self, info: MeasureInfo) -> Measure:
        """The same measure, with what it says of its numbers."""
        return replace(self, _info=info)

    @property
    def label(self) -> str:
        """The name that reports show. Raises as `info` does."""
        return str(replace(self, name=self.info.display or self.name))

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Read `CIDEr`, `nDCG@10`, `FID(clip)`.

        Raises:
            ValueError: the text is none of these forms.
        """
        import re

        from mmragbench._printable import shortened

        match = re.fullmatch(r"([A-Za-z]\w*(?:-\w+)*)(?:\(([\w.-]+)\))?(?:@([1-9]\d*))?", text)
        if match is None:
            cut = " (a cutoff is 1 or more)" if re.search(r"@-?0", text) else ""
            raise ValueError(
                f"{shortened(text, 60)!r} is not a measure{cut}; write it like CIDEr, nDCG@10 or "
                "FID(clip)"
            )
        name, features, cutoff = match.groups()
        if cutoff and (len(cutoff) > len(str(LAST_CUTOFF)) or int(cutoff) > LAST_CUTOFF):
            raise ValueError(
                f"{shortened(text, 60)!r}: a cutoff is at most {LAST_CUTOFF:,}; leave it out for all"
            )
        return cls(name, features, int(cutoff) if cutoff else None)

    def __str__(self) -> str:
        features = f"({self.features})" if self.features else ""
        cutoff = f"@{self.cutoff}" if self.cutoff else ""
        return f"{self.name}{features}{cutoff}"


@dataclass(frozen=True, slots=True)
class Scores:
    """One measure on one set of queries.

    Attributes:
        measure: which.
        signature: all that could change the number, `|`-separated.
        scores: one per query, for measures that have a value per query; else empty.
        total: the set's own value where it is not the mean of the queries' values (FID, Bleu).
        absence: why there is no number at all (Java is missing, nothing was generated).
        n: how many outputs a total is of; other measures are of as many as have a value.
        influences: for a total that has no value per query (Bleu's): values per query whose mean
            is the total and whose spread is its spread.
        bounds: the lowest and the highest value that a query can have, two finite numbers; None where one of
            them is not known. An interval is kept between them, and a value outside is refused.
        best: each query's own highest value, where the queries differ in it (R@1 where one has four
            relevant documents and another five).
        interval: the 95 % interval of the estimate, (low, high); None before it was computed, and
            (None, None) where it can't be.
        warning: what a reader of the number must know (too few images for FID).
        details: what stands beside the number in its row of `summary.json` (FID's `limit`).
    """

    measure: Measure
    signature: str
    scores: tuple[Score, ...] = ()
    total: float | None = None
    absence: Absence | None = None
    n: int | None = None
    influences: Mapping[str, float] = field(default_factory=dict)
    bounds: tuple[float, float] | None = field(default=None, compare=False)
    best: Mapping[str, float] = field(default_factory=dict, compare=False)
    interval: tuple[float | None, float | None] | None = None
    warning: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def addends(self) -> Mapping[str, float]:
        """Query -> value; of a total, the influences. Their mean is the number; none where there is none."""
        if self.absence is not None:
            return {}
        if self.total is not None:
            return self.influences
        return {score.query: score.value for score in self.scores if score.value is not None}
