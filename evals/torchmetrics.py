"""Measures of torchmetrics by name: of pairs of images, of sets of images, and of texts.

A class of torchmetrics computes every number; its version and all its settings are in the signature.
Paired image measures compare a query's generated image with its target: one of another size is
scaled until it covers the target's size and cut around the centre (bicubic, antialiased;
`resize:fit-target-bicubic`). Measures of texts compare a caption or an answer with its references as
they are written, without COCO's tokenisation; the best reference counts, and the number of a set is
the mean of its queries' (`set:mean`), not torchmetrics' ratio of sums. Set measures take features as
`FID(clip)` does. A failed or missing output is an error, never a zero. A measure whose weights are
not on this machine is absent, with that reason: nothing is downloaded.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from typing import Any, Literal, NamedTuple

import numpy as np

from mmragbench.backends.weights import fingerprint, hub_snapshot, torch_hub_file
from mmragbench.contracts import Encoder, Traits
from mmragbench.errors import NotApplicable, first_line
from mmragbench.measuring.answers import answers
from mmragbench.records import Absence, Image, Measure, Output, Ranking, Score, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature, span, version

TECHNICAL = {"reduction", "feature", "reset_real_features", "rouge_keys", "verbose", "batch_size",
             "num_threads", "baseline_path", "lang"}  # fmt: skip
"""Arguments of torchmetrics that change no number here."""


class Weights(NamedTuple):
    """Weights that a metric needs: how they reach its constructor, and what identifies them."""

    arguments: Mapping[str, Any]
    digest: str | None


def _alexnet() -> Weights:
    """LPIPS: torchvision loads AlexNet itself, from torch hub's folder."""
    file = torch_hub_file("alexnet-owt-7be5be79.pth", "https://download.pytorch.org/models/")
    return Weights({}, fingerprint(str(file)).removeprefix("sha256:")[:12])


@cache
def _roberta() -> Weights:
    """BERTScore: the model that its authors and torchmetrics have for English."""
    from transformers import AutoModel

    folder = hub_snapshot("roberta-large")
    try:
        model = AutoModel.from_pretrained(folder, use_safetensors=True)
    except OSError as error:
        raise NotApplicable(f"{folder} cannot be loaded: {first_line(error)}") from error
    arguments = {"model_name_or_path": str(folder), "model": model}
    return Weights(arguments, f"roberta-large@{folder.name[:12]}")


@dataclass(frozen=True)
class Provided:
    """A class of torchmetrics and how it is called.

    Attributes:
        path: where the class lies below `torchmetrics`: `text.CHRFScore`.
        settings: its arguments, as far as they are not its defaults.
        limits: the lowest and the highest value of one query, where the class's plot bounds (the ends
            of an axis) are not these; None where there is no limit.
        ceiling: what a higher value, or an infinite one, becomes.
        empty: the value of an empty text, where torchmetrics has another than the definition.
        result: which entry of its result, if that is a dictionary.
        references: how it takes a text's references: all in one list; one in each call; or one beside
            each copy of the text.
        weights: what finds the weights that it needs.
    """

    path: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[float | None, float | None] | None = None
    ceiling: float | None = None
    empty: float | None = None
    result: str = ""
    references: Literal["list", "one", "copies"] = "list"
    weights: Callable[[], Weights] | None = None

    @property
    def metric_class(self) -> Any:
        """The class, imported now."""
        module, _, name = self.path.rpartition(".")
        return getattr(import_module(f"torchmetrics.{module}"), name)

    @property
    def facts(self) -> dict[str, object]:
        """Its settings for a signature, defaults included."""
        parameters = inspect.signature(self.metric_class).parameters.values()
        defaults = {p.name: p.default for p in parameters if p.kind is not p.VAR_KEYWORD}
        facts = {
            name: str(value).replace(" ", "")
            for name, value in {**defaults, **self.settings}.items()
            if name not in TECHNICAL
            and not name.startswith("return_")
            and isinstance(value, int | float | str | tuple)
        }
        facts |= {"ceiling": self.ceiling, "empty": self.empty}
        return facts | {"torchmetrics": version("torchmetrics")}

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest value of one query, where both are known."""
        plot = self.metric_class.plot_lower_bound, self.metric_class.plot_upper_bound
        low, high = self.limits or plot
        return None if low is None or high is None else (low, high)

    def make(self) -> tuple[Any, dict[str, object]]:
        """The metric, and what its signature says.

        Raises:
            NotApplicable: its weights are not on this machine.
        """
        weights = self.weights() if self.weights else Weights({}, None)
        metric = self.metric_class(**self.settings, **weights.arguments)
        return metric, {**self.facts, "weights": weights.digest}

    def value(self, metric: Any, *inputs: Any) -> float:
        """The metric of these inputs alone; of several pairs the best (similarities only)."""
        import torch

        metric.reset()
        metric.update(*inputs)
        result = metric.compute()
        value = float(torch.as_tensor(result[self.result] if self.result else result).max())
        return value if self.ceiling is None else min(value, self.ceiling)


PAIRED = {
    "SSIM": Provided(
        "image.StructuralSimilarityIndexMeasure", {"data_range": 1.0}, limits=(-1.0, 1.0)
    ),
    "MS_SSIM": Provided("image.MultiScaleStructuralSimilarityIndexMeasure", {"data_range": 1.0}),
    "PSNR": Provided(
        "image.PeakSignalNoiseRatio", {"data_range": 1.0}, limits=(0.0, 100.0), ceiling=100.0
    ),
    "VIF": Provided("image.VisualInformationFidelity"),
    "LPIPS": Provided(
        "image.lpip.LearnedPerceptualImagePatchSimilarity",
        {"net_type": "alex", "normalize": True},
        limits=(0.0, None),
        weights=_alexnet,
    ),
}
SETS = {
    "InceptionScore": Provided("image.inception.InceptionScore", {"splits": 1}),
    "MIFID": Provided("image.mifid.MemorizationInformedFrechetInceptionDistance"),
}
TEXTS = {
    "ROUGE_1": Provided("text.ROUGEScore", {"rouge_keys": "rouge1"}, result="rouge1_fmeasure"),
    "ROUGE_2": Provided("text.ROUGEScore", {"rouge_keys": "rouge2"}, result="rouge2_fmeasure"),
    "chrF": Provided("text.CHRFScore", {"n_word_order": 0}),
    "WER": Provided("text.WordErrorRate", limits=(0.0, None), references="one"),
    "CER": Provided("text.CharErrorRate", limits=(0.0, None), references="one"),
    "BERTScore": Provided(
        "text.BERTScore",
        {"num_layers": 17, "truncation": True},
        limits=(-1.0, 1.0),
        result="f1",
        references="copies",
        empty=0.0,
        weights=_roberta,
    ),
}


class Pairs(NamedTuple):
    """Outputs beside what they are compared with.

    Attributes:
        by_query: query -> its pair.
        errors: query -> why it has no pair.
        value: computes a pair's number.
        facts: what a signature names beside the metric's settings.
    """

    by_query: Mapping[str, Any]
    errors: Mapping[str, str]
    value: Callable[[Provided, Any, Any], float]
    facts: Mapping[str, object]


@registered("SSIM", "MS_SSIM", "VIF", scores=("image",), display={"MS_SSIM": "MS-SSIM"})
@registered("PSNR", scores=("image",), unit="dB")
@registered("LPIPS", scores=("image",), better="lower")
def paired_images(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """How close each generated image is to the target of its query."""
    images, errors = answers(task, outputs, "image")
    pairs = {id: (images[id], task.targets[id]) for id in images if id in task.targets}

    def value(provided: Provided, metric: Any, pair: tuple[Image, Image]) -> float:
        return provided.value(metric, *_same_size(*pair))

    compared = Pairs(pairs, errors, value, {"resize": "fit-target-bicubic"})
    return [_per_query(measure, PAIRED[measure.name], task, compared) for measure in measures]


@registered("InceptionScore", scores=("image",), display="IS")
@registered("MIFID", scores=("image",), better="lower")
def image_sets(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """The generated images as one set: the classes that they show (the features are a classifier's
    logits), or their distance from the targets, divided by how far they are from copies."""
    images, errors = answers(task, outputs, "image")
    generated = list(images.values())
    real = [task.targets[query.id] for query in task.queries if query.id in task.targets]
    failed = tuple(Score(query, error=error) for query, error in errors.items())
    return [
        replace(_set_scores(measure, generated, real, features), scores=failed)
        for measure in measures
    ]


def _set_scores(
    measure: Measure, generated: list[Image], real: list[Image], features: Encoder
) -> Scores:
    """One measure's number of the whole set, or why there is none."""
    of_classes = measure.name == "InceptionScore"
    sets = [generated] if of_classes else [generated, real]
    if min(map(len, sets)) < 2:
        reason = f"needs 2 images of each kind: {len(real)} real, {len(generated)} generated"
        return Scores(measure, signature(measure), absence=Absence(reason))
    rows = [np.asarray(features.encode_images(images), np.float64) for images in sets]
    if of_classes and not _are_logits(rows[0]):
        reason = "needs a classifier's logits as features: {use: inception, layer: logits}"
        return Scores(measure, signature(measure), absence=Absence(reason))
    described = signature(
        measure,
        dims=rows[0].shape[1],
        resize=Traits(features).resize,
        **SETS[measure.name].facts,
        n_real=None if of_classes else len(real),
        n_generated=len(generated),
    )
    total = _set_value(SETS[measure.name], rows)
    return Scores(measure, described, total=total, n=len(generated))


@registered(
    *("ROUGE_1", "ROUGE_2", "chrF", "BERTScore"),
    scores=("caption", "answer"),
    unit="×100",
    display={"ROUGE_1": "ROUGE-1", "ROUGE_2": "ROUGE-2"},
)
@registered("WER", "CER", scores=("caption", "answer"), better="lower", unit="%")
def texts(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """How close each caption or answer is to its best reference."""
    captions, errors = answers(task, outputs, "text")
    pairs = {id: (captions[id], task.references[id]) for id in captions if task.references.get(id)}

    def value(provided: Provided, metric: Any, pair: tuple[str, Sequence[str]]) -> float:
        text, references = pair
        if provided.empty is not None and not text.strip():
            return provided.empty
        if provided.references == "one":
            return min(provided.value(metric, [text], [wanted]) for wanted in references)
        if provided.references == "copies":
            return provided.value(metric, [text] * len(references), list(references))
        return provided.value(metric, [text], [list(references)])

    refs = span(len(references) for _, references in pairs.values())
    compared = Pairs(pairs, errors, value, {"refs": refs, "set": "mean"})
    return [_per_query(measure, TEXTS[measure.name], task, compared) for measure in measures]


def _per_query(measure: Measure, provided: Provided, task: Task, pairs: Pairs) -> Scores:
    """A value for each query that has a pair; an error for one that fails or has no output; neither
    where there is nothing to compare an output with."""
    try:
        metric, facts = provided.make()
    except NotApplicable as error:
        failed = tuple(Score(query, error=why) for query, why in pairs.errors.items())
        return Scores(measure, signature(measure), failed, absence=Absence(str(error)))
    scores = []
    for query in task.queries:
        score = Score(query.id, error=pairs.errors.get(query.id))
        if query.id in pairs.by_query:
            score = _score(query.id, pairs.value, provided, metric, pairs.by_query[query.id])
        scores.append(score)
    values = sum(score.value is not None for score in scores)
    return Scores(
        measure,
        signature(measure, **pairs.facts, **facts, n=values),
        tuple(scores),
        absence=None if values else Absence(_why_none(scores, pairs)),
        bounds=provided.bounds,
    )


def _score(query: str, value: Callable[..., float], *arguments: Any) -> Score:
    """The value, or as an error what torchmetrics refuses in these inputs (an image that is smaller
    than its kernel)."""
    try:
        number = value(*arguments)
    except (ValueError, RuntimeError) as error:
        return Score(query, error=first_line(error))
    finite = math.isfinite(number)
    return Score(query, number) if finite else Score(query, error="the number is not finite")


def _why_none(scores: Sequence[Score], pairs: Pairs) -> str:
    """Why no query has a value. One that has an output, but nothing to compare it with, has neither
    a value nor an error."""
    errors = [score.error for score in scores if score.error]
    if not errors or (not pairs.by_query and len(errors) < len(scores)):
        return "no output has anything to be compared with"
    return f"no query could be scored: {errors[0]}"


def _same_size(generated: Image, target: Image) -> tuple[Any, Any]:
    """Both as tensors (1, 3, height, width) in 0 to 1, of the target's size."""
    from PIL import ImageOps

    wanted, picture = target.open(), generated.open()
    if picture.size != wanted.size:
        picture = ImageOps.fit(picture, wanted.size)
    return _tensor(picture), _tensor(wanted)


def _tensor(picture: Any) -> Any:
    import torch

    pixels = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def _are_logits(rows: np.ndarray[Any, Any]) -> bool:
    """Whether rows can be a classifier's logits: of both signs, and not of length 1 as vectors for
    search are."""
    return bool(rows.min() < 0 < rows.max()) and not np.allclose(
        np.linalg.norm(rows, axis=1), 1, atol=1e-3
    )


def _set_value(provided: Provided, rows: Sequence[Any]) -> float:
    """The metric of the generated images' features; of a distance, `rows` has the real ones second."""
    import torch

    identity = torch.nn.Identity()
    identity.num_features = rows[0].shape[1]  # type: ignore[assignment]
    with warnings.catch_warnings():
        # That features are held in memory, and that one split has no standard deviation.
        warnings.simplefilter("ignore")
        metric = provided.metric_class(feature=identity, **provided.settings)
        for is_real, features in enumerate(rows):
            metric.update(torch.from_numpy(features), *([bool(is_real)] if len(rows) == 2 else []))
        result = metric.compute()
    return float(result[0] if isinstance(result, tuple) else result)
