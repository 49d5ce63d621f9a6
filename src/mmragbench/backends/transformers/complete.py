"""A checkpoint brings every weight of its model.

The libraries fill in at random what a checkpoint lacks, or has in another shape, and go on: a
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

FITS = {
    "ForSequenceClassification": "a reranker (use: sentence_transformers)",
    "ForImageTextRetrieval": "a reranker (use: image_text_matching)",
}
"""How the class that a checkpoint was saved from ends -> what the checkpoint can be used as."""

FILES = {
    "model_index.json": "a painter (use: diffusers)",
    "open_clip_config.json": "an encoder (use: open_clip)",
    "modules.json": "an encoder (use: sentence_transformers)",
}
"""File of a model folder -> what the folder can be used as."""


class Report(NamedTuple):
    """What a library says of a model that it loaded: its class, and the weights that it had to fill
    in: missing ones and those of another shape."""

    model: str
    keys: list[str]


def pretrained(make: Any, name: str, **options: Any) -> tuple[Any, Report]:
    """A model by `make.from_pretrained(name)`, transformers' or diffusers', with its report."""
    return _reported(make.from_pretrained, name, **options)


def _reported(load: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Report]:
    options |= {"output_loading_info": True, "ignore_mismatched_sizes": True}
    model, info = load(*args, **options)
    mismatched = [key if isinstance(key, str) else key[0] for key in info["mismatched_keys"]]
    return model, Report(type(model).__name__, sorted({*info["missing_keys"], *mismatched}))


@contextmanager
def recorded(*bases: Any) -> Iterator[list[Report]]:
    """Reports of all models that are loaded meanwhile by another library.

    Args:
        bases: the classes whose `from_pretrained` loads them.
    """
    reports: list[Report] = []
    with ExitStack() as stack:
        for base in bases:
            original = base.__dict__["from_pretrained"]
            base.from_pretrained = classmethod(_recording(original.__func__, reports))
            stack.callback(setattr, base, "from_pretrained", original)
        yield reports


def _recording(load: Callable[..., Any], reports: list[Report]) -> Callable[..., Any]:
    def from_pretrained(cls: Any, *args: Any, **options: Any) -> Any:
        if options.get("output_loading_info"):  # the caller looks at it
            return load(cls, *args, **options)
        model, report = _reported(load, cls, *args, **options)
        reports.append(report)
        return model

    return from_pretrained


def refuse_incomplete(name: str, reports: Iterable[Report], unused: str | None = None) -> None:
    """Refuse a checkpoint whose model would be random in part.

    Args:
        name: hub name or folder.
        unused: a pattern for the names of weights that are not used.

    Raises:
        SuiteError: names the first weights, and what the checkpoint can be used as.
    """
    for model, keys in reports:
        if lacking := [key for key in keys if not (unused and re.match(unused, key))]:
            raise SuiteError(
                f"{name!r} has no weights for {len(lacking)} parts of {model}, which would be left "
                f"to chance ({listed(lacking)}); it is a checkpoint of another kind{fit(name)}"
            )


def differences(error: Exception) -> str:
    """Torch's many lines on a state that does not fit, in one: how many weights, the first names."""
    kinds = {
        "has no weights for": re.findall(r'"([^"]+)"', _part(error, "Missing key")),
        "has weights unknown to it:": re.findall(r'"([^"]+)"', _part(error, "Unexpected key")),
        "has other shapes in": re.findall(r"size mismatch for ([^:\s]+):", str(error)),
    }
    parts = [f"{what} {len(keys)} ({listed(keys)})" for what, keys in kinds.items() if keys]
    return "; ".join(parts) or one_line(error, 200)


def _part(error: Exception, start: str) -> str:
    return next((line for line in str(error).splitlines() if line.strip().startswith(start)), "")


def saved_as(name: str) -> str:
    """The class that a checkpoint was saved from, by its config.json; empty where it is not said."""
    config = read_config(name, "config.json")
    classes = config.get("architectures") if isinstance(config, dict) else None
    return str(classes[0]) if classes else ""


def fit(name: str) -> str:
    """What a checkpoint can be used as, by its files: the end of a sentence, empty where they do not
    say."""
    saved = saved_as(name)
    by_class = next((use for end, use in FITS.items() if saved.endswith(end)), None)
    by_file = (use for file, use in FILES.items() if read_config(name, file) is not None)
    use = by_class or next(by_file, None) or _of_transformers(saved)
    return f"; {f'saved as {saved}, ' if saved else ''}it fits {use}" if use else ""


def _of_transformers(saved: str) -> str | None:
    import transformers
    from transformers.models.auto import modeling_auto

    if saved in modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.values():
        return "a captioner or a chat model (use: transformers)"
    if hasattr(getattr(transformers, saved or "-", None), "get_image_features"):
        return "an encoder (use: transformers)"
    return None
