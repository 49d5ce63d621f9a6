"""The suite's encoders whose vectors of a memory are cached; audits compute no new ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mmragbench.audits.modality import sample
from mmragbench.backends.weights import ABSENT
from mmragbench.contracts import Encoder
from mmragbench.engine.assembly import Assembly
from mmragbench.planning.plan import Plan
from mmragbench.records import Image, Task, Text

PROBES = 200
"""So many of the inputs are looked up to decide whether all are cached."""


class Encoders:
    """The encoders of a plan, built by its assembly, whose vectors are in the cache."""

    def __init__(self, plan: Plan, assembly: Assembly) -> None:
        self._names = [name for role, name in plan.models if role == "encoder"]
        self._assembly = assembly

    def of_pictures(self, task: Task) -> tuple[str | None, Encoder | None]:
        """The first encoder, with its name, that has the pictures of memory, queries and targets."""
        subjects = [*(query.image for query in task.queries), *task.targets.values()]
        images = [image for image in (*(d.image for d in task.memory), *subjects) if image]
        return next(self._cached(images), (None, None))

    def of_memory(self, task: Task) -> dict[str, Encoder]:
        """Name -> encoder, of those that have both the pictures and the texts of the memory."""
        drawn = sample(task.memory)
        images = [d.image for d in drawn if d.image]
        texts = [text for d in drawn for text in d.texts]
        if not images or not texts:
            return {}
        return dict(self._cached(images, texts))

    def _cached(
        self, images: Sequence[Image], texts: Sequence[Text] = ()
    ) -> Iterator[tuple[str, Encoder]]:
        for name in self._names:
            if self._assembly.weights("encoder", name).startswith(ABSENT):
                continue
            model: Any = self._assembly.model("encoder", name)
            wanted = {kind for kind, items in (("image", images), ("text", texts)) if items}
            keys = [model.key(item) for item in (*_spread(images), *_spread(texts))]
            if wanted <= model.modalities and keys and len(model.known(keys)) == len(set(keys)):
                yield name, model


def _spread(items: Sequence[Any]) -> Sequence[Any]:
    return items[:: max(1, len(items) // PROBES)]
