"""PDF files: their text in passages and their figures with captions are one memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from mmragbench.contracts import Requirement
from mmragbench.data.entries import Limit
from mmragbench.data.exclusions import Excluded
from mmragbench.data.files import required_folder
from mmragbench.data.intake import OUTSIDE, inside, take_in
from mmragbench.data.pdf import Limits, Page, Passages, cut, read
from mmragbench.data.questions import Question, read_questions, resolve
from mmragbench.data.sampling import warn_of_fewer
from mmragbench.errors import DataError
from mmragbench.formats.file_names import files_below
from mmragbench.records import Document, Exclusion, Image, OutputKind, Query, Task, Text
from mmragbench.registry import dataset


@dataset
class Pdf:
    """PDF files as one memory of text passages and figures; questions from a JSONL file."""

    outputs: ClassVar[Mapping[str, OutputKind]] = {"question-answering": "answer"}

    def __init__(
        self,
        root: Path,
        questions: Path = Path("questions.jsonl"),
        files: tuple[str, ...] = (),
        words: int = 120,
        overlap: int = 30,
        min_side: int = 64,
        max_pages: int = 500,
        limit: Limit | None = None,
    ) -> None:
        """Nothing is read before `tasks`. Relative paths start at the root.

        Args:
            root: the folder that everything lies in.
            questions: JSON lines; `mmragbench.data.questions` says what they hold.
            files: the PDF files; all below the root by default.
            words: of a passage, at most; passages end where pages do. Small encoders read some
                250 tokens, which 120 words of English fit.
            overlap: words that a passage shares with the one before it.
            min_side: pixels along a figure's shorter side, at least.
            max_pages: of a file; one with more is left out, and named.
            limit: how many questions to draw; all by default.
        """
        if not 0 <= overlap < words:
            raise DataError(f"an overlap of {overlap} words does not fit passages of {words} words")
        if limit is not None and limit < 1:
            raise DataError(f"a limit of {limit} leaves nothing to ask; write 1 or more")
        self.root = Path(root).expanduser()
        self.questions = questions
        self.files = files
        self.passages = Passages(words, overlap)
        self.limits = Limits(max_pages, min_side)
        self.limit = limit

    def requirements(self) -> list[Requirement]:
        """The folder, where it is not there."""
        return required_folder(self.root, [*(self.files or ["PDF files"]), self.questions])

    def tasks(self) -> dict[str, Task]:
        """Question-answering.

        Ids are `<file>#p<page>-<n>` for a passage and `<file>#p<page>-fig<n>` for a figure, whose
        text is its caption, if it has one (`mmragbench.data.pdf.figure_captions` has the rule).

        Raises:
            DataError: there are no PDF files or no questions that can be used.
            MissingExtra: pypdf is not installed.
        """
        questions, broken = read_questions(self.root / self.questions)
        memory, excluded = self._memory()
        if not memory:
            raise DataError(
                _nothing(f"no PDF file below {self.root} has a text or figure", excluded)
            )
        drawn = sorted(questions, key=lambda q: sha256(q.id.encode()).digest())[: self.limit]
        chosen = (
            [question for question in questions if question in drawn] if self.limit else questions
        )
        warn_of_fewer("limit", self.limit, len(chosen), "questions")
        queries, gold, refused = self._queries(chosen, memory)
        if not queries:
            named = [*broken, *refused]
            raise DataError(_nothing(f"no question of {self.questions} can be used", named))
        left = Excluded()
        files = {document.id.rpartition("#p")[0] for document in memory}
        left.add("PDF files", len(files), (e for e in excluded if "#p" not in e.id))
        left.add("pages and figures", len(memory), (e for e in excluded if "#p" in e.id))
        left.add("lines of questions", len(questions), broken)
        left.add("questions", len(queries), refused)
        answers = {question.id: question.answers for question in chosen}
        task = Task(
            name="question-answering",
            memory=memory,
            queries=queries,
            qrels={query.id: gold[query.id] for query in queries if gold[query.id]},
            output="answer",
            references={query.id: answers[query.id] for query in queries},
            slices=_slices(queries, gold, {d.id: d.image is not None for d in memory}),
            exclusions=tuple(left.exclusions),
            totals=left.totals,
        )
        return {task.name: task}

    def _memory(self) -> tuple[list[Document], list[Exclusion]]:
        from mmragbench.cache import cache

        folder = cache.folder() / "pdf"
        documents: list[Document] = []
        names, excluded = (self.files, []) if self.files else files_of(self.root)
        for name in names:
            try:
                path = inside(self.root, name)
            except DataError as error:
                excluded.append(Exclusion(OUTSIDE, name, str(error)))
                continue
            reading = read(path, name, folder, self.limits)
            excluded += reading.exclusions
            for page in reading.pages:
                documents += _documents(page, f"{name}#p{page.number}", folder, self.passages)
        return _taken_in(documents, excluded, cache.folder() / "intake.sqlite")

    def _queries(
        self, questions: Iterable[Question], memory: Sequence[Document]
    ) -> tuple[list[Query], dict[str, dict[str, int]], list[Exclusion]]:
        """Questions whose gold and image are there; one that names anything else is left out, since
        its scores would not be what they seem."""
        places, gold = _places(memory), {}
        queries: list[Query] = []
        excluded: list[Exclusion] = []
        for question in questions:
            try:
                gold[question.id] = resolve(question.gold, places)
                image = self._image(question)
            except KeyError as error:
                reason = f"the memory has nothing of {error.args[0]}"
                excluded.append(Exclusion("unknown gold document", question.id, reason))
            except DataError as error:
                excluded.append(Exclusion("unusable query image", question.id, str(error)))
            else:
                text = Text(question.id, question.text)
                page = next(iter(gold[question.id]), "").rpartition("-")[0]
                queries.append(Query(question.id, image, text, group=page))
        return queries, gold, excluded

    def _image(self, question: Question) -> Image | None:
        if question.image is None:
            return None
        image = Image(question.id, inside(self.root, question.image))
        taken, excluded = take_in([image])
        if excluded:
            raise DataError(excluded[0].reason)
        return taken[0]


def files_of(root: Path) -> tuple[list[str], list[Exclusion]]:
    """The PDF files below a folder, by name, once each: those that are hidden, or that a link leads
    to once more, are exclusions. Links that lead out of the folder are refused later."""
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; expected PDF files and a file of questions")
    files, hidden = ([file for file in listing if file.suffix.lower() == ".pdf"]
                     for listing in files_below(root))  # fmt: skip
    name = {file: file.relative_to(root).as_posix() for file in (*files, *hidden)}
    reason = "it, or a folder on the way, is hidden: name it in `files` if it is meant"
    excluded = [Exclusion("hidden file", name[file], reason) for file in hidden]
    first: dict[str, Path] = {}
    home = os.path.realpath(root)
    own = sorted(files, key=lambda file: os.path.realpath(file) != f"{home}/{name[file]}")
    for file in own:  # those that no link leads to come first
        known = first.setdefault(os.path.realpath(file), file)
        if known is not file:
            reason = f"a link to what is read as {name[known]}"
            excluded.append(Exclusion("duplicate file", name[file], reason))
    return sorted(name[file] for file in first.values()), excluded


def _documents(page: Page, at: str, folder: Path, how: Passages) -> list[Document]:
    passages = [
        Document(id, texts=(Text(id, passage),))
        for n, passage in enumerate(cut(page.text, how), 1)
        for id in [f"{at}-{n}"]
    ]
    figures = [
        Document(id, Image(id, folder / f.file), (Text(id, f.caption),) if f.caption else ())
        for f in page.figures
        for id in [f"{at}-fig{f.number}"]
    ]
    return passages + figures


def _taken_in(
    documents: Sequence[Document], excluded: Sequence[Exclusion], index: Path
) -> tuple[list[Document], list[Exclusion]]:
    """The documents whose picture, if they have one, keeps the rules for pictures."""
    taken, refused = take_in([d.image for d in documents if d.image], index)
    images = {image.id: image for image in taken}
    documents = [
        replace(d, image=images[d.id]) if d.image else d
        for d in documents
        if d.image is None or d.id in images
    ]
    return documents, [*excluded, *refused]


def _places(memory: Sequence[Document]) -> Mapping[str, list[str]]:
    """The ids at every place that gold may name: a document, its page, its file."""
    places: dict[str, list[str]] = {}
    for document in memory:
        page = document.id.rpartition("-")[0]
        for place in (document.id, page, page.rpartition("#")[0]):
            places.setdefault(place, []).append(document.id)
    return places


def _slices(
    queries: Sequence[Query], gold: Mapping[str, Mapping[str, int]], pictured: Mapping[str, bool]
) -> dict[str, frozenset[str]]:
    """By the modality of the gold documents (`text`, `figure`, `text+figure`), and of the question
    (`image-question`, `text-question`); where all are of one kind, there is nothing to tell apart."""
    ids_by_slice: dict[str, set[str]] = {}
    for query in queries:
        kinds = {pictured[id] for id in gold[query.id]}
        if kinds:
            name = "+".join(
                word for word, kind in (("text", False), ("figure", True)) if kind in kinds
            )
            ids_by_slice.setdefault(name, set()).add(query.id)
        asked = "image-question" if query.image else "text-question"
        ids_by_slice.setdefault(asked, set()).add(query.id)
    return {n: frozenset(ids) for n, ids in sorted(ids_by_slice.items()) if len(ids) < len(queries)}


def _nothing(what: str, excluded: Sequence[Exclusion]) -> str:
    if not excluded:
        return f"{what}: there is none"
    first = excluded[0]
    return f"{what}; the first of {len(excluded):,} reasons: {first.id}: {first.reason}"
