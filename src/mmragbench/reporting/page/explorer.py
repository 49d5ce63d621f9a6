"""The explorer's part of the page: as many of the stored queries as its budget allows, packed."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from itertools import zip_longest

from mmragbench.formats.trec import escaped
from mmragbench.reporting.page.embedded_pictures import SHEET, EmbeddedPictures
from mmragbench.reporting.page.explorer_cases import Cases, failed
from mmragbench.reporting.page.packing import PACKED_SHARE, compact, packed, plain
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run


@dataclass(frozen=True, slots=True)
class PageBudget:
    """How much of what a run has stored its page shows.

    Attributes:
        characters: of the page, for the explorer.
        documents: of these, for documents (their pictures are most of it); where it is used up, a
            hit shows no more than its document's id, unless the document is in the page already.
        detailed: of these, for the first queries, which are shown in detail: with `hits` hits a
            strategy, and prompts of `text` characters.
        hits: hits a strategy of a query that is shown in detail.
        text: characters of any other text or error before it is cut.
        later_hits: hits a strategy of the queries after those.
        later_prompt: characters of the prompts of the queries after those.
        large_pictures: pictures are the large ones, where the run has stored them.
    """

    characters: float = 21e6
    documents: float = 8e6
    detailed: float = 6e6
    hits: int = 5
    text: int = 1_000
    later_hits: int = 3
    later_prompt: int = 160
    large_pictures: bool = False


USUAL = PageBudget()
WHOLE = PageBudget(
    characters=float("inf"),
    documents=float("inf"),
    detailed=float("inf"),
    hits=10**9,
    text=10**9,
    large_pictures=True,
)


@dataclass(frozen=True, slots=True)
class Explorer:
    """The JSON that the template puts into the page: an index, and for each task a chunk of queries
    and documents and a chunk of prompts, which are unpacked when they are needed. `cases` has each
    task's cases, and the ids of those that are in the page."""

    cases: Mapping[str, tuple[Cases, Sequence[str]]]
    index: str
    tasks: list[str]
    prompts: list[str]


def explorer(
    run: Run, colours: Mapping[str, str], pictures: EmbeddedPictures, budget: PageBudget
) -> Explorer | None:
    """The stored queries in the run's order, cut to the budget; None where there are none. The
    pictures that they need are placed among `pictures`."""
    tasks = [ExplorerTask(Cases(run, facts, budget.hits), pictures) for facts in run.tasks.values()]
    _fill(tasks, pictures, budget)
    tasks = [task for task in tasks if task.queries]
    if not tasks:
        return None
    return Explorer(
        cases={task.cases.facts.name: (task.cases, task.ids) for task in tasks},
        index=plain({"sheet": SHEET, "tasks": [task.index(colours) for task in tasks]}),
        tasks=[packed(task.content()) for task in tasks],
        prompts=[packed(f"[{','.join(task.prompts)}]") for task in tasks],
    )


def script(explorer: bool = True) -> str:
    """The one script of the page, as it stands between its tags; of a page without an explorer, what
    sorts its tables."""
    template = files("mmragbench.reporting.page").joinpath("template")
    names = ("tables.js", "scatter.js", "explorer.js") if explorer else ("tables.js",)
    return "".join(template.joinpath(name).read_text(encoding="utf-8") for name in names)


def digest(script: str) -> str:
    """The page's security policy names the script by this, and so allows no other (CSP level 2)."""
    return base64.b64encode(sha256(script.encode()).digest()).decode("ascii")


@dataclass
class ExplorerTask:
    """One task's queries that are in the page, and the documents and prompts that they need.

    Attributes:
        cases: all stored queries of the task.
        pictures: the page's.
        queries: those in the page, as JSON.
        ids: theirs.
        documents: those in the page, by id as TREC's format has it.
        prompts: JSON -> number.
        slices: of the queries that are in the page.
        n_failed: how many of these queries failed.
        n_stored: how many queries the run has stored.
        n_stored_failed: how many of these failed.
    """

    cases: Cases
    pictures: EmbeddedPictures
    queries: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    documents: dict[str, Json] = field(default_factory=dict)
    prompts: dict[str, int] = field(default_factory=dict)
    slices: dict[str, None] = field(default_factory=dict)
    n_failed: int = 0
    n_stored: int = 0
    n_stored_failed: int = 0

    def missing_documents(self, case: Json) -> list[Json]:
        """The stored documents that a query needs and that are not in the page yet."""
        ids = dict.fromkeys(hit[0] for answer in case["answers"] for hit in answer["hits"])
        stored = (self.cases.documents.get(id) for id in ids if id not in self.documents)
        return [document for document in stored if document is not None]

    def add(self, case: Json, documents: Iterable[Json]) -> float:
        """Put a query and documents into the page: pictures become numbers, a prompt is stored once.

        Returns:
            about how many characters of the page the query takes, without its documents.
        """
        for stored in documents:
            document = {"id": stored["id"], "texts": stored.get("texts") or []}
            self.documents[escaped(stored["id"])] = document
            document["image"] = self.pictures.place(stored.get("image"))
        picture_characters = self.pictures.cost(_pictures_of(case))
        outputs = [output for answer in case["answers"] for output in answer["outputs"]]
        prompt_characters = sum(map(self._add_output, outputs))
        for name in ("image", "target"):
            case[name] = self.pictures.place(case[name])
        self.slices.update(dict.fromkeys(case["slices"]))
        self.n_failed += failed(case)
        self.queries.append(compact(case))
        self.ids.append(case["id"])
        return picture_characters + PACKED_SHARE * (len(self.queries[-1]) + prompt_characters)

    def _add_output(self, output: Json) -> int:
        """Replace an output's picture and prompt by their numbers.

        Returns:
            the characters of its prompt, if that is new.
        """
        image, folder = output["image"], output.pop("folder")
        output["image"] = self.pictures.place(image)
        if image and output["image"] is None:
            output["image"] = self.pictures.place(f"{folder}/{image}")
            output["missing"] = output["image"] is None
        if output["prompt"] is None:
            return 0
        prompt = compact(output["prompt"])
        characters = 0 if prompt in self.prompts else len(prompt)
        output["prompt"] = self.prompts.setdefault(prompt, len(self.prompts))
        return characters

    def content(self) -> str:
        """JSON of all queries and documents."""
        documents = [{**document, "key": key} for key, document in self.documents.items()]
        queries = ",".join(self.queries)
        return f'{{"queries":[{queries}],"documents":{compact(documents)}}}'

    def index(self, colours: Mapping[str, str]) -> Json:
        """The facts that the page needs before a query is shown."""
        return {
            **self.cases.index(colours),
            "slices": list(self.slices),
            "extent": self._extent(),
        }

    def _extent(self) -> str:
        """A sentence: how many of the task's queries are in the page, and which."""
        shown, total = len(self.queries), self.cases.facts.n_queries or self.n_stored
        if shown == total:
            return f"All {total:,} queries."
        if shown == self.n_stored:
            return f"The {shown:,} queries that the run has stored, of {total:,}."
        every = self.n_failed == self.n_stored_failed
        errors = (
            f"all {self.n_failed:,}"
            if every
            else f"{self.n_failed:,} of the {self.n_stored_failed:,}"
        )
        return (
            f"{shown:,} of {total:,} queries: "
            f"{errors + ' that failed, ' if self.n_stored_failed else ''}"
            "those on which strategies differ most, some of every slice, and others at random."
        )


def _fill(tasks: list[ExplorerTask], pictures: EmbeddedPictures, budget: PageBudget) -> None:
    """Take queries from the tasks in turn, one of each at least, until the budget is used up."""
    spent, spent_on_documents = 0.0, 0.0
    for turn in zip_longest(*(task.cases for task in tasks)):
        for task, case in zip(tasks, turn, strict=True):
            if case is None:
                continue
            task.n_stored += 1
            task.n_stored_failed += failed(case)
            if spent > budget.characters and task.queries:
                continue
            _shorten(case, budget, detailed=spent < budget.detailed)
            documents = [_shortened(raw, budget.text) for raw in task.missing_documents(case)]
            cost = _cost(documents, pictures)
            if spent_on_documents + cost > budget.documents:
                documents, cost = [], 0.0
            spent_on_documents += cost
            spent += cost + task.add(case, documents)


def _shorten(case: Json, budget: PageBudget, detailed: bool) -> None:
    """Cut what is too long in a query, further where it is not shown in detail."""
    hits = budget.hits if detailed else budget.later_hits
    prompt = budget.text if detailed else budget.later_prompt
    case["text"] = _cut(case["text"], budget.text)
    case["references"] = [_cut(text, budget.text) for text in case["references"]]
    for answer in case["answers"]:
        answer["hits"] = answer["hits"][:hits]
        for output in answer["outputs"]:
            for name in ("text", "error"):
                output[name] = _cut(output[name], budget.text)
            output["prompt"] = _cut(output["prompt"], prompt)


def _shortened(document: Json, limit: int) -> Json:
    return {**document, "texts": [_cut(text, limit) for text in document.get("texts") or []]}


def _cost(documents: list[Json], pictures: EmbeddedPictures) -> float:
    """About how many characters of the page these documents take."""
    shown = [document.get("image") for document in documents]
    return pictures.cost(shown) + PACKED_SHARE * len(compact(documents))


def _pictures_of(case: Json) -> list[str | None]:
    """The pictures of a query and of its outputs."""
    outputs = (output for answer in case["answers"] for output in answer["outputs"])
    return [case["image"], case["target"], *(output["image"] for output in outputs)]


def _cut(text: str | None, limit: int) -> Json | str | None:
    """A text; where it is too long, its start and how many characters are missing."""
    if text is None or len(text) <= limit:
        return text
    return {"start": text[:limit], "more": len(text) - limit}
