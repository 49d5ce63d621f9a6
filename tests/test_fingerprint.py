"""Fingerprints: the same code and state is the same fingerprint, in every process; other is another."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import re
import subprocess
import sys
import threading
import types

import numpy as np
import pytest

from mmragbench.cache.fingerprint import fingerprint, known_digest

SCALE = 2


class Plain:
    def __init__(self, value=None):
        self.value = value

    def scaled(self):
        return [SCALE * value for value in self.value]


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Pickled(Plain):
    """What it computed on the way is not part of its state."""

    def __getstate__(self):
        return {"value": self.value}


@dataclasses.dataclass(frozen=True)
class Frozen:
    value: object


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def closure(value):
    class Local:
        def answer(self):
            return value

    return Local


def compiled(source: str, name: str = "Mine"):
    """A class as a notebook cell defines one: without a file."""
    cell = types.ModuleType("cell")
    exec(source, cell.__dict__)
    return getattr(cell, name)


VALUES = [
    lambda n: n,
    lambda n: float(n),
    lambda n: [n, "a"],
    lambda n: {"a": n},
    lambda n: {"ab", "cd", n},
    lambda n: np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::-1] * n,
    lambda n: Plain(n),
    lambda n: Plain(Plain([n])),
    lambda n: Slotted(n),
    lambda n: Frozen(n),
    lambda n: closure(n),
    lambda n: closure(n)(),
    lambda n: functools.partial(max, n),
    lambda n: Plain(n).scaled,
    lambda n: (Colour.RED, Colour.BLUE)[n - 1],
    lambda n: re.compile("a" * n),
    lambda n: collections.deque([n]),
    lambda n: collections.OrderedDict(a=n),
    lambda n: np.random.default_rng(n),
    lambda n: (Plain, Slotted)[n - 1],
]


@pytest.mark.parametrize("value", VALUES)
def test_equal_values_agree_and_others_differ(value):
    """Made twice, a value has one fingerprint; with another number in it, another."""
    assert fingerprint(value(1)) == fingerprint(value(1))
    assert fingerprint(value(1)) != fingerprint(value(2))


def test_types_are_told_apart():
    """1, 1.0, True and "1" are four values; so are a list and a tuple, float32 and float64."""
    values = [1, 1.0, True, "1", [1], (1,), {1}, {1: 1}, np.float32(1), np.float64(1), b"1", None]
    assert len({fingerprint(value) for value in values}) == len(values)


def test_what_is_shared_counts_as_what_is_copied():
    """One list twice and two equal lists: the same state, also in an object that holds itself."""
    one = [1, 2]
    assert fingerprint([one, one]) == fingerprint([[1, 2], [1, 2]])
    loops = []
    for _ in range(2):
        loop = Plain(3)
        loop.itself = loop
        loops.append(fingerprint(loop))
    assert loops[0] == loops[1] != fingerprint(Plain(3))


@pytest.mark.parametrize(
    "edit",
    [
        ("return 1", "return 2"),
        ("x=3", "x=4"),
        ("DEPTH = 5", "DEPTH = 6"),
        ("* 7", "* 8"),
        ("top = 9", "top = 10"),
        ("+ 11", "+ 12"),
        ("'a'", "'b'"),
    ],
)
def test_code_without_a_file_is_identified_by_what_it_does(edit):
    """A constant, a default, a global variable, a helper, a class variable, a base class or an inner
    function that is edited makes another class; a comment or another line does not."""
    source = (
        "DEPTH = 5\n"
        "def helper(n): return n * 7\n"
        "class Base:\n    def base(self): return 0 + 11\n"
        "class Mine(Base):\n"
        "    top = 9\n"
        "    def one(self): return 1\n"
        "    def two(self, x=3): return x\n"
        "    def three(self): return helper(DEPTH)\n"
        "    @property\n    def four(self): return [(lambda: 'a') for _ in range(2)]\n"
    )
    mine = fingerprint(compiled(source))
    assert mine == fingerprint(compiled("# a comment\n\nOTHER = 1\n" + source))
    assert source.replace(*edit) != source
    assert mine != fingerprint(compiled(source.replace(*edit)))


def test_a_global_variable_counts_by_its_value_now(monkeypatch):
    """What a script sets from its arguments is part of what its classes do."""
    before = fingerprint(Plain([1]))
    monkeypatch.setattr(sys.modules[__name__], "SCALE", 3)
    assert fingerprint(Plain([1])) != before


def test_getstate_says_what_counts():
    """An attribute that `__getstate__` leaves out changes nothing."""
    one, other = Pickled(1), Pickled(1)
    other.calls = 5
    assert fingerprint(one) == fingerprint(other) != fingerprint(Pickled(2))


@pytest.mark.parametrize("state", [threading.Lock(), sys.stdout, (i for i in [1])])
def test_state_that_cannot_be_read_is_refused(state):
    """A lock, a stream or a generator has no fingerprint, however deep it lies; a warning says whose."""
    with pytest.raises(TypeError):
        fingerprint(Plain([{"a": state}]))
    with pytest.warns(UserWarning, match="thing: nothing that it computes is reused"):
        assert known_digest(Plain(state), "thing") is None


def test_every_process_gives_the_same():
    """Neither the order of sets nor addresses get in: also tensors, which pickle names by address."""
    code = (
        "import torch, numpy as np; torch.manual_seed(0)\n"
        "from mmragbench.cache.fingerprint import fingerprint\n"
        "class Mine:\n"
        "    words = {'red', 'green', 'blue'}\n"
        "    def __init__(self): self.net = torch.nn.Linear(3, 2).half(); self.a = np.eye(3)\n"
        "    def use(self): return [w in {'x', 'y', 'z'} for w in self.words]\n"
        "print(fingerprint(Mine()))"
    )
    prints = set()
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        prints.add(done.stdout)
    assert len(prints) == 1


def test_a_weight_that_changes_is_another_state():
    """One weight of a network is trained on: another fingerprint."""
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(3, 2)
    before = fingerprint(net)
    with torch.no_grad():
        net.weight[0, 0] += 1
    assert fingerprint(net) != before
