"""The contract of datasets: ids that name one thing, references that lead somewhere, no leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, wraps
from itertools import chain, islice
from typing import Any, get_args

from mmragbench._files import file_digest
from mmragbench.cache.identity import memory_digest, queries_digest
from mmragbench.checking.rules import Breaches, Rule, Skip, short
from mmragbench.checking.subjects import Contract, Subject
from mmragbench.planning.names import RULE, plain
from mmragbench.records import Image, OutputKind, Task

CONTRACT = Contract("licences, what the captions say, near-duplicates (a run audits them)")

OPENED = 20
"""Pictures of each task that are opened, from the front."""


@lru_cache(maxsize=2)
def tasks_of(subject: Subject) -> Mapping[str, Task]:
    """Its tasks, built once."""
    tasks: Mapping[str, Task] = subject.instance.tasks()
    return tasks


def task_rule(fix: str) -> Callable[[Callable[[Task], Breaches]], Rule]:
    """Add a rule from a function that yields what breaks it in one task."""

    def add(test: Callable[[Task], Breaches]) -> Rule:
        @CONTRACT.rule(fix)
        @wraps(test)
        def in_all_tasks(subject: Subject) -> Breaches:
            for task in tasks_of(subject).values():
                yield from (f"{breach} ({task.name})" for breach in test(task))

        return in_all_tasks

    return add


@CONTRACT.rule(f"Return {{task.name: task}}; {RULE}")
def tasks_have_their_names(subject: Subject) -> Breaches:
    """There is a mapping from names to Tasks of these names, which suites can write and folders
    can have."""
    tasks = tasks_of(subject)
    if not (isinstance(tasks, Mapping) and tasks):
        yield f"it is {short(tasks)}"
    for name, task in tasks.items():
        if not (isinstance(task, Task) and task.name == name and _is_name(name)):
            yield f"under {short(name)} it has {short(getattr(task, 'name', task))}"


def _is_name(name: str) -> bool:
    try:
        return bool(plain(name))
    except ValueError:
        return False


@task_rule("Say what a generator has to produce")
def outputs_are_of_known_kinds(task: Task) -> Breaches:
    """`output` is none, caption, answer or image."""
    if task.output not in get_args(OutputKind):
        yield f"it is {task.output!r}"


@task_rule("Give a list, or a lazy collections.abc.Sequence")
def memory_and_queries_are_sequences(task: Task) -> Breaches:
    """Memory and queries are sized and indexable, and there is something in them."""
    for what, items in (("memory", task.memory), ("queries", task.queries)):
        if not (isinstance(items, Sequence) and len(items)):
            yield f"{what} is {short(items)}"


@task_rule("Build ids from what is unique in the data")
def ids_are_unique(task: Task) -> Breaches:
    """No two documents and no two queries of a task have one id, and ids are strings."""
    for what, items in (("documents", task.memory), ("queries", task.queries)):
        counts = Counter(item.id for item in items)
        wrong = [id for id, n in counts.items() if n > 1 or not (isinstance(id, str) and id)]
        if wrong:
            yield f"among the {what} are {short(wrong[:3])}"


@task_rule(
    "Leave out the gold of queries that were left out; grade by document.id; name judged documents "
    "that are not there in exclusions"
)
def gold_leads_somewhere(task: Task) -> Breaches:
    """Grades, references, targets, labels and slices are of queries that there are; graded and
    labelled documents are in the memory, or graded ones named among the exclusions."""
    queries = {query.id for query in task.queries}
    documents = {document.id for document in task.memory} | {e.id for e in task.exclusions}
    for what, ids, known in (
        ("qrels", task.qrels.keys(), queries),
        ("references", task.references.keys(), queries),
        ("targets", task.targets.keys(), queries),
        ("labels", task.labels.keys() | task.original_labels.keys(), queries),
        ("slices", set().union(*task.slices.values()), queries),
        ("labelled documents", task.memory_labels.keys(), documents),
        ("graded documents", set().union(*task.qrels.values()), documents),
    ):
        if stray := sorted(ids - known):
            yield f"among the {what} is {short(stray[:3])}"


@task_rule("Fill qrels, references (captions, answers) or targets (pictures)")
def there_is_gold(task: Task) -> Breaches:
    """Some query has a relevant document, references or a target: else there is nothing to score."""
    relevant = any(max(grades.values(), default=0) >= 1 for grades in task.qrels.values())
    if not relevant and not {"image": task.targets, "none": {}}.get(task.output, task.references):
        yield "there is none"


@task_rule("Split by picture, not by caption")
def memory_and_queries_share_no_picture(task: Task) -> Breaches:
    """A picture that is asked with is not in the memory: it would find itself."""
    digests = {document.image.digest for document in task.memory if document.image} - {""}
    if shared := [q.id for q in task.queries if q.image and q.image.digest in digests]:
        yield f"{len(shared)} queries have one, {short(shared[:3])} among them"


@task_rule("Take files in through mmragbench.data.intake, which counts bad ones too")
def pictures_open(task: Task) -> Breaches:
    """The first pictures of each side can be opened, and the SHA-256 of their bytes is their
    digest."""
    for image in _pictures(task):
        image.open()
        if image.digest != file_digest(image.path):
            yield f"that of {image.id} is {short(image.digest)}"


def _pictures(task: Task) -> Iterator[Image]:
    sides: tuple[Sequence[Any], ...] = (task.memory, task.queries)
    pictures = [(item.image for item in items if item.image) for items in sides]
    return chain(*(islice(side, OPENED) for side in (*pictures, task.targets.values())))


@task_rule("Leave them out, with an Exclusion that says why")
def documents_have_something(task: Task) -> Breaches:
    """No document and no query is without picture and text."""
    empty = [d.id for d in task.memory if d.image is None and not d.texts]
    empty += [q.id for q in task.queries if q.image is None and q.text is None]
    if empty:
        yield f"{short(empty[:3])} have neither"


@CONTRACT.rule("Sort what a folder lists; seed random numbers")
def the_same_when_made_anew(subject: Subject) -> Breaches:
    """A fresh dataset with the same arguments gives the same tasks in the same order."""
    again = subject.build().tasks()
    for name, task in tasks_of(subject).items():
        if name not in again or _content(again[name]) != _content(task):
            yield f"ids, texts, pictures or grades differ ({name})"


def _content(task: Task) -> list[Any]:
    qrels = {query.id: dict(task.qrels.get(query.id, {})) for query in task.queries}
    return [memory_digest(task.memory), queries_digest(task.queries), qrels, dict(task.references)]


@CONTRACT.rule(
    "Exclusion('truncated image', id, reason); count the totals before anything is left out"
)
def exclusions_have_reasons(subject: Subject) -> Breaches:
    """What could not be used is named, with a kind, an id and a reason, and is part of the totals."""
    tasks = tasks_of(subject).values()
    if not any(task.exclusions for task in tasks):
        raise Skip("nothing was left out")
    for task in tasks:
        counts = Counter(exclusion.of for exclusion in task.exclusions)
        if over := [of for of, total in task.totals.items() if counts[of] > total]:
            yield f"{short(over[:3])} have a smaller total than what is left out ({task.name})"
        if vague := [e for e in task.exclusions if not (e.kind and e.id and e.reason)]:
            yield f"there is {short(vague[0])} ({task.name})"
