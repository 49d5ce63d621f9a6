"""The paths of a run folder, relative to it: built and parsed here, and nowhere else.

```
tasks/<task>/task.json, queries.parquet, ...
cells/<task>/<strategy>/run.trec, scores.parquet, cost.json
cells/<task>/<strategy>/<generator>-k<k>/outputs.jsonl, scores.parquet, cost.json, ...
seeds/<seed>/cells/...
```

Below `seeds/` are the cells that depend on the seed, where a run has several: the scores of each seed
(those below `cells/` are means over the seeds), and all other files of the seeds but the first.
"""

from __future__ import annotations

from typing import NamedTuple

SUITE, MANIFEST, SUMMARY = "suite.yaml", "manifest.json", "summary.json"
COMMENTED_SUITE = "commented_suite.yaml"
"""The suite of a folder of data, as `mmragbench init` writes it."""
COMPARISONS, FAILURES, EXCLUSIONS = "comparisons.json", "failures.json", "exclusions.json"
AUDITS, SPENDING = "audits.json", "spending.json"
TASK, QUERIES, DOCUMENTS = "task.json", "queries.parquet", "documents.parquet"
EXPLORER_QUERIES, EXPLORER_DOCUMENTS = "queries.jsonl", "documents.jsonl"
RANKINGS, SCORES, COST = "run.trec", "scores.parquet", "cost.json"
OUTPUTS, CAPTIONS, ANSWERS = "outputs.jsonl", "captions.json", "answers.json"

TASKS, CELLS, SEEDS = "tasks", "cells", "seeds"


class Setting(NamedTuple):
    """How answers were generated: by which generator, from how many documents. Both are None for
    rankings. As a text it is the name of a cell's folder, `consensus-k4`."""

    generator: str | None = None
    k: int | None = None

    def __str__(self) -> str:
        return f"{self.generator}" if self.k is None else f"{self.generator}-k{self.k}"

    @classmethod
    def parse(cls, name: str) -> Setting:
        """The setting of a folder's name; one of another form is taken for a generator's name."""
        generator, _, k = name.rpartition("-k")
        return cls(generator, int(k)) if generator and k.isdecimal() else cls(name)


RETRIEVAL = Setting()


def in_task(task: str, *file: str) -> str:
    """The folder of a task, or a file in it."""
    return "/".join((TASKS, task, *file))


def in_cell(task: str, strategy: str, *file: str, setting: Setting = RETRIEVAL) -> str:
    """The folder of a strategy's rankings or of its outputs under one setting, or a file in it."""
    below = () if setting.generator is None else (str(setting),)
    return "/".join((CELLS, task, strategy, *below, *file))


def in_seed(seed: int, name: str) -> str:
    """The file of one seed, where a run has several: `cells/...` -> `seeds/1/cells/...`."""
    return "/".join((SEEDS, str(seed), name))


def features(encoder: str | None) -> str:
    """The name of a file of image features, by the model that computed them."""
    return f"features-{encoder}.npz"
