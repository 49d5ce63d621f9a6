"""The best of several drawings of a prompt, by the similarity of a picture to a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmragbench._batching import batches
from mmragbench.backends.prompts import sample_seed
from mmragbench.contracts import Encoder, Painter
from mmragbench.errors import SuiteError
from mmragbench.records import Drawing, Failure, Image, Prompt, Text


@dataclass(frozen=True)
class RankedPainter:
    """A painter that draws each prompt several times, by seeds of their own, and keeps the drawing whose
    cosine with a text is the highest: the reranking of DALL-E (Ramesh et al. 2021).

    Args:
        painter: the model that draws; it is asked for all drawings, and all count as its cost.
        ranker: an encoder of pictures and texts; needed for more than one drawing.
        best_of: drawings a prompt.

    Raises:
        SuiteError: there is nothing to choose between several drawings by.
    """

    painter: Painter
    ranker: Encoder | None = None
    best_of: int = 1

    def __post_init__(self) -> None:
        if self.best_of > 1 and self.ranker is None:
            raise SuiteError(
                f"best_of: {self.best_of} chooses by a ranker; name an encoder of pictures and "
                "texts, ranker: clip"
            )

    def paint(self, prompts: Sequence[Prompt], texts: Sequence[Text]) -> list[Drawing | Failure]:
        """The best drawing of each prompt, of those that did not fail; `texts` are what each has to
        show."""
        samples = [
            replace(prompt, seed=sample_seed(prompt.seed, number))
            for prompt in prompts
            for number in range(self.best_of)
        ]
        drawings = self.painter.paint(samples)
        if self.ranker is None:
            return drawings
        owners = [text for text in texts for _ in range(self.best_of)]
        scores = self._scores(self.ranker, drawings, owners)
        best = (
            max(numbers, key=scores.__getitem__)
            for numbers in batches(range(len(drawings)), self.best_of)
        )
        return [drawings[number] for number in best]

    @staticmethod
    def _scores(
        ranker: Encoder, drawings: Sequence[Drawing | Failure], texts: Sequence[Text]
    ) -> list[float]:
        """The cosine of each drawing with its text; below all others for a failure."""
        scores = [-2.0] * len(drawings)
        pictures: dict[int, Image] = {}
        for number, drawing in enumerate(drawings):
            if not isinstance(drawing, Failure):
                assert isinstance(drawing.picture, Image)  # for the type checker, as in `draw`
                pictures[number] = drawing.picture
        if pictures:
            rows = ranker.encode_images(list(pictures.values()))
            wanted = ranker.encode_texts([texts[number] for number in pictures])
            cosines = (rows * wanted).sum(axis=1).tolist()
            for number, cosine in zip(pictures, cosines, strict=True):
                scores[number] = cosine
        return scores
