"""What a plan says of models behind servers: how many calls, tokens and dollars, without one call."""

from __future__ import annotations

import io
import re

import pytest
import yaml
from rich.console import Console

from mmragbench import verbs
from mmragbench.backends.server.budget import BudgetExceeded
from mmragbench.cli.plan import tabled
from support import served
from support.loopback import Loopback

pytest.importorskip("openai")


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """Writes a served suite for a server, and returns its path."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    data = served.write(tmp_path / "coco", memory=12, queries=6)

    def write(url, **changes):
        (tmp_path / "suite.yaml").write_text(yaml.safe_dump(served.suite(data, url, **changes)))
        return tmp_path / "suite.yaml"

    return write


def gpt(summary, name="gpt"):
    (found,) = (model for model in summary.models if model.model == name)
    return found


def test_before_a_run_the_most_is_told_and_after_it_nothing_is_left(suite, tmp_path):
    """Two strategies, six queries: twelve prompts at most, and no less money than they cost."""
    with Loopback() as server:
        file = suite(server.url)
        before = gpt(verbs.plan(file))
        assert not server.asked
        assert (before.items, before.known, before.measured) == (12, 0, False)
        verbs.run(file, output=tmp_path / "runs")
        assert len(server.asked) <= 12
        assert served.bill(server) < before.dollars
        tokens = sum(asked.tokens_in + asked.tokens_out for asked in server.asked)
        assert tokens < before.tokens
        after = gpt(verbs.plan(file))
    assert (after.known, after.tokens, after.dollars) == (after.items, 0, 0)
    assert after.items == len({asked.key for asked in server.asked})


def test_where_rankings_are_known_prompts_are_counted_to_the_letter(suite, tmp_path):
    """Another instruction: as many prompts as the run then asks."""
    with Loopback() as server:
        file = suite(server.url)
        verbs.run(file, output=tmp_path / "runs")
        once = len(server.asked)
        other = ("generators.reader.instruction=say red",)
        told = gpt(verbs.plan(file, other))
        verbs.run(file, other, output=tmp_path / "runs")
        assert told.items - told.known == len(server.asked) - once


def test_money_goes_by_the_mean_of_what_is_known(suite, tmp_path):
    """A run stopped half-way, by its budget: the rest will cost about as much a prompt."""
    with Loopback() as server:
        file = suite(server.url, strategies={"random": {}})
        with pytest.raises(BudgetExceeded):
            verbs.run(file, ("budget=0.07",), output=tmp_path / "runs")
        half, paid = gpt(verbs.plan(file)), served.bill(server)
        verbs.run(file, ("budget=9",), output=tmp_path / "runs")
        assert (half.items, half.known > 0, half.measured) == (6, True, True)
        assert half.dollars == pytest.approx(served.bill(server) - paid, rel=0.1)


def test_the_shipped_suite_plans_without_a_key_and_without_weights(tmp_path, monkeypatch):
    """It says what would be downloaded, which servers would be called, and what that costs at most."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    data = served.write(tmp_path / "coco", memory=20, queries=5)
    summary = verbs.plan("api", (f"dataset.root={data}",))
    prompts = {"gpt": 6 * 2 * 5 + 6 * 5 + (20 + 5) + 2 * 5 * 5, "painter": 6 * 5}
    assert {name: gpt(summary, name).items for name in prompts} == prompts
    table, paid = tabled(summary.models)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table)
    shown = console.export_text()
    assert "would call api.openai.com/v1/gpt-4.1-mini" in shown
    assert "would download" in shown and "would download shipped" not in shown
    assert re.fullmatch(r"to pay: at most \$\d+\.\d\d", paid)
    assert summary.budget == 5.0


def test_a_table_without_servers_says_nothing_of_money(suite_file):
    """Tokens and dollars have columns only where a model has some."""
    (table,) = tabled(verbs.plan(suite_file()).models)
    assert "dollars" not in [column.header for column in table.columns]


def test_painters_are_counted_behind_their_describers(suite):
    """One description and one drawing a query, before anything is known."""
    painter = {
        "use": "openai",
        "model": "p",
        "base_url": "http://127.0.0.1:9/v1",
        "price": {"image": 0.04},
    }
    content = served.suite("", "http://127.0.0.1:9/v1")
    file = suite(
        "http://127.0.0.1:9/v1",
        models={**content["models"], "painter": painter},
        generators={"describe-then-draw": {"chat": "gpt", "painter": "painter"}},
        tasks={
            "image-generation": {
                "generator": "describe-then-draw",
                "k": 1,
                "measures": ["FID(colours)"],
            }
        },
    )
    summary = verbs.plan(file)
    assert gpt(summary).items == 12
    assert gpt(summary, "painter").items == 12
    assert gpt(summary, "painter").dollars == pytest.approx(12 * 0.04)
