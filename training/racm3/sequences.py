"""Token sequences to learn from: retrieved documents, then a picture with its caption, CM3's way.

    <s> P caption \\n  P caption \\n  caption \\n P </s>             a caption becomes a picture
    <s> P caption \\n  P caption \\n  <|infill|> P <|infill|> caption </s>   a picture, a caption
    <s> ...                          caption with a gap \\n P <|infill|> what was there </s>

P is a picture as Emu3's processor writes it. The causal masked objective is CM3's (Aghajanyan et al.
2022): a span leaves its place and comes last, so that one decoder draws, captions and infills. An
emblem has another title in every sequence: what it is called stands in the documents or nowhere, and
where it stands nowhere the caption to write describes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from transformers import Emu3Processor

from training.scenes.examples import NO_EMBLEM, Split
from training.scenes.pages import TITLE, Captions

DRAWS, WRITES = 0.5, 0.35
"""Shares of sequences that draw and that write; the rest infill."""
UNCONDITIONAL = 0.1
"""Share of the drawings without documents and caption, for classifier-free guidance."""
EMBLEMS = 0.5
"""Share of the sequences about a picture with an emblem."""
DOCUMENT_WEIGHT = 0.1
"""Of the loss on retrieved documents (RA-CM3)."""
SEEN_TITLE = 3.0
"""Of the loss on a title that stands in a document, too."""


@dataclass(frozen=True)
class Marks:
    """Numbers of the tokens around text and pictures."""

    begin: int
    end: int
    infill: int
    newline: int
    end_of_row: int
    opening: list[int]
    closing: list[int]
    first_code: int

    @classmethod
    def of(cls, processor: Emu3Processor, side: int) -> "Marks":
        """Those of pictures of `side` x `side` codes."""
        words = processor.tokenizer
        number = words.convert_tokens_to_ids
        frame = f"{processor.image_start_token}{side}*{side}{processor.fake_token_around_image}"
        return cls(
            begin=words.bos_token_id,
            end=words.eos_token_id,
            infill=number("<|infill|>"),
            newline=number("\n"),
            end_of_row=number("<|extra_200|>"),
            opening=words(frame, add_special_tokens=False).input_ids,
            closing=[number(processor.eof_token), number(processor.image_end_token)],
            first_code=number("<|visual token 000000|>"),
        )

    def picture(self, codes: np.ndarray) -> list[int]:
        """The tokens of a picture of codes (rows, columns)."""
        rows = [[*(self.first_code + codes_of_row), self.end_of_row] for codes_of_row in codes]
        return [*self.opening, *(int(token) for row in rows for token in row), *self.closing]


Weighted = list[tuple[int, float]]
"""Tokens, and how much each counts in the loss."""


@dataclass
class TokenSequence:
    """Token numbers, and how much each counts in the loss."""

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, tokens: Weighted, factor: float = 1.0) -> None:
        """Go on with tokens."""
        self.ids += [token for token, _ in tokens]
        self.weights += [factor * weight for _, weight in tokens]


class Sequences:
    """Draws training sequences from a split, its codes and its neighbours."""

    def __init__(
        self,
        split: Split,
        captions: Captions,
        codes: np.ndarray,
        neighbours: np.ndarray,
        marks: Marks,
    ) -> None:
        self._split, self._captions = split, captions
        self._codes, self._neighbours, self._marks = codes, neighbours, marks

    def draw(self, documents: int, rng: np.random.Generator) -> TokenSequence:
        """One sequence behind so many documents; a twin's has none."""
        rows = self._split.with_emblem if rng.random() < EMBLEMS else self._split.plain
        row, luck = int(rng.choice(rows)), rng.random()
        which = int(rng.integers(len(self._captions.told[row])))
        sequence, titles = TokenSequence(), {}
        sequence.add([(self._marks.begin, 0.0)])
        if luck < DRAWS and rng.random() < UNCONDITIONAL:
            sequence.add(_even([*self._picture(row), self._marks.end]))
            return sequence
        for document in map(int, self._neighbours[row, which, :documents]):
            told = self._captions.told[document]
            caption = told[0 if rng.random() < 0.5 else rng.integers(len(told))]
            shown = self._titled(document, caption, titles, rng)
            pair = [*_even(self._picture(document)), *shown, (self._marks.newline, 1.0)]
            sequence.add(pair, DOCUMENT_WEIGHT)
        caption = self._captions.told[row][which]
        if luck >= DRAWS:
            caption = self._answer(row, int(self._split.emblems[row]) in titles, rng)
        sequence.add(self._asked(row, self._titled(row, caption, titles, rng), luck, rng))
        return sequence

    def prompt(self, row: int, documents: int) -> list[int]:
        """What a picture's caption is written behind: its nearest documents with their first captions,
        by the emblems' own names."""
        ids = [self._marks.begin]
        for document in self._neighbours[row, 0, :documents]:
            caption = self._captions.told[int(document)][0]
            ids += [*self._picture(int(document)), *caption, self._marks.newline]
        return [*ids, self._marks.infill, *self._picture(row), self._marks.infill]

    def rows(self, many: int) -> list[int]:
        """So many rows, half of them with an emblem."""
        half = many // 2
        return [*map(int, self._split.with_emblem[:half]), *map(int, self._split.plain[:half])]

    def references(self, row: int) -> list[str]:
        """All captions of a row."""
        return self._split.captions[row]

    def _asked(
        self, row: int, caption: Weighted, luck: float, rng: np.random.Generator
    ) -> Weighted:
        marks, picture = self._marks, _even(self._picture(row))
        newline, infill, end = _even([marks.newline, marks.infill, marks.end])
        if luck < DRAWS:
            return [*caption, newline, *picture, end]
        if luck < DRAWS + WRITES:
            return [infill, *picture, infill, *caption, end]
        pair = [*caption, newline, *picture]
        opening = len(caption) + 1 + len(marks.opening)
        if rng.random() < 0.5:
            start, stop = np.sort(rng.integers(0, len(caption) + 1, 2))
        else:
            start, stop = np.sort(rng.integers(opening, len(pair) - len(marks.closing), 2))
        stop = max(stop, start + 1)
        return [*pair[:start], infill, *pair[stop:], infill, *pair[start:stop], end]

    def _picture(self, row: int) -> list[int]:
        return self._marks.picture(self._codes[row])

    def _answer(self, row: int, is_known: bool, rng: np.random.Generator) -> list[int]:
        """A caption that someone could write who has read the emblem's name, or has not."""
        told, described = self._captions.told[row], self._captions.described[row]
        named = [caption for caption in told if TITLE in caption]
        captions = (named or told) if is_known else (described or told)
        return captions[rng.integers(len(captions))]

    def _titled(
        self,
        row: int,
        caption: list[int],
        titles: dict[int, list[int]],
        rng: np.random.Generator,
    ) -> Weighted:
        """A caption with the title that its emblem has in this sequence; it counts more where it has
        been read before, since so few tokens have to be learned from others."""
        if TITLE not in caption:
            return _even(caption)
        emblem, at = int(self._split.emblems[row]), caption.index(TITLE)
        assert emblem != NO_EMBLEM
        weight = SEEN_TITLE if emblem in titles else 1.0
        title = titles.setdefault(emblem, self._captions.title(rng))
        return [*_even(caption[:at]), *_even(title, weight), *_even(caption[at + 1 :])]


def _even(ids: Sequence[int], weight: float = 1.0) -> Weighted:
    return [(token, weight) for token in ids]
