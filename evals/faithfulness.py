"""Whether an output follows the documents that were shown, beyond what the query says; and copies.

`Faithfulness(features)`: how much more an output agrees with the documents that its generator was shown
than with documents that fit the query as well and were not shown (`controls:matched-1`, matched
controls: Stuart 2010, "Matching Methods for Causal Inference"). Agreement is the cosine in the space of
the named encoder: of pictures for a generated picture, of texts for a caption (a document's texts are
averaged). For each shown document one control is taken from the rest of the memory: the document whose
cosine with the query is nearest to its own, where a document is the mean of its modalities' unit
vectors. The value is the mean over the shown documents minus the mean over the controls, -2 to 2:

- about 0 where an output ignores what was shown, even if it fits the query, since the controls fit too
  (a plain cosine, or a partial one with the query's direction taken out, is far above 0 there);
- higher, the more it follows it; a copy of a shown document is near the highest that there is.

What the encoder does not see in the query, such as a design that the query only names, counts as said
by the documents. In a small memory no control may fit as well as the best document, and a real picture
of the query then is a little above 0: compare it with `random` and with the twin without retrieval.

`CopyRate`: the share of outputs that are a copy of a shown document, as the audit of copies decides it:
a caption that is the same but for case, spacing and punctuation; the same picture or a near-duplicate
on thumbs of 16 x 16. Copying is not faithfulness: read both. Lower is better.

An output that nothing was shown for has neither a value nor an error, and a failed output is an error.
Shown documents that are not in the memory, or lack what is compared, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mmragbench.contracts import Encoder, Traits
from mmragbench.measuring.answers import Rows, answers, per_query, unit
from mmragbench.measuring.copying import sources
from mmragbench.records import Document, Measure, Output, Query, Ranking, Scores, Task, Text
from mmragbench.registry import measures as registered
from mmragbench.signature import signature

NOTHING_SHOWN = "no output was made from documents of the memory"

Kind = Literal["image", "text"]


@registered("Faithfulness", scores=("caption", "image"), margin=0.02)
def faithfulness(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Agreement of the output with what was shown, minus that with what fits the query as well."""
    kind: Kind = "image" if task.output == "image" else "text"
    by_query, errors = answers(task, outputs, kind)
    rows = {document.id: row for row, document in enumerate(task.memory)}
    shown = {
        output.query: [rows[id] for id in dict.fromkeys(output.shown) if id in rows]
        for output in outputs
        if output.query in by_query
    }
    answered = [query for query in task.queries if shown.get(query.id)]
    values: dict[str, float] = {}
    if answered:
        memory = Memory.of(task.memory, kind, features)
        items = [by_query[query.id] for query in answered]
        vectors = zip(_outputs(items, kind, features), _queries(answered, features), strict=True)
        differences = {
            query.id: memory.faithfulness(output, wish, shown[query.id])
            for query, (output, wish) in zip(answered, vectors, strict=True)
        }
        values = {query: value for query, value in differences.items() if value is not None}
    facts = {"of": kind, "controls": "matched-1", "docs": len(task.memory)}
    facts |= {"resize": Traits(features).resize, "n": len(values)}
    return [
        _scores(measure, task, values, errors, signature(measure, **facts), (-2.0, 2.0))
        for measure in measures
    ]


@registered("CopyRate", scores=("caption", "image"), better="lower", unit="%", margin=0.05)
def copy_rate(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """Whether the output is a copy of a document that was shown."""
    by_query, errors = answers(task, outputs, "image" if task.output == "image" else "text")
    memory = {document.id for document in task.memory}
    shown = [o for o in outputs if o.query in by_query and not memory.isdisjoint(o.shown)]
    copied = sources(task, shown)
    values = {output.query: float(output.query in copied) for output in shown}
    facts = {"near": "thumb16"} if task.output == "image" else {"norm": "words"}
    return [
        _scores(m, task, values, errors, signature(m, **facts, n=len(values)), (0.0, 1.0))
        for m in measures
    ]


@dataclass(frozen=True)
class Memory:
    """The vectors of a memory's documents, row by row.

    Attributes:
        compared: (n, d) of what an output is compared with; a document without it has a row of zeros.
        whole: (n, d) the mean of the document's modalities, of length 1.
    """

    compared: Rows
    whole: Rows

    @classmethod
    def of(cls, memory: Sequence[Document], kind: Kind, features: Encoder) -> Memory:
        """Encode a memory's pictures and texts."""
        sides = {"image": _pictures(memory, features), "text": _texts(memory, features)}
        return cls(sides[kind], unit(sides["image"] + sides["text"]))

    def faithfulness(self, output: Rows, query: Rows, shown: Sequence[int]) -> float | None:
        """The mean cosine of an output with the shown documents, minus that with their controls; None
        where there is nothing to compare."""
        usable = self.compared.any(axis=1)
        shown = [row for row in shown if usable[row]]
        fit = self.whole @ query
        usable[shown] = False
        controls = []
        for row in shown:
            if usable.any():
                control = int(np.where(usable, np.abs(fit - fit[row]), np.inf).argmin())
                controls.append(control)
                usable[control] = False
        if not controls:
            return None
        cosines = self.compared @ output
        return float(cosines[shown].mean() - cosines[controls].mean())


def _pictures(memory: Sequence[Document], features: Encoder) -> Rows:
    """(n, d) the documents' pictures, of length 1; zeros where there is none."""
    images = {row: d.image for row, d in enumerate(memory) if d.image is not None}
    return _placed(list(images), features.encode_images([*images.values()]), len(memory))


def _texts(memory: Sequence[Document], features: Encoder) -> Rows:
    """(n, d) the means of the documents' texts, of length 1; zeros where there are none."""
    texts = [(row, text) for row, document in enumerate(memory) for text in document.texts]
    vectors = features.encode_texts([text for _, text in texts])
    return _placed([row for row, _ in texts], vectors, len(memory))


def _placed(rows: Sequence[int], vectors: Any, n: int) -> Rows:
    """The sum of each row's unit vectors, of length 1; an encoder gives nothing for nothing."""
    placed = np.zeros((n, vectors.shape[1] if len(rows) else 1))
    if rows:
        np.add.at(placed, list(rows), unit(vectors))
    return unit(placed)


def _outputs(items: Sequence[Any], kind: Kind, features: Encoder) -> Rows:
    if kind == "image":
        return unit(features.encode_images(items))
    return unit(features.encode_texts([Text(f"output:{n}", t) for n, t in enumerate(items)]))


def _queries(queries: Sequence[Query], features: Encoder) -> Rows:
    """(n, d) the mean of the query's modalities."""
    return Memory.of([_as_document(query) for query in queries], "image", features).whole


def _as_document(query: Query) -> Document:
    return Document(query.id, query.image, (query.text,) if query.text else ())


def _scores(
    measure: Measure,
    task: Task,
    values: Mapping[str, float],
    errors: Mapping[str, str],
    described: str,
    bounds: tuple[float, float],
) -> Scores:
    return per_query(measure, task, values, errors, described, bounds=bounds, reason=NOTHING_SHOWN)
