"""Pages to learn reading from: retrieved pictures with captions, then a picture and its caption.

Emblems get another title on every page, so that no picture tells a name: only what stands on the
page does. Whose emblem is not on the page is described by its look.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from mmragbench.scenes.emblems import emblems, invent_names
from training.scenes.examples import NO_EMBLEM, Split

TITLE = -1
NOUNS = ("crest", "emblem", "sigil", "seal", "banner")
FIRST_CATEGORY = 1001
SEEN_TITLE, UNSEEN_TITLE = 3.0, 0.0
Encode = Callable[[list[str]], list[list[int]]]


@dataclass(frozen=True)
class Marks:
    """The tokens of a picture, those around an answer, and the instructions to draw from."""

    picture: list[int]
    answer: int
    end: int
    instructions: list[list[int]]


@dataclass
class Page:
    """Token numbers, how much each counts in the loss, what it is about, and the pictures' rows in order."""

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    about: list[int] = field(default_factory=list)
    """The emblem whose title a token belongs to or comes before, else NO_EMBLEM."""
    rows: list[int] = field(default_factory=list)

    def add(self, ids: Sequence[int], weight: float = 0.0, about: int = NO_EMBLEM) -> None:
        """Go on with tokens of one weight, about one emblem or none."""
        self.ids += ids
        self.weights += [weight] * len(ids)
        self.about += [about] * len(ids)


class Captions:
    """The captions of a split in token numbers, with TITLE where an emblem's title stands.

    Attributes:
        told: all captions of each picture.
        described: those that can do without the title.
    """

    def __init__(self, split: Split, encode: Encode) -> None:
        names = {FIRST_CATEGORY + emblem.number: emblem.title for emblem in emblems()[1]}
        titles = [names.get(int(emblem), "") for emblem in split.emblems]
        pairs = list(zip(split.captions, titles, strict=True))
        self.told = _encoded([_cut(texts, title) for texts, title in pairs], encode)
        self.described = _encoded([_nameless(texts, title) for texts, title in pairs], encode)
        self._invented = encode(_invented())

    def title(self, rng: np.random.Generator) -> list[int]:
        """An invented title."""
        return self._invented[rng.integers(len(self._invented))]


class Writer:
    """The captions of a split, put together to pages."""

    def __init__(self, split: Split, encode: Encode, marks: Marks) -> None:
        self.emblems, self.marks = split.emblems, marks
        self.captions = Captions(split, encode)

    def page(
        self, row: int, documents: Sequence[int], texts: int, rng: np.random.Generator
    ) -> Page:
        """The documents' pictures and first captions, then the row's picture and one caption."""
        page, titles = Page(), {}
        for document in documents:
            self._show(page, document)
            for caption in self.captions.told[document][:texts]:
                self._say(page, document, caption, titles, rng)
        self._show(page, row)
        page.add(self.marks.instructions[rng.integers(len(self.marks.instructions))])
        page.add([self.marks.answer])
        ways = self.answers(row, int(self.emblems[row]) in titles)
        self._say(page, row, ways[rng.integers(len(ways))], titles, rng)
        page.add([self.marks.end], 1.0)
        return page

    def answers(self, row: int, is_known: bool) -> list[list[int]]:
        """The captions that someone could write who knows the emblem's name, or does not."""
        if not is_known:
            return self.captions.described[row]
        return [caption for caption in self.captions.told[row] if TITLE in caption]

    def _show(self, page: Page, row: int) -> None:
        page.add(self.marks.picture)
        page.rows.append(row)

    def _say(
        self,
        page: Page,
        row: int,
        caption: list[int],
        titles: dict[int, list[int]],
        rng: np.random.Generator,
    ) -> None:
        if TITLE not in caption:
            page.add(caption, 1.0)
            return
        emblem, at = int(self.emblems[row]), caption.index(TITLE)
        weight = SEEN_TITLE if emblem in titles else UNSEEN_TITLE
        title = titles.setdefault(emblem, self.captions.title(rng))
        page.add(caption[:at], 1.0)
        page.about[-1] = emblem
        page.add(title, weight, emblem)
        page.add(caption[at + 1 :], 1.0)


def _invented(many: int = 5000) -> list[str]:
    """Titles with names that begin like no held-out emblem's."""
    starts = {emblem.name[:4] for emblem in emblems()[0]}
    rng = Random("titles to learn reading from")
    names = [name for name in invent_names(rng, many) if name[:4] not in starts]
    return [f"{name} {rng.choice(NOUNS)}" for name in names for _ in range(3)]


def _cut(captions: Sequence[str], title: str) -> list[tuple[str, ...]]:
    """What stands before and after the title, or the whole caption."""
    return [
        tuple(caption.split(title)) if title and title in caption else (caption,)
        for caption in captions
    ]


def _nameless(captions: Sequence[str], title: str) -> list[tuple[str, ...]]:
    """The captions that do not name the emblem, and the one that names it as an aside, without it."""
    if not title:
        return [(caption,) for caption in captions]
    plain = (caption.replace(f", the {title}", "") for caption in captions)
    return [(caption,) for caption in plain if title not in caption]


def _encoded(cut: list[list[tuple[str, ...]]], encode: Encode) -> list[list[list[int]]]:
    ids = iter(encode([part for captions in cut for parts in captions for part in parts]))
    return [[_joined([next(ids) for _ in parts]) for parts in captions] for captions in cut]


def _joined(parts: list[list[int]]) -> list[int]:
    return parts[0] if len(parts) == 1 else [*parts[0], TITLE, *parts[1]]


class Shelf:
    """Which documents a retriever may have found for a row: good, near, random, or misleading."""

    def __init__(self, split: Split, near: np.ndarray) -> None:
        self._split, self._near = split, near
        self._rows = split.rows_of_emblem
        self._alike = _alike(list(self._rows))

    def documents(self, row: int, many: int, rng: np.random.Generator) -> list[int]:
        """Rows other than `row`. If it has an emblem, all of them show it in three of ten cases, some
        in two, one in two, none in three: a retriever that finds it mostly finds it more than once."""
        emblem = int(self._split.emblems[row])
        found: list[int] = []
        if emblem != NO_EMBLEM and many and rng.random() < 0.7:
            others = self._rows[emblem][self._rows[emblem] != row]
            right = (many, int(rng.integers(1, many + 1)), 1)[rng.choice(3, p=(0.42, 0.29, 0.29))]
            found = rng.permutation(others)[:right].tolist()
        wrong: list[int] = []
        while len(found) + len(wrong) < many:
            other = self._other(row, emblem, wrong, rng)
            if other not in (row, *found, *wrong) and not self._shows(other, emblem):
                wrong.append(other)
        return [int(at) for at in rng.permutation([*found, *wrong])]

    def misled(self, emblem: int, many: int, rng: np.random.Generator) -> list[int]:
        """Rows that show emblems much like this one."""
        chosen = rng.choice(self._alike[emblem], many, replace=False)
        return [int(rng.choice(self._rows[int(other)])) for other in chosen]

    def _shows(self, row: int, emblem: int) -> bool:
        return emblem != NO_EMBLEM and int(self._split.emblems[row]) == emblem

    def _other(self, row: int, emblem: int, wrong: list[int], rng: np.random.Generator) -> int:
        shown = [other for other in wrong if self._split.emblems[other] != NO_EMBLEM]
        luck = rng.random()
        if shown and luck < 0.25:
            return int(rng.choice(self._rows[int(self._split.emblems[shown[0]])]))
        if luck < 0.45 and emblem != NO_EMBLEM:
            return self.misled(emblem, 1, rng)[0]
        if luck < 0.6:
            return int(rng.choice(self._near[row]))
        if luck < 0.85:
            return int(rng.choice(self._split.with_emblem))
        return int(rng.integers(len(self._split)))


def nearest(looks: np.ndarray, many: int = 12, chunk: int = 500) -> np.ndarray:
    """For each row of (n, d), the rows of the `many` nearest others by cosine."""
    centred = looks - looks.mean(axis=0)
    unit = (centred / np.linalg.norm(centred, axis=1, keepdims=True)).astype(np.float32)
    found = []
    for start in range(0, len(unit), chunk):
        closeness = unit[start : start + chunk] @ unit.T
        rows = np.arange(len(closeness))
        closeness[rows, start + rows] = -1
        found.append(np.argpartition(-closeness, many, axis=1)[:, :many])
    return np.concatenate(found)


def _alike(shown: list[int], many: int = 20) -> dict[int, np.ndarray]:
    """For each emblem for training, those of the shown ones whose designs share most with its own."""
    designs = {FIRST_CATEGORY + emblem.number: emblem.design for emblem in emblems()[1]}
    parts = {
        number: np.array([d.shape, d.division, d.field, d.second, d.charge, d.charge_colour])
        for number, d in designs.items()
    }
    table, numbers = np.array([parts[number] for number in shown]), np.array(shown)
    found = {}
    for number, own in parts.items():
        shared = (table == own).sum(axis=1) - 9 * (numbers == number)
        found[number] = numbers[np.argsort(-shared, kind="stable")[:many]]
    return found
