"""Table of a plan's models: inputs, tokens, dollars, and the origin of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from mmragbench.backends.weights import UNRESOLVED

if TYPE_CHECKING:
    from mmragbench.engine.forecast import Forecast
    from mmragbench.engine.requirements import Required


def tabled(models: Sequence[Forecast]) -> Iterator[Table | str]:
    """The table, with tokens and dollars where a model has them, and a line with the sum of dollars."""
    priced = any(model.tokens is not None for model in models)
    paid = [model for model in models if model.dollars is not None]
    heads = ["model", "role", "inputs, at most", "known", "time left"]
    table = Table(*heads, *["tokens", "dollars"] * priced, "weights", box=None)
    for model in models:
        time_left = "not measured yet" if model.seconds is None else f"{model.seconds:,.0f} s"
        counts = (f"{model.items:,}", f"{model.known:,}")
        money = (_tokens(model), _dollars(model)) if priced else ()
        table.add_row(model.model, model.role, *counts, time_left, *money, source(model.weights))
    yield table
    if paid:
        measured = all(model.measured or not model.dollars for model in paid)
        total = sum(model.dollars or 0.0 for model in paid)
        yield f"to pay: {'about' if measured else 'at most'} ${total:,.2f}"


def listed(requirements: Sequence[Required], models: Sequence[Forecast]) -> Iterator[str]:
    """What must lie where, or would be downloaded, called and paid; a line for each."""
    dollars = {f"model {model.model}": model.dollars for model in models}
    for need in requirements:
        paid = dollars.get(need.owner)
        yield f"{need}, at most ${paid:,.2f}" if paid else str(need)


def source(weights: str) -> str:
    """The origin of a model's weights, in words."""
    if weights.startswith(UNRESOLVED):
        return f"would download {weights.removeprefix(UNRESOLVED)}"
    if weights.startswith("api:"):
        return f"would call {weights.removeprefix('api:')}"
    return weights[:40]


def _tokens(model: Forecast) -> str:
    return "-" if model.tokens is None else _about(model, f"{model.tokens:,}", bool(model.tokens))


def _dollars(model: Forecast) -> str:
    if model.dollars is None:
        return "no price" if model.tokens is not None else "-"
    return _about(model, f"${model.dollars:,.2f}", bool(model.dollars))


def _about(model: Forecast, number: str, is_estimate: bool) -> str:
    """A number with the sign of an estimate, or of an upper bound."""
    return f"{'~' if model.measured else '≤'} {number}" if is_estimate else number
