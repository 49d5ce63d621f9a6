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
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, get_args, get_type_hints, overload

from mmragbench import _crashes as crashes
from mmragbench.errors import MmragbenchError, SuiteError, unknown
from mmragbench.records import Better, Control, Distance, Measure, MeasureInfo, OutputKind

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

NOT_IN_FILE = (
    "belongs to a Python program, so that this suite cannot be run from the file alone: run that "
    "program again, or put the class into a module and name it by package.module:Name"
)
"""What is to be done about a component of another program."""

PLURALS = {"strategy": "strategies"}
"""Where an `s` at the end does not do."""


@dataclass(frozen=True)
class Component:
    """A registered class or function, with what it says of itself.

    Attributes:
        scores: for a measure, the kinds of output that it scores; none for one of rankings.
        info: for a measure, how its numbers are read.
        control: for a strategy, what it stands for beside the contenders; None for a contender.
        code: the digest of its code, where that is not its source file's.
    """

    kind: str
    name: str
    make: Callable[..., Any]
    scores: tuple[OutputKind, ...] = ()
    info: MeasureInfo = field(default_factory=MeasureInfo)
    control: Control | None = None
    code: str | None = None

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        doc = inspect.getdoc(self.make) or ""
        return doc.split("\n\n")[0].replace("\n", " ")


_components: dict[tuple[str, str], Component] = {}


def _key(kind: str, name: str) -> tuple[str, str]:
    """`open-clip` finds `open_clip`; measures are written as they are (`CIDEr`)."""
    return kind, name if kind == "measure" else name.replace("_", "-").lower()


def register(component: Component) -> None:
    """Put a component under its name.

    Raises:
        SuiteError: the name is taken by another definition.
    """
    kind, name, make = component.kind, component.name, component.make
    known = _components.get(_key(kind, name))
    if known and (known.make.__module__, known.make.__qualname__) != (
        make.__module__,
        make.__qualname__,
    ):
        raise SuiteError(
            f"{kind} {name!r} is defined twice: in {known.make.__module__} and in "
            f"{make.__module__}; rename one of the files"
        )
    _components[_key(kind, name)] = component


def _decorator(kind: str, control: Control | None = None) -> Callable[[C], C]:
    def decorate(make: C) -> C:
        stem = make.__module__.rpartition(".")[2]
        name = (
            stem
            if FOLDERS[kind] in ("models", "generators", "datasets")
            else stem.replace("_", "-")
        )
        register(Component(kind, name, make, control=control))
        return make

    return decorate


dataset = _decorator("dataset")
encoder = _decorator("encoder")
captioner = _decorator("captioner")
chat = _decorator("chat")
painter = _decorator("painter")
reranker = _decorator("reranker")
generator = _decorator("generator")
store = _decorator("store")
report = _decorator("report")


@overload
def strategy(make: C) -> C: ...
@overload
def strategy(*, control: Control) -> Callable[[C], C]: ...
def strategy(make: Any = None, *, control: Control | None = None) -> Any:
    """Register a strategy; `control` says what one stands for that contenders are measured against:
    the `floor` (nothing is retrieved), `chance`, or the `ceiling` (it knows the gold)."""
    decorate = _decorator("strategy", control)
    return decorate if make is None else decorate(make)


def measures(
    *names: str,
    scores: tuple[OutputKind, ...] = (),
    better: Better = "higher",
    unit: str = "",
    margin: float | str = "5%",
    display: str | Mapping[str, str] | None = None,
    distance: Distance | None = None,
) -> Callable[[C], C]:
    """Register one evaluator under each measure that it computes (`R@k` for any cutoff; of one on
    features, `Recall(features)@k`), with the
    kinds of output that these score; none means that they score rankings. The rest is what
    `MeasureInfo` says of their numbers; where one evaluator's measures differ in it, the decorator
    stands above it several times. `display` may map names without their cutoff to what is shown.

    Raises:
        SuiteError: one of them is not what it can be.
    """
    if better not in get_args(Better):
        raise SuiteError(f"{', '.join(names)}: better is 'higher' or 'lower', not {better!r}")
    if isinstance(scores, str) or not set(scores) <= set(get_args(OutputKind)):
        raise SuiteError(
            f"{', '.join(names)}: scores is a tuple of {', '.join(get_args(OutputKind)[1:])}, "
            f"like ('caption',), not {scores!r}"
        )
    if not _is_margin(str(margin)):
        raise SuiteError(
            f"{', '.join(names)}: a margin is a number above zero, 0.02, or a share, '5%', not {margin!r}"
        )
    displays = display if isinstance(display, Mapping) else dict.fromkeys(names, display)

    def decorate(make: C) -> C:
        for name in names:
            shown = displays.get(name.removesuffix("@k"))
            info = MeasureInfo(better, unit, str(margin), shown, distance)
            register(Component("measure", name, make, scores, info))
        return make

    return decorate


def _is_margin(text: str) -> bool:
    try:
        return float(text.removesuffix("%")) > 0
    except ValueError:
        return False


def _import(module: str) -> None:
    file = f"{module.removeprefix('mmragbench.').replace('.', '/')}.py"
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("mmragbench"):
            raise
        package = (error.name or "").partition(".")[0]
        raise SuiteError(
            f"{file} imports {package}, which is not installed; install it, or take the file away"
        ) from error
    except MmragbenchError:
        raise
    except BaseException as error:  # a file may raise anything while it is imported
        crashes.pass_on(error)
        raise SuiteError(
            f"{file} cannot be imported: {crashes.summary(error)}; fix it, or take it away"
        ) from error


def _load_folder(kind: str) -> None:
    package = importlib.import_module(f"mmragbench.{FOLDERS[kind]}")
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:
            _import(f"{package.__name__}.{module.name}")


def _load_entry_points(kind: str, name: str | None = None) -> None:
    group = f"mmragbench.{PLURALS.get(kind, kind + 's')}"
    for point in entry_points(group=group):
        if name is None or _key(kind, point.name) == _key(kind, name):
            register(renamed(kind, point.name, _loaded(point)))


def renamed(kind: str, name: str, make: Callable[..., Any]) -> Component:
    """A class or a function under another name, with what it said of itself where it was defined."""
    known = [component for component in registered(make) if component.kind == kind]
    same = [component for component in known if component.name == name]
    return replace([*same, *known, Component(kind, name, make)][0], name=name)


def _loaded(point: EntryPoint) -> Callable[..., Any]:
    try:
        make: Callable[..., Any] = point.load()
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist else point.module
        raise SuiteError(
            f"{package} offers {point.name!r} as {point.value}, which cannot be imported ({error}); "
            "fix its entry points, or uninstall it"
        ) from error
    return make


def registered(make: Callable[..., Any]) -> list[Component]:
    """What a class or a function is registered as."""
    return [component for component in _components.values() if component.make is make]


def has_methods(kind: str, make: Callable[..., Any]) -> bool:
    """Whether a class has the methods of a kind; of a function, the class that it says to return."""
    names = METHODS.get(kind, ())
    try:
        definition = make if inspect.isclass(make) else get_type_hints(make).get("return")
        return (
            inspect.isclass(definition)
            and bool(names)
            and all(hasattr(definition, name) for name in names)
        )
    except Exception:  # a class may raise anything when it is looked at
        return False


def _checked(kind: str, path: str) -> Component:
    """A component by its dotted path. What is not of its kind is refused before it is called: a
    path can name any function of any module."""
    make = imported(kind, path)
    if any(known.kind == kind for known in registered(make)) or has_methods(kind, make):
        return renamed(kind, path, make)
    raise SuiteError(f"{path!r} is no {kind}, so that it was not called: {needed_methods(kind)}")


def needed_methods(kind: str) -> str:
    """What makes a component of a kind, as part of a sentence."""
    wanted = " and ".join(f"{name}()" for name in METHODS.get(kind, ()))
    needs = (
        f"a class with {wanted}, a function that is annotated to return one, or" if wanted else ""
    )
    decorator = "@measures('Name')" if kind == "measure" else f"@{kind}"
    return f"that is {needs} a function with {decorator} above it (from mmragbench.registry)"


def imported(kind: str, path: str) -> Callable[..., Any]:
    """What a dotted path names; the kind is for the message.

    Raises:
        SuiteError: its module cannot be imported, or has nothing of that name.
    """
    module, _, attribute = path.partition(":")
    if module == "__main__" and not hasattr(sys.modules[module], attribute):
        raise SuiteError(f"{kind} {path!r} {NOT_IN_FILE}")
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
            f"cannot import {kind} {path!r}: {crashes.summary(error)}; fix the module"
        ) from error
    return make


def find(kind: str, name: str) -> Component:
    """The component of that kind and name.

    Raises:
        SuiteError: there is none, the message names the nearest and all there are; or a dotted
            path names what is of another kind.
    """
    if name.startswith("<"):  # what a run folder's suite calls an object
        raise SuiteError(f"{kind} {name!r} {NOT_IN_FILE}")
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


def registered_name(measure: Measure) -> str:
    """The name that an evaluator is registered under: `CIDEr`, `R@k`, `FID`, `Recall(features)@k`."""
    features = "(features)" if measure.features and measure.cutoff else ""
    return f"{measure.name}{features}@k" if measure.cutoff else measure.name


def find_measure(measure: Measure) -> Component:
    """The evaluator of a measure.

    Raises:
        SuiteError: there is none of that name, or it wants a cutoff or features that are not given.
    """
    name = registered_name(measure)
    other = OTHER_NAMES.get(measure.name.lower())
    if other and not exists("measure", name):
        raise SuiteError(f"{measure} is {replace(measure, name=other)} here: write that")
    component = find("measure", name)
    wants_features = "features" in inspect.signature(component.make).parameters
    if wants_features and not measure.features:
        written = replace(measure, features="name of an encoder")
        of_rankings = f"; of rankings it is {replace(measure, name=other)}" if other else ""
        raise SuiteError(f"{measure} needs features: write {written}{of_rankings}")
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
        parsed = Measure.parse(name)
        if not colon:
            return [parsed]
        make = find("measure", f"{module}:{parsed.name}").make
        known = [component.name for component in registered(make) if component.kind == "measure"]
        alike = [
            component for component in known if component.endswith("@k") == bool(parsed.cutoff)
        ]
        names = [Measure.parse(component.removesuffix("@k")).name for component in alike]
    except ValueError as error:
        raise SuiteError(str(error)) from error
    if not names:
        raise SuiteError(f"{text!r} computes {', '.join(known)}; write @k where they do")
    return [replace(parsed, name=name) for name in names]


def every(kind: str) -> Iterator[Component]:
    """All components of a kind, by name."""
    _load_folder(kind)
    _load_entry_points(kind)
    components = [component for (k, _), component in _components.items() if k == kind]
    yield from sorted(components, key=lambda component: component.name)
