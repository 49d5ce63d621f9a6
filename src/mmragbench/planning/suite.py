"""A suite: what is compared with what, on what. A YAML file, validated at the door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from mmragbench._printable import shortened
from mmragbench._redacting import without_keys
from mmragbench.data.exclusions import USUAL_MAXIMUM, Bound, bound
from mmragbench.data.slices import Kind
from mmragbench.errors import SuiteError, unknown
from mmragbench.formats import yaml_text
from mmragbench.planning.names import Dotted, Plain, apart
from mmragbench.planning.objects import PythonObject, named, named_function, wrapped

OWN_DATA = "write a suite with dataset: {use: folder, root: FOLDER, queries: test, memory: train}"

Place = tuple[str, ...]
"""Where in a suite something is said: `("strategies", "shared-space", "encoder")`."""


class SuiteFieldError(SuiteError):
    """Something in a suite does not exist or does not fit; knows its place."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(f"{'.'.join(place)}: {message}")
        self.place, self.message = place, message


def component_spec(value: Any) -> Any:
    """`{use: name, …}`; a bare name, class or object is a component without arguments, nothing is `{}`."""
    spec = {} if value is None else dict(value) if isinstance(value, Mapping) else wrapped(value)
    return {"use": spec} if isinstance(spec, str | PythonObject) else wrapped(spec)


def _measures(value: Any) -> Any:
    return [named_function(part) if callable(part) else part for part in _list(value)]


def _list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _apart(named: dict[str, Any]) -> dict[str, Any]:
    apart(named)
    return named


Spec = Annotated[dict[str, Any], BeforeValidator(component_spec), PlainSerializer(named)]
Specs = Annotated[dict[Dotted, Spec], AfterValidator(_apart)]
Names = Annotated[list[str], BeforeValidator(_measures)]
Depths = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_list)]


class TaskSpec(BaseModel):
    """One task of a suite.

    Attributes:
        measures: what is reported: names, `package.module:function`, or functions with `@measures`.
        generator: names of generators (of the suite's `generators`, or registered ones).
        k: how many documents a generator is shown; several for a curve.
    """

    model_config = ConfigDict(extra="forbid")

    measures: Names
    generator: Annotated[list[Dotted], BeforeValidator(_list)] = []
    k: Depths = [5]


class Suite(BaseModel):
    """A comparison.

    Where a component is named, Python may give a class or an object as well: `{"mine": Mine(k=3)}`.
    Such an object is identified when the suite is validated, by its code and its state.

    Attributes:
        name: names the run's folder.
        description: for readers.
        dataset: `{use: <dataset>, …}`.
        models: encoders, captioners, chat models, painters and rerankers under names of your own.
        strategies: the retrieval halves; `use` is the name itself unless said otherwise.
        generators: generators with arguments, under names of your own; one may be named by its
            model alone, `{use: openai, …}`.
        tasks: what is asked, and how it is scored.
        baseline: the strategy that others are compared with.
        primary: the measure that a task's answer rests on, named as under `measures`: one for all
            tasks, or `{task: measure}`. By default the first of the task's measures, of what is generated before rankings.
        slices: kinds of slices to report beside the dataset's own: `length` of the query's text (or
            its references), `modality` of the query, `categories` that its image shows.
        max_excluded: how much of the data may be left out, of query images, memory images, captions,
            … each: a share such as `5%` or a number; half of it by default. More is an error.
        budget: US dollars that all runs of this suite may spend on models that cost money.
        seed: for everything that draws.
        depth: how many hits are kept of each ranking at least.
    """

    model_config = ConfigDict(extra="forbid")

    name: Plain
    description: str = ""
    dataset: Spec
    models: Specs = {}
    strategies: Specs = Field(min_length=1)
    generators: Specs = {}
    tasks: Annotated[dict[Plain, TaskSpec], AfterValidator(_apart)] = Field(min_length=1)
    baseline: str | None = None
    primary: str | dict[str, str] = {}
    slices: Annotated[list[Kind], BeforeValidator(_list)] = []
    max_excluded: Annotated[Bound, BeforeValidator(bound)] = USUAL_MAXIMUM
    budget: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    seed: int = Field(default=0, ge=0, lt=2**63)
    depth: int = Field(default=100, ge=1)


class Source:
    """A suite's text: its content, as plain data, and the line of each place in it.

    Raises:
        SuiteError: the text is not YAML, or not plain data.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.content, self._root = yaml_text.load(text, name)

    def where(self, place: Sequence[str | int]) -> str:
        """`suite.yaml:12`, as near to the place as the text goes."""
        node: yaml.Node | None = self._root
        line = None
        for step in place:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            nodes = [(key, value) for key, value in pairs if key.value == str(step)]
            if not nodes:
                break
            line, node = nodes[0][0].start_mark.line + 1, nodes[0][1]
        return f"{self.name}:{line}" if line else self.name

    def error(self, place: Sequence[str | int], message: str) -> SuiteError:
        """The error with its line and place in front."""
        path = ".".join(shortened(str(step), 60) for step in place)
        return SuiteError(f"{self.where(place)}: {path + ': ' if path else ''}{message}")


SuiteLike = Path | str | Mapping[str, Any] | Suite
"""A suite file, or the name of one that is shipped; or its content, in which objects may stand."""


def read(given: SuiteLike, overrides: Sequence[str] = ()) -> tuple[Suite, Source]:
    """A suite with `key=value` overrides applied (`dataset.limit=100`; values are YAML).

    Args:
        given: a file, or the name of a suite that is shipped; or its content.

    Raises:
        SuiteError: no such file, not YAML, or not a suite; names the line and the choices.
    """
    if isinstance(given, Path | str):
        source = Source(str(given), yaml_text.decoded(_read(_find(Path(given))), str(given)))
        content = source.content
    else:
        source, content = Source("suite", ""), _content(given)
    if not isinstance(content, dict):
        raise SuiteError(f"{given} is not a suite: expected keys such as name, dataset, strategies")
    for override in overrides:
        _apply(content, override)
    return validate(content, source), source


def _content(given: Mapping[str, Any] | Suite) -> dict[str, Any]:
    """What a mapping or a suite holds, in mappings of our own: overrides change them."""
    return {name: _copied(value) for name, value in dict(given).items()}


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping | TaskSpec):
        return {name: _copied(part) for name, part in dict(value).items()}
    return value


def validate(content: Mapping[str, Any], source: Source) -> Suite:
    """Check a suite's shape."""
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        errors = error.errors()  # a key that is misspelt before the one that is missing for it
        first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
        place = [step for step in first["loc"] if step != "[key]"]
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            model = TaskSpec if place[0] == "tasks" else Suite
            message = unknown("key", str(place[-1]), model.model_fields)
        raise source.error(place, message) from error


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(4 * yaml_text.MAX_CHARACTERS + 1)
    except OSError as error:
        raise SuiteError(f"{file} cannot be read ({error.strerror})") from error


def _find(path: Path) -> Path:
    """The file itself, or a suite of that name that ships with the package."""
    if path.is_file():
        return path
    shipped = {file.stem: file for file in shipped_suites()}
    if len(path.parts) == 1 and path.stem in shipped and path.suffix in ("", ".yaml"):
        return shipped[path.stem]
    if path.is_dir():
        run = (path / "suite.yaml").is_file()
        advice = (
            f"{path / 'suite.yaml'} is its suite" if run else f"to use what lies in it, {OWN_DATA}"
        )
        raise SuiteError(f"{str(path)!r} is a folder, where a suite file is wanted; {advice}")
    near = get_close_matches(path.stem, shipped, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near and len(path.parts) == 1 else ""
    raise SuiteError(
        f"there is no suite {str(path)!r}{hint}; give a file, or the name of one that is shipped: "
        f"{', '.join(sorted(shipped))}"
    )


def shipped_suites() -> list[Path]:
    """The suites in the checkout or the wheel."""
    package = Path(__file__).resolve().parents[1]
    folders = [package / "suites", package.parents[1] / "suites"]
    return sorted(file for folder in folders for file in folder.glob("*.yaml"))


def _apply(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise SuiteError(
            f"{_shown(override)} is not an override; write key=value, e.g. dataset.limit=100"
        )
    *parents, last = key.split(".")
    if len(parents) > yaml_text.MAX_DEPTH:
        raise SuiteError(f"{_shown(override)}: more than {yaml_text.MAX_DEPTH} levels")
    node = content
    for parent in parents:
        below = node.get(parent)
        below = {"use": below} if isinstance(below, str) else below or {}
        if not isinstance(below, dict):
            raise SuiteError(
                f"{_shown(override)}: {shortened(without_keys(parent), 80)} has no keys below it"
            )
        node[parent] = below
        node = below
    node[last] = override_value(override, value)


def override_value(override: str, value: str) -> Any:
    """The value of `key=value`, as YAML has it.

    Raises:
        SuiteError: it is not YAML, or not plain data; names the override.
    """
    return yaml_text.load(value, _shown(override))[0]


def _shown(override: str) -> str:
    """An override as an error repeats it: short, and without what may be a key."""
    key, equals, value = override.partition("=")
    return repr(shortened(f"{without_keys(key)}{equals}{without_keys(value)}", 80))
