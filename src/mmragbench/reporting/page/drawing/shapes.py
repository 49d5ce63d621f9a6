"""The parts that plots share: a mark per strategy that is known without its colour, round ticks, text."""

from __future__ import annotations

import math
from html import escape


def mark(css: str, x: float, y: float, title: str = "", hollow: bool = False) -> str:
    """A mark of a strategy's class at a place; `title` appears when the pointer rests on it."""
    tooltip = f"<title>{escape(title)}</title>" if title else ""
    kind = f"mark {css}{' hollow' if hollow else ''}"
    return (
        f'<g class="{kind}" transform="translate({x} {y})">{tooltip}<use href="#mark-{css}"/></g>'
    )


def linked(part: str, href: str, name: str = "") -> str:
    """A part of a plot as a link, named by its texts or by `name`; the part itself where `href` is
    empty."""
    if not href:
        return part
    label = f' aria-label="{escape(name)}"' if name else ""
    return f'<a href="{escape(href)}"{label}>{part}</a>'


def text(x: float, y: float, words: str, css: str = "tick", anchor: str = "start") -> str:
    """A line of text at a place."""
    return f'<text class="{css}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def picture(width: float, height: float, title: str, parts: list[str]) -> str:
    """The whole plot; `title` says in words what it shows. With links in it, it is a group: what is
    in an image cannot be reached."""
    content = "".join(parts)
    role = "group" if "<a " in content else "img"
    head = f'<svg viewBox="0 0 {width} {height}" role="{role}" aria-label="{escape(title)}">'
    return f"{head}{content}</svg>"


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers within a range."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    tens = 10.0 ** math.floor(math.log10(rough))
    step = next(size * tens for size in (1, 2, 2.5, 5, 10) if size * tens >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [position * step for position in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten within a range; powers alone where those are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    within = [value for value in every if low * 0.999 <= value <= high * 1.001]
    tens = [value for value in within if round(math.log10(value), 9).is_integer()]
    return tens if len(within) > 6 and len(tens) > 1 else within[:: -(-len(within) // 6) or 1]


def short(name: str, most: int = 22) -> str:
    """A name of at most `most` characters; of a longer one the middle is cut, since names of a family
    differ at their ends."""
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end]}…{name[-end:]}"
