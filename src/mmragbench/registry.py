"""Components by name: one decorator at the definition, discovery by file, nothing to keep in step.

    @strategy
    class SharedSpace: ...          # in strategies/shared_space.py: "shared-space"

A component is also found through Python entry points (group `mmragbench.strategies`, ...) and by a
dotted path, `my_package.my_module:MyStrategy`, anywhere a name fits.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, get_type_hints

from mmragbench import _crashes as crashes
from mmragbench.errors import MissingExtra, MmragbenchError, SuiteError, unknown
from mmragbench.records import Measure, OutputKind

C = TypeVar("C", bound=Callable[..., Any])

FOLDERS = {
    "dataset": "datasets",
    "encoder": "models",
    "captioner": "models",
    "chat": "models",
    "painter": "models",
    "reranker": "models",
    "generator": "generators",
    "strategy": "strategies",
    "store": "stores",
    "measure": "evals",
    "report": "reports",
}
"""Kind of component -> the catalogue that holds its files."""

METHODS = {
    "strategy": ("index", "retrieve"),
    "encoder": ("encode_images", "encode_texts"),
    "captioner": ("caption",),
    "chat": ("chat",),
    "painter": ("paint",),
    "reranker": ("score",),
    "store": ("add", "search"),
    "generator": ("generate",),
    "dataset": ("tasks",),
}
"""Kind -> what its classes have."""

OTHER_NAMES = {
    "hit": "Success", "hits": "Success", "hit_rate": "Success", "map": "AP", "mrr": "RR",
    "precision": "P", "recall": "R",
}  # fmt: skip
"""What other tools call measures, in small letters -> what they are called here."""

PLURALS = {"strategy": "strategies"}
"""Where an `s` at the end does not do."""


@dataclass(frozen=True)
class Component:
    """A registered class or function; for a measure, the kinds of output that it `scores` (none for
    a measure of rankings)."""

    kind: str
    name: str
    make: Callable[..., Any]
    scores: tuple[OutputKind, ...] = ()

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        doc = inspect.getdoc(self.make) or ""
        return doc.split("\n\n")[0].replace("\n", " ")


_components: dict[tuple[str, str], Component] = {}


def _key(kind: str, name: str) -> tuple[str, str]:
    """`open-clip` finds `open_clip`; measures are written as they are (`CIDEr`)."""
    return kind, name if kind == "measure" else name.replace("_", "-").lower()


def register(
    kind: str, name: str, make: Callable[..., Any], scores: tuple[OutputKind, ...] = ()
) -> None:
    """Put a component under its name.

    Raises:
        SuiteError: the name is taken by another definition.
    """
    known = _components.get(_key(kind, name))
    if known and (known.make.__module__, known.make.__qualname__) != (
        make.__module__,
        make.__qualname__,
    ):
        raise SuiteError(
            f"{kind} {name!r} is defined twice: in {known.make.__module__} and in "
            f"{make.__module__}; rename one of the files"
        )
    _components[_key(kind, name)] = Component(kind, name, make, scores)


def _decorator(kind: str) -> Callable[[C], C]:
    def decorate(make: C) -> C:
        stem = make.__module__.rpartition(".")[2]
        name = (
            stem
            if FOLDERS[kind] in ("models", "generators", "datasets")
            else stem.replace("_", "-")
        )
        register(kind, name, make)
        return make

    return decorate


dataset = _decorator("dataset")
encoder = _decorator("encoder")
captioner = _decorator("captioner")
chat = _decorator("chat")
painter = _decorator("painter")
reranker = _decorator("reranker")
generator = _decorator("generator")
strategy = _decorator("strategy")
store = _decorator("store")
report = _decorator("report")


def measures(*names: str, scores: tuple[OutputKind, ...] = ()) -> Callable[[C], C]:
    """Register one evaluator under each measure that it computes (`R@k` for any cutoff), with the
    kinds of output that these score; none means that they score rankings."""

    def decorate(make: C) -> C:
        for name in names:
            register("measure", name, make, scores)
        return make

    return decorate


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("mmragbench"):
            raise
        package = (error.name or "").partition(".")[0]
        raise MissingExtra(package, "all") from error


def _load_folder(kind: str) -> None:
    package = importlib.import_module(f"mmragbench.{FOLDERS[kind]}")
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:
            _import(f"{package.__name__}.{module.name}")


def _load_entry_points(kind: str, name: str | None = None) -> None:
    group = f"mmragbench.{PLURALS.get(kind, kind + 's')}"
    for point in entry_points(group=group):
        if name is None or _key(kind, point.name) == _key(kind, name):
            make = _loaded(point)
            scores = next((known.scores for known in registered(make)), ())
            register(kind, point.name, make, scores)


def _loaded(point: EntryPoint) -> Callable[..., Any]:
    try:
        make: Callable[..., Any] = point.load()
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist else point.module
        raise SuiteError(
            f"{package} offers {point.name!r} as {point.value}, which cannot be imported ({error}); "
            "mend its entry points, or uninstall it"
        ) from error
    return make


def registered(make: Callable[..., Any]) -> list[Component]:
    """What a class or a function is registered as."""
    return [component for component in _components.values() if component.make is make]


def has_methods(kind: str, make: Callable[..., Any]) -> bool:
    """Whether a class has the methods of a kind; of a function, the class that it says to return."""
    names = METHODS.get(kind, ())
    try:
        made = make if inspect.isclass(make) else get_type_hints(make).get("return")
        return inspect.isclass(made) and bool(names) and all(hasattr(made, name) for name in names)
    except Exception:  # a class may raise anything when it is looked at
        return False


def _checked(kind: str, path: str) -> Component:
    """A component by its dotted path. What is not of its kind is refused before it is called: a
    path can name any function of any module."""
    make = imported(kind, path)
    if any(known.kind == kind for known in registered(make)) or has_methods(kind, make):
        return Component(kind, path, make)
    wanted = " and ".join(f"{name}()" for name in METHODS.get(kind, ()))
    needs = (
        f"a class with {wanted}, a function that is annotated to return one, or" if wanted else ""
    )
    decorator = "@measures('Name')" if kind == "measure" else f"@{kind}"
    raise SuiteError(
        f"{path!r} is no {kind}, so that it was not called: that is {needs} a function with "
        f"{decorator} above it (from mmragbench.registry)"
    )


def imported(kind: str, path: str) -> Callable[..., Any]:
    """What a dotted path names; the kind is for the message.

    Raises:
        SuiteError: its module cannot be imported, or has nothing of that name.
    """
    module, _, attribute = path.partition(":")
    try:
        make: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SuiteError(
            f"cannot import {kind} {path!r} ({error}); write package.module:Name and make sure "
            "that the package is installed or on PYTHONPATH"
        ) from error
    except MmragbenchError:
        raise
    except BaseException as error:  # a module may raise anything while it is imported
        crashes.pass_on(error)
        raise SuiteError(
            f"cannot import {kind} {path!r}: {crashes.summary(error)}; mend the module"
        ) from error
    return make


def find(kind: str, name: str) -> Component:
    """The component of that kind and name.

    Raises:
        SuiteError: there is none, the message names the nearest and all there are; or a dotted
            path names what is of another kind.
    """
    if ":" in name:
        return _checked(kind, name)
    if _key(kind, name) not in _components:
        _load_folder(kind)
        _load_entry_points(kind, name)
    try:
        return _components[_key(kind, name)]
    except KeyError:
        names = [component.name for component in every(kind)]
        raise SuiteError(unknown(kind, name, names)) from None


def exists(kind: str, name: str) -> bool:
    """Whether there is a component of that kind and name."""
    return any(_key(kind, component.name) == _key(kind, name) for component in every(kind))


def arguments(kind: str, name: str) -> list[str]:
    """The names of a component's arguments."""
    return list(inspect.signature(find(kind, name).make).parameters)


def find_measure(measure: Measure) -> Component:
    """The evaluator of a measure.

    Raises:
        SuiteError: there is none of that name, or it wants a cutoff or features that are not given.
    """
    name = f"{measure.name}@k" if measure.cutoff else measure.name
    other = OTHER_NAMES.get(measure.name.lower())
    if other and not exists("measure", name):
        raise SuiteError(f"{measure} is {replace(measure, name=other)} here: write that")
    component = find("measure", name)
    wants_features = "features" in inspect.signature(component.make).parameters
    if wants_features and not measure.features:
        raise SuiteError(f"{measure} needs features: write {measure.name}(name of an encoder)")
    if measure.features and not wants_features:
        raise SuiteError(f"{measure} takes no features: write {measure.name}")
    return component


def named_measures(text: str) -> list[Measure]:
    """The measures that a suite names: one, `nDCG@10` or `FID(clip)`; or all that a function computes,
    by its dotted path, `brevity:letters`, with `(features)` and `@k` as after a name.

    Raises:
        SuiteError: it is of neither form, or the function is registered for no such measure.
    """
    module, colon, name = text.rpartition(":")
    try:
        asked = Measure.parse(name)
        if not colon:
            return [asked]
        make = find("measure", f"{module}:{asked.name}").make
        known = [each.name for each in registered(make) if each.kind == "measure"]
        alike = [each for each in known if each.endswith("@k") == bool(asked.cutoff)]
        names = [Measure.parse(each.removesuffix("@k")).name for each in alike]
    except ValueError as error:
        raise SuiteError(str(error)) from error
    if not names:
        raise SuiteError(f"{text!r} computes {', '.join(known)}; write @k where they do")
    return [replace(asked, name=each) for each in names]


def every(kind: str) -> Iterator[Component]:
    """All components of a kind, by name."""
    _load_folder(kind)
    _load_entry_points(kind)
    found = [component for (k, _), component in _components.items() if k == kind]
    yield from sorted(found, key=lambda component: component.name)
