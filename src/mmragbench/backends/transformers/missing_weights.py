"""Refusal of checkpoints that lack weights of their model.

The libraries initialise at random what a checkpoint lacks, or has in another shape, and go on: a
captioner loaded as an encoder, or a sentence encoder as a reranker, would answer by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from mmragbench._printable import one_line
from mmragbench.backends.weights import read_config
from mmragbench.errors import SuiteError, listed

USES_BY_CLASS = {
    "ForSequenceClassification": "a reranker (use: sentence_transformers)",
    "ForImageTextRetrieval": "a reranker (use: image_text_matching)",
}
"""Ending of the class that a checkpoint was saved from -> a use of the checkpoint."""

USES_BY_FILE = {
    "model_index.json": "a painter (use: diffusers)",
    "open_clip_config.json": "an encoder (use: open_clip)",
    "modules.json": "an encoder (use: sentence_transformers)",
}
"""File of a model folder -> a use of the folder."""


class LoadingReport(NamedTuple):
    """The class of a model that a library loaded, and the weights that it initialised itself.

    These are the missing ones and those of another shape.
    """

    model: str
    missing_keys: list[str]


def load_pretrained(make: Any, name: str, **options: Any) -> tuple[Any, LoadingReport]:
    """A model by `make.from_pretrained(name)`, transformers' or diffusers', with its report."""
    return _load_with_report(make.from_pretrained, name, **options)


def _load_with_report(
    load: Callable[..., Any], *args: Any, **options: Any
) -> tuple[Any, LoadingReport]:
    options |= {"output_loading_info": True, "ignore_mismatched_sizes": True}
    model, info = load(*args, **options)
    mismatched = [key if isinstance(key, str) else key[0] for key in info["mismatched_keys"]]
    return model, LoadingReport(type(model).__name__, sorted({*info["missing_keys"], *mismatched}))


@contextmanager
def recorded_loading(*bases: Any) -> Iterator[list[LoadingReport]]:
    """A context that collects the reports of all models that another library loads within it.

    Args:
        bases: the classes whose `from_pretrained` loads them.
    """
    reports: list[LoadingReport] = []
    with ExitStack() as stack:
        for base in bases:
            original = base.__dict__["from_pretrained"]
            base.from_pretrained = classmethod(_recording(original.__func__, reports))
            stack.callback(setattr, base, "from_pretrained", original)
        yield reports


def _recording(load: Callable[..., Any], reports: list[LoadingReport]) -> Callable[..., Any]:
    def from_pretrained(cls: Any, *args: Any, **options: Any) -> Any:
        if options.get("output_loading_info"):  # the caller checks it
            return load(cls, *args, **options)
        model, report = _load_with_report(load, cls, *args, **options)
        reports.append(report)
        return model

    return from_pretrained


def refuse_missing_weights(
    name: str, reports: Iterable[LoadingReport], unused: str | None = None
) -> None:
    """Refuse a checkpoint that lacks weights, since a part of its model would be random.

    Args:
        name: hub name or folder.
        unused: a pattern for the names of weights that are not used.

    Raises:
        SuiteError: names the first weights, and a use of the checkpoint.
    """
    for model, keys in reports:
        if missing := [key for key in keys if not (unused and re.match(unused, key))]:
            raise SuiteError(
                f"{name!r} has no weights for {len(missing)} parts of {model}, which would be left "
                f"to chance ({listed(missing)}); it is a checkpoint of another kind"
                f"{suggested_use(name)}"
            )


def describe_load_error(error: Exception) -> str:
    """Torch's error on a state dict that does not fit, in one line: how many weights, the first names."""
    keys_by_problem = {
        "has no weights for": re.findall(r'"([^"]+)"', _part(error, "Missing key")),
        "has weights unknown to it:": re.findall(r'"([^"]+)"', _part(error, "Unexpected key")),
        "has other shapes in": re.findall(r"size mismatch for ([^:\s]+):", str(error)),
    }
    problems = [
        f"{what} {len(keys)} ({listed(keys)})" for what, keys in keys_by_problem.items() if keys
    ]
    return "; ".join(problems) or one_line(error, 200)


def _part(error: Exception, start: str) -> str:
    return next((line for line in str(error).splitlines() if line.strip().startswith(start)), "")


def saved_as(name: str) -> str:
    """The class that a checkpoint was saved from, by its config.json; empty where that names none."""
    config = read_config(name, "config.json")
    classes = config.get("architectures") if isinstance(config, dict) else None
    return str(classes[0]) if classes else ""


def suggested_use(name: str) -> str:
    """The use of a checkpoint by its files, as the end of a sentence; empty where unknown."""
    saved = saved_as(name)
    by_class = next((use for end, use in USES_BY_CLASS.items() if saved.endswith(end)), None)
    by_file = (use for file, use in USES_BY_FILE.items() if read_config(name, file) is not None)
    use = by_class or next(by_file, None) or _use_in_transformers(saved)
    return f"; {f'saved as {saved}, ' if saved else ''}it fits {use}" if use else ""


def _use_in_transformers(saved: str) -> str | None:
    """The use of a class by what transformers knows of it; None where it knows none."""
    import transformers
    from transformers.models.auto import modeling_auto

    if saved in modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.values():
        return "a captioner or a chat model (use: transformers)"
    if hasattr(getattr(transformers, saved or "-", None), "get_image_features"):
        return "an encoder (use: transformers)"
    return None
