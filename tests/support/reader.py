"""Someone who reads a page in a fresh folder and does what it says."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import mmragbench
from support.documented import Block, Command, missing

SOURCES = str(Path(mmragbench.__file__).resolve().parents[1])
SCRIPT = f"""#!{sys.executable}
import sys
sys.path.insert(0, {SOURCES!r})
from mmragbench.cli.app import main
main()
"""
"""The installed script, but of the tested checkout; like it, blind to the current folder."""

WRAPPER = """#!/bin/sh
PYTHONPATH={sources}"${{PYTHONPATH:+:$PYTHONPATH}}" exec {python} {arguments}"$@"
"""
INTERPRETER = """
import contextlib, io, json, sys, traceback
sys.path.insert(0, "")
scope = {"__name__": "__main__"}
for line in sys.stdin:
    told, said, failed = json.loads(line), io.StringIO(), False
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            exec(compile("\\n" * told["line"] + told["code"], told["page"], "exec"), scope)
        except BaseException:
            traceback.print_exc()
            failed = True
    print(json.dumps({"failed": failed, "said": said.getvalue()}), flush=True)
"""
SECONDS = 300


class Broken(AssertionError):
    """A page does not do what it says."""


def programs(folder: Path) -> Path:
    """A folder for PATH: `mmragbench`, `python` and `pytest` of the tested checkout."""
    folder.mkdir(parents=True)
    wrapped = {"python": "", "python3": "", "pytest": "-m pytest "}
    texts = {"mmragbench": SCRIPT}
    for name, arguments in wrapped.items():
        parts = {"sources": shlex.quote(SOURCES), "python": shlex.quote(sys.executable)}
        texts[name] = WRAPPER.format(**parts, arguments=arguments)
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


class Reader:
    """Does a page's blocks one after the other; ends its interpreter on leaving.

    Args:
        page: the page's name, for messages.
        folder: where the reader sits; its parent is for what a shell has to remember.
        environment: what is set there beside the caller's own.
    """

    def __init__(self, page: str, folder: Path, environment: dict[str, str]) -> None:
        self._page, self._folder = page, folder
        self._state = folder.parent / "state.sh"
        self._environment = {**os.environ, **environment}
        self._python: subprocess.Popen[str] | None = None
        folder.mkdir(parents=True)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._python:
            self._python.kill()
            self._python.communicate()

    def do(self, block: Block) -> None:
        """Save, run, or only read a block."""
        if block.not_run is not None:
            return
        if block.title:
            target = self._folder / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            for command in block.commands:
                self._command(command, compare=block.not_compared is None)
        elif block.language == "python":
            self._interpret(block)

    def _command(self, command: Command, compare: bool) -> None:
        """In bash; what it exports and where it goes lasts."""
        state = shlex.quote(str(self._state))
        script = (
            f"[ -f {state} ] && . {state}\n{command.text}\ncode=$?\n"
            f'{{ export -p; printf "cd %q\\n" "$PWD"; }} > {state}\nexit $code'
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        if done.returncode != command.exits:
            fault = f"exits with {done.returncode}, not {command.exits}"
            raise self._broken(command.line, command.text, fault, done.stdout)
        if compare and (line := missing(command.shown, done.stdout)) is not None:
            raise self._broken(command.line, command.text, f"does not print {line!r}", done.stdout)

    def _interpret(self, block: Block) -> None:
        self._python = self._python or subprocess.Popen(
            ["python", "-c", INTERPRETER],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._python.stdin and self._python.stdout
        told = {"code": block.text, "page": self._page, "line": block.line}
        self._python.stdin.write(json.dumps(told) + "\n")
        self._python.stdin.flush()
        answer = json.loads(self._python.stdout.readline() or '{"failed": true, "said": "it died"}')
        if answer["failed"]:
            raise self._broken(block.line, block.text, "fails", answer["said"])

    def _broken(self, line: int, what: str, fault: str, printed: str) -> Broken:
        return Broken(f"{self._page}:{line}: this {fault}:\n{what}\nIt printed:\n{printed}")
