"""Do the intervals cover, do the tests keep their level, is the promised power there?

    python benchmarks/calibration.py            # print the tables
    python benchmarks/calibration.py --write    # and write them to docs/calibration.md

Simulated data whose truth is known; seeds are fixed, so that the output is the same each time.
Beside each result stands that of version 0.4, on the same data.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each core has a process of its own
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from calibrations import differences, distances, scores, seeds
from calibrations.part import Finding

DOCUMENT = Path(__file__).parents[1] / "docs" / "calibration.md"

Part = Callable[[], tuple[str, list[Finding]]]

PARTS: dict[str, Part] = {
    "scores": scores.part,
    "coverage": differences.coverage,
    "level": differences.level,
    "powers": differences.powers,
    "seeds": seeds.part,
    **distances.PARTS,
}

TEXT = """# Calibration: do the intervals and tests keep their promises?

{findings}

Output of `python benchmarks/calibration.py --write`. Data are simulated, so the truth is known. Entries are
percentages ± their Monte Carlo standard error. A 95 % interval should cover in 93 to 97 %; a test at 0.05
should find something in at most 5.5 % where there is nothing. *0.4* is what version 0.4 did on the same data.

## Intervals of a score

`bootstrap_interval`: the studentised bootstrap of whole images (Wilson's interval for rates of unclustered
queries; Student's t below six images). "images × queries" is the number of images and of queries about each.
Where there are several, their intra-class correlation is about 0.3 (`1/rank`: 0.4 before ranking). *Naive* is
the same method told that every query is independent, *percentile* the quantiles of the resamples' means.
{scores_sets} data sets a row.

{scores}
## Intervals of a difference

`compare`, where few queries differ; "0.4 → now", one query an image. *: the interval says itself that it is
conservative, in at least some of the data sets; it may cover in more than 97 %. {sets} data sets a cell.

{coverage}
Differences of hits have Tango's score interval (1998). Others have the studentised bootstrap, unless so few
queries differ that resampling says nothing.

## Tests where nothing differs on average

The p-value of `compare`, which is at most 0.05 exactly if its interval leaves 0 out; {tests} data sets. In
*exchangeable* pairs nothing tells which system is which; the others have equal means and unequal shapes. The
sign flip of 0.4 is exact for the former alone.

{level}
## Queries needed

With as many queries as `Comparison.needed` names, seen by a large pilot, a fresh experiment should find the
difference in 80 % of cases: at 0.05 divided by the number of tests, where Holm's correction of a family begins.
"queries: power" in families of 1 to 5,000 tests; {powers_sets} experiments each.

{powers}
## Several seeds

The p-value of `compare_all` with differences under each seed, where the true difference is 0; its interval leaves 0 out
exactly as often, so that coverage is what is left to 100 %. "n × seeds, effect": the seeds' error (of the mean over
them) is 0, 1 or 4 times the queries'. Half of a query's variance is interaction with the seeds, in *interaction* all of
it. The level is below 5 % where seeds do not matter, since two to five seeds cannot show that they do not. {seeds_sets}
data sets a cell.

{seeds}
{distances}"""


def head(findings: Sequence[Finding]) -> str:
    """What lies outside, first."""
    if not findings:
        return "Nothing below lies outside of what is promised, by more than Monte Carlo error."
    listed = "\n".join(f"- {each.text}: {each.share} %" for each in findings)
    return (
        "Still outside of what is promised (a 95 % interval covers in 93 to 97 %, a test at 0.05 finds at most "
        "5.5 % where there is nothing, the power is 77 to 83 %), by more than two Monte Carlo errors:\n\n"
        f"{listed}"
    )


def main() -> None:
    start = time.perf_counter()
    tables: dict[str, str] = {}
    findings: list[Finding] = []
    for name, part in PARTS.items():
        tables[name], found = part()
        findings += found
        seconds = time.perf_counter() - start
        print(f"{tables[name]}\n({name}: {seconds:.0f} s so far)\n", flush=True)
    print(head(findings))
    if "--write" in sys.argv:
        of_distances = distances.TEXT.format(**tables)
        DOCUMENT.write_text(
            TEXT.format(
                findings=head(findings),
                distances=of_distances,
                scores_sets=f"{scores.SETS:,}",
                sets=f"{differences.SETS:,}",
                tests=f"{differences.TESTS:,}",
                seeds_sets=f"{seeds.SETS:,}",
                powers_sets=f"{differences.POWERS:,}",
                **{name: text for name, text in tables.items() if name not in distances.PARTS},
            )
        )


if __name__ == "__main__":
    main()
