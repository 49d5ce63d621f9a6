"""The verdicts of a report: for each task a sentence that ranks its strategies, and sentences on the
controls.

A sentence says *better* only where the stored comparison does, after Holm's correction within the
task's primary family; otherwise it says that two *can't be told* apart, are identical, or were not
compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from mmragbench.comparing.turning import turned
from mmragbench.reporting.facts.headline import Headline, goodness, headlines
from mmragbench.reporting.words.controls import control_sentences
from mmragbench.reporting.words.phrases import about, listed, setting, with_verb
from mmragbench.reporting.words.scale import Scale
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.reading import Run

NAMED = 2
"""How many beaten strategies are named with their difference; the others are counted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One task's answer, and further sentences on controls, failures and missing numbers."""

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
    answer = f"{_Ranking(headline, ranked, scale).answer()}."
    more = (*control_sentences(run, headline, scale), *_gaps(headline, ranked))
    return Verdict(headline.task.name, answer, more)


def _gaps(headline: Headline, ranked: Sequence[Row]) -> Iterator[str]:
    """Sentences on what is not in the comparison: failures, and strategies without a number."""
    for row in ranked:
        if row.n_failed:
            queries = row.n + row.n_failed
            yield f"{row.strategy} failed on {row.n_failed:,} of {queries:,} queries."
    for strategy, reason in headline.missing.items():
        yield f"{strategy} has no number here: {reason.rstrip('.')}."


class _Ranking:
    """The contenders of one headline, best number first, and their comparisons in words."""

    def __init__(self, headline: Headline, ranked: Sequence[Row], scale: Scale) -> None:
        self.headline, self.ranked, self.scale = headline, ranked, scale
        self.top, *self.others = [row.strategy for row in ranked]
        self.pairs = {(pair["a"], pair["b"]): pair for pair in headline.pairs}

    def answer(self) -> str:
        """The sentence that ranks the contenders, without its full stop."""
        task, measure = self.headline.task.name, self.headline.measure.label
        where = self._where()
        if not self.others:
            number = self.scale.bounded(self.ranked[0])
            return f"{self.top} is the only strategy on {task}: {measure} {number}{where}"
        if not any(self._pair(a, b) for a, b in combinations([self.top, *self.others], 2)):
            number = self.scale.bounded(self.ranked[0])
            first = f"{self.top} has the best {measure} on {task}, {number}{where}"
            return f"{first}; the strategies were not compared, so the order may be chance"
        if above := self._with_verdict(self.top, "worse"):
            gap = self.scale.gap(self._must(self.top, above[0]))
            first = f"{self.top} has the best {measure} on {task}{where}"
            return f"{first}, but on the queries that both answered {above[0]} is better by {gap}"
        beaten = self._with_verdict(self.top, "better")
        return self._winner(beaten) if beaten else self._undecided()

    def _winner(self, beaten: list[str]) -> str:
        """`a is better than b on t by 4.1 CIDEr [2.0, 6.3]; c can't be told from either with 500
        queries`."""
        task, (first, *rest) = self.headline.task.name, beaten
        text = f"{self.top} is better than {first} on {task} by {self._gap(first, True)}"
        for other in rest[: NAMED - 1]:
            text += f" and than {other} by {self._gap(other, False)}"
        if more := rest[NAMED - 1 :]:
            text += f", and than {listed(more)}"
        return text + self._where() + self._ties(beaten)

    def _gap(self, other: str, name: bool) -> str:
        return self.scale.gap(self._must(self.top, other), name)

    def _ties(self, beaten: list[str]) -> str:
        tied, same = (
            self._with_verdict(self.top, "can't tell"),
            self._with_verdict(self.top, "identical"),
        )
        neither = [t for t in tied if all(self._verdict(t, b) == "can't tell" for b in beaten)]
        apart = [name for name in tied if name not in neither]
        text = ""
        if same:
            text += f"; {with_verb(same)} identical to {self.top}{self._on_all(same)}"
        if apart:
            text += f"; {listed(apart)} can't be told from {self.top}{self._with(apart)}"
        if neither:
            them = "either" if len(beaten) == 1 else "any of them"
            text += f"; {listed(neither)} can't be told from {them}{self._with(neither)}"
        return text + self._unknown()

    def _undecided(self) -> str:
        """The answer where the first is better than no other strategy."""
        task, names = self.headline.task.name, [self.top, *self.others]
        verdicts = {self._verdict(a, b) for a, b in combinations(names, 2)}
        if not verdicts <= {"can't tell", "identical"}:
            text = self._no_best() + self._identical(names)
        elif verdicts == {"identical"}:
            text = f"{listed(names)} are identical{self._on_all(self.others)} of {task}"
            text += self._range()
        else:
            text = self._indistinct(names)
        return text + self._unknown() + self._needed(names) + self._notes()

    def _notes(self) -> str:
        """The stored notes on why nothing was tested."""
        notes = dict.fromkeys(pair.get("note") for pair in self.pairs.values())
        return "".join(f"; {note}" for note in notes if note)

    def _indistinct(self, names: Sequence[str]) -> str:
        """The clause where no two differ significantly and not all are identical."""
        task, groups = self.headline.task.name, self._alike(names)
        also = self._with([a for a in self.others if self._verdict(self.top, a) == "can't tell"])
        same = [group for group in groups if len(group) > 1]
        if len(groups) > 2:
            apart = "Apart from those that are identical, no" if same else "No"
            text = f"{apart} strategy can be told from another on {task}{also}"
        elif same:
            first, second = map(listed, groups)
            text = f"{first} can't be told from {second} on {task}{also}"
        else:
            text = f"{listed(names)} can't be told apart on {task}{also}"
        return text + self._range() + self._identical(names)

    def _identical(self, names: Sequence[str]) -> str:
        """A clause for each group that has the same value on every query."""
        return "".join(
            f"; {listed(group)} are identical on all {self._must(*group[:2])['n']:,} queries"
            for group in self._alike(names)
            if len(group) > 1
        )

    def _alike(self, names: Sequence[str]) -> list[list[str]]:
        """The names in groups, identical ones together."""
        groups: list[list[str]] = []
        for name in names:
            group = next((g for g in groups if self._verdict(g[0], name) == "identical"), None)
            if group is None:
                groups.append([name])
            else:
                group.append(name)
        return groups

    def _no_best(self) -> str:
        """The clause where the first is not better than any other, but one of the others is, or some were
        not compared."""
        tied = self._with_verdict(self.top, "can't tell")
        text = f"No strategy is known to be the best on {self.headline.task.name}{self._where()}"
        if tied:
            text += f": {self.top} can't be told from {listed(tied, 'or')}{self._with(tied)}"
        for a, b in combinations(self.others, 2):
            if self._verdict(a, b) in ("better", "worse"):
                x, y = (a, b) if self._verdict(a, b) == "better" else (b, a)
                return f"{text}; {x} is better than {y} by {self.scale.gap(self._must(x, y))}"
        return text

    def _unknown(self) -> str:
        unknown = self._with_verdict(self.top, None)
        if not unknown:
            return ""
        return f"; {with_verb(unknown, 'was', 'were')} not compared with {self.top}"

    def _range(self) -> str:
        best, worst = self.scale.value(self.ranked[0]), self.scale.value(self.ranked[-1])
        span = best if best == worst else f"{best} to {worst}"
        inner = self._where().strip(" ()")
        return f" ({self.headline.measure.label} {span}{', ' + inner if inner else ''})"

    def _needed(self, names: Sequence[str]) -> str:
        """The clause on the undecided pair that would need the fewest queries."""
        undecided = [
            (pair["needed"], a, b)
            for a, b in combinations(names, 2)
            if (pair := self._pair(a, b)) and pair["verdict"] == "can't tell" and pair["needed"]
        ]
        if not undecided:
            return ""
        n, a, b = min(undecided)
        return f"; telling {a} from {b} would take {about(n)} queries at the difference seen"

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

    def _with(self, tied: Sequence[str]) -> str:
        counts = {self._must(self.top, name)["n"] for name in tied}
        return f" with {max(counts):,} queries" if counts else ""

    def _on_all(self, same: Sequence[str]) -> str:
        return f" on all {self._must(self.top, same[0])['n']:,} queries"

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
