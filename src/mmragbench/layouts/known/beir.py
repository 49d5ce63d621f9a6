"""BEIR's files: a corpus, queries, and judgements for each split."""

from __future__ import annotations

from pathlib import Path

from mmragbench._digits import counted
from mmragbench.data.splits import choose
from mmragbench.formats.json_values import read_objects
from mmragbench.formats.judgements import read_judgements
from mmragbench.layouts.data_folder import DataFolder

FILES = ("corpus.jsonl", "queries.jsonl")
LAYOUT = "a retrieval dataset in BEIR's files"


def recognise(folder: Path) -> DataFolder | None:
    """A corpus and queries, and judgements in `qrels/`.

    Raises:
        DataError: a file cannot be read.
    """
    if not all((folder / name).is_file() for name in FILES):
        return None
    counts = [sum(1 for _ in read_objects(folder / name, "BEIR's lines")) for name in FILES]
    parts = [counted(counts[0], "document"), f"{counts[1]:,} queries"]
    splits = sorted(path.stem for path in (folder / "qrels").glob("*.tsv"))
    if not splits:
        why = (
            "there are no judgements: BEIR has them in qrels/test.tsv (query-id, corpus-id, score)"
        )
        return DataFolder(folder, LAYOUT, "passages", {}, 0, parts=tuple(parts), missing=(why,))
    split = choose(splits, None, None).queries if len(splits) > 1 else splits[0]
    judged = len(read_judgements(folder / "qrels" / f"{split}.tsv").grades)
    parts.append(f"{judged:,} of them judged in qrels/{split}.tsv")
    dataset = {"use": "beir", "root": str(folder), "split": split}
    return DataFolder(folder, LAYOUT, "passages", dataset, judged, parts=tuple(parts))
