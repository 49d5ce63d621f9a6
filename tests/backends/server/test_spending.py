"""Money: the budget keeps its limit, whatever happens; and a run through an unreliable server ends well."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from filelock import FileLock

from mmragbench.backends.server.budget import Budget, BudgetExceeded, parse, totals
from mmragbench.backends.server.prices import Used
from mmragbench.errors import DataError
from support import served
from support.loopback import Loopback, named
from support.served import Place

pytest.importorskip("openai")


def test_what_is_spent_is_counted_again_after_a_restart(tmp_path):
    """A call that was under way when the run died counts with its reserve; so does a lost one."""
    first = Budget(tmp_path / "l", 1.0)
    first.settle(first.reserve("m", 0.3), "m", 0.2, Used(5, 6))
    first.settle_unknown(first.reserve("m", 0.1), "m", "timeout")
    first.reserve("m", 0.4)  # and then the process is killed
    second = Budget(tmp_path / "l", 1.0)
    assert second.spent == pytest.approx(0.7)
    with pytest.raises(BudgetExceeded, match=r"\$1.00 is used up: \$0.2000 spent on 1 answers"):
        second.reserve("m", 0.31)
    assert second.totals() | {"models": []} == {
        "calls": 3, "answered": 1, "retries": 0, "tokens_in": 5, "tokens_out": 6, "pictures": 0,
        "dollars": 0.2, "uncertain": 2, "uncertain_dollars": 0.5, "models": [],
    }  # fmt: skip


def test_a_limit_of_nothing_lets_free_calls_through(tmp_path):
    """`price: 0` costs nothing."""
    budget = Budget(tmp_path / "l", 0.0)
    budget.settle(budget.reserve("m", 0.0), "m", 0.0, Used())
    with pytest.raises(BudgetExceeded):
        budget.reserve("m", 1e-6)


def test_calls_under_way_are_waited_for_before_the_budget_is_exhausted():
    """What they leave of their reserve may be enough."""
    budget = Budget(None, 1.0)
    open_call = budget.reserve("m", 0.9)
    threading.Timer(0.2, budget.settle, (open_call, "m", 0.1, Used())).start()
    began = time.monotonic()
    budget.reserve("m", 0.8)
    assert time.monotonic() - began >= 0.15


def test_concurrent_calls_never_pass_the_limit():
    """Each costs all that was reserved; the sum stays below, and nearly reaches it."""
    budget, paid = Budget(None, 1.0), []

    def spend(_):
        try:
            call = budget.reserve("m", 0.03)
        except BudgetExceeded:
            return
        time.sleep(0.001)
        budget.settle(call, "m", 0.03, Used())
        paid.append(0.03)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(spend, range(100)))
    assert len(paid) == 33


def test_a_ledger_that_was_cut_off_is_repaired_and_a_damaged_one_is_named(tmp_path):
    """A power cut leaves half a line; anything else is told."""
    ledger = tmp_path / "l"
    budget = Budget(ledger, 1.0)
    budget.settle(budget.reserve("m", 0.0), "m", 0.5, Used())
    with ledger.open("a") as file:
        file.write('{"call": "x", "resc')
    again = Budget(ledger, 1.0)
    again.settle(again.reserve("m", 0.0), "m", 0.25, Used())
    assert totals(list(parse(ledger.read_bytes(), "l")))["dollars"] == 0.75
    ledger.write_text("[]\n" + ledger.read_text())
    with pytest.raises(DataError, match="l:1 is not a line of a ledger"):
        Budget(ledger, 1.0)


GOOD = '{"call": "a", "model": "m", "dollars": 0.5, "tokens_in": 1, "tokens_out": 2, "pictures": 0}'


@pytest.mark.parametrize(
    "line",
    [
        b'{"call": "b", "dollars": -0.5}',
        b'{"call": "b", "dollars": NaN}',
        b'{"call": "b", "reserved": Infinity}',
        b'{"call": "b", "reserved": 1e300}',
        b'{"call": "b", "uncertain": "0.5"}',
        b'{"call": "b", "dollars": true}',
        b'{"call": "b", "dollars": null}',
        b'{"call": "b", "dollars": 1' + b"0" * 400 + b"}",
        b'{"call": "b", "dollars": 0.1, "tokens_in": -3}',
        b'{"call": "b", "dollars": 0.1, "tokens_out": "many"}',
        b'{"call": ["b"], "dollars": 0.1}',
        b'{"call": "b", "model": "m"}',
        b'{"call": "b", "resc{"call": "c", "dollars": 0.1}',
        b'{"call": "b", "dollars": 0.1}{"call": "c", "dollars": 0.1}',
        b"[" * 9000,
        b"\x00" * 64,
        b'{"call": "\xff", "dollars": 0.1}',
        "{}".encode("utf-16"),
    ],
)
def test_a_line_that_cannot_be_counted_stops_the_run(tmp_path, line):
    """It may stand for money that was spent, and the budget would not hold; its number is told,
    and nothing is written."""
    ledger = tmp_path / "l"
    ledger.write_bytes(GOOD.encode() + b"\n\n" + line + b"\n" + GOOD.encode() + b"\n")
    content = ledger.read_bytes()
    with pytest.raises(DataError, match="l:3 is not a line of a ledger") as caught:
        Budget(ledger, 1.0)
    assert len(str(caught.value)) < 400
    assert ledger.read_bytes() == content


def test_lines_of_other_versions_are_counted(tmp_path):
    """Fewer counts and more names; line separators of Unicode inside of a name end no line."""
    ledger = tmp_path / "l"
    old = {"call": "a", "dollars": 0.25, "served": "m\u2028\x85\x0c", "new": [None]}
    lines = [json.dumps(old, ensure_ascii=False), "", '{"call": "b", "reserved": 0.5}', "  "]
    ledger.write_text("\n".join([*lines, ""]), encoding="utf-8")
    budget = Budget(ledger, 1.0)
    assert budget.spent == 0.75
    assert budget.totals() | {"models": []} == {
        "calls": 2, "answered": 1, "retries": 0, "tokens_in": 0, "tokens_out": 0, "pictures": 0,
        "dollars": 0.25, "uncertain": 1, "uncertain_dollars": 0.5, "models": [],
    }  # fmt: skip
    budget.settle(budget.reserve("m", 0.25), "m", 0.1, Used())
    ledger.write_bytes(ledger.read_bytes() + b"oh\n")
    with pytest.raises(DataError, match="l:7 is"):
        budget.reserve("m", 0.1)


def test_a_last_line_that_lacks_its_end_counts(tmp_path):
    """As editors leave it: the money was spent."""
    ledger = tmp_path / "l"
    ledger.write_text(GOOD)
    budget = Budget(ledger, 1.0)
    assert budget.spent == 0.5
    budget.settle(budget.reserve("m", 0.25), "m", 0.25, Used())
    assert Budget(ledger, 1.0).spent == 0.75
    assert ledger.read_text().startswith(GOOD + "\n{")


def test_a_ledger_that_is_no_file_is_named(tmp_path):
    """Without a ledger no budget holds."""
    with pytest.raises(DataError, match=f"{tmp_path} cannot be opened"):
        Budget(tmp_path, 1.0).reserve("m", 0.1)


def test_a_ledger_that_another_run_writes_to_is_waited_for(tmp_path):
    """By a lock that every system has, in a file beside the ledger."""
    budget, locked = Budget(tmp_path / "l", 1.0), threading.Event()

    def hold() -> None:
        with FileLock(tmp_path / "l.lock"):
            locked.set()
            time.sleep(0.2)

    threading.Thread(target=hold).start()
    locked.wait()
    began = time.monotonic()
    budget.reserve("m", 0.1)
    assert time.monotonic() - began >= 0.15


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    """What was written before counts; the call is not made."""
    import os

    budget, write = Budget(tmp_path / "l", 1.0), os.write
    budget.settle(budget.reserve("m", 0.2), "m", 0.1, Used())
    content = (tmp_path / "l").read_bytes()
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:20]))
    with pytest.raises(DataError, match="no space left"):
        budget.reserve("m", 0.2)
    assert (tmp_path / "l").read_bytes() == content
    assert budget.spent == 0.1 == Budget(tmp_path / "l", 1.0).spent


def test_runs_at_the_same_time_share_the_limit(tmp_path):
    """Four processes with one ledger: together they stay below it, and nearly reach it."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from mmragbench.backends.server.prices import Used; from mmragbench.backends.server.budget import Budget, BudgetExceeded\n"
        "budget = Budget(Path(sys.argv[1]), 1.0)\n"
        "try:\n"
        "    while True:\n"
        "        call = budget.reserve('m', 0.02); time.sleep(0.001)\n"
        "        budget.settle(call, 'm', 0.01, Used())\n"
        "except BudgetExceeded: pass\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "l")]
    runs = [subprocess.Popen(command) for _ in range(4)]
    assert [run.wait(60) for run in runs] == [0] * 4
    assert 0.9 < Budget(tmp_path / "l").spent <= 1.0


@pytest.fixture
def data(tmp_path):
    return served.write(tmp_path / "coco", memory=40, queries=100)


def summary(place: Place) -> list:
    return json.loads((place.run_folder / "summary.json").read_text())


def test_a_run_that_is_killed_goes_on_as_if_nothing_had_been(data, tmp_path):
    """200 prompts, a fifth of the requests fail, SIGKILL after 70 answers, then the same command:
    all prompts answered or accounted for, none answered twice but those under way at the kill, the
    ledger's sum the server's, and the summary of a run that nothing disturbed."""
    disturbed, calm = Place(tmp_path / "disturbed"), Place(tmp_path / "calm")
    trouble = Loopback(faults=0.2, final=0.03, seed=3, latency=0.03, slow=4.0, answer=named)
    with trouble as server:
        content = served.suite(data, server.url)
        served.kill_after(disturbed.start(content), server, 70)
        stored, before = set(disturbed.stored()), len(server.asked)
        assert not (disturbed.run_folder / "summary.json").exists()
        code, errors = disturbed.run(content)
        assert code == 0, errors
        ledger = disturbed.ledger()
        twice = served.answered_twice(server)
        refused = {asked.key for asked in server.asked if asked.fault in ("refusal", "empty")}
        assert len(stored) >= 70 - 8 - len(refused)
        assert not stored & {asked.key for asked in server.asked[before:]}
        assert len(set(twice) - refused) <= 8
        answers = {asked.key for asked in server.answered} - refused
        assert sorted(answers) == sorted(disturbed.stored())
        assert served.known(ledger) <= served.bill(server) + 1e-9
        lost = served.bill(server) - served.known(ledger)
        assert lost <= served.unsure(ledger) + 1e-9
        prompts = {asked.key for asked in server.asked}
    with Loopback(final=0.03, seed=3, answer=named) as server:
        code, errors = calm.run(served.suite(data, server.url))
        assert code == 0, errors
        assert {asked.key for asked in server.asked} == prompts
        assert served.known(calm.ledger()) == pytest.approx(served.bill(server))
    assert summary(disturbed) == summary(calm)
    failed = json.loads((disturbed.run_folder / "failures.json").read_text())
    assert len(failed) >= len(refused) > 0  # two strategies may have led to one prompt
    assert {row["error"] for row in failed} <= {
        "the model refused: I can't help with that.", "the server sent no choices"
    }  # fmt: skip


def test_the_budget_stops_a_run_and_a_larger_one_goes_on(data, tmp_path):
    """One line and exit code 2; nothing is spent twice, and the folder is the same."""
    place = Place(tmp_path / "poor")
    with Loopback(faults=0.2, seed=1, slow=4.0, answer=named) as server:
        content = served.suite(data, server.url, budget=1.0)
        code, errors = place.run(content)
        *_, last = errors.splitlines()
        assert code == 2
        assert last.startswith("error: the budget of $1.00 is used up: $0.")
        assert "raise budget:" in last
        assert 0.9 < served.known(place.ledger()) + served.unsure(place.ledger()) <= 1.0
        assert served.known(place.ledger()) == pytest.approx(served.bill(server))
        assert not (place.run_folder / "summary.json").exists()
        once = len(server.answered)
        assert len(place.stored()) == once
        code, _ = place.run(content)
        assert (code, len(server.answered)) == (2, once)
        code, errors = place.run({**content, "budget": 50.0})
        assert code == 0, errors
        assert not served.answered_twice(server)
    assert {row["n_failed"] for row in summary(place)} == {0}
    spent = json.loads((place.run_folder / "spending.json").read_text())
    assert spent["dollars"] == pytest.approx(served.bill(server))
    assert spent["answered"] == len(server.answered) == len(place.stored())
    assert spent["models"] == ["m-2026-01-01"]
    faults = sum(asked.fault != "" for asked in server.asked)
    assert faults - 8 <= spent["retries"] <= faults  # eight waited when the budget ended


def test_costs_are_in_the_cells_and_in_the_report(data, tmp_path):
    """Tokens and dollars of each strategy, whenever they were paid; columns only where there are any."""
    place = Place(tmp_path / "one")
    with Loopback() as server:
        content = served.suite(data, server.url, strategies={"random": {}})
        code, errors = place.run(content)
        assert code == 0, errors
        place.run(content)
        costs = [json.loads(f.read_text()) for f in place.run_folder.glob("cells/*/*/*/cost.json")]
        lines = [line for cost in costs for line in cost["generate"]]
        assert sum(line["dollars"] for line in lines) == pytest.approx(served.bill(server))
        assert sum(line["tokens_in"] for line in lines) == sum(a.tokens_in for a in server.asked)
    page = (place.run_folder / "report" / "index.html").read_text()
    assert "tokens" in page and f"${served.bill(server):,.2f}" in page
    kept = "".join(f.read_text() for f in place.run_folder.glob("*.json"))
    assert f"api:{server.url[7:]}/m" in kept


def test_thoughts_that_were_cut_are_told(data, tmp_path):
    """On standard error and in the report, with the number of replies; also when all is known; so
    is how many a length limit ended. Where there are none, nothing is said."""
    from hashlib import sha256

    def body(asked):
        digit = int(sha256(asked.key.encode()).hexdigest()[0], 16)
        text = f"<think>hm</think>{named(asked)}" if digit < 8 else named(asked)
        choice = {
            "finish_reason": "length" if digit == 15 else "stop",
            "message": {"content": text},
        }
        return {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}

    place = Place(tmp_path / "one")
    with Loopback(body=body) as server:
        content = served.suite(data, server.url, strategies={"random": {}})
        _, errors = place.run(content)
        digits = [int(sha256(a.key.encode()).hexdigest()[0], 16) for a in server.asked]
        thought, cut = sum(d < 8 for d in digits), sum(d == 15 for d in digits)
        notes = [
            f"gpt: thoughts were cut from {thought} of {len(digits)} replies",
            f"gpt: the length limit ended {cut} of {len(digits)} replies",
        ]
        assert thought and cut
        assert [line for line in errors.splitlines() if "note:" in line] == [
            f"note: {n}" for n in notes
        ]
        assert place.run(content)[1].count("note: ") == 2
        assert len(server.asked) == len(digits)
    page = (place.run_folder / "report" / "index.html").read_text()
    assert all(note in page for note in notes)
    assert "hm" not in {row["text"] for row in outputs(place)}
    plain = Place(tmp_path / "plain")
    with Loopback(answer=named) as server:
        _, errors = plain.run(served.suite(data, server.url, strategies={"random": {}}))
    assert "note:" not in errors
    assert [row["estimate"] for row in summary(plain)] == [
        row["estimate"] for row in summary(place)
    ]


def outputs(place: Place) -> list[dict]:
    """All that generators answered."""
    files = place.run_folder.glob("cells/*/*/*/outputs.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().split("\n") if line]


def test_a_budget_needs_prices(data, tmp_path):
    """Said when the suite is read, with its line; a model that is free says so."""
    content = served.suite(data, "http://127.0.0.1:9/v1", budget=1)
    del content["models"]["gpt"]["price"]
    code, errors = Place(tmp_path / "a").run(content)
    assert code == 2
    assert "models.gpt: the suite has a budget:" in errors and "suite.yaml:" in errors
    content["models"]["gpt"] |= {"price": 0, "calls": {"retries": 0}}
    code, errors = Place(tmp_path / "b").run(content)
    assert "cannot be reached" in errors
