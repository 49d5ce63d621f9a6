"""Defects that were found in other benchmarks and toolkits, each as a rule that holds here.

Others are where the same subject is tested: CIDEr's idf and tokeniser (HELM, VLMEvalKit) in
`evals/test_captions.py`, a query's own id (beir), ties and missing answers in `outside/`.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as Pillow

import mmragbench as mb
from mmragbench._decoding import open_image
from mmragbench.audits import modality
from mmragbench.cache.items import Items
from mmragbench.comparing.families import between
from mmragbench.comparing.pairs import NotComparable
from mmragbench.engine.cached_models import CachedCaptioner, CachedEncoder
from mmragbench.engine.meter import Meter
from mmragbench.errors import SuiteError
from mmragbench.evals.retrieval import retrieval
from mmragbench.records import Document, Image, Measure, Query, Ranking, Task, Text
from mmragbench.registry import find
from mmragbench.run_folder.reading import Run
from mmragbench.run_folder.thumbnails import thumbnail
from mmragbench.signature import differences, parse
from mmragbench.statistics import compare
from support import toy

SIDE = 96
"""The shipped CLIP's input, in pixels."""


class Echo:
    """A captioner that says what it was asked."""

    def caption(self, images, prompts):
        return [f"{image.id}: {prompt}" for image, prompt in zip(images, prompts, strict=True)]


class Sometimes:
    """A strategy that finds nothing for every other query, and one picture for the rest."""

    def index(self, memory):
        self._first = memory[0].id

    def retrieve(self, queries, k):
        found = [[(self._first, 1.0)] if i % 2 else [] for i in range(len(queries))]
        return [Ranking.of(q.id, hits, k) for q, hits in zip(queries, found, strict=True)]


class Smooth(toy.ColourEncoder):
    """Features that say how they resize."""

    resize = "bilinear-antialias-shortest-8"


class Rough(toy.ColourEncoder):
    resize = "bilinear-noantialias-shortest-8"


@pytest.fixture
def saved(tmp_path):
    """Stores pixels as a file, and returns the record of it."""

    def save(pixels, name="picture.png"):
        Pillow.fromarray(np.asarray(pixels, dtype=np.uint8)).save(tmp_path / name)
        return Image(name, tmp_path / name)

    return save


@pytest.fixture(scope="module")
def clip():
    pytest.importorskip("open_clip")
    from mmragbench.models.open_clip import OpenClip

    return OpenClip("shipped:scenes/clip", device="cpu")


@pytest.fixture
def seen(clip, monkeypatch):
    """The pixels that reach CLIP's network for a picture: (height, width, 3), 0 to 255."""

    def look(image):
        network, given = clip._model[0], []
        real = network.encode_image
        spy = lambda x, **options: (given.append(x), real(x, **options))[1]  # noqa: E731
        with monkeypatch.context() as patch:
            patch.setattr(network, "encode_image", spy)
            clip.encode_images([image])
        return (given[0][0].permute(1, 2, 0).numpy() * 0.25 + 0.5) * 255

    return look


def red(side=64):
    return np.full((side, side, 3), (250, 20, 40))


def stripes(side):
    """Black and white lines, a pixel wide."""
    columns = np.where(np.arange(side) % 2, 255, 0)
    return np.broadcast_to(columns[None, :, None], (side, side, 3))


def captions(run, cell):
    stored = json.loads((run.folder / "cells/captioning" / cell / "captions.json").read_text())
    return {answer["image_id"]: answer["caption"] for answer in stored}


# Stale answers


def test_another_prompt_is_another_question(tmp_path):
    """An answer is known by picture and prompt (lmms-eval leaves the prompt out of the key)."""
    items, meter = Items(tmp_path / "captions.sqlite"), Meter()
    captioner = CachedCaptioner(Echo(), "echo", items, meter)
    picture = Image("a", tmp_path / "a.png", "digest")
    with meter.stage():
        answers = [captioner.caption([picture], [prompt]) for prompt in ("one", "two", "one")]
    assert answers == [["a: one"], ["a: two"], ["a: one"]]
    assert meter.total_calls == 2


def test_another_context_is_another_answer(suite_file, tmp_path, coco):
    """What is generated changes with what is retrieved, though queries, strategy and generator
    stay (lmms-eval would answer from its cache)."""
    suite = suite_file(strategies={"back": {"use": "support.toy:Backwards"}}, baseline="back")
    before = captions(mb.run(suite, output=tmp_path / "runs"), "back/nearest-k1")
    annotations = coco / "annotations/captions_train2017.json"
    annotations.write_text(annotations.read_text().replace('"caption": "', '"caption": "now '))
    after = captions(mb.run(suite, output=tmp_path / "runs"), "back/nearest-k1")
    assert after == {query: f"now {caption}" for query, caption in before.items()}


# Pixels


@pytest.mark.parametrize("name", ["red.png", "red.jpg", "red.bmp", "red.webp"])
def test_channels_are_red_green_blue(saved, seen, name):
    """Red stays red, in the file and before CLIP's network (UniRAG hands OpenCV's BGR on)."""
    image = saved(red(), name)
    for pixels in (np.asarray(open_image(image.path)), seen(image)):
        assert np.abs(pixels.mean(axis=(0, 1)) - (250, 20, 40)).max() < 6


def test_inception_sees_red_green_blue(saved, tmp_path, monkeypatch):
    """And untouched, at the picture's own size (UniRAG: BGR into FID)."""
    torch = pytest.importorskip("torch")
    from mmragbench.models import inception

    given = []

    class Network(torch.nn.Module):
        def forward(self, pixels):
            given.append(pixels)
            return (torch.zeros(len(pixels), 2048),)

    monkeypatch.setattr(inception, "_network", lambda *_: Network())
    (tmp_path / "weights").write_bytes(b"any")
    inception.Inception(tmp_path / "weights", unchecked=True).encode_images([saved(red(30))])
    np.testing.assert_array_equal(given[0][0].permute(1, 2, 0), red(30))


def test_pictures_are_made_smaller_without_aliasing(saved, seen, tmp_path):
    """Fine stripes become grey for CLIP and in thumbnails; picking pixels, as UniRAG's resize
    before FID does, invents broad ones."""
    image = saved(stripes(500))
    (tmp_path / "run/thumbnails").mkdir(parents=True)
    small = np.asarray(Pillow.open(tmp_path / "run" / thumbnail(tmp_path / "run", image)))
    for pixels in (seen(image), small):
        inner = pixels[4:-4, 4:-4]
        assert abs(inner.mean() - 127.5) < 4
        assert inner.std() < 12
    aliased = image.open().resize((SIDE, SIDE), Pillow.Resampling.NEAREST)
    assert np.asarray(aliased).std() > 100


@pytest.mark.parametrize("shape", [(200, 400), (400, 200)])
def test_photos_are_not_squashed(clip, saved, seen, shape):
    """A disc in a wide or tall picture is a disc to CLIP (HEIM makes it an ellipse)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    disc = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < 60**2
    pixels = seen(saved(np.where(disc[..., None], 0, 255) * np.ones(3)))
    dark = pixels.mean(axis=2) < 127
    height, width = dark.any(axis=1).sum(), dark.any(axis=0).sum()
    assert abs(height - width) <= 1
    assert height == pytest.approx(120 * SIDE / 200, abs=2)
    assert clip.resize == f"bicubic-antialias-shortest-{SIDE}"


# Names of numbers


def test_recall_and_hit_rate_are_never_mixed():
    """One of five relevant texts found is R 0.2 and Success 1, two measures that can't be compared;
    a `Recall` that might be either is refused (mteb, CLIP_benchmark, UniIR: one name for both)."""
    task = Task("t", [], [Query("q")], {"q": {f"caption{i}": 1 for i in range(5)}})
    measures = [Measure("R", cutoff=5), Measure("Success", cutoff=5)]
    recall, success = retrieval(measures, task, [Ranking.of("q", [("caption2", 1.0)])], [])
    assert [s.scores[0].value for s in (recall, success)] == [pytest.approx(0.2), 1.0]
    assert differences(recall.signature, success.signature) == {"measure": ("R@5", "Success@5")}
    for name in ("Recall@k", "recall@k"):
        with pytest.raises(SuiteError, match="R@k"):
            find("measure", name)


# What is retrieved


def test_image_hits_are_counted_as_images(tmp_path):
    """A document is what it holds, whatever the retriever calls it (LlamaIndex counts image nodes
    as text)."""
    image = Image("i", tmp_path / "i.png")
    memory = [Document("i", image), Document("t", texts=(Text("t", "words"),))]
    task = Task("mixed", memory, [Query("q")], {"q": {"t": 1}})
    found = modality(task, [Ranking.of("q", [("i", 2.0)])])
    assert found.hits == {"image": 1, "text": 0, "pair": 0}
    assert found.relevant == {"image": 0, "text": 1, "pair": 0}


def test_an_empty_retrieval_is_an_answer(suite_file, tmp_path):
    """Nothing found scores 0; an output that needs a hit is an error, counted and named, and
    nothing crashes (LlamaIndex does)."""
    strategies = {"sometimes": {"use": "test_peers:Sometimes"}}
    run = mb.run(suite_file(strategies=strategies, baseline="sometimes"), output=tmp_path / "runs")
    rows = {
        (row["generator"], row["measure"]): row
        for row in run.rows
        if (row["task"], row["slice"]) == ("captioning", "all")
    }
    assert not run.crashed
    assert (rows[None, "R@5"]["n"], rows[None, "R@5"]["n_failed"]) == (8, 0)
    assert (rows["nearest", "CIDEr"]["n"], rows["nearest", "CIDEr"]["n_failed"]) == (4, 4)
    failures = json.loads((run.folder / "failures.json").read_text())
    named = [f for f in failures if f["generator"] == "nearest"]
    assert sorted(f["query"] for f in named) == ["1001", "1003", "1005", "1007"]
    assert all(f["error"] for f in named)


# Comparisons


def test_paired_data_get_a_paired_test():
    """A small difference on every query is found among large ones between queries, where a test
    that forgets the pairs (lm-eval's) sees nothing."""
    from scipy import stats

    dice = np.random.default_rng(0)
    queries = dice.normal(0.5, 1, 60)
    better = queries + 0.05 + dice.normal(0, 0.05, 60)
    found = compare(better, queries)
    assert found.p_value < 0.001
    assert 0 < found.low < found.difference < found.high
    assert stats.ttest_ind(better, queries).pvalue > 0.5


def test_another_resize_is_another_distance(suite_file, tmp_path):
    """FID and KID name the resize of their features, and two that differ in it are refused
    (torchmetrics antialiases, pytorch-fid does not; their numbers share a name)."""
    tasks = {"image-generation": {"generator": "nearest", "measures": ["FID(f)", "KID(f)"]}}
    runs = {}
    for name in ("Smooth", "Rough"):
        models = {
            "f": {"use": f"test_peers:{name}"},
            "namer": {"use": "support.toy:ColourCaptioner"},
        }
        suite = suite_file(models=models, tasks=tasks, strategies={"oracle": {}}, baseline="oracle")
        runs[name] = mb.run(suite, output=tmp_path / name)
    signatures = {
        name: {row["measure"]: row["signature"] for row in run.rows if row["slice"] == "all"}
        for name, run in runs.items()
    }
    for measure in ("FID(f)", "KID(f)"):
        a, b = signatures["Smooth"][measure], signatures["Rough"][measure]
        assert parse(a)["resize"] == Smooth.resize
        assert differences(a, b) == {"resize": (Smooth.resize, Rough.resize)}
    folders = [Run(run.folder) for run in runs.values()]
    with pytest.raises(NotComparable, match="resize is bilinear-antialias-shortest-8 in one"):
        between(*folders)


def test_a_resize_is_asked_for_only_when_it_is_needed(tmp_path):
    """Behind the cache too; features that do not say have none."""

    class Lazy(toy.ColourEncoder):
        asked = 0

        @property
        def resize(self):
            Lazy.asked += 1
            return "none"

    items = Items(tmp_path / "vectors.sqlite")
    remembered = CachedEncoder(Lazy(), "lazy", items, Meter())
    assert Lazy.asked == 0
    assert (remembered.resize, Lazy.asked) == ("none", 1)
    assert CachedEncoder(toy.ColourEncoder(), "plain", items, Meter()).resize is None
