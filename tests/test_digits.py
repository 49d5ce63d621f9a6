"""Numbers as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mmragbench._digits import interval, number, p_value
from mmragbench.reporting.facts.units import number as in_a_table
from mmragbench.reporting.facts.units import shown
from support import stated


@pytest.mark.parametrize(
    "value, expected",
    [
        (0.31249, "0.3125"),
        (12.5, "12.5000"),
        (0.001, "0.0010"),
        (0.00071, "0.00071"),
        (4.123e-5, "4.12e-05"),
        (-4.1e-5, "-4.1e-05"),
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (-2.2e-16, "0.0000"),
        (3e-13, "0.0000"),
    ],
)
def test_a_number_has_as_many_digits_as_say_something(value: float, expected: str) -> None:
    """Four decimals, three digits of small ones, no zero with a sign, no rounding's remains."""
    assert number(value) == expected


@given(some.floats(-1e6, 1e6))
def test_what_is_not_zero_is_not_shown_as_zero(value: float) -> None:
    """And the sign is the number's own, within a half of the last digit that is shown."""
    shown = float(number(value))
    if abs(value) >= 1e-12:
        assert shown != 0 and math.copysign(1, shown) == math.copysign(1, value)
        assert abs(shown - value) <= max(0.00005001, abs(value) * 1e-12, 0.0)
    else:
        assert math.copysign(1, shown) == 1 and shown == 0
    assert abs(shown - value) <= 0.006 * abs(value) or abs(value) >= 0.001 or shown == 0


def test_an_interval_and_a_p_value() -> None:
    """Signs on request; a dash for none; a p-value is never zero."""
    assert interval(-1e-6, 0.5) == "-1e-06 to 0.5000"
    assert interval(-0.0, 0.5, "+") == "+0.0000 to +0.5000"
    assert interval(None, None) == "-"
    assert [p_value(p) for p in (0.5, 0.0001, 1e-9)] == ["0.5000", "0.0001", "<0.0001"]


@pytest.mark.parametrize("value", [-0.0, 0.0, -2.2e-16])
def test_zero_is_zero_in_every_table(value: float) -> None:
    """In reports too, whatever the unit."""
    assert in_a_table(value, 4) == "0.0000"
    assert [shown(stated.measure(name), value, 1) for name in ("KID(x)", "FID(x)", "R@1")] == [
        "0.0"
    ] * 3
