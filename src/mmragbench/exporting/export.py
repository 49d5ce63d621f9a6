"""`export`: writes a run in another tool's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench._places import check_folder
from mmragbench.engine.process import rare_garbage_collection
from mmragbench.errors import MmragbenchError, unknown
from mmragbench.run_folder.files import unlisted

if TYPE_CHECKING:
    from mmragbench.exporting.run_tasks import RunTasks
from mmragbench.exporting.target import Export

Writer = Callable[["RunTasks", Export], None]


def writers() -> Mapping[str, Writer]:
    """Format -> the function that writes it."""
    from mmragbench.exporting import beir, coco, mteb, trec

    return {"trec": trec.write, "coco": coco.write, "beir": beir.write, "mteb": mteb.write}


@rare_garbage_collection()
def export(
    run: Path | str,
    format: str,
    output: Path | str | None = None,
    overrides: Sequence[str] = (),
    trust: bool = False,
) -> Export:
    """Write a run in another tool's format.

    The queries and the gold are not in a run folder: the run's dataset is read again, and must be
    what it was, by the checksums of the run's manifest.

    Args:
        run: a run folder.
        format: `trec`, `coco`, `beir` or `mteb`.
        output: a folder that is not there yet, or empty; `<run>/export/<format>` by default.
        overrides: where the data lies by now: `dataset.root=/elsewhere`.
        trust: import a dataset that the run names by a dotted path, `package.module:Name`; without
            it no code is run that the folder names.

    Raises:
        MmragbenchError: no such format, a folder with something in it, data that is not the run's,
            or a run that has nothing for this format.
    """
    from mmragbench.exporting.run_tasks import load_tasks

    known = writers()
    if format not in known:
        raise MmragbenchError(unknown("format", format, known))
    folder = Path(output) if output else Path(run) / "export" / format
    check_folder("--output", folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MmragbenchError(f"{folder} is there already; give --output a new or empty folder")
    exported = Export(folder)
    with unlisted(Path(run)):
        known[format](load_tasks(Path(run), overrides, trust), exported)
    if not exported.files:
        reasons = "; ".join(f"{what}: {reason}" for what, reason in exported.left_out.items())
        raise MmragbenchError(f"{run} has nothing for {format} ({reasons})")
    return exported
