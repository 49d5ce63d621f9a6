"""Picture tokens of models of Emu3's class: which they are, and in which order they make a picture."""

from __future__ import annotations

from typing import Any

from mmragbench.backends.transformers.loading import Checkpoint


def picture_tokens(checkpoint: Checkpoint) -> list[int]:
    """The tokens that only pictures consist of; none where the model does not write them."""
    if checkpoint.model.config.model_type != "emu3":
        return []
    processor, mapping = checkpoint.processor, checkpoint.model.model.vocabulary_mapping
    marks = (
        processor.image_token,
        processor.image_start_token,
        processor.fake_token_around_image,
        processor.eof_token,
        processor.image_end_token,
    )
    ids = processor.tokenizer.convert_tokens_to_ids(list(marks))
    return sorted({*mapping.image_tokens, mapping.eol_token_id, *ids})


class PictureGrid:
    """A logits processor that allows rows of picture tokens, each with its end, then the picture's ends.

    The rule is Emu3's (Wang et al. 2024), as transformers documents it.
    """

    def __init__(self, checkpoint: Checkpoint, rows: int, columns: int) -> None:
        import torch

        words, mapping = checkpoint.processor.tokenizer, checkpoint.model.model.vocabulary_mapping
        self._columns, self._within = columns, rows * (columns + 1)
        self._picture = torch.as_tensor(mapping.image_tokens, device=checkpoint.device)
        self._end_of_row = mapping.eol_token_id
        self._end_tokens = [
            words.convert_tokens_to_ids(checkpoint.processor.eof_token),
            words.convert_tokens_to_ids(checkpoint.processor.image_end_token),
            words.eos_token_id,
        ]
        self.length = self._within + len(self._end_tokens)
        self._step = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary), all but what may come next at minus infinity."""
        allowed: Any = self._picture
        if self._step >= self._within:
            allowed = [self._end_tokens[self._step - self._within]]
        elif self._step % (self._columns + 1) == self._columns:
            allowed = [self._end_of_row]
        self._step += 1
        masked = scores.new_full(scores.shape, float("-inf"))
        masked[:, allowed] = scores[:, allowed]
        return masked
