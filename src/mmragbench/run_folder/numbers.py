"""The numbers of a run, as they are read: rows of `summary.json`, and the evidence behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mmragbench.records import Absence, Control, Measure
from mmragbench.run_folder.files import stored_info

if TYPE_CHECKING:
    from mmragbench.contracts import Vectors

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One number of `summary.json`, or the reason why there is none; `limit` and `halves` stand
    beside FID (`docs/reference/run-folder.md`). Where it is a mean over several `seeds`, `sd` is the
    standard deviation of their numbers."""

    task: str
    strategy: str
    generator: str | None
    k: int | None
    slice: str
    measure: Measure
    estimate: float | None
    n: int
    n_failed: int
    signature: str
    absence: Absence | None
    low: float | None
    high: float | None
    warning: str | None = None
    limit: Json = field(default_factory=dict, hash=False)
    halves: Json = field(default_factory=dict, hash=False)
    bounds: tuple[float, float] | None = None
    control: Control | None = None
    copies: bool = False
    interval_of: str | None = None
    sd: float | None = None
    seeds: int = 1

    @classmethod
    def of(cls, raw: Json) -> Row:
        """From the JSON object; what later releases add is read when it is there.

        Raises:
            DataError: an older version wrote it.
        """
        bounds = raw.get("bounds")
        return cls(
            task=raw["task"],
            strategy=raw["strategy"],
            generator=raw.get("generator"),
            k=raw.get("k"),
            slice=raw.get("slice") or "all",
            measure=measure_of(str(raw["measure"])).with_info(stored_info(raw)),
            estimate=raw.get("estimate"),
            n=raw.get("n") or 0,
            n_failed=raw.get("n_failed") or 0,
            signature=raw.get("signature") or "",
            absence=Absence.of(raw),
            low=raw.get("low"),
            high=raw.get("high"),
            warning=raw.get("warning"),
            limit=raw.get("limit") or {},
            halves=raw.get("halves") or {},
            bounds=(bounds[0], bounds[1]) if bounds else None,
            control=raw.get("control"),
            copies=bool(raw.get("copies")),
            interval_of=raw.get("interval_of"),
            sd=raw.get("sd"),
            seeds=raw.get("seeds") or 1,
        )

    @property
    def reason(self) -> str | None:
        """Why there is no number, as reports show it."""
        return str(self.absence) if self.absence else None

    @property
    def key(self) -> Key:
        """Which number it is, on its slice."""
        return Key(self.task, self.strategy, self.generator, self.k, str(self.measure))


def measure_of(text: str) -> Measure:
    """The measure of that name; a name of a form that we do not know is kept whole."""
    try:
        return Measure.parse(text)
    except ValueError:
        return Measure(text)


class Key(NamedTuple):
    """Which number of a run it is."""

    task: str
    strategy: str
    generator: str | None
    k: int | None
    measure: str


class Cell(NamedTuple):
    """What two numbers must share to be compared: everything but the strategy."""

    task: str
    generator: str | None
    k: int | None
    measure: str


@dataclass(frozen=True)
class Evidence:
    """One number of a run, and what it was computed from.

    Attributes:
        values: per query; for a measure of the set, values whose mean it is (its influences);
            empty for distances, which have features instead.
        features: for FID and KID: the features of the generated images and of the real ones, each
            by query.
        bounds: the lowest and the highest value that a query can have, where they are known.
        of_set: whether the number is the whole set's own and not the mean of a value per query, so
            that other queries beside it change what `values` say of a query.
        by_seed: where the number is a mean over seeds, what each seed's was computed from; then
            `values` are means over the seeds, and `features` the first seed's.
    """

    task: str
    strategy: str
    generator: str | None
    k: int | None
    measure: Measure
    estimate: float
    signature: str
    values: Mapping[str, float]
    features: tuple[Mapping[str, Vectors], Mapping[str, Vectors]] | None = None
    bounds: tuple[float, float] | None = None
    of_set: bool = False
    by_seed: tuple[Evidence, ...] = ()

    @property
    def key(self) -> Key:
        """Which number it is."""
        return Key(self.task, self.strategy, self.generator, self.k, str(self.measure))

    @property
    def cell(self) -> Cell:
        """What two numbers must share to be compared."""
        return Cell(self.task, self.generator, self.k, str(self.measure))
