"""Pictures made into text by a captioner, for strategies that search text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mmragbench.contracts import Captioner
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Failure, Image, Query, Text


def _captions(
    captioner: Captioner | None, images: Sequence[Image], prompts: Sequence[str], whose: str
) -> list[str | Failure]:
    if images and captioner is None:
        raise NotApplicable(f"{whose} pictures without text, and the strategy has no captioner")
    return captioner.caption(images, prompts) if captioner and images else []


def ground_queries(queries: Sequence[Query], captioner: Captioner | None) -> list[Query]:
    """Queries with a text each: their own, or their picture's caption (a query with both has its
    text in the prompt). A picture that could not be captioned leaves the query without a text.

    Raises:
        NotApplicable: there are pictures to caption, but no captioner.
    """
    pictured = [query for query in queries if query.image]
    images = [query.image for query in pictured if query.image]
    prompts = [query.text.content if query.text else "" for query in pictured]
    captions = _captions(captioner, images, prompts, "the queries are")
    captions_by_query = {
        query.id: Text(f"{query.id}#caption", caption)
        for query, caption in zip(pictured, captions, strict=True)
        if not isinstance(caption, Failure)
    }
    return [replace(query, text=captions_by_query.get(query.id, query.text)) for query in queries]


def ground_documents(
    documents: Sequence[Document], captioner: Captioner | None, every: bool
) -> list[Document]:
    """Documents with their picture's caption among their texts: `every` picture is captioned, or
    only those without a text of their own.

    Raises:
        NotApplicable: a picture has no text of its own, and there is no captioner.
    """
    bare = [d for d in documents if d.image and not d.texts]
    wanted = [d for d in documents if d.image] if every and captioner else bare
    images = [document.image for document in wanted if document.image]
    captions = _captions(captioner, images, [""] * len(images), "the memory holds")
    texts = {
        document.id: Text(f"{document.id}#caption", caption)
        for document, caption in zip(wanted, captions, strict=True)
        if not isinstance(caption, Failure)
    }
    return [replace(d, texts=(*d.texts, texts[d.id])) if d.id in texts else d for d in documents]
