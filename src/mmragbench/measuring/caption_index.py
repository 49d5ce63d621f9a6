"""An index of captions that ignores case, spacing and punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mmragbench.records import Document


def normalised(caption: str) -> str:
    """Lower case, words separated by one space, no punctuation."""
    plain = unicodedata.normalize("NFKC", caption).casefold()
    return re.sub(r"[\W_]+", " ", plain).strip()


class CaptionIndex:
    """An index from the normalised captions of a memory to the documents that have them."""

    def __init__(self, memory: Iterable[Document]) -> None:
        self._documents: dict[str, list[str]] = {}
        for document in memory:
            for caption in {normalised(text.content) for text in document.texts}:
                self._documents.setdefault(caption, []).append(document.id)
        self._documents.pop("", None)

    def __contains__(self, caption: str) -> bool:
        return normalised(caption) in self._documents

    def documents(self, caption: str) -> list[str]:
        """The ids of the documents that have this caption."""
        return self._documents.get(normalised(caption), [])

    @property
    def recurring(self) -> float | None:
        """The share of the memory's captions that another of its documents has as well: how often
        captions are the same by chance."""
        times = [len(documents) for documents in self._documents.values()]
        return sum(n for n in times if n > 1) / sum(times) if times else None
