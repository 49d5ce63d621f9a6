"""A gate's result as Markdown, as JUnit XML, and as annotations of GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from mmragbench._digits import p_value
from mmragbench.gating.cell_results import CellResult
from mmragbench.gating.gate import Gate
from mmragbench.gating.gate_text import (
    before_and_now,
    headline,
    left_aside,
    low_power,
    measure_and_unit,
    p_of,
    power,
    regression_examples,
    sentence,
    shown,
    underpowered,
    unfailing,
)
from mmragbench.reporting.words.gfm import escape, row

ANNOTATIONS = 10
"""The most errors of a step that GitHub shows."""
ROWS = 50
"""The most rows of a Markdown table, so that the summary stays readable."""


def markdown(gate: Gate) -> str:
    """A summary: the verdict, problems, cells that do not hold, queries that got worse, power."""
    mark = "✅" if gate.holds else "❌"
    parts = [
        [f"## {mark} {escape(headline(gate))}"],
        [f"- **{escape(p.where)}**: {escape(p.text)}" for p in gate.problems],
        _failing(gate),
        _regressions(gate),
        [f"- {escape(which)}: {text}" for which, text in underpowered(gate)],
        [escape(text) for text in filter(None, [left_aside(gate), unfailing(gate)])],
        [escape(power(gate))],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _failing(gate: Gate) -> list[str]:
    if not gate.failing:
        return []
    heads = [
        row(["cell", "verdict", "before", "now", "loss", "margin", "p"]),
        row([":--"] * 2 + ["--:"] * 5),
    ]
    more = len(gate.failing) - ROWS
    rest = [f"\n… and {more:,} more."] if more > 0 else []
    return [*heads, *(_row(cell) for cell in gate.failing[:ROWS]), *rest]


def _regressions(gate: Gate) -> list[str]:
    lines = []
    for example in regression_examples(gate)[:ROWS]:
        query, text, cell = example.regressed, example.query_text, example.cell
        id = f"[{escape(query.query)}](<{example.link}>)" if example.link else escape(query.query)
        name = id + (f" {escape(text)}" if text else "")
        before, now = shown(cell, query.before), shown(cell, query.now)
        lines.append(row([name, escape(cell.name), before, now, escape(example.answer or "")]))
    heads = ["got worse", "in", "before", "now", "answered now"]
    return [row(heads), row([":--", ":--", "--:", "--:", ":--"]), *lines] if lines else []


def _row(cell: CellResult) -> str:
    p = p_of(cell)
    return row(
        [
            escape(f"{cell.system} · {measure_and_unit(cell)}"),
            cell.verdict,
            *(shown(cell, x) for x in (cell.before, cell.now, cell.loss, cell.margin)),
            "—" if p is None else p_value(p),
        ]
    )


def junit(gate: Gate) -> bytes:
    """JUnit XML: a test case a cell and a problem, in the form that CI servers read."""
    cases = [*_problem_cases(gate), *(_cell_case(gate, cell) for cell in gate.cells)]
    failures = str(sum(case.find("failure") is not None for case in cases))
    counts = {"tests": str(len(cases)), "failures": failures, "errors": "0", "skipped": "0"}
    root = Xml.Element("testsuites", counts)
    suite = Xml.SubElement(
        root, "testsuite", {"name": f"gate {_legal(gate.suite)}", **counts, "time": "0"}
    )
    suite.extend(cases)
    Xml.indent(root)
    content: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _problem_cases(gate: Gate) -> Iterator[Xml.Element]:
    for problem in gate.problems:
        yield _case(problem.where, problem.kind, problem.kind, problem.text, "\n".join(problem.ids))


def _cell_case(gate: Gate, cell: CellResult) -> Xml.Element:
    small = gate.require_power is not None and cell in gate.underpowered
    if cell.good and not small:
        return _case(cell.system, cell.measure)
    if small:
        return _case(
            cell.system, cell.measure, "underpowered", low_power(cell, gate.require_power or 0)
        )
    lines = [f"{query.query}: {before_and_now(cell, query)}" for query in cell.regressed_queries]
    return _case(cell.system, cell.measure, cell.verdict, sentence(cell), "\n".join(lines))


def _case(where: str, name: str, kind: str = "", message: str = "", body: str = "") -> Xml.Element:
    case = Xml.Element("testcase", classname=_legal(where), name=_legal(name), time="0")
    if kind:
        failure = Xml.SubElement(case, "failure", type=kind, message=_legal(message))
        failure.text = _legal(f"{message}\n{body}".strip())
    return case


def _legal(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def errors(gate: Gate) -> list[str]:
    """`::error title=…::…` lines; none where the gate holds."""
    if gate.holds:
        return []
    lines = [
        *((p.where, p.text) for p in gate.problems),
        *((cell.name, sentence(cell)) for cell in gate.failing),
        *underpowered(gate),
    ]
    if len(lines) > ANNOTATIONS:
        rest = len(lines) - ANNOTATIONS + 1
        lines = [*lines[: ANNOTATIONS - 1], (gate.suite, f"{rest:,} more; see the summary")]
    return [f"::error title={_property(where)}::{_message(text)}" for where, text in lines]


def warnings(gate: Gate) -> list[str]:
    """A `::warning title=…::…` line, where margins exclude nothing."""
    text = unfailing(gate)
    return [f"::warning title={_property(gate.suite)}::{_message(text)}"] if text else []


def _message(text: str) -> str:
    """Escaped as GitHub's toolkit does it (actions/toolkit, core/src/command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
