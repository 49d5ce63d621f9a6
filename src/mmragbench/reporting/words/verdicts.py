"""The verdicts of a report: for each task a sentence that ranks its strategies, and sentences on the
controls.

A sentence says *better* only where the stored comparison does, after Holm's correction within the
task's primary family; otherwise it says that no difference was shown, and how large a one is excluded;
that two gave the same results; or that they were not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

from mmragbench._digits import counted
from mmragbench.comparing.turning import turned
from mmragbench.reporting.facts.headline import Headline, goodness, headlines
from mmragbench.reporting.facts.same_results import Sameness, sameness
from mmragbench.reporting.words.controls import control_sentences
from mmragbench.reporting.words.no_difference import UNDECIDED, no_difference
from mmragbench.reporting.words.phrases import listed, setting, shortened, with_verb
from mmragbench.reporting.words.scale import Scale
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

BEATEN = 2
"""How many beaten strategies are named with their difference; the others are counted."""

FEW = 6
"""More strategies than this are counted and not named."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One task's answer, and further sentences on identical strategies, controls, failures and missing
    numbers."""

    task: str
    answer: str
    more: tuple[str, ...]


def verdicts(run: Run) -> list[Verdict]:
    """The verdict on each task; where no strategy has a number, a sentence that says so."""
    by_task = {headline.task.name: headline for headline in headlines(run)}
    return [
        _verdict(run, by_task[name]) if name in by_task else Verdict(name, _nothing(run, name), ())
        for name in run.tasks
    ]


def _nothing(run: Run, task: str) -> str:
    measure = run.primary(task)
    of = f" of {measure}, its primary measure" if measure else ""
    return f"No strategy has a number on {task}{of}."


def _verdict(run: Run, headline: Headline) -> Verdict:
    scale = Scale.of(headline.rows)
    ranked = sorted(
        (row for row in headline.rows if run.strategies[row.strategy] is None),
        key=goodness,
        reverse=True,
    )
    ranking = _Ranking(run, headline, ranked, scale)
    more = (*control_sentences(run, headline, scale), *_gaps(headline, ranked))
    return Verdict(headline.task.name, " ".join(ranking.answer()), (*ranking.identical(), *more))


def _gaps(headline: Headline, ranked: Sequence[Row]) -> Iterator[str]:
    """Sentences on what is not in the comparison: failures, and strategies without a number."""
    for row in ranked:
        if row.n_failed:
            queries = row.n + row.n_failed
            yield f"{row.strategy} failed on {row.n_failed:,} of {queries:,} queries."
    for strategy, reason in headline.missing.items():
        yield f"{strategy} has no number here: {reason.rstrip('.')}."


def _together(group: Sequence[str]) -> str:
    """`a`; `a (= b, c)` where others are identical."""
    first, *others = group
    return f"{first} (= {', '.join(others)})" if others else first


class _Ranking:
    """The contenders of one headline, best number first, and their comparisons in words. Strategies
    that are identical stand for one another."""

    def __init__(self, run: Run, headline: Headline, ranked: Sequence[Row], scale: Scale) -> None:
        self.run, self.headline, self.ranked, self.scale = run, headline, ranked, scale
        self.names = [row.strategy for row in ranked]
        self.top, *self.others = self.names
        self.pairs = {(pair["a"], pair["b"]): pair for pair in headline.pairs}

    def answer(self) -> Iterator[str]:
        """The sentences that rank the contenders."""
        if not self.others or not self.pairs:
            yield self._untested()
        elif above := self._with_verdict(self.top, "worse"):
            gap = self.scale.gap(self._must(self.top, above[0]))
            yield (
                f"{self.top} has the best {self.headline.measure.label} on {self._task}{self._where()}, "
                f"but on the queries that both answered {above[0]} is better by {gap}."
            )
        elif beaten := self._with_verdict(self.top, "better"):
            yield self._winner(beaten)
            yield from self._ties(beaten)
        else:
            yield from self._undecided()
        yield from self._unknown()

    def identical(self) -> Iterator[str]:
        """A sentence for each kind of groups with the same results; none where that is the answer, which
        is so where there is one group only."""
        kinds: dict[tuple[str, int], list[str]] = {}
        for group in self._groups if len(self._groups) > 1 else ():
            if len(group) > 1:
                what = {
                    "rankings": "The same rankings",
                    "outputs": "Identical outputs",
                    "values": f"The same {self.headline.measure.label}",
                }[self._sameness(group)]
                kinds.setdefault((what, self._must(*group[:2])["n"]), []).append(listed(group))
        for (what, n), groups in kinds.items():
            yield f"{what} on all {n:,} queries: {'; '.join(groups)}."

    @property
    def _task(self) -> str:
        return self.headline.task.name

    @cached_property
    def _groups(self) -> list[list[str]]:
        """The contenders in groups, identical ones together."""
        groups: list[list[str]] = []
        for name in self.names:
            group = next((g for g in groups if self._verdict(g[0], name) == "identical"), None)
            if group is None:
                groups.append([name])
            else:
                group.append(name)
        return groups

    def _untested(self) -> str:
        """The answer where there is nothing to compare with, or no comparison was stored."""
        measure, number = self.headline.measure.label, self.scale.bounded(self.ranked[0])
        if not self.others:
            only = f"{self.top} is the only strategy on {self._task}"
            return f"{only}: {measure} {number}{self._where()}."
        first = f"{self.top} has the best {measure} on {self._task}, {number}{self._where()}"
        return f"{first}; the strategies were not compared, so the order may be chance."

    def _winner(self, beaten: list[str]) -> str:
        """`a is better than b on t by 4.1 CIDEr [2.0, 6.3] and than c by 5.0 [2.7, 7.3].`"""
        first, *rest = named = self._apart(beaten)[:BEATEN]
        text = f"{self.top} is better than {first} on {self._task} by {self._gap(first, True)}"
        text += "".join(f" and than {other} by {self._gap(other, False)}" for other in rest)
        if more := [name for name in beaten if name not in named]:
            text += f", and than {shortened(more)}"
        return f"{text}{self._where()}."

    def _gap(self, other: str, name: bool) -> str:
        return self.scale.gap(self._must(self.top, other), name)

    def _ties(self, beaten: Sequence[str]) -> Iterator[str]:
        """Sentences on those that are not worse than the best, were that shown of others or not."""
        tied = self._apart(self._with_verdict(self.top, UNDECIDED))
        neither = [
            t for t in tied if beaten and all(self._verdict(t, b) == UNDECIDED for b in beaten)
        ]
        if only := [name for name in tied if name not in neither]:
            between = f"{self.top} and {shortened(only, last='or')}"
            yield self._no_difference(between, product([self.top], only))
        if neither:
            them = [self.top, *beaten]
            whom = f"any of {len(them)}" if len(them) > 3 else f"{listed(them, 'or')}"
            between = f"{shortened(neither)} and {whom}"
            yield self._no_difference(between, product(neither, them))

    def _no_difference(self, between: str, pairs: Iterable[tuple[str, str]]) -> str:
        return no_difference(between, [self._must(*pair) for pair in pairs], self.scale)

    def _undecided(self) -> Iterator[str]:
        """The answer where the first is better than no other strategy."""
        names = [group[0] for group in self._groups]
        verdicts = {self._verdict(a, b) for a, b in combinations(names, 2)}
        if len(names) == 1:
            yield self._all_identical()
        elif verdicts == {UNDECIDED}:
            count = counted(len(names), "strategy")
            once = " (identical ones counted once)" if len(names) < len(self.names) else ""
            several = count + once if len(names) > FEW else listed(map(_together, self._groups))
            between = several if len(names) == 2 else f"any two of {several}"
            between += f" on {self._task}{self._range()}"
            yield self._no_difference(between, combinations(names, 2))
        else:
            yield f"No strategy is known to be the best on {self._task}{self._where()}."
            yield from self._ties([])
            yield from self._first_difference()
        yield from self._notes()

    def _first_difference(self) -> Iterator[str]:
        """A sentence on the first of the others that is better than another."""
        for a, b in combinations(self.others, 2):
            if self._verdict(a, b) in ("better", "worse"):
                x, y = (a, b) if self._verdict(a, b) == "better" else (b, a)
                yield f"{x} is better than {y} by {self.scale.gap(self._must(x, y))}."
                return

    def _notes(self) -> Iterator[str]:
        """The stored notes on why nothing was tested."""
        notes = dict.fromkeys(pair.get("note") for pair in self.pairs.values())
        yield from (f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in notes if note)

    def _all_identical(self) -> str:
        """`a and b give the same rankings on all 500 queries of t (R@1 60.0).`"""
        same = {
            "rankings": "give the same rankings",
            "outputs": "give identical outputs",
            "values": f"have the same {self.headline.measure.label}",
        }[self._sameness(self.names)]
        queries = f"all {self._must(*self.names[:2])['n']:,} queries"
        return f"{listed(self.names)} {same} on {queries} of {self._task}{self._range()}."

    def _sameness(self, group: Sequence[str]) -> Sameness:
        where = Setting(self.headline.generator, self.headline.k)
        return sameness(self.run, self._task, group, where)

    def _unknown(self) -> Iterator[str]:
        unknown = self._with_verdict(self.top, None)
        if unknown and self.pairs:
            yield f"{with_verb(unknown, 'was', 'were')} not compared with {self.top}."

    def _range(self) -> str:
        best, worst = self.scale.value(self.ranked[0]), self.scale.value(self.ranked[-1])
        span = best if best == worst else f"{best} to {worst}"
        inner = self._where().strip(" ()")
        return f" ({self.headline.measure.label} {span}{', ' + inner if inner else ''})"

    def _where(self) -> str:
        """The setting, and what to know of the measure, in brackets."""
        headline, silver = self.headline, self.headline.task.silver
        parts = [
            self.scale.remark,
            setting(headline.generator, headline.k),
            f"silver relevance: {silver}" if silver and headline.generator is None else "",
        ]
        inside = "; ".join(part for part in parts if part)
        return f" ({inside})" if inside else ""

    def _apart(self, names: Sequence[str]) -> list[str]:
        """The first of each group of identical strategies among these."""
        groups = [[name for name in group if name in names] for group in self._groups]
        firsts = {group[0] for group in groups if group}
        return [name for name in names if name in firsts]

    def _pair(self, a: str, b: str) -> Json | None:
        return self.pairs.get((a, b)) or self.pairs.get((b, a))

    def _must(self, a: str, b: str) -> Json:
        return self.pairs.get((a, b)) or self.pairs[b, a]

    def _verdict(self, a: str, b: str) -> str | None:
        """The verdict on `a` against `b`; None where they were not compared."""
        pair = self._pair(a, b)
        if pair is None or pair["a"] == a:
            return pair["verdict"] if pair else None
        return str(turned(pair)["verdict"])

    def _with_verdict(self, a: str, verdict: str | None) -> list[str]:
        return [name for name in self.others if self._verdict(a, name) == verdict]
