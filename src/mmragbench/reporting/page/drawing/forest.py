"""The forest plot: a row a difference, better to the right, hollow where no difference was shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mmragbench._digits import counted, exact
from mmragbench.reporting.facts.forest import BETTER, WORSE, Contrast, Forest
from mmragbench.reporting.facts.units import number
from mmragbench.reporting.page.drawing.shapes import linked, mark, picture, short, text, ticks
from mmragbench.reporting.page.query_links import unlinked
from mmragbench.reporting.words.phrases import verdict_words

WIDTH, ROW, FOOT = 400, 42, 36
COUNTS = 14
"""How much higher a row is that has the counts of wins, ties and losses."""
INSET = 10
ALONE, PAIR = 34, 18
"""How many characters of a name have room beside the difference: of one name, and of each of two."""

Link = Callable[..., str]
"""The address of the queries of a contrast in a forest; of its wins, ties or losses with a third
argument."""


def svg(
    forest: Forest,
    classes: Mapping[str, str],
    link: Link = unlinked,
) -> str:
    """The plot; `classes` names each strategy's CSS class, `link` is the address of a difference's
    queries."""
    row_height = ROW + COUNTS * any(contrast.outcome for contrast in forest.contrasts)
    height = row_height * len(forest.contrasts) + FOOT
    parts = _frame(forest, height)
    for place, contrast in enumerate(forest.contrasts):
        y = place * row_height
        area = f'<rect class="area" y="{y}" width="{WIDTH}" height="{ROW - 6}"/>'
        row = area + "".join(_row(forest, contrast, y, classes.get(contrast.a, "")))
        parts.append(linked(row, link(forest, contrast)))
        parts.append(_counts(forest, contrast, y + ROW + 2, link))
    title = f"Differences in {forest.measure.label} on {forest.task}: " + "; ".join(
        f"{c.a} less {c.b} {_amount(forest, c)}, {verdict_words(c.verdict)}"
        for c in forest.contrasts
    )
    return picture(WIDTH, height, title, parts)


def _x(forest: Forest, value: float) -> float:
    low, high = forest.span
    share = (value - low) / (high - low) if high > low else 0.5
    share = 1 - share if forest.lower_is_better else share
    return round(INSET + share * (WIDTH - 2 * INSET), 1)


def _frame(forest: Forest, height: float) -> list[str]:
    """The ticks below, and the line of no difference through all rows."""
    floor = height - FOOT + 4
    parts = [f'<path class="grid" d="M0 {floor}H{WIDTH}"/>']
    for value in ticks(*forest.span, count=5):
        x = _x(forest, value)
        label = "0" if abs(value) < 1e-12 else number(float(f"{value:.6g}"), _places(value))
        parts.append(f'<path class="grid" d="M{x} {floor}v4"/>')
        parts.append(text(x, floor + 15, label, anchor="middle"))
    zero = _x(forest, 0.0)
    parts.append(f'<path class="zero" d="M{zero} 16V{floor}"/>')
    parts.append(text(0, floor + 29, WORSE))
    return [*parts, text(WIDTH, floor + 29, BETTER, anchor="end")]


def _places(value: float) -> int:
    digits = f"{float(f'{value:.3g}'):f}".rstrip("0")
    return len(digits.partition(".")[2])


def _row(forest: Forest, contrast: Contrast, y: float, css: str) -> list[str]:
    pair = f"{short(contrast.a, PAIR)} − {short(contrast.b, PAIR)}"
    name = short(contrast.a, ALONE) if forest.against else pair
    parts = [text(0, y + 12, name, f"name {css}")]
    amount = _amount(forest, contrast)
    parts.append(
        text(WIDTH, y + 12, amount, "amount shown" if contrast.significant else "amount", "end")
    )
    middle = y + 26
    if contrast.interval:
        ends = sorted(_x(forest, end) for end in contrast.interval)
        d = f"M{ends[0]} {middle}H{ends[1]}M{ends[0]} {middle - 3}v6M{ends[1]} {middle - 3}v6"
        parts.append(f'<path class="whisker {css}" d="{d}"/>')
    p = "" if contrast.p_holm is None else f", p = {contrast.p_holm:.3g} after Holm"
    wide = ", interval wider than it need be (few differ)" if contrast.conservative else ""
    title = f"{verdict_words(contrast.verdict)}: {amount}{p}, n = {contrast.n}{wide}{_outcome(contrast)}"
    return [
        *parts,
        mark(css, _x(forest, contrast.difference), middle, title, hollow=not contrast.significant),
    ]


def _counts(forest: Forest, contrast: Contrast, y: float, link: Link) -> str:
    """`210 wins · 90 ties · 100 losses`, a link for each."""
    if contrast.outcome is None:
        return ""
    kinds = zip(("win", "tie", "loss"), ("a", "ties", "b"), contrast.outcome, strict=True)
    parts = (
        linked(
            f"<tspan>{counted(n, kind)}</tspan>",
            link(forest, contrast, only) if n else "",
            f"{counted(n, kind)} of {contrast.a} against {contrast.b}",
        )
        for kind, only, n in kinds
    )
    return f'<text class="tick" x="0" y="{y}">{" · ".join(parts)}</text>'


def _outcome(contrast: Contrast) -> str:
    if contrast.outcome is None:
        return ""
    wins, ties, losses = contrast.outcome
    return f"; wins on {wins:,} queries, ties on {ties:,}, loses on {losses:,}"


def _amount(forest: Forest, contrast: Contrast) -> str:
    if contrast.verdict == "identical":
        return "identical"
    value = _signed(contrast.difference, forest.places)
    if not contrast.interval:
        return value
    return f"{value} [{', '.join(number(end, forest.places) for end in contrast.interval)}]"


def _signed(value: float, places: int) -> str:
    return ("+" if exact(value) > 0 else "") + number(value, places)
