"""`mmragbench compare`: paired differences with their tests, and their decomposition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mmragbench._digits import number, p_value
from mmragbench.cli.arguments import Results
from mmragbench.cli.terminal import Terminal, wide
from mmragbench.cli.together import together
from mmragbench.errors import MmragbenchError
from mmragbench.reporting.words.phrases import verdict_words
from mmragbench.run_folder.paths import Setting

if TYPE_CHECKING:
    from mmragbench.comparing.decomposition import Gain, Part, Swap
    from mmragbench.comparing.pairs import Pair
    from mmragbench.comparing.systems import System
    from mmragbench.run_folder.reading import Run

Measures = Annotated[str, typer.Option(help="Only these, separated by commas.")]


def compare(
    results: Results,
    baseline: Annotated[
        str, typer.Option(help="By default the suite's; `all` for all pairs.")
    ] = "",
    measures: Measures = "",
    slice: Annotated[str, typer.Option(help="Only the queries of this slice.")] = "all",
    swap: Annotated[
        str,
        typer.Option(
            help="Two systems, A,B, each strategy/generator-kN: what is retrieval's part?"
        ),
    ] = "",
    systems: Annotated[
        str,
        typer.Option(help="Only these two, A,B, named as for --swap, though generators differ."),
    ] = "",
    force: Annotated[bool, typer.Option(help="Compare although signatures differ.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Rows instead of tables.")] = False,
) -> None:
    """Compare strategies of a run, two runs, or other systems' scores: paired differences, intervals,
    Holm's correction within families of tests. What is shown moves no verdict. Runs that differ in
    their seed alone are put together."""
    from mmragbench.comparing.baseline import against, to_baseline
    from mmragbench.comparing.decomposition import gains
    from mmragbench.comparing.decomposition import swap as decompose
    from mmragbench.comparing.families import among, between
    from mmragbench.comparing.systems import of_systems
    from mmragbench.run_folder.files import unlisted
    from mmragbench.run_folder.reading import open_run
    from mmragbench.run_folder.score_files import opened

    chosen = [name.strip() for name in measures.split(",") if name.strip()]
    if any(path.is_file() for path in results):
        with opened(results) as scored:
            _show_pairs(to_baseline(among(scored, chosen, force), baseline or None), as_json)
        return
    with unlisted(*results), _together([open_run(path) for path in results]) as (first, *rest):
        if swap:
            _show_swaps(decompose(first, *_systems("--swap", swap), chosen), as_json)
        elif systems:
            two = _systems("--systems", systems)
            _show_pairs(of_systems(first, *two, slice, chosen), as_json)
        elif rest:
            _show_pairs(between(first, rest[0], slice, chosen, force), as_json)
        else:
            pairs = against(first, _baseline(first, baseline), slice, chosen)
            _show_pairs(pairs, as_json)
            if not as_json and slice == "all":
                _show_gains(gains(first, chosen))


@contextmanager
def _together(runs: Sequence[Run]) -> Iterator[Sequence[Run]]:
    """One run or two; runs that differ in their seed alone are put together.

    Raises:
        MmragbenchError: there are more than two left.
    """
    from mmragbench.run_folder.over_seeds import differences

    if len(runs) == 2 and any(differences(runs)):
        yield runs
        return
    with together(runs) as left:
        if len(left) > 2:
            raise MmragbenchError(
                f"{len(left)} runs: give one, two, or runs of one suite under different seeds"
            )
        yield left


def _baseline(run: Run, named: str) -> str | None:
    """The baseline to compare with; None for all pairs."""
    name: str | None = named or run.suite.get("baseline")
    return None if name in (None, "all") else name


def _systems(option: str, text: str) -> tuple[System, System]:
    """The two systems that an option names.

    Raises:
        MmragbenchError: it does not name two.
    """
    from mmragbench.comparing.systems import System

    systems = [tuple(part.strip().split("/")) for part in text.split(",")]
    if len(systems) != 2 or any(len(system) != 2 for system in systems):
        raise MmragbenchError(
            f"{option} {text!r}: name two systems, e.g. "
            "shared-space/nearest-k1,text-grounding/consensus-k5"
        )
    (a, b), (c, d) = systems
    return System(a, b), System(c, d)


def _show_pairs(pairs: Sequence[Pair], as_json: bool) -> None:
    if as_json:
        Terminal().as_json([pair.row() for pair in pairs])
        return
    heads = (
        "task",
        "measure",
        "a",
        "b",
        "a - b",
        "95 % interval",
        "family",
        "p (Holm)",
        "verdict on a",
    )
    table = Table(*heads, box=None)
    for pair in pairs:
        same = f" on all {pair.n:,} queries" if pair.verdict == "identical" else ""
        needed = f" ({pair.needed:,} queries would show one)" if pair.needed else ""
        mark = " forced" if pair.forced else ""
        table.add_row(
            _where(pair),
            pair.measure,
            pair.a,
            pair.b,
            number(pair.difference, "+"),
            _interval(pair.low, pair.high) + "*" * pair.conservative,
            pair.family or "-",
            "-" if pair.p_holm is None else p_value(pair.p_holm),
            f"{verdict_words(pair.verdict)}{same}{needed}{mark}",
        )
    console = wide()
    console.print(table)
    for line in _families(pairs):
        console.print(line)
    for forced in sorted({pair.forced for pair in pairs if pair.forced}):
        console.print(f"forced although {forced}")


def _families(pairs: Sequence[Pair]) -> Iterator[str]:
    """Lines about the families of tests: what is corrected together, and how many tests."""
    sizes: dict[str, dict[str, int]] = {}
    for pair in pairs:
        if pair.family is not None and pair.tests is not None:
            sizes.setdefault(pair.task, {})[pair.family] = pair.tests
    if sizes:
        yield (
            "p is corrected (Holm) within families of tests, whatever is shown of them; tests in each:"
        )
    for task, families in sizes.items():
        yield f"{task}: {', '.join(f'{name} ({tests:,})' for name, tests in families.items())}"
    if any(pair.slice != "all" for pair in pairs):
        yield "Families of slices are exploratory."
    if any(pair.conservative for pair in pairs):
        yield "* conservative: wider than it need be, since few queries differ."
    yield from dict.fromkeys(f"{pair.measure}: {pair.note}." for pair in pairs if pair.note)


def _where(row: Pair | Gain) -> str:
    return f"{row.task} {Setting(row.generator, row.k)}" if row.generator else row.task


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"[{number(low, '+')}, {number(high, '+')}]"


def _show_gains(gains: Sequence[Gain]) -> None:
    """Print the shares of the headroom."""
    if not gains:
        return
    table = Table(
        "task", "measure", "strategy", "floor", "gained", "to the ceiling",
        "share", "95 % interval", box=None,
    )  # fmt: skip
    for gain in gains:
        table.add_row(
            _where(gain),
            gain.measure,
            gain.strategy,
            f"{number(gain.floor)} {gain.floor_of}",
            number(gain.gained, "+"),
            number(gain.missing, "+"),
            _share(gain),
            "-" if gain.low is None or gain.high is None else f"[{gain.low:.0%}, {gain.high:.0%}]",
        )
    console = wide()
    console.print("\nShare of the headroom between floor and oracle:")
    console.print(table)


def _share(gain: Gain) -> str:
    """The share of the headroom: a percentage, or words where it is below floor or above ceiling."""
    if gain.share is None:
        return "no headroom shown"
    if gain.gained < 0:
        return "below the floor"
    return "above the ceiling" if gain.missing < 0 else f"{gain.share:.0%}"


def _show_swaps(swaps: Sequence[Swap], as_json: bool) -> None:
    if as_json:
        Terminal().as_json([swap.row() for swap in swaps])
        return
    table = Table("task", "measure", "part", "difference", "95 % interval", "p (Holm)", box=None)
    for swap in swaps:
        parts: dict[str, Part] = {
            f"{swap.a} - {swap.b}": swap.total,
            "  by retrieval": swap.retrieval,
            "  by generation": swap.generation,
            "  interaction": swap.interaction,
        }
        for name, part in parts.items():
            table.add_row(
                swap.task,
                swap.measure,
                name,
                number(part.difference, "+"),
                _interval(part.low, part.high),
                "-" if part.p_holm is None else p_value(part.p_holm),
            )
    console = wide()
    console.print(table)
    console.print("Exploratory; corrected (Holm) over the parts shown.")
