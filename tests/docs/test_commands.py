"""Every command, every Python block and every file of every page does what the page says."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from support.documented import COMMANDS, blocks, missing
from support.loopback import Loopback
from support.paths import ROOT
from support.reader import Broken, Reader, programs

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SERVED = "docs/how-to/api-models.md"
"""The page that needs a server: it gets the tests' own, as `$BASE_URL`."""


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def does(page: Path) -> bool:
    """Whether there is anything to do on a page."""
    return any(b.title or b.language in ("console", "python") for b in blocks(page))


@pytest.fixture(scope="module")
def shared(tmp_path_factory, docs_cache) -> dict[str, str]:
    """One cache and one set of programs for all pages."""
    import os

    bin = programs(tmp_path_factory.mktemp("programs") / "bin")
    return {
        "MMRAGBENCH_CACHE": str(docs_cache),
        "PATH": os.pathsep.join((str(bin), os.environ["PATH"])),
        "COLUMNS": "160",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "NO_PROXY": "127.0.0.1",
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "agg",
    }


@pytest.mark.parametrize("page", [page for page in PAGES if does(page)], ids=named)
def test_a_page_does_what_it_says(page, shared, tmp_path):
    """All blocks of a page, in order, in one fresh folder."""
    with Loopback() if named(page) == SERVED else nullcontext() as server:
        environment = shared | ({"BASE_URL": server.url} if server else {})
        with Reader(named(page), tmp_path / "here", environment) as reader:
            for block in blocks(page):
                reader.do(block)
    shutil.rmtree(tmp_path)


def test_commands_stand_in_console_blocks():
    """A block of another shell language would escape the test above, and so would a console block
    without a prompt."""
    found = [
        f"{named(page)}:{block.line}"
        for page in PAGES
        for block in blocks(page)
        if block.language in COMMANDS and (block.language != "console" or not block.commands)
        if not block.title
    ]
    assert found == []


def test_what_is_not_run_says_why(capsys):
    """An exemption gives its reason; `pytest -s` lists them."""
    exempt = [
        (f"{named(page)}:{block.line}", reason)
        for page in PAGES
        for block in blocks(page)
        for reason in (block.not_run, block.not_compared)
        if reason is not None
    ]
    for place, reason in exempt:
        print(f"{place}: {reason}")
    assert [place for place, reason in exempt if len(reason.split()) < 3] == []


PAGE = """
Text.

```console
$ echo one \\
    two; export HERE=4
one two
$ false  # exits with 1
$ echo "$HERE found, 0.25 s"; echo end
7 found, … s
```

<!-- not run: it would be a disaster -->
```console
$ exit 9
```

```yaml title="made/a.yaml"
a: 1
```

```python
from pathlib import Path

text = Path("made/a.yaml").read_text()
```

```python
assert text == "a: 1\\n", text
```
"""


def read(text: str, shared: dict[str, str], folder: Path) -> None:
    page = folder / "page.md"
    page.write_text(text)
    with Reader("page.md", folder / "here", shared) as reader:
        for block in blocks(page):
            reader.do(block)


def test_the_reader_does_all_there_is_to_do(shared, tmp_path):
    """Commands with what they export, files with a title, Python that remembers; exempt is exempt."""
    read(PAGE, shared, tmp_path)
    assert (tmp_path / "here/made/a.yaml").read_text() == "a: 1\n"


@pytest.mark.parametrize(
    ("change", "line", "fault"),
    [
        (("$ false  # exits with 1", "$ false"), 8, "exits with 1, not 0"),
        (("one two\n", "one three\n"), 5, "does not print 'one three'"),
        (("a: 1\n```", "a: 2\n```"), 28, "AssertionError"),
    ],
)
def test_a_page_that_is_wrong_is_told_by_its_line(change, line, fault, shared, tmp_path):
    """Page, line, command and output are in the message."""
    with pytest.raises(Broken, match=f"page.md:{line}: ") as told:
        read(PAGE.replace(*change), shared, tmp_path)
    assert fault in str(told.value)


def test_shown_output_may_be_less_and_loose_but_not_other():
    """Lines may be left out; numbers, hashes, boxes and blanks are loose; words and order are not."""
    printed = "runs/a-0123abcd/report\n│ CIDEr │ 1.82 │\nbetter\nworse\n"
    assert missing(["runs/a-ffffffff/report", "CIDEr  0.9", "worse"], printed) is None
    assert missing(["…", "CIDEr …"], printed) is None
    assert missing(["Bleu 1.82"], printed) == "Bleu 1.82"
    assert missing(["worse", "better"], printed) == "better"
