"""Suites: YAML files and overrides."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

from damaged_files import damaged

from doors import Outcome
from mmragbench.planning.suite import read, shipped_suites

SECONDS = 2

SCALARS = (
    "~", "yes", "0x" + "f" * 5000, "9" * 6000, "1e999", ".nan", "-.inf", "2024-13-45", "1:60:60", "''",
    "!!python/object/apply:os.system ['id']", "!!binary aGk=", "!!set {a, b}", "&a [*a]", "*none",
    '"\\ud800"', '"\\0"', "שלום", "a" * 20_000, "<<", "[1, [2, [3]]]", "{a: {b: {c: 1}}}", "|\n  text", "%",
    "@x", "`", "- - -", "? x", "!!int x", "!!float 1", "! x", "2001-12-14t21:59:43.10-05:00", "=", "\t",
)  # fmt: skip


def _laughs(rng: random.Random) -> str:
    levels, width = rng.randint(2, 12), rng.randint(2, 9)
    kind = rng.choice(["[{}]", "{{{}}}"])
    lines = ["a0: &a0 {k: x}"]
    for level in range(1, levels):
        keyed = (f"k{i}: *a{level - 1}" for i in range(width))
        plain = (f"*a{level - 1}" for i in range(width))
        lines.append(
            f"a{level}: &a{level} " + kind.format(", ".join(keyed if "{{" in kind else plain))
        )
    return "\n".join(lines)


def _nested(rng: random.Random) -> str:
    opening, closing = rng.choice(["[]", "{}", ("{a: ", "}"), ("- ", ""), ("? ", "")])
    depth = rng.choice([5, 40, 60, 1500, 20_000])
    return opening * depth + "x" + closing * rng.choice([depth, depth - 1])


def _merged(rng: random.Random) -> str:
    lines = ["m0: &m0 {a: 1, b: 2}"]
    lines += [
        f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}], c{i}: 1}}" for i in range(1, rng.randint(2, 30))
    ]
    return "\n".join(lines)


def _large(rng: random.Random) -> str:
    return rng.choice(
        [
            "name: " + "x" * rng.choice([1000, 900_000, 3_000_000]),
            "\n".join(f"k{i}: {i}" for i in range(rng.choice([100, 20_000, 60_000]))),
            "[" + "1," * rng.choice([1000, 60_000]) + "]",
        ]
    )


def _edited(rng: random.Random, text: str) -> str:
    lines = text.splitlines()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        key, colon, _ = lines[at].partition(":")
        choice = rng.randrange(5)
        if choice == 0:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif choice == 1:
            del lines[at]
        elif choice == 2:
            lines[at] = f"{key}{colon} {rng.choice(SCALARS)}"
        elif choice == 3:
            lines[at] = f"? [a, {rng.choice(SCALARS)}]\n: 2"
        else:
            lines[at] = " " * rng.randrange(9) + lines[at]
    return "\n".join(lines) + "\n"


def make(rng: random.Random, folder: Path) -> None:
    text = rng.choice(shipped_suites()).read_text(encoding="utf-8")
    whole = rng.choice(
        [_edited, _edited, _edited, lambda r, t: _laughs(r), lambda r, t: _nested(r),
         lambda r, t: _merged(r), lambda r, t: t, lambda r, t: t + _laughs(r),
         lambda r, t: _large(r) if r.random() < 0.2 else t + "extra: " + r.choice(SCALARS)]
    )(rng, text)  # fmt: skip
    encoding = rng.choice(
        ["utf-8"] * 8 + ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp037"]
    )
    content = whole.encode(encoding, "replace")
    if rng.random() < 0.3:
        content = damaged(rng, content)
    (folder / "suite.yaml").write_bytes(content)
    keys = (
        "dataset.limit",
        "seed",
        "name",
        "strategies.random.k",
        "tasks",
        "a." * 3000 + "b",
        "",
        "x=y",
    )
    overrides = [
        f"{rng.choice(keys)}={rng.choice(SCALARS)}" for _ in range(rng.choice([0, 0, 1, 2]))
    ]
    if overrides and rng.random() < 0.1:
        overrides.append(
            rng.choice(["no equals", "=", "k=\udcff", "k=" + _nested(rng), "k=" + _laughs(rng)])
        )
    (folder / "overrides.json").write_text(json.dumps(overrides))


def enter(folder: Path) -> Outcome:
    began = time.perf_counter()
    try:
        read(folder / "suite.yaml", json.loads((folder / "overrides.json").read_text()))
    finally:
        if time.perf_counter() - began > SECONDS:
            raise TimeoutError(f"more than {SECONDS} s")
    return Outcome(None, 1)
