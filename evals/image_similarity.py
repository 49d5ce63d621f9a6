"""How similar a generated picture is to the real one, in the space of a named encoder.

The cosine of the generated picture and its query's target, -1 to 1; higher is better. Papers call it
CLIP-I on CLIP's image features and DINO-I (or DINO) on the class token of DINO's ViT-S/16 (Ruiz et al.
2023, "DreamBooth"); both are computed alike on the encoder that is named, `CLIP-I(clip)`, whose
weights are in the signature. DreamBooth averages over all pairs of generated and real pictures of a
subject; a query here has one real picture. A failed output is an error, and a query without a target
has no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmragbench.contracts import Encoder, Traits
from mmragbench.measuring.answers import answers, per_query, unit
from mmragbench.records import Measure, Output, Ranking, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature


@registered("CLIP-I", "DINO-I", scores=("image",), margin=0.02)
def image_similarity(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Cosine of the generated and the real picture in the space of the named encoder."""
    images, errors = answers(task, outputs, "image")
    compared = [query for query in images if query in task.targets]
    values: dict[str, float] = {}
    if compared:
        generated = unit(features.encode_images([images[query] for query in compared]))
        real = unit(features.encode_images([task.targets[query] for query in compared]))
        values = dict(zip(compared, (generated * real).sum(axis=1), strict=True))
    facts = {"resize": Traits(features).resize, "n": len(compared)}
    return [
        per_query(
            measure,
            task,
            values,
            errors,
            signature(measure, **facts),
            bounds=(-1.0, 1.0),
            reason="no query has a real picture",
        )
        for measure in measures
    ]
