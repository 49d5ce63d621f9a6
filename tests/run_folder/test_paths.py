"""The paths of a run folder are built and parsed in one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mmragbench
from mmragbench.run_folder import paths
from mmragbench.run_folder.paths import RETRIEVAL, Setting

ENGINE = Path(mmragbench.__file__).parent
names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1)


@given(names, st.integers(0, 10**6))
def test_a_setting_is_read_back_from_its_folders_name(generator: str, k: int) -> None:
    """Also where the generator's own name ends like one: `a-k3` with k = 5 is `a-k3-k5`."""
    setting = Setting(generator, k)
    assert Setting.parse(str(setting)) == setting


@pytest.mark.parametrize("name", ["report", "nearest-k", "-k4", "nearest-kx", "nearest-k²"])
def test_a_folder_of_another_form_is_taken_for_a_generator(name: str) -> None:
    """Somebody may have put it there: it is shown by its own name, and leads back to itself."""
    assert Setting.parse(name) == Setting(name, None)
    assert paths.in_cell("t", "s", setting=Setting.parse(name)) == f"cells/t/s/{name}"


def test_files_lie_where_the_documentation_says() -> None:
    """`docs/reference/run-folder.md` shows this tree."""
    assert paths.in_task("captioning", paths.TASK) == "tasks/captioning/task.json"
    assert (
        paths.in_cell("captioning", "oracle", paths.RANKINGS) == "cells/captioning/oracle/run.trec"
    )
    assert paths.in_cell("t", "s", paths.OUTPUTS, setting=Setting("reader", 5)) == (
        "cells/t/s/reader-k5/outputs.jsonl"
    )
    assert paths.in_cell("t", "s", setting=RETRIEVAL) == "cells/t/s"
    assert paths.features("clip") == "features-clip.npz"


def test_no_other_file_builds_such_a_path() -> None:
    """No text of another file begins like a path below `cells` or `tasks`, and none joins a
    generator and its k by hand."""
    built = re.compile(
        r"""["'](cells|tasks)/|-k\{|["']cells["'](?!:)|["']features-|["']run\.trec["']"""
    )
    offences = [
        f"{path.relative_to(ENGINE)}: {line.strip()}"
        for path in sorted(ENGINE.rglob("*.py"))
        if path != Path(paths.__file__)
        for line in path.read_text(encoding="utf-8").splitlines()
        if built.search(line)
    ]
    assert offences == []
