"""Sampling of tokens that does not depend on the other rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class SeededGumbelSampler:
    """A logits processor that samples each row by its own seed (the Gumbel-max trick).

    It adds noise to the scores, so that the most likely token afterwards is a sample from the whole
    distribution (Gumbel 1954, Maddison et al. 2014).

    Args:
        seeds: one a row.
        temperature: flattens the distribution; 0 adds no noise.
        guidance: above 1, the rows come twice, the second time without the prompt, and what the
            prompt adds counts so many times (classifier-free guidance, Ho and Salimans 2022).
    """

    def __init__(self, seeds: Sequence[int], temperature: float, guidance: float = 1.0) -> None:
        import torch

        # on the CPU whatever the model's device: the noise is the same everywhere
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._temperature, self._guidance = temperature, guidance
        self.was_called = False

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary), or twice as many rows; returns (rows, vocabulary) float32."""
        import torch

        self.was_called = True
        scores = scores.float()
        if len(scores) == 2 * len(self._generators):
            conditional, unconditional = scores.chunk(2)
            scores = unconditional + self._guidance * (conditional - unconditional)
        if not self._temperature:
            return scores
        width = scores.shape[1]
        noise = torch.stack(
            [torch.empty(width).exponential_(generator=own) for own in self._generators]
        )
        return scores / self._temperature - noise.log().to(scores.device)
