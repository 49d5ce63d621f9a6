"""Sampling of tokens that does not depend on the other rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class SeededGumbelSampler:
    """A logits processor that samples each row by its own seed (the Gumbel-max trick).

    It adds noise to the scores, so that the most likely token afterwards is a sample from the
    distribution (Gumbel 1954, Maddison et al. 2014).

    Args:
        seeds: one a row.
        temperature: flattens the distribution; 0 adds no noise.
        guidance: above 1, the rows come twice, the second time without the prompt, and what the
            prompt adds counts so many times (classifier-free guidance, Ho and Salimans 2022).
        top_p: only the most likely tokens that have this share of the distribution together are
            sampled (nucleus sampling, Holtzman et al. 2020); 1 for all of them.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        temperature: float,
        guidance: float = 1.0,
        top_p: float = 1.0,
    ) -> None:
        import torch

        # on the CPU whatever the model's device: the noise is the same everywhere
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._temperature, self._guidance, self._top_p = temperature, guidance, top_p
        self._log_likelihoods: list[Any] = []

    @property
    def was_called(self) -> bool:
        """Whether a token was sampled."""
        return bool(self._log_likelihoods)

    def mean_log_likelihoods(self, lengths: Sequence[int]) -> list[float]:
        """The mean log likelihood of each row's first tokens, as many as `lengths` says, under the
        model's own distribution: without temperature and noise, and of all tokens. 0 for a row of
        none, or where nothing was sampled."""
        steps = [step.tolist() for step in self._log_likelihoods]
        return [
            sum(step[row] for step in steps[:length]) / max(length, 1)
            for row, length in enumerate(lengths)
        ]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary), or twice as many rows; returns (rows, vocabulary) float32."""
        scores = scores.float()
        if len(scores) == 2 * len(self._generators):
            conditional, unconditional = scores.chunk(2)
            scores = unconditional + self._guidance * (conditional - unconditional)
        noisy = self._noisy(input_ids, scores) if self._temperature else scores
        chosen = noisy.argmax(dim=1, keepdim=True)
        self._log_likelihoods.append(scores.log_softmax(dim=1).gather(1, chosen)[:, 0])
        return noisy

    def _noisy(self, input_ids: Any, scores: Any) -> Any:
        """The scores at the temperature, of the nucleus alone, with Gumbel noise."""
        import torch
        from transformers import TopPLogitsWarper

        scores, width = scores / self._temperature, scores.shape[1]
        if self._top_p < 1:
            scores = TopPLogitsWarper(self._top_p)(input_ids, scores)
        noise = torch.stack(
            [torch.empty(width).exponential_(generator=own) for own in self._generators]
        )
        return scores - noise.log().to(scores.device)
