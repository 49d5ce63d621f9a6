"""Costs of calls to a server: tokens, prices, dollars. Pure arithmetic."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from mmragbench.records import Prompt

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]

OVERHEAD = 64
"""The most tokens that a chat format adds to a prompt and its parts."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Price:
    """A line of the suite's price table. Where a server does not count an answer's tokens, the most
    that they can be is paid.

    Attributes:
        input, output: US dollars for a million tokens that are read or written.
        image: US dollars for a picture that is drawn, where pictures have a price of their own.
        image_tokens: what one picture comes to in tokens, at most, for the estimate before a call;
            as soon as the server has counted more for one, that number is taken.
    """

    input: Dollars = 0.0
    output: Dollars = 0.0
    image: Dollars = 0.0
    image_tokens: Annotated[int, Field(ge=0)] = 1600

    @property
    def is_free(self) -> bool:
        """Whether nothing costs anything."""
        return not (self.input or self.output or self.image)


def _free(value: Any) -> Any:
    return {} if value == 0 and not isinstance(value, bool) else value


PriceOrFree = Annotated[Price | None, BeforeValidator(_free)]
"""A price as a suite says it: `{input: 0.15, output: 0.6}`, or `0` for a server that is free."""


class Used(NamedTuple):
    """Use of one call: tokens read, tokens written, pictures drawn."""

    tokens_in: int = 0
    tokens_out: int = 0
    pictures: int = 0


def dollars(price: Price | None, used: Used) -> float:
    """The price of a use in US dollars; 0 without a price."""
    if price is None:
        return 0.0
    tokens = price.input * used.tokens_in + price.output * used.tokens_out
    return tokens / 1e6 + price.image * used.pictures


def at_most(prompt: Prompt, written: int, per_picture: int, pictures: int = 0) -> Used:
    """The most that a call can use. A token of text is one byte of UTF-8 at least (byte-level
    BPE), so that a text has no more tokens than bytes; some four times too many, as a rule.

    Args:
        prompt: of the call.
        written: how many tokens the answer may have.
        per_picture: how many tokens a picture of the prompt takes.
        pictures: how many pictures the answer is.
    """
    texts = (prompt.system, *(part for part in prompt.parts if isinstance(part, str)))
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return Used(size + OVERHEAD + per_picture * len(prompt.images), written, pictures)
