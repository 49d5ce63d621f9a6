"""How numbers and counts are written."""

from __future__ import annotations

NOISE = 1e-12
"""Numbers below this are zero but for rounding."""


def number(value: float, sign: str = "") -> str:
    """A number with four decimals, or with three digits where it is below 0.001.

    Args:
        sign: `+` to write it before numbers that are not negative.

    >>> number(0.31249), number(4.123e-5, "+"), number(-2.2e-16)
    ('0.3125', '+4.12e-05', '0.0000')
    """
    value = exact(value)
    return f"{value:{sign}.3g}" if 0 < abs(value) < 0.001 else f"{value:{sign}.4f}"


def interval(low: float | None, high: float | None, sign: str = "") -> str:
    """An interval as `0.2985 to 0.3264`; a dash where there is none."""
    return "-" if low is None or high is None else f"{number(low, sign)} to {number(high, sign)}"


def p_value(p: float) -> str:
    """A p-value with four decimals; `<0.0001` instead of zero."""
    return f"{p:.4f}" if p >= 0.00005 else "<0.0001"


def exact(value: float) -> float:
    """The number itself, or 0 (without a sign) where it is below `NOISE`."""
    return 0.0 if abs(value) < NOISE else value


def plural(noun: str) -> str:
    """`tests`, `queries`, `losses`; of regular nouns whose `y` follows a consonant."""
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def counted(n: int, noun: str) -> str:
    """`1 test`, `1,234 queries`."""
    return f"{n:,} {noun if n == 1 else plural(noun)}"
