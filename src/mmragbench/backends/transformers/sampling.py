"""Sampling that does not depend on who else is in the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Lots:
    """A logits processor: each row draws its own lots, so that the most likely token afterwards is
    a sample from the whole distribution (the Gumbel-max trick: Gumbel 1954, Maddison et al. 2014).

    Args:
        seeds: one a row.
        temperature: flattens the distribution; 0 draws no lots.
        guidance: above 1, the rows come twice, the second time without the prompt, and what the
            prompt adds counts so many times (classifier-free guidance, Ho and Salimans 2022).
    """

    def __init__(self, seeds: Sequence[int], temperature: float, guidance: float = 1.0) -> None:
        import torch

        # on the CPU whatever the model's device: the lots are the same everywhere
        self._lots = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._temperature, self._guidance = temperature, guidance
        self.asked = False

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary), or twice as many rows; returns (rows, vocabulary) float32."""
        import torch

        self.asked = True
        scores = scores.float()
        if len(scores) == 2 * len(self._lots):
            told, untold = scores.chunk(2)
            scores = untold + self._guidance * (told - untold)
        if not self._temperature:
            return scores
        noise = torch.stack(
            [torch.empty(scores.shape[1]).exponential_(generator=lot) for lot in self._lots]
        )
        return scores / self._temperature - noise.log().to(scores.device)
