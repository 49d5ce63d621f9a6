"""The fuzzing harness finds what it is there to find, and every door holds against some inputs."""

from __future__ import annotations

import importlib
import sys
import time
from types import SimpleNamespace

import pytest

from mmragbench.errors import DataError
from support.paths import ROOT

FOLDER = ROOT / "benchmarks" / "reliability"

sys.path.append(str(FOLDER))
fuzz = importlib.import_module("fuzz")
doors = importlib.import_module("doors")


def door(enter):
    """A door that makes nothing and takes it in so."""
    return SimpleNamespace(__name__="doors.made_up", make=lambda rng, folder: None, enter=enter)


class Raw(DataError):
    """An error whose message goes out as it is."""

    def __str__(self):
        return self.args[0]


def raising(error):
    def enter(folder):
        raise error

    return enter


@pytest.mark.parametrize(
    "enter, end",
    [
        (raising(ValueError("a bug")), "traceback"),
        (raising(Raw("x" * 5_000)), "bad message"),
        (raising(Raw("\x1b[2J")), "bad message"),
        (raising(Raw("")), "bad message"),
        (lambda folder: doors.Outcome(given=3, taken=1, named=1), "silent drop"),
        (lambda folder: doors.Outcome(given=3, taken=4), "silent drop"),
        (lambda folder: time.sleep(5), "too slow"),
    ],
)
def test_what_must_not_happen_is_a_fault(enter, end, monkeypatch):
    """A traceback, a message that is none, a drop without a word, a long time: each is a fault."""
    monkeypatch.setattr(fuzz, "SECONDS", 1)
    tally = fuzz.fuzz(door(enter), [7], seed=0)
    assert dict(tally.ends) == {end: 1}
    assert tally.faulty and tally.faults[0][0] == 7


@pytest.mark.parametrize(
    "enter, end",
    [
        (raising(DataError("groups.tsv has no query of the run")), "refused"),
        (lambda folder: doors.Outcome(given=3, taken=3), "taken"),
        (lambda folder: doors.Outcome(given=3, taken=1, named=2), "taken in part"),
    ],
)
def test_what_may_happen_is_none(enter, end):
    """Taken whole, taken in part with the rest named, refused in one line."""
    tally = fuzz.fuzz(door(enter), [0], seed=0)
    assert dict(tally.ends) == {end: 1} and not tally.faults


def test_an_input_is_made_from_its_number_alone():
    """The same seed and number give the same input, whatever came before."""
    drawn = []
    made_up = door(lambda folder: doors.Outcome(1, 1))
    made_up.make = lambda rng, folder: drawn.append(rng.random())
    fuzz.fuzz(made_up, range(5), seed=3)
    fuzz.fuzz(made_up, [4], seed=3)
    assert drawn[4] == drawn[5] and len(set(drawn)) == 5


@pytest.mark.parametrize("name", fuzz.names())
def test_every_door_holds(name):
    """Forty inputs a door, other ones than the figures in the docs are from: no fault."""
    tally = fuzz.fuzz(importlib.import_module(f"doors.{name}"), range(40), seed=1)
    assert not tally.faults, tally.faults[0][1]
