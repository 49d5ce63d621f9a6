"""The training loop that the five models share: cosine schedule, log, and resumable."""

import csv
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import Protocol

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to learn: until the steps are done or the minutes are over."""

    steps: int
    minutes: float = 600
    rate: float = 1e-3
    warmup: int = 200
    decay: float = 0.05
    seed: int = 0
    every: int = 250
    save_seconds: float = 240

    def within(self, steps: int | None, minutes: float | None) -> "Recipe":
        """The same recipe with other limits."""
        steps = self.steps if steps is None else steps
        minutes = self.minutes if minutes is None else minutes
        return replace(self, steps=steps, minutes=minutes, warmup=min(self.warmup, steps // 5))

    def share(self, step: int, seconds: float) -> float:
        """How much of the course is behind us."""
        return min(1.0, max(step / self.steps, seconds / 60 / self.minutes))

    def pace(self, step: int, seconds: float) -> float:
        """The learning rate: a short rise, then a cosine."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        return self.rate * (0.5 + 0.5 * math.cos(math.pi * self.share(step, seconds)) + 0.005)


class Lesson(Protocol):
    """What differs from model to model."""

    name: str
    module: nn.Module

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Draw a batch; the terms to be added up."""

    def measures(self) -> dict[str, float]:
        """Validation measures, on held-out examples."""

    def save(self) -> None:
        """Write the folder from which the model loads."""


def bfloat16() -> torch.autocast:
    """Twice as fast on a CPU with AVX512-BF16; the weights stay in single precision."""
    return torch.autocast("cpu", torch.bfloat16)


class Fused:
    """A context in which a model's layers are compiled, where a compiler is at hand: twice as fast in
    training on a CPU. Outside of it, when it generates, they are as they were."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        self._layers = list(layers) if which("g++") else []
        self._compiled = [torch.compile(layer.forward, dynamic=True) for layer in self._layers]

    def __enter__(self) -> None:
        for layer, compiled in zip(self._layers, self._compiled, strict=True):
            layer.forward = compiled

    def __exit__(self, *_: object) -> None:
        for layer in self._layers:
            del layer.forward


def store_half(path: Path, weights: dict[str, Tensor]) -> None:
    """Write weights in half precision; the usual loading calls turn them into single precision."""
    half = {
        name: weight.half() if weight.is_floating_point() else weight
        for name, weight in weights.items()
    }
    save_file(
        {name: weight.contiguous() for name, weight in half.items()},
        path,
        metadata={"format": "pt"},
    )
    path.chmod(0o644)


def learn(lesson: Lesson, recipe: Recipe, work: Path) -> None:
    """Train to the last step, from wherever an earlier run under the same `work` came to."""
    work.mkdir(parents=True, exist_ok=True)
    optimizer = torch.optim.AdamW(
        _groups(lesson.module, recipe.decay), lr=recipe.rate, betas=(0.9, 0.98)
    )
    state = work / f"{lesson.name}.pt"
    step, spent = _resume(state, lesson.module, optimizer)
    clock = saved = time.monotonic()
    running: dict[str, float] = {}
    while recipe.share(step, seconds := spent + time.monotonic() - clock) < 1:
        _step(lesson, optimizer, recipe.pace(step, seconds), (recipe.seed, step), running)
        step += 1
        seconds = spent + time.monotonic() - clock
        last = recipe.share(step, seconds) == 1
        if step % recipe.every == 0 or last:
            lesson.module.eval()
            _log(work / f"{lesson.name}.csv", step, seconds, running | lesson.measures())
        if time.monotonic() - saved > recipe.save_seconds or last:
            saved = time.monotonic()
            _keep(state, lesson, optimizer, step, seconds)


def _step(
    lesson: Lesson,
    optimizer: torch.optim.Optimizer,
    rate: float,
    seed: tuple[int, int],
    running: dict[str, float],
) -> None:
    lesson.module.train()
    torch.manual_seed(seed[0] * 1_000_003 + seed[1])
    for group in optimizer.param_groups:
        group["lr"] = rate
    terms = lesson.losses(np.random.default_rng(seed))
    optimizer.zero_grad(set_to_none=True)
    sum(terms.values(), torch.zeros(())).backward()
    nn.utils.clip_grad_norm_(lesson.module.parameters(), 1.0)
    optimizer.step()
    for name, term in terms.items():
        running[name] = 0.98 * running.get(name, term.item()) + 0.02 * term.item()


def _groups(module: nn.Module, decay: float) -> list[dict]:
    learned = [weight for weight in module.parameters() if weight.requires_grad]
    return [
        {"params": [weight for weight in learned if weight.ndim > 1], "weight_decay": decay},
        {"params": [weight for weight in learned if weight.ndim <= 1], "weight_decay": 0.0},
    ]


def _resume(state: Path, module: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    if not state.is_file():
        return 0, 0.0
    kept = torch.load(state, weights_only=True)
    module.load_state_dict(kept["module"])
    optimizer.load_state_dict(kept["optimizer"])
    return kept["step"], kept["seconds"]


def _keep(
    state: Path, lesson: Lesson, optimizer: torch.optim.Optimizer, step: int, seconds: float
) -> None:
    lesson.module.eval()
    lesson.save()
    fresh = state.with_suffix(".new")
    kept = {
        "module": lesson.module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    torch.save(kept, fresh)
    fresh.replace(state)


def _log(path: Path, step: int, seconds: float, values: dict[str, float]) -> None:
    row = {
        "step": step,
        "seconds": round(seconds),
        **{name: round(value, 4) for name, value in values.items()},
    }
    is_new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
    print(path.stem, *(f"{name}={value}" for name, value in row.items()), flush=True)
