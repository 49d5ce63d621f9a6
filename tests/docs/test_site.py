"""The site builds strictly, stands alone, and shows what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mmragbench.registry import every
from support.paths import ROOT

FETCHED = re.compile(
    r"<(?:script|img|iframe|source)[^>]+src=\"?([^\" >]+)|<link[^>]+href=\"?([^\" >]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as `make docs` builds it."""
    target = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(target)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return target


def pages(site: Path) -> dict[str, str]:
    return {
        str(page.relative_to(site)): page.read_text(encoding="utf-8")
        for page in site.rglob("*.html")
    }


def test_nothing_is_fetched_from_elsewhere(site):
    """Scripts, styles, fonts and pictures all lie in the site: it can be read without a network."""
    elsewhere = {
        (name, url)
        for name, text in pages(site).items()
        for url in (a or b for a, b in FETCHED.findall(text))
        if re.match(r"(?:https?:)?//", url)
    }
    styles = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))
    assert elsewhere == set()
    assert re.findall(r"(?:url\(|@import) *[\"']?(?:https?:)?//", styles) == []


@pytest.mark.parametrize(
    ("kinds", "page"),
    [
        (("strategy", "store"), "strategies"),
        (("encoder", "captioner", "chat", "painter", "reranker", "generator"), "models"),
        (("dataset",), "datasets"),
        (("report",), "run-folder"),
    ],
)
def test_every_component_is_in_the_reference(kinds, page, site):
    """Each under its name in suites, with the first sentence of its docstring."""
    text = pages(site)[f"reference/{page}.html"]
    absent = [
        component.name
        for kind in kinds
        for component in every(kind)
        if f'id="{kind}-{component.name}"' not in text
    ]
    assert absent == []


def test_every_measure_is_in_the_reference(site):
    """Under the name that a suite gives it."""
    text = pages(site)["reference/measures.html"]
    own = [m for m in every("measure") if m.make.__module__.startswith("mmragbench.")]
    assert own and [m.name for m in own if f"<code>{m.name}</code>" not in text] == []


def test_every_command_and_every_key_is_in_the_reference(site):
    """With what it is for: a command line option or a key without a word would be an empty cell."""
    import typer

    from mmragbench.cli.app import app
    from mmragbench.planning.suite import Suite, TaskSpec

    told = pages(site)
    commands = told["reference/command-line.html"]
    names = typer.main.get_command(app).commands
    keys = [*Suite.model_fields, *TaskSpec.model_fields]
    assert [name for name in names if f"<code>mmragbench {name}" not in commands] == []
    suite = told["reference/suite-file.html"]
    assert [key for key in keys if f"<td><code>{key}</code></td>" not in suite] == []
    assert "<td></td>\n<td></td>" not in commands + suite
