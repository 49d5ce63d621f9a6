"""Outputs of another system, as the strategies and generators of a suite read them."""

from __future__ import annotations

import json
import random
from pathlib import Path

from damaged_files import damaged

from doors import Outcome

N = 8
ODD = ("", " ", "a b", "é", "../x", "\u202e", "0", "nan", "x" * 2000, "7.jpg", "%20")


def make(rng: random.Random, folder: Path) -> None:
    """A run, a results file and a folder of texts that are called pictures; ids right, odd or doubled."""

    def id(i: int) -> str:
        return rng.choice(ODD) if rng.random() < 0.1 else f"q{i}.jpg"

    lines = [f"{id(i)} Q0 d{rng.randrange(N)} 1 {rng.random():.3f} s" for i in range(N)]
    texts = [{"image_id": id(i), "caption": rng.choice(["a", "", None, *ODD])} for i in range(N)]
    run, results = "\n".join(lines).encode(), json.dumps(texts).encode()
    damage = rng.random() < 0.5
    (folder / "t.trec").write_bytes(damaged(rng, run) if damage else run)
    (folder / "results.json").write_bytes(damaged(rng, results) if damage else results)
    (folder / "pictures").mkdir()
    for i in range(N):
        if rng.random() < 0.9:
            (folder / "pictures" / f"q{i}.{rng.choice(['jpg', 'png', 'txt'])}").write_bytes(
                rng.randbytes(20)
            )


def enter(folder: Path) -> Outcome:
    """Every query is answered, or has failed for a reason; the files are read one by one."""
    from mmragbench.errors import MmragbenchError
    from mmragbench.generators.image_folder import ImageFolder
    from mmragbench.generators.results_file import ResultsFile
    from mmragbench.records import Document, Query, Task
    from mmragbench.strategies.rankings import Rankings

    queries = [Query(f"q{i}.jpg") for i in range(N)]
    memory = [Document(f"d{i}") for i in range(N)]
    task = {kind: Task("t", memory, queries, output=kind) for kind in ("caption", "image")}
    contexts: list[list[Document]] = [[] for _ in queries]
    refusals = []
    answered = 0
    for read in (
        lambda: Rankings(task["caption"], folder).retrieve(queries, 5),
        lambda: ResultsFile(task["caption"], "s", {"s": folder / "results.json"}).generate(
            queries, contexts
        ),
        lambda: ImageFolder(task["image"], "s", {"s": folder / "pictures"}).generate(
            queries, contexts
        ),
    ):
        try:
            answers = read()
        except MmragbenchError as error:
            refusals.append(error)
        else:
            answered += len(answers)
    if len(refusals) == 3:
        raise refusals[0]
    return Outcome(N * (3 - len(refusals)), answered)
