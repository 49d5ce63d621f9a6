"""Rerankers with an image-text matching head: BLIP and BLIP-2."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from mmragbench._batching import batches, in_halves, opened, read_ahead
from mmragbench.backends.devices import Precision
from mmragbench.backends.transformers.loading import Checkpoint, LazyModel, load
from mmragbench.backends.transformers.missing_weights import suggested_use
from mmragbench.errors import SuiteError, first_line
from mmragbench.records import Document, Failure, Image, Modality, Query
from mmragbench.registry import reranker

KINDS = {"blip": "BlipForImageTextRetrieval", "blip-2": "Blip2ForImageTextRetrieval"}
"""Type of a checkpoint -> the class of transformers that has its matching head."""

UNMATCHED = Failure("image-text matching wants a picture on one side and a text on the other")


class Match(NamedTuple):
    """A text to compare with a picture, for the pair of query and document at a position."""

    position: int
    text: str


class Score(NamedTuple):
    """The score of the pair at a position, or why it has none."""

    position: int
    value: float | Failure


@reranker
class ImageTextMatching(LazyModel):
    """Reranker: a query's text against a document's picture, and a query's picture against a
    document's texts, of which the best counts; BLIP's or BLIP-2's matching head.

    The score is the logit of a match less that of none. Texts are cut where the model's text
    encoder ends (BERT's 512 tokens).

    Args:
        name: `Salesforce/blip-itm-base-coco`, `Salesforce/blip2-itm-vit-g`, a path, or
            `shipped:<folder>`.
        batch_size: pairs in one forward pass; BLIP encodes each picture once for all its pairs.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto` (`bf16` on CUDA, else `fp32`), `fp32`, `bf16`, `fp16`.
    """

    modalities: frozenset[Modality] = frozenset({"image", "text"})

    def __init__(
        self, name: str, batch_size: int = 32, device: str = "auto", precision: Precision = "auto"
    ) -> None:
        super().__init__("", name, device, precision)
        self._batch_size = batch_size

    @cached_property
    def checkpoint(self) -> Checkpoint:
        checkpoint = load(_kind(self.name), self.name, self._device, self._precision)
        checkpoint.processor.tokenizer.padding_side = "right"  # the head reads the first token
        return checkpoint

    def score(
        self, queries: Sequence[Query], documents: Sequence[Document]
    ) -> list[float | Failure]:
        """The best score of each pair; a Failure for one without a picture and a text to compare."""
        by_picture: dict[Image, list[Match]] = defaultdict(list)
        for position, (query, document) in enumerate(zip(queries, documents, strict=True)):
            for image, text in _comparable(query, document):
                by_picture[image].append(Match(position, text))
        scores: list[float | Failure] = [UNMATCHED] * len(queries)
        pictures = zip(by_picture, read_ahead(opened, by_picture), strict=True)
        for batch in batches(pictures, self._batch_size):
            for position, value in self._match_scores(dict(batch), by_picture):
                scores[position] = _better(scores[position], value)
        return scores

    def _match_scores(
        self, pictures: Mapping[Image, Any], by_picture: Mapping[Image, Sequence[Match]]
    ) -> Iterator[Score]:
        """The scores of all matches of some pictures."""
        for image, picture in pictures.items():
            if isinstance(picture, Failure):
                yield from (Score(match.position, picture) for match in by_picture[image])
        usable = [i for i, picture in pictures.items() if not isinstance(picture, Failure)]
        encoded = in_halves(self._picture_inputs, [pictures[i] for i in usable])
        inputs = dict(zip(usable, encoded, strict=True))
        matches = [(inputs[image], match) for image in usable for match in by_picture[image]]
        yield from (Score(m.position, own) for own, m in matches if isinstance(own, Failure))
        ready = [(own, m) for own, m in matches if not isinstance(own, Failure)]
        ready.sort(key=lambda pair: len(pair[1].text))
        for batch in batches(ready, self._batch_size):
            values = in_halves(self._log_odds, batch)
            yield from (Score(m.position, v) for (_, m), v in zip(batch, values, strict=True))

    def _picture_inputs(self, pictures: list[Any]) -> list[Any]:
        """The inputs of the matching head for each picture: BLIP's vision features, BLIP-2's pixels."""
        import torch

        if not pictures:
            return []
        inputs = self.checkpoint.processor.image_processor(images=pictures, return_tensors="pt")
        pixels = self.checkpoint.moved(inputs)["pixel_values"]
        if self.checkpoint.model.config.model_type != "blip":
            return list(pixels)
        with torch.inference_mode():
            return list(self.checkpoint.model.vision_model(pixels).last_hidden_state)

    def _log_odds(self, pairs: list[tuple[Any, Match]]) -> list[float]:
        """Log-odds that a text matches a picture, for each pair of picture inputs and text."""
        import torch

        model, texts = self.checkpoint.model, [match.text for _, match in pairs]
        inputs = self._tokens(texts)
        pictures = torch.stack([picture for picture, _ in pairs])
        with torch.inference_mode():
            if model.config.model_type == "blip":
                output = model.text_encoder(**inputs, encoder_hidden_states=pictures)
                logits = model.itm_head(output.last_hidden_state[:, 0])
            else:
                logits = model(
                    **inputs, pixel_values=pictures, use_image_text_matching_head=True
                ).logits_per_image
        odds: list[float] = (logits[:, 1] - logits[:, 0]).double().tolist()
        return odds

    def _tokens(self, texts: list[str]) -> dict[str, Any]:
        """(n, length) ids and mask.

        BLIP-2 checkpoints that have a picture's token expect it before the text, once for each of
        their query tokens.
        """
        from torch.nn.functional import pad

        checkpoint, config = self.checkpoint, self.checkpoint.model.config
        text = config.text_config if config.model_type == "blip" else config.qformer_config
        tokens = checkpoint.processor.tokenizer(
            texts,
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=text.max_position_embeddings,
        ).to(checkpoint.device)
        ids, mask = tokens["input_ids"], tokens["attention_mask"]
        if (token := getattr(config, "image_token_index", None)) is not None:
            before = (config.num_query_tokens, 0)
            ids, mask = pad(ids, before, value=token), pad(mask, before, value=1)
        return {"input_ids": ids, "attention_mask": mask}


def _comparable(query: Query, document: Document) -> Iterator[tuple[Image, str]]:
    """Every picture of one side with every text of the other."""
    if query.text and document.image:
        yield document.image, query.text.content
    if query.image:
        yield from ((query.image, text.content) for text in document.texts)


def _better(one: float | Failure, other: float | Failure) -> float | Failure:
    """The higher score; any score before a failure; of two failures the later one."""
    if isinstance(one, Failure):
        return other
    return one if isinstance(other, Failure) else max(one, other)


def _kind(name: str) -> str:
    """The class that reads a checkpoint's matching head.

    Raises:
        SuiteError: there is no such model, or it has no such head.
    """
    from transformers import AutoConfig

    try:
        model_type = AutoConfig.from_pretrained(name, trust_remote_code=False).model_type
    except (OSError, ValueError) as error:
        raise SuiteError(
            f"transformers cannot load {name!r}: {first_line(error)}{suggested_use(name)}"
        ) from error
    if model_type not in KINDS:
        raise SuiteError(
            f"{name!r} is of type {model_type!r}, which has no image-text matching head; "
            f"there is one in {', '.join(KINDS)}{suggested_use(name)}"
        )
    return KINDS[model_type]
