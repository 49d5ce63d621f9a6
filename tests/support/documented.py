"""The pages of the documentation as what a reader does with them: commands, Python, files.

- A ```` ```console ```` block: lines that begin with `$ ` are commands (`\\` continues one), the
  others what they print. `# exits with 1` after a command states an exit code other than 0.
- A ```` ```python ```` block is run. All blocks of a page share one interpreter.
- A block of any language with `title="path"` is a file, which the reader saves under that name.
- `<!-- not run: reason -->` exempts the next block; `<!-- output is not compared: reason -->` what
  it shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>\w*) *(?P<rest>.*)$")
TITLE = re.compile(r'title="([^"]+)"')
EXEMPT = re.compile(r"<!-- (not run|output is not compared): *(.*?) *-->")
EXIT = re.compile(r"(?:^|  )# exits with (\d+)$")
COMMANDS = ("console", "bash", "sh", "shell", "shell-session")
"""Languages that hold commands; only the first is allowed."""


@dataclass
class Command:
    """One command of a page, and the lines that the page shows below it."""

    line: int
    text: str
    exits: int = 0
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its opening fence, `not_run` the reason for exempting it
    (None: it is run), `not_compared` likewise of its output."""

    line: int
    language: str
    title: str | None
    lines: list[str]
    not_run: str | None = None
    not_compared: str | None = None

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def commands(self) -> list[Command]:
        """The commands of a console block."""
        found: list[Command] = []
        continued = False
        for number, line in enumerate(self.lines, self.line + 1):
            exits = EXIT.search(line)
            said = line[: exits.start()] if exits else line
            if continued:
                found[-1].text += f"\n{said}"
            elif said.startswith("$ "):
                found.append(Command(number, said[2:]))
            elif said.strip() and found:
                found[-1].shown.append(said)
            if exits and found:
                found[-1].exits = int(exits[1])
            continued = said.endswith("\\") and bool(found) and not found[-1].shown
        return found


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a Markdown page, in order."""
    found: list[Block] = []
    exempt: dict[str, str] = {}
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        if said := EXEMPT.search(line):
            exempt[said[1]] = said[2]
        elif opened := FENCE.match(line):
            indent, ticks = len(opened["indent"]), opened["ticks"]
            inner = []
            for _, inside in lines:
                if inside.strip() == ticks:
                    break
                inner.append(inside[indent:])
            title = TITLE.search(opened["rest"])
            reasons = exempt.pop("not run", None), exempt.pop("output is not compared", None)
            language = opened["language"]
            found.append(Block(number, language, title and title[1], inner, *reasons))
    return found


def missing(shown: list[str], printed: str) -> str | None:
    """The first line that a page shows and that was not printed, after those before it.

    Numbers, a run's hash, lines that draw boxes and the amount of blanks do not count; `…` stands
    for anything.
    """
    really = iter([_loosened(line) for line in printed.splitlines()])
    for line in shown:
        wanted = _loosened(line)
        if not wanted.replace("…", "").strip():
            continue
        form = re.compile(".*".join(map(re.escape, wanted.split("…"))))
        if not any(form.fullmatch(one) for one in really):
            return line
    return None


def _loosened(line: str) -> str:
    plain = re.sub(r"[─-╿]+", " ", line)
    plain = re.sub(r"-[0-9a-f]{8}\b", "-#", plain)
    plain = re.sub(r"[+-]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", "#", plain)
    return " ".join(plain.split())
