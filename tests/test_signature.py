"""Signatures: parseable, complete, and comparable in what matters."""

from __future__ import annotations

import pytest

from mmragbench import __version__
from mmragbench.signature import differences, extended, parse, signature


def test_parse_is_the_inverse():
    """Every fact comes back, in order, also one with colons in it."""
    text = signature("FID(clip)", dims=512, relevance="silver:category", gone=None, n=5)
    assert list(parse(text).items()) == [
        ("measure", "FID(clip)"),
        ("dims", "512"),
        ("relevance", "silver:category"),
        ("n", "5"),
        ("mmragbench", __version__),
    ]
    measure, *facts = parse(text).items()
    assert signature(measure[1], **dict(facts)) == text


def test_the_last_fact_is_this_packages_version():
    """Of every signature."""
    assert signature("AP").endswith(f"|mmragbench:{__version__}")
    assert extended(signature("AP"), missing="skip").endswith(f"|mmragbench:{__version__}")


def test_separators_in_values_do_not_break_a_signature():
    """A value with `|` or a new line stays one value."""
    assert parse(signature("AP", tag="a|b\nc"))["tag"] == "a/b c"


def test_more_facts_replace_those_of_the_same_name():
    """Nothing is said twice."""
    once = extended(signature("AP", n=5), missing="error", n_missing=0)
    again = extended(once, missing="skip", n_missing=2)
    facts = parse(again)
    assert (facts["missing"], facts["n_missing"], facts["n"]) == ("skip", "2", "5")
    assert again.count("missing:") == 2


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ("CIDEr|tok:ptb-py", "CIDEr|tok:ptb-java", {"tok": ("ptb-py", "ptb-java")}),
        ("CIDEr|refs:5", "CIDEr", {"refs": ("5", None)}),
        ("FID(clip)|dims:5", "FID(inception)|dims:5", {"measure": ("FID(clip)", "FID(inception)")}),
        ("AP|depth:5|ties:x", "AP|ties:x|depth:5", {}),
        ("AP|pytrec_eval:0.5.9", "AP|pytrec_eval:0.5.10", {"pytrec_eval": ("0.5.9", "0.5.10")}),
        ("AP|n:5", "AP|n:6", {"n": ("5", "6")}),
        ("FID|n_real:5", "FID|n_real:unknown", {"n_real": ("5", "unknown")}),
        ("AP|missing:error|n_missing:0", "AP", {}),
        ("AP|missing:zero|n_missing:0", "AP|missing:skip|n_missing:0", {}),
        (
            "AP|missing:zero|n_missing:3",
            "AP",
            {"missing": ("zero", None), "n_missing": ("3", None)},
        ),
        ("AP|mmragbench:0.2.0", "AP|mmragbench:0.2.7", {}),
        ("AP|mmragbench:0.2.0", "AP|mmragbench:0.3.0", {"mmragbench": ("0.2", "0.3")}),
    ],
)
def test_differences_are_named(a, b, expected):
    """Whatever matters, with both values; the order of the facts does not."""
    assert differences(a, b) == expected
    assert differences(b, a) == {name: pair[::-1] for name, pair in expected.items()}


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ("AP|n:5", "AP|n:6", {}),
        ("AP|n:5|missing:skip|n_missing:2", "AP|n:7|missing:error|n_missing:0", {}),
        (
            "AP|missing:zero|n_missing:2",
            "AP|missing:error|n_missing:0",
            {"missing": ("zero", None)},
        ),
        ("AP|missing:zero|n_missing:2", "AP|missing:zero|n_missing:0", {}),
        ("CIDEr|corpus:5-aa|n:5", "CIDEr|corpus:6-bb|n:6", {"corpus": ("5-aa", "6-bb")}),
    ],
)
def test_paired_numbers_may_differ_in_size(a, b, expected):
    """The queries that both have are compared; zeros in place of missing ones still matter, and so
    does another idf corpus."""
    assert differences(a, b, paired=True) == expected
