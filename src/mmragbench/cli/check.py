"""`mmragbench check`: checks a component against its contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from mmragbench._crashes import pass_on
from mmragbench._redacting import without_keys
from mmragbench.cli.terminal import Terminal
from mmragbench.errors import NotApplicable, SuiteError

if TYPE_CHECKING:
    from mmragbench.checking import Subject, Verdict

STYLES = {"ok": "green", "failed": "bold red", "warning": "yellow", "skipped": "dim"}


def check(
    component: Annotated[
        str, typer.Argument(help="package.module:Name, or a registered name.", show_default=False)
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...",
            help="The component's arguments, as in a suite; models by name.",
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="strategy, encoder, ...: of what is not registered, or as several.")
    ] = "",
    suite: Annotated[
        Path | None, typer.Option(help="A suite whose models the arguments may name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Verdicts for programs.")] = False,
) -> None:
    """Check that a component keeps its contract, on a few pictures, with small models of our own.

    Models that it needs and that are not named are stand-ins, kit-encoder and so on.

    Exit code 0: it keeps all rules; 1: it breaks one; 2: it could not be checked as asked.
    """
    from mmragbench.checking import rules_on, subject

    models = _models(suite) if suite else {}
    checked = subject(component, kind or None, _arguments(arguments or ()), models)
    _try_to_build(checked)
    verdicts = [rule.verdict() for rule in rules_on(checked)]
    tried = {verdict.status for verdict in verdicts[1:]} - {"skipped"}
    if as_json:
        Terminal().as_json(_plain(component, checked, verdicts))
    else:
        _show(component, checked, verdicts)
    if "failed" in tried or not tried or verdicts[0].status == "failed":
        raise typer.Exit(1)


def _arguments(given: Sequence[str]) -> dict[str, Any]:
    from mmragbench.planning.suite import override_value

    arguments: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise SuiteError(
                f"{without_keys(text)!r} is not an argument; write key=value, e.g. seed=1"
            )
        arguments[key] = override_value(text, value)
    return arguments


def _models(path: Path) -> dict[str, dict[str, Any]]:
    from mmragbench.planning.suite import read

    return read(path)[0].models


def _try_to_build(checked: Subject) -> None:
    """Raise the error of an argument that the component refuses: misuse, and no broken rule."""
    from mmragbench.checking.inputs import tasks
    from mmragbench.errors import MmragbenchError

    try:
        checked.build(task=tasks()["captioning"], output="caption")
    except NotApplicable:
        if checked.component.kind not in ("strategy", "generator"):
            raise
    except MmragbenchError:
        raise
    except BaseException as error:  # the rules will meet it, and say where
        pass_on(error)


def _show(name: str, checked: Subject, verdicts: Sequence[Verdict]) -> None:
    console = Terminal()
    kind = checked.component.kind
    models = ", ".join(f"{parameter} = {model}" for parameter, model in checked.models.items())
    console.say(f"{name} as {kind}{f', with {models}' if models else ''}")
    for (status, message), rules in _by_cause(verdicts).items():
        count = f"{len(rules)} rules: " if len(rules) > 1 else ""
        line = Text.assemble((f"{status:<9}", STYLES[status]), count, ", ".join(rules))
        console.print(line, soft_wrap=True)
        if message not in rules:
            console.say(f"{'':<9}{message}")
    counts = Counter(verdict.status for verdict in verdicts)
    console.say(f"{len(verdicts)} rules: {', '.join(f'{n} {s}' for s, n in counts.items())}")
    for what, reason in checked.left_out.items():
        console.say(f"left out: {what} ({reason})")
    console.say(f"not checked for any {kind}: {checked.contract.unchecked}")


def _by_cause(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], list[str]]:
    """Status and message -> the rules that have both; a rule without a message has its name for one."""
    rules: dict[tuple[str, str], list[str]] = {}
    for verdict in verdicts:
        rules.setdefault((verdict.status, verdict.message or verdict.rule), []).append(verdict.rule)
    return rules


def _plain(name: str, checked: Subject, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "component": name,
        "kind": checked.component.kind,
        "models": checked.models,
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "left_out": checked.left_out,
        "unchecked": checked.contract.unchecked,
    }
