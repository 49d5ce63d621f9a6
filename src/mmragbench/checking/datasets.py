"""Rules for datasets: ids that name one thing, references that lead somewhere, no leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, get_args

from mmragbench._files import file_digest
from mmragbench.cache.identity import memory_digest, queries_digest
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Skip, expect, short
from mmragbench.planning.names import RULE, plain
from mmragbench.records import Image, OutputKind, Task

OPENED = 20
"""Pictures of each task that are opened, from the front."""

UNCHECKED = "licences, what the captions say, near-duplicates (a run audits them)"


def chunks(subject: Subject) -> Iterator[Chunk]:
    """None: a dataset answers once."""
    return iter(())


@lru_cache(maxsize=2)
def posed(subject: Subject) -> Mapping[str, Task]:
    """Its tasks, asked once."""
    found: Mapping[str, Task] = subject.instance.tasks()
    return found


def tasks_have_their_names(subject: Subject) -> None:
    """A mapping from names to Tasks of these names, which are fit for folders."""
    found = posed(subject)
    expect(
        isinstance(found, Mapping) and bool(found),
        "a mapping with a task at least",
        f"it is {short(found)}",
        "Return {task.name: task}",
    )
    for name, task in found.items():
        expect(
            isinstance(task, Task) and task.name == name,
            f"a Task named {name!r}",
            f"it is {short(getattr(task, 'name', task))}",
            "Return {task.name: task}",
        )
        expect(
            _is_name(name),
            "a name that a suite can write and a folder can have",
            f"it is {short(name)}",
            RULE,
        )


def _is_name(name: str) -> bool:
    try:
        return bool(plain(name))
    except ValueError:
        return False


def outputs_are_of_known_kinds(subject: Subject) -> None:
    """`output` is none, caption, answer or image."""
    for task in posed(subject).values():
        expect(
            task.output in get_args(OutputKind),
            f"output to be one of {get_args(OutputKind)} ({task.name})",
            f"it is {task.output!r}",
            "Say what a generator has to produce",
        )


def memory_and_queries_are_sequences(subject: Subject) -> None:
    """Both are sized and indexable, and there is something in them."""
    for task in posed(subject).values():
        for what, items in (("memory", task.memory), ("queries", task.queries)):
            expect(
                isinstance(items, Sequence) and len(items) > 0,
                f"a sequence of {what} that is not empty ({task.name})",
                f"it is {short(items)}",
                "Give a list, or a lazy collections.abc.Sequence",
            )


def ids_are_unique(subject: Subject) -> None:
    """No two documents and no two queries of a task have one id."""
    for task in posed(subject).values():
        for what, items in (("documents", task.memory), ("queries", task.queries)):
            ids = [item.id for item in items]
            twice = sorted({id for id in ids if ids.count(id) > 1}) if _repeats(ids) else []
            expect(
                not twice and all(isinstance(id, str) and id for id in ids),
                f"{what} with an id of their own, as strings ({task.name})",
                f"there are {short(twice[:3] or [id for id in ids if not id][:3])}",
                "Build ids from what is unique in the data",
            )


def _repeats(ids: Sequence[str]) -> bool:
    return len(set(ids)) < len(ids)


def gold_leads_somewhere(subject: Subject) -> None:
    """Grades, references, targets and slices are of queries that there are; graded documents are
    in the memory, or named among the exclusions."""
    for task in posed(subject).values():
        asked = {query.id for query in task.queries}
        named = {
            "qrels": set(task.qrels),
            "references": set(task.references),
            "targets": set(task.targets),
            "slices": {id for ids in task.slices.values() for id in ids},
        }
        for what, ids in named.items():
            expect(
                ids <= asked,
                f"{what} of queries that there are ({task.name})",
                f"there is {short(sorted(ids - asked)[:3])}",
                "Leave out the gold of queries that were left out",
            )
        known = {document.id for document in task.memory} | {e.id for e in task.exclusions}
        stray = {id for graded in task.qrels.values() for id in graded} - known
        expect(
            not stray,
            f"grades of documents that are in the memory or among the exclusions ({task.name})",
            f"there is {short(sorted(stray)[:3])}",
            "Grade by document.id; name judged documents that are not there in exclusions",
        )


def there_is_gold(subject: Subject) -> None:
    """Some query has a relevant document, references or a target: else there is nothing to score."""
    for task in posed(subject).values():
        relevant = any(max(grades.values(), default=0) >= 1 for grades in task.qrels.values())
        wanted = {"image": task.targets, "none": {}}.get(task.output, task.references)
        expect(
            relevant or bool(wanted),
            f"gold for a query at least ({task.name})",
            "there is none",
            "Fill qrels, references (captions, answers) or targets (pictures)",
        )


def memory_and_queries_share_no_picture(subject: Subject) -> None:
    """A picture that is asked with is not in the memory: it would find itself."""
    for task in posed(subject).values():
        there = {document.image.digest for document in task.memory if document.image}
        shared = [q.id for q in task.queries if q.image and q.image.digest in there - {""}]
        expect(
            not shared,
            f"no picture in memory and queries both ({task.name})",
            f"{len(shared)} queries have one, {short(shared[:3])} among them",
            "Split by picture, not by caption",
        )


def pictures_open(subject: Subject) -> None:
    """The first pictures of each side can be opened, and are the bytes that their digest says."""
    for task in posed(subject).values():
        for image in _pictures(task):
            image.open()
            expect(
                image.digest == file_digest(image.path),
                f"the SHA-256 of its bytes as digest of {image.id} ({task.name})",
                f"it is {short(image.digest)}",
                "Take files in through mmragbench.data.intake, which counts bad ones too",
            )


def _pictures(task: Task) -> Iterator[Image]:
    sides: tuple[Sequence[Any], ...] = (task.memory, task.queries)
    for items in sides:
        yield from islice((item.image for item in items if item.image), OPENED)
    yield from islice(task.targets.values(), OPENED)


def documents_have_something(subject: Subject) -> None:
    """No document and no query without picture and text."""
    for task in posed(subject).values():
        empty = [d.id for d in task.memory if d.image is None and not d.texts]
        empty += [q.id for q in task.queries if q.image is None and q.text is None]
        expect(
            not empty,
            f"a picture or a text in each document and query ({task.name})",
            f"{short(empty[:3])} have neither",
            "Leave them out, with an Exclusion that says why",
        )


def the_same_when_made_anew(subject: Subject) -> None:
    """A fresh dataset with the same arguments poses the same tasks in the same order."""
    first, again = posed(subject), subject.build().tasks()
    for name, task in first.items():
        other = again.get(name)
        expect(
            other is not None and _face(other) == _face(task),
            f"the same task when made anew ({name})",
            "ids, texts, pictures or grades differ",
            "Sort what a folder lists; seed what draws lots",
        )


def _face(task: Task) -> list[Any]:
    qrels = {query.id: dict(task.qrels.get(query.id, {})) for query in task.queries}
    return [memory_digest(task.memory), queries_digest(task.queries), qrels, dict(task.references)]


def exclusions_have_reasons(subject: Subject) -> None:
    """What could not be used is named, with a kind and a reason."""
    found = [e for task in posed(subject).values() for e in task.exclusions]
    if not found:
        raise Skip("nothing was left out")
    for task in posed(subject).values():
        named = Counter(e.of for e in task.exclusions)
        over = [of for of, total in task.totals.items() if named[of] > total]
        expect(
            not over,
            f"totals of at least what is left out ({task.name})",
            f"{short(over[:3])} have less",
            "Count what there was before anything was left out",
        )
    vague = [e for e in found if not (e.kind and e.id and e.reason)]
    expect(
        not vague,
        "a kind, an id and a reason for each exclusion",
        f"there is {short(vague[:1])}",
        "Exclusion('truncated image', id, reason)",
    )


RULES = (
    tasks_have_their_names,
    outputs_are_of_known_kinds,
    memory_and_queries_are_sequences,
    ids_are_unique,
    documents_have_something,
    gold_leads_somewhere,
    there_is_gold,
    memory_and_queries_share_no_picture,
    pictures_open,
    the_same_when_made_anew,
    exclusions_have_reasons,
)
