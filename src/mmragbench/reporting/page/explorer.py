"""The explorer's data: as many queries as fit into a page, packed so that each is quick to show."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from itertools import zip_longest

from mmragbench.formats.trec import escaped
from mmragbench.reporting.page.explorer_cases import Cases, failed
from mmragbench.reporting.page.packing import SHEET, SMALLER, Pictures, compact, packed, plain
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run, TaskFacts


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a run its page shows.

    Attributes:
        characters: of the page, for the explorer.
        documents: of these, for documents (their pictures are most of it); where it is used up, a
            hit shows no more than its document's id, unless the document is there already.
        front: of these, for queries that are shown at length: with `hits` hits a strategy, and
            prompts of `text` characters.
        text: characters of any other text or error before it is cut.
        behind: how many hits a strategy the queries after those are shown with.
        prompt: how many characters their prompts have.
        large: pictures are the large ones, where the run has stored them.
    """

    characters: float = 21e6
    documents: float = 8e6
    front: float = 6e6
    hits: int = 5
    text: int = 1_000
    behind: int = 3
    prompt: int = 160
    large: bool = False


USUAL = Allowance()
WHOLE = Allowance(
    characters=float("inf"),
    documents=float("inf"),
    front=float("inf"),
    hits=10**9,
    text=10**9,
    large=True,
)


@dataclass(frozen=True, slots=True)
class Explorer:
    """What the template puts into the page: an index, and chunks that are unpacked when needed."""

    index: str
    tasks: list[str]
    prompts: list[str]
    sheets: list[str]


def explorer(run: Run, colours: Mapping[str, str], allowance: Allowance) -> Explorer | None:
    """The stored queries, those first that the run has put first; None where there are none."""
    pictures = Pictures(run.path, allowance.large)
    shelves = [Shelf(Cases(run, facts, allowance.hits)) for facts in run.tasks.values()]
    _fill(shelves, pictures, allowance)
    shelves = [shelf for shelf in shelves if shelf.queries]
    if not shelves:
        return None
    tasks = [shelf.index(colours) for shelf in shelves]
    return Explorer(
        index=plain({"sheet": SHEET, "tasks": tasks}),
        tasks=[packed(shelf.content()) for shelf in shelves],
        prompts=[packed(f"[{','.join(shelf.prompts)}]") for shelf in shelves],
        sheets=list(pictures.sheets()),
    )


def script() -> str:
    """The one script of the page, as it stands between its tags."""
    return (
        files("mmragbench.reporting.page")
        .joinpath("template", "explorer.js")
        .read_text(encoding="utf-8")
    )


def script_digest() -> str:
    """The page's security policy names the script by this, and so allows no other (CSP level 2)."""
    return base64.b64encode(sha256(script().encode()).digest()).decode("ascii")


@dataclass
class Shelf:
    """One task's queries that are in the page, and the documents and prompts that they need.

    Attributes:
        queries: as JSON.
        prompts: JSON -> number.
        slices: of the queries that are in the page.
        errors: how many of these queries failed.
        stored: how many queries the run has stored.
        failed: how many of these failed.
    """

    cases: Cases
    queries: list[str] = field(default_factory=list)
    documents: dict[str, Json] = field(default_factory=dict)
    prompts: dict[str, int] = field(default_factory=dict)
    slices: dict[str, None] = field(default_factory=dict)
    errors: int = 0
    stored: int = 0
    failed: int = 0

    def found(self, case: Json) -> list[Json]:
        """The documents that a query needs and that are not here yet."""
        ids = dict.fromkeys(hit[0] for answer in case["answers"] for hit in answer["hits"])
        new = (self.cases.documents.get(id) for id in ids if id not in self.documents)
        return [raw for raw in new if raw is not None]

    def take(self, case: Json, found: Iterable[Json], pictures: Pictures) -> float:
        """Put a query in: pictures become numbers, prompts are held once.

        Returns:
            about how many characters of the page it takes, without its documents.
        """
        for raw in found:
            document = {"id": raw["id"], "texts": raw.get("texts") or []}
            self.documents[escaped(raw["id"])] = document
            document["image"] = pictures.place(raw.get("image"))
        added = pictures.cost(_shown(case))
        outputs = [output for answer in case["answers"] for output in answer["outputs"]]
        prompts = sum(self._place(output, pictures) for output in outputs)
        case["image"], case["target"] = map(pictures.place, (case["image"], case["target"]))
        self.slices.update(dict.fromkeys(case["slices"]))
        self.errors += failed(case)
        self.queries.append(compact(case))
        return added + SMALLER * (len(self.queries[-1]) + prompts)

    def _place(self, output: Json, pictures: Pictures) -> int:
        """The characters of its prompt, if that is not held yet."""
        image, folder = output["image"], output.pop("folder")
        output["image"] = pictures.place(image)
        if image and output["image"] is None:
            output["image"] = pictures.place(f"{folder}/{image}")
            output["missing"] = output["image"] is None
        if output["prompt"] is None:
            return 0
        prompt = compact(output["prompt"])
        new = 0 if prompt in self.prompts else len(prompt)
        output["prompt"] = self.prompts.setdefault(prompt, len(self.prompts))
        return new

    def content(self) -> str:
        """JSON of all queries and documents."""
        documents = [{**document, "key": key} for key, document in self.documents.items()]
        queries = ",".join(self.queries)
        return f'{{"queries":[{queries}],"documents":{compact(documents)}}}'

    def index(self, colours: Mapping[str, str]) -> Json:
        return {
            **self.cases.index(colours),
            "slices": list(self.slices),
            "extent": self._extent(self.cases.facts),
        }

    def _extent(self, facts: TaskFacts) -> str:
        """How many of the task's queries are here, and which."""
        here, asked = len(self.queries), facts.n_queries or self.stored
        if here == asked:
            return f"All {asked:,} queries."
        if here == self.stored:
            return f"The {here:,} queries that the run has stored, of {asked:,}."
        errors = self.errors
        which = f"all {errors:,}" if errors == self.failed else f"{errors:,} of the {self.failed:,}"
        return (
            f"{here:,} of {asked:,} queries: {which + ' that failed, ' if self.failed else ''}"
            "those on which strategies differ most, some of every slice, and others at random."
        )


def _fill(shelves: list[Shelf], pictures: Pictures, allowance: Allowance) -> None:
    """Take queries from the tasks in turn, one of each at least, until the page is full."""
    spent, on_documents = 0.0, 0.0
    for turn in zip_longest(*(shelf.cases for shelf in shelves)):
        for shelf, case in zip(shelves, turn, strict=True):
            if case is None:
                continue
            shelf.stored += 1
            shelf.failed += failed(case)
            if spent > allowance.characters and shelf.queries:
                continue
            _trim(case, allowance, front=spent < allowance.front)
            found = [_shortened(raw, allowance.text) for raw in shelf.found(case)]
            price = _price(found, pictures)
            if on_documents + price > allowance.documents:
                found, price = [], 0.0
            on_documents += price
            spent += price + shelf.take(case, found, pictures)


def _trim(case: Json, allowance: Allowance, front: bool) -> None:
    """Cut what is too long, shorter for queries that do not stand in front."""
    hits, prompt = (
        (allowance.hits, allowance.text) if front else (allowance.behind, allowance.prompt)
    )
    case["text"] = _cut(case["text"], allowance.text)
    case["references"] = [_cut(text, allowance.text) for text in case["references"]]
    for answer in case["answers"]:
        answer["hits"] = answer["hits"][:hits]
        for output in answer["outputs"]:
            for name in ("text", "error"):
                output[name] = _cut(output[name], allowance.text)
            output["prompt"] = _cut(output["prompt"], prompt)


def _shortened(raw: Json, limit: int) -> Json:
    return {**raw, "texts": [_cut(text, limit) for text in raw.get("texts") or []]}


def _price(documents: list[Json], pictures: Pictures) -> float:
    """About how many characters of the page these documents take."""
    shown = [raw.get("image") for raw in documents]
    return pictures.cost(shown) + SMALLER * len(compact(documents))


def _shown(case: Json) -> list[str | None]:
    """The pictures of a query and of what was answered."""
    outputs = (output for answer in case["answers"] for output in answer["outputs"])
    return [case["image"], case["target"], *(output["image"] for output in outputs)]


def _cut(text: str | None, limit: int) -> Json | str | None:
    """A text; where it is too long, its start and how many characters are missing."""
    if text is None or len(text) <= limit:
        return text
    return {"start": text[:limit], "more": len(text) - limit}
