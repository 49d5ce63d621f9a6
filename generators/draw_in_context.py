"""A painter that reads what was retrieved, pictures and texts interleaved, and draws the query."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.backends.best_of import RankedPainter
from mmragbench.backends.prompts import reading_prompt
from mmragbench.contracts import Encoder, Painter
from mmragbench.generators.draw import Samples, output_of, refuse_words, text_of
from mmragbench.records import Document, Output, OutputKind, Query
from mmragbench.registry import generator


@generator
class DrawInContext:
    """A painter reads the retrieved pairs, interleaved, then the query's text, and draws it: the image
    generation of RA-CM3 (Yasunaga et al. 2023).

    For models that write pictures as tokens and read them too (`transformers`: Emu3). A painter that
    reads texts alone is shown none with `pictures: 0`.

    Args:
        painter: the model.
        texts: how many texts of each document are shown; all by default.
        pictures: how many documents, from the first, show their picture; all by default.
        ranker: an encoder of pictures and texts, for `best_of`.
        best_of: drawings of each query, of which the one whose cosine with the query's text is the
            highest is the answer; all of them count as the painter's cost.
        seed: each query has its own by it.
    """

    def __init__(
        self,
        painter: Painter,
        output: OutputKind = "image",
        texts: int | None = None,
        pictures: int | None = None,
        ranker: Encoder | None = None,
        best_of: Samples = 1,
        seed: int = 0,
    ) -> None:
        refuse_words(output)
        self._painter = RankedPainter(painter, ranker, best_of)
        self._texts, self._pictures, self._seed = texts, pictures, seed

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        texts = [text_of(query) for query in queries]
        prompts = [
            reading_prompt(query, shown, "", self._texts, self._pictures, self._seed)
            for query, shown in zip(queries, contexts, strict=True)
        ]
        drawings = self._painter.paint(prompts, texts)
        rows = zip(queries, contexts, prompts, drawings, strict=True)
        return [output_of(*row) for row in rows]
