"""A suite: what is compared with what, on what. A YAML file, validated at the door."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from mmragbench._printable import shortened
from mmragbench._redacting import without_keys
from mmragbench.data.exclusions import USUAL_MAXIMUM, Bound, bound
from mmragbench.data.slices import Kind
from mmragbench.errors import DataError, SuiteError
from mmragbench.formats import yaml_text
from mmragbench.formats.text_lines import decoded
from mmragbench.formats.values import described
from mmragbench.planning.names import Dotted, Plain, apart
from mmragbench.planning.objects import PythonObject, named, named_function, wrapped
from mmragbench.planning.wrong_values import wrong_value

if TYPE_CHECKING:
    from mmragbench.layouts import DataFolder

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
Names = Annotated[list[str], BeforeValidator(_measures), Field(min_length=1)]
Depths = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_list), Field(min_length=1)]


Seed = Annotated[int, Field(ge=0, lt=2**63)]
MOST_SEEDS = 100


def _seeds(value: Any, info: ValidationInfo) -> Any:
    """The list; a number stands for as many seeds, beginning with the suite's."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MOST_SEEDS:
            raise ValueError(f"{value} seeds; there may be 1 to {MOST_SEEDS}")
        first = info.data.get("seed", 0)
        return list(range(first, first + value))
    seeds = [] if value is None else _list(value)
    if repeated := [seed for number, seed in enumerate(seeds) if seed in seeds[:number]]:
        raise ValueError(f"{repeated[0]} is there twice; the same seed gives the same results")
    return seeds


class TaskSpec(BaseModel):
    """One task of a suite.

    Attributes:
        measures: what is reported: names, `package.module:function`, or functions with `@measures`.
        generator: names of generators (of the suite's `generators`, or registered ones).
        k: how many documents a generator is shown; several for a curve.
        queries: how many of the task's queries are asked, for what takes long; all by default.
    """

    model_config = ConfigDict(extra="forbid")

    measures: Names
    generator: Annotated[list[Dotted], BeforeValidator(_list)] = []
    k: Depths = [5]
    queries: Annotated[int, Field(ge=1)] | None = None


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
        seed: for what a run draws: models that sample, the strategy `random`. The data are drawn by the
            dataset's own `seed`.
        seeds: several of them on the same data, `[0, 1, 2]`, or how many from `seed` on: numbers are
            means over the seeds.
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
    seed: Seed = 0
    seeds: Annotated[list[Seed], BeforeValidator(_seeds)] = []
    depth: int = Field(default=100, ge=1)

    @model_validator(mode="after")
    def _one_first_seed(self) -> Suite:
        """`seed` is the first of `seeds`, and one seed is no list."""
        if not self.seeds:
            return self
        if "seed" in self.model_fields_set and self.seed != self.seeds[0]:
            raise ValueError(
                f"seed is {self.seed}, and seeds are {self.seeds}; leave one out, or begin seeds with it"
            )
        self.seed, self.seeds = self.seeds[0], self.seeds if len(self.seeds) > 1 else []
        return self


class Source:
    """A suite's text: its content, as plain data, and the line of each place in it.

    Args:
        name: what errors call it.
        text: the YAML document.
        data: the folder's data that the suite was written for, if nobody wrote it.

    Raises:
        SuiteError: the text is not YAML, or not plain data.
    """

    def __init__(self, name: str, text: str, data: DataFolder | None = None) -> None:
        self.name, self.text, self.data = name, text, data
        self._overrides: Sequence[str] = ()
        self.content, self._root = yaml_text.load(text, name)

    def with_overrides(self, overrides: Sequence[str]) -> Source:
        """The same text; errors about what an override says (`key=value`) name it in place of a line."""
        other = copy(self)
        other._overrides = overrides
        return other

    def where(self, place: Sequence[str | int]) -> str:
        """`suite.yaml:12`, as near to the place as the text goes; the override that the place is of."""
        steps = tuple(map(str, place))
        node: yaml.Node | None = self._root
        lines: list[int] = []
        for step in steps:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            nodes = [(key, value) for key, value in pairs if key.value == step]
            if not nodes:
                break
            lines.append(nodes[0][0].start_mark.line + 1)
            node = nodes[0][1]
        for override in reversed(self._overrides):
            path = tuple(override.partition("=")[0].split("."))
            is_new = len(lines) < len(steps) and path[: len(steps)] == steps
            if is_new or path == steps[: len(path)]:
                return _shown(override)
        return f"{self.name}:{lines[-1]}" if lines else self.name

    def error(self, place: Sequence[str | int], message: str) -> SuiteError:
        """The error with its line and place in front."""
        path = ".".join(shortened(str(step), 60) for step in place)
        return SuiteError(f"{self.where(place)}: {path + ': ' if path else ''}{message}")


SuiteLike = Path | str | Mapping[str, Any] | Suite | Source
"""A suite file, the name of one that is shipped, or a folder of data; or its content, in which objects
may stand; or its text."""


def read(given: SuiteLike, overrides: Sequence[str] = ()) -> tuple[Suite, Source]:
    """A suite with `key=value` overrides applied (`dataset.limit=100`; values are YAML).

    Args:
        given: a file, the name of a suite that is shipped, or a folder of data; or its content or text.

    Raises:
        SuiteError: no such file, not YAML, or not a suite; names the line and the choices.
        DataError: the folder's data is not of a known layout, or something is missing.
    """
    if isinstance(given, Path | str | Source):
        source = given if isinstance(given, Source) else read_source(given)
        content = source.content
    else:
        source, content = Source("suite", ""), _content(given)
    if not isinstance(content, dict):
        raise SuiteError(
            f"{source.name} is not a suite: it is {described(content)}; expected keys: name, dataset, "
            "strategies, tasks"
        )
    for override in overrides:
        _apply(content, override)
    source = source.with_overrides(overrides)
    return validate(content, source), source


def read_source(given: Path | str) -> Source:
    """The text of a suite file, of a shipped suite, or of the suite that a folder's data becomes.

    Raises:
        SuiteError: there is none, or it is not YAML.
        DataError: the folder's data is not of a known layout, or something is missing.
    """
    path = _find(given)
    if not path.is_dir():
        return Source(str(given), _text(given, path))
    from mmragbench.layouts import recognise, suite_text

    data = recognise(path)
    return Source(f"the suite of {given}", suite_text(data), data)


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
        place, message = wrong_value(error, content, _known_keys)
        raise source.error(place, message) from error


def _known_keys(place: Place) -> Collection[str]:
    """The keys that a suite has at the top, or in a task."""
    return (TaskSpec if place[:1] == ("tasks",) else Suite).model_fields


def _text(given: Path | str, file: Path) -> str:
    """The text of a suite's file.

    Raises:
        SuiteError: it cannot be read, or is not UTF-8.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(4 * yaml_text.MAX_CHARACTERS + 1)
        return decoded(Path(given), content, "a suite in YAML")
    except OSError as error:
        raise SuiteError(f"{file} cannot be read ({error.strerror})") from error
    except DataError as error:
        raise SuiteError(str(error)) from error


def _find(given: Path | str) -> Path:
    """The file or folder itself, or a suite of that name that ships with the package.

    A folder that has a shipped suite's name is meant where a slash is written: `./scenes`, `scenes/`.
    """
    path = Path(given)
    if path.is_file():
        return path
    shipped = {file.stem: file for file in shipped_suites()}
    is_name = not {"/", os.sep} & {*str(given)} and path.suffix in ("", ".yaml")
    if is_name and path.stem in shipped:
        if path.is_dir():
            warnings.warn(f"{path} is a shipped suite here; the folder is ./{path}", stacklevel=2)
        return shipped[path.stem]
    if (path / "suite.yaml").is_file():
        raise SuiteError(
            f"{str(path)!r} is a run folder, where a suite or a folder of data is wanted; "
            f"{path / 'suite.yaml'} is its suite"
        )
    if path.is_dir():
        return path
    near = get_close_matches(path.stem, shipped, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near and len(path.parts) == 1 else ""
    raise SuiteError(
        f"there is no suite {str(path)!r}{hint}; give a file, a folder of data, or the name of one that "
        "is shipped: "
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
