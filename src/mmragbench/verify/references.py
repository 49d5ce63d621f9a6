"""Published numbers, read from `references/*.yaml`: value, source, protocol, tolerance, needs.

A file has one source and some families: tables of numbers that share a protocol. A family's columns
say which measures (and on which task), its rows which system; what a row says is added to what the
family says. One cell of such a table is a `Reference`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mmragbench.errors import SuiteError, unknown

FOLDER = Path(__file__).resolve().parent / "references"

Kind = Literal["captions", "retrieval", "fid"]
Facts = dict[str, Annotated[str, BeforeValidator(str)]]
"""Facts of a signature, as text: `{"n": "5000"}`."""

HUB_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where a number was published: title, place, version."""

    title: str = Field(min_length=1)
    where: str = Field(min_length=1)
    version: str = Field(min_length=1)


class Need(_Strict):
    """One thing that a number needs; exactly one of the first four fields names it.

    Attributes:
        path: a file or folder below the data folder.
        hub: a repository of the Hugging Face hub, in the local cache.
        torch_hub: a file of weights in torch hub's cache.
        program: an executable.
        files: of the hub's repository, of which one must be in the cache.
        get: how to get it.
    """

    path: str | None = None
    hub: str | None = None
    torch_hub: str | None = None
    program: str | None = None
    files: tuple[str, ...] = HUB_WEIGHTS
    get: str = ""

    @model_validator(mode="after")
    def _one_thing(self) -> Need:
        names = (self.path, self.hub, self.torch_hub, self.program)
        if names.count(None) != len(names) - 1:
            raise ValueError("a need names one of path, hub, torch_hub, program")
        return self


class Reference(_Strict):
    """One published number.

    Attributes:
        name: `<family>/<row>/<task>/<measure>`; unique.
        kind: which function computes ours.
        value: on the measure's raw scale.
        tolerance: the largest difference, either way, that is still agreement.
        facts: what our number's signature has to say for the two to be comparable.
        given: that function's arguments.
        differs: why the protocols differ, where they do; such a number is never computed.
    """

    name: str
    family: str
    kind: Kind
    measure: str
    task: str | None = None
    value: float
    tolerance: float = Field(gt=0)
    source: Source
    protocol: str = Field(min_length=1)
    facts: Facts = {}
    given: dict[str, Any] = {}
    needs: tuple[Need, ...] = ()
    differs: str | None = None


class _Column(_Strict):
    measures: tuple[str, ...] = Field(min_length=1)
    task: str | None = None
    facts: Facts = {}


class _Row(_Strict):
    values: tuple[float, ...]
    given: dict[str, Any] = {}
    needs: tuple[Need, ...] = ()
    facts: Facts = {}


class _Family(_Strict):
    name: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    kind: Kind
    tolerance: float
    protocol: str
    given: dict[str, Any] = {}
    needs: tuple[Need, ...] = ()
    differs: str | None = None
    columns: tuple[_Column, ...]
    rows: dict[str, _Row] = Field(min_length=1)

    def references(self, source: Source) -> Iterator[Reference]:
        cells = [(column, measure) for column in self.columns for measure in column.measures]
        shared = self.model_dump(include={"kind", "tolerance", "protocol", "differs"})
        for name, row in self.rows.items():
            for (column, measure), value in zip(cells, row.values, strict=True):
                place = (self.name, name, *([column.task] if column.task else []), measure)
                yield Reference(
                    **shared,
                    name="/".join(place),
                    family=self.name,
                    measure=measure,
                    task=column.task,
                    value=value,
                    source=source,
                    facts=column.facts | row.facts,
                    given=self.given | row.given,
                    needs=self.needs + row.needs,
                )


class _File(_Strict):
    source: Source
    families: tuple[_Family, ...]


def load(folder: Path = FOLDER) -> list[Reference]:
    """Every reference, by file and in its order.

    Raises:
        SuiteError: a file is not what it should be, or two references have one name.
    """
    references: dict[str, Reference] = {}
    for path in sorted(folder.glob("*.yaml")):
        for reference in _read(path):
            if reference.name in references:
                raise SuiteError(f"{path}: {reference.name} is there twice")
            references[reference.name] = reference
    return list(references.values())


def _read(path: Path) -> list[Reference]:
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        return [one for family in file.families for one in family.references(file.source)]
    except (ValidationError, ValueError, yaml.YAMLError) as error:
        raise SuiteError(f"{path}: {' '.join(str(error).split())}") from error


def chosen(references: list[Reference], only: str | None) -> list[Reference]:
    """The references of that name, below it (`captions`, `open_clip/mscoco`), or that a glob matches.

    Raises:
        SuiteError: there is none.
    """
    if only is None:
        return references
    below = only.rstrip("/") + "/"
    chosen = [
        reference
        for reference in references
        if reference.name == only
        or reference.name.startswith(below)
        or fnmatchcase(reference.name, only)
    ]
    if not chosen:
        raise SuiteError(unknown("reference", only, {one.family for one in references}))
    return chosen
