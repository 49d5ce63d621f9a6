"""Are the numbers those of the reference implementations?

    python benchmarks/parity.py [DATA]       # writes docs/parity.md

DATA is the folder with caption_results/, flickr8k/ and coco/ (by default ../shared/data). A part whose
data or program is not there says so. METEOR and InceptionV3 make it take minutes.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmragbench.records import Image, Measure, Output, Query, Ranking, Scores, Task, Text
from mmragbench.scoring import estimate
from mmragbench.signature import version

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "parity.md"
Rows = NDArray[np.float64]


@dataclass
class Part:
    """A section of the page: lines of the table, notes below it."""

    title: str
    rows: list[tuple[str, float, float, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, measure: str, ours: float, theirs: float, tool: str, data: str) -> None:
        self.rows.append((measure, ours, theirs, tool, data))

    def markdown(self) -> str:
        lines = [f"## {self.title}", ""]
        if self.rows:
            lines += ["| measure | ours | reference | difference | tool | data |"]
            lines += ["|---|--:|--:|--:|---|---|"]
        for measure, ours, theirs, tool, data in self.rows:
            difference = f"{ours - theirs:+.1e}" if ours != theirs else "0"
            lines.append(
                f"| {measure} | {ours:.8g} | {theirs:.8g} | {difference} | {tool} | {data} |"
            )
        return "\n".join([*lines, "", *(f"{note}\n" for note in self.notes)])


def library(name: str) -> str:
    return f"{name} {version(name)}"


def worst(pairs: Iterable[tuple[float, float]]) -> float:
    """The largest difference of paired values."""
    return max((abs(a - b) for a, b in pairs), default=0.0)


# Captions


def captions(data: Path) -> Part:
    """Ours with both tokenisers against pycocoevalcap, called as its authors call it."""
    part = Part("Captions")
    folder = data / "caption_results"
    if not folder.is_dir():
        part.notes.append(f"Not run: {folder.name}/ is not there.")
        return part
    java = shutil.which("java") is not None
    if not java:
        part.notes.append("Java is not installed: the reference is the published scores.json.")
    stored = json.loads((folder / "scores.json").read_text())
    for file, published in stored.items():
        theirs = pycocoevalcap(folder, file) if java else published
        told = library("pycocoevalcap") + ", Java" if java else "scores.json"
        for tokenizer in ("ptb-py", "ptb-java") if java else ("ptb-py",):
            for name, value in our_captions(folder, file, tokenizer, java).items():
                part.add(f"{name} ({tokenizer})", value, theirs[name], told, file)
        gap = worst((theirs[name], published[name]) for name in theirs)
        part.notes.append(
            f"{file}: reference and published scores.json differ by {gap:.0e} at most."
        )
    return part


def our_captions(folder: Path, file: str, tokenizer: str, java: bool) -> dict[str, float]:
    """As `mmragbench score captions --missing skip` computes them."""
    from mmragbench.evals.captions import JAVA, PYTHON
    from mmragbench.evals.captions import captions as evaluate
    from mmragbench.evals.meteor import meteor
    from mmragbench.outside.captions import captions as read

    names = ["CIDEr", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L"]
    handed = read(folder / file, folder / "coco_karpathy_test_references.json", "skip")
    chosen = {each.name: each for each in (JAVA, PYTHON)}[tokenizer]
    asked = (handed.task, [], handed.outputs, chosen)
    found = evaluate([Measure(name) for name in names], *asked)
    if java:
        found += meteor([Measure("METEOR")], *asked)
    return {str(scores.measure): value(scores) for scores in found}


def value(scores: Scores) -> float:
    number = estimate(scores)[0]
    if number is None:
        raise RuntimeError(f"{scores.measure}: {scores.reason}")
    return number


def pycocoevalcap(folder: Path, file: str) -> dict[str, float]:
    """The library by itself: its tokeniser, its scorers, the images that have a caption."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    given = {row["image_id"]: [row] for row in json.loads((folder / file).read_text())}
    gold: dict[int, list[dict[str, str]]] = {id: [] for id in given}
    for row in json.loads((folder / "coco_karpathy_test_references.json").read_text())[
        "annotations"
    ]:
        if row["image_id"] in gold:
            gold[row["image_id"]].append(row)
    with quiet():
        lines = [PTBTokenizer().tokenize(texts) for texts in (gold, given)]
        bleu = Bleu(4).compute_score(*lines, verbose=0)[0]
        rest = {
            "CIDEr": Cider().compute_score(*lines)[0],
            "ROUGE_L": Rouge().compute_score(*lines)[0],
            "METEOR": Meteor().compute_score(*lines)[0],
        }
    return {f"Bleu_{n}": float(b) for n, b in enumerate(bleu, 1)} | {
        name: float(each) for name, each in rest.items()
    }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


# Tokens


def tokens(data: Path) -> Part:
    """Share of captions whose tokens are Java's, and speed."""
    from mmragbench import ptb

    part = Part("Tokeniser")
    if shutil.which("java") is None:
        part.notes.append("Not run: Java is not installed.")
        return part
    differing: list[str] = []
    for name, texts in corpora(data):
        theirs = java_lines(texts)
        ptb.line.cache_clear()
        began = time.process_time()
        ours = ptb.lines(texts)
        rate = 60 * len(texts) / (time.process_time() - began)
        same = sum(a == b for a, b in zip(ours, theirs, strict=True))
        differing += [t for t, a, b in zip(texts, ours, theirs, strict=True) if a != b]
        tool = library("pycocoevalcap") + "'s PTBTokenizer (CoreNLP 3.4.1, Java)"
        part.add("identical captions", same, len(texts), tool, name)
        share = f"{100 * same / len(texts):.3f} % of {len(texts):,} identical"
        part.notes.append(f"{name}: {share}; {rate:,.0f} captions a minute of processor time.")
    shown = [f"`{text}`" for text in dict.fromkeys(differing)][:10]
    part.notes.append(f"What differs: {'; '.join(shown) or 'nothing'}.")
    if not part.rows:
        part.notes = ["Not run: none of the captions are there."]
    return part


def corpora(data: Path) -> Iterator[tuple[str, list[str]]]:
    for path in (
        "caption_results/coco_karpathy_test_references.json",
        "coco/captions_val2017.json",
    ):
        if (data / path).is_file():
            rows = json.loads((data / path).read_text())["annotations"]
            yield path, [row["caption"] for row in rows]
    for path in ("caption_results/coco_magic.json", "caption_results/coco_er_san.json"):
        if (data / path).is_file():
            yield path, [row["caption"] for row in json.loads((data / path).read_text())]
    if (data / "flickr8k/captions.txt").is_file():
        from mmragbench.datasets.flickr import read_captions

        own = read_captions(data / "flickr8k/captions.txt")[0].values()
        yield "flickr8k/captions.txt", [str(text) for texts in own for _, text in texts]


def java_lines(texts: Sequence[str]) -> list[str]:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    given = {i: [{"caption": text}] for i, text in enumerate(texts)}
    return [lines[0] for lines in PTBTokenizer().tokenize(given).values()]


# Rankings

NAMES = {
    "R@5": "recall_5",
    "R@10": "recall_10",
    "Success@5": "success_5",
    "P@10": "P_10",
    "RR": "recip_rank",
    "nDCG@10": "ndcg_cut_10",
    "nDCG": "ndcg",
    "AP": "map",
    "AP@10": "map_cut_10",
}
"""Ours -> trec_eval's."""


def rankings(data: Path) -> Part:
    """trec_eval by two ways, and CLIP_benchmark's definition written down apart."""
    part = Part("Rankings")
    task, found, run = ties()
    ours = our_rankings(task, found)
    own, gap = "2,000 random rankings: ties, unjudged documents, grades 0 to 3", 0.0
    for tool, theirs in (
        ("pytrec_eval-terrier", pytrec(task, run)),
        ("ir_measures", irm(task, run)),
    ):
        for name in NAMES:
            both = [(ours[name][query], theirs[name][query]) for query in theirs[name]]
            a, b = np.mean(both, axis=0)
            part.add(name, float(a), float(b), library(tool), own)
            gap = max(gap, worst(both))
    part.notes = [f"The largest difference of any query in any measure: {gap:.0e}."]
    part.notes.append(
        "Ours calls ir_measures, and through it pytrec_eval, with ranks in place of scores; what is "
        "compared is everything around that. The tests compare with each measure's definition too."
    )
    part.notes.append(
        "Rankings without hits (0 with us, left out by trec_eval) and queries without a relevant "
        f"document (scored by neither) are not in these means: {len(task.queries) - len(run)} of the "
        "queries."
    )
    retrieved(part, data)
    return part


def ties() -> tuple[Task, list[Ranking], dict[str, dict[str, float]]]:
    rng = np.random.default_rng(0)
    documents = [f"d{i}" for i in range(80)]
    qrels, found, run = {}, [], {}
    for i in range(2_000):
        judged = rng.choice(documents, rng.integers(1, 20), replace=False)
        qrels[f"q{i}"] = {str(id): int(rng.integers(0, 4)) if i % 9 else 0 for id in judged}
        taken = rng.choice(documents, 0 if i % 11 == 0 else rng.integers(1, 60), replace=False)
        hits = {str(id): float(rng.integers(0, 6)) / 8 for id in taken}
        found.append(Ranking.of(f"q{i}", hits.items()))
        if hits and max(qrels[f"q{i}"].values()) > 0:
            run[f"q{i}"] = hits
    return Task("random", [], [Query(id) for id in qrels], qrels), found, run


def our_rankings(task: Task, found: Sequence[Ranking]) -> dict[str, dict[str, float]]:
    from mmragbench.evals.retrieval import retrieval

    scored = retrieval([Measure.parse(name) for name in NAMES], task, found, [])
    return {
        str(s.measure): {x.query: x.value for x in s.scores if x.value is not None} for s in scored
    }


def pytrec(task: Task, run: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    import pytrec_eval

    asked = {"recall", "success", "P", "recip_rank", "ndcg_cut", "ndcg", "map", "map_cut"}
    qrels = {query: dict(grades) for query, grades in task.qrels.items()}
    found = pytrec_eval.RelevanceEvaluator(qrels, asked).evaluate(run)
    return {ours: {query: found[query][theirs] for query in run} for ours, theirs in NAMES.items()}


def irm(task: Task, run: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    import ir_measures

    found: dict[str, dict[str, float]] = {name: {} for name in NAMES}
    measures = [ir_measures.parse_measure(name) for name in NAMES]
    for metric in ir_measures.iter_calc(measures, dict(task.qrels), run):
        if metric.query_id in run:
            found[str(metric.measure)][metric.query_id] = metric.value
    return found


def retrieved(part: Part, data: Path) -> None:
    """Two-tower vectors of Flickr8k through dataset, encoder, index and evaluator."""
    from mmragbench.verify.references import chosen, load
    from mmragbench.verify.retrieval import retrieval

    path = data / "flickr8k" / "two_tower_embeddings.npz"
    if not path.is_file():
        part.notes.append("CLIP_benchmark's definition: not run, flickr8k/ is not there.")
        return
    published = chosen(load(), "two-tower")
    recalls = [
        each.model_copy(update={"name": each.name.replace("Success", "R"), "measure": f"R@{k}"})
        for each in published
        if (k := each.measure.partition("@")[2])
    ]
    found = retrieval([*published, *recalls], published[0].given, data)
    theirs = clip_benchmark(path, data)
    for each in (*published, *recalls):
        hit = each.measure.startswith("Success")
        tool = "CLIP_benchmark's recall@k" if hit else "its inner recall, before “> 0”"
        key = (str(each.task), each.measure)
        label = f"{each.measure}, {each.task}"
        part.add(label, value(found[each.name]), theirs[key], tool, "flickr8k dev, two-tower")
    part.notes.append(
        "CLIP_benchmark's definition is written down apart (numpy, full similarity matrix). Its "
        "“recall@k” is the hit rate `Success@k`; with five relevant captions an image, `R@k` of the "
        "same ranking is far lower."
    )


def clip_benchmark(path: Path, data: Path) -> dict[tuple[str, str], float]:
    """Per query, true positives among the k best over all positives; its recall@k is the share of
    queries where that is above zero."""
    names = (data / "flickr8k/splits/dev.txt").read_text().split()
    place = {name: i for i, name in enumerate(names)}
    with np.load(path) as arrays:
        images = dict(zip(arrays["image_ids"], arrays["image_embeddings"], strict=True))
        owners = [str(id).partition("#")[0] for id in arrays["caption_ids"]]
        kept = [i for i, owner in enumerate(owners) if owner in place]
        texts = arrays["caption_embeddings"][kept].astype(np.float32)
    pictures = np.stack([images[name] for name in names]).astype(np.float32)
    similar = texts @ pictures.T
    positive = np.zeros(similar.shape, dtype=bool)
    positive[np.arange(len(kept)), [place[owners[i]] for i in kept]] = True
    found = {}
    for task, scores, right in (
        ("text-to-image", similar, positive),
        ("image-to-text", similar.T, positive.T),
    ):
        for k in (1, 5, 10):
            best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            recall = np.take_along_axis(right, best, axis=1).sum(axis=1) / right.sum(axis=1)
            found[task, f"Success@{k}"] = float((recall > 0).mean())
            found[task, f"R@{k}"] = float(recall.mean())
    return found


# Distances


def distances(data: Path) -> Part:
    """The same features, ours against four libraries."""
    from mmragbench.evals.images import fid, kid

    part = Part("Distances, on the same features")
    for name, x, y in feature_sets(data):
        ours = fid(x.astype(np.float32), y.astype(np.float32))
        part.add("FID", ours, scipy_fid(x, y), f"closed form, {library('scipy')} sqrtm", name)
        part.add("FID", ours, torchmetrics_fid(x, y), library("torchmetrics"), name)
        n = min(len(x), len(y), 1000)
        same = kid(x[:n].astype(np.float32), y[:n].astype(np.float32))
        tool = f"{library('torch-fidelity')}, kernel_mmd"
        part.add(f"KID, all of {n} and {n}", same, fidelity_kid(x[:n], y[:n], 1), tool, name)
        if max(len(x), len(y)) > 1000:
            tool = f"{library('torch-fidelity')}, 100 subsets"
            drawn = kid(x.astype(np.float32), y.astype(np.float32))
            part.add("KID, subsets of 1,000", drawn, fidelity_kid(x, y, 100), tool, name)
    part.notes.append(
        "FID and KID of all images are our own arithmetic. The subsets of KID are drawn by "
        "torch-fidelity itself: that line shows that it is called as its defaults call it."
    )
    if not (data / "flickr8k").is_dir():
        part.notes.append("Real features: not run, flickr8k/ is not there.")
    return part


def feature_sets(data: Path) -> Iterator[tuple[str, Rows, Rows]]:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(512, 512)) / np.sqrt(512)
    x, y = rng.normal(size=(1200, 512)) @ mix, rng.normal(0.1, 1.2, size=(1100, 512)) @ mix
    yield "random, 1,200 and 1,100 × 512", x.astype(np.float32), y.astype(np.float32)
    path = data / "flickr8k" / "two_tower_embeddings.npz"
    if path.is_file():
        splits = [
            set((data / f"flickr8k/splits/{s}.txt").read_text().split()) for s in ("train", "dev")
        ]
        with np.load(path) as arrays:
            ids, rows = arrays["image_ids"], arrays["image_embeddings"].astype(np.float32)
        a, b = (rows[[str(id) in split for id in ids]] for split in splits)
        yield f"flickr8k images, two-tower, {len(a):,} and {len(b):,} × {rows.shape[1]}", a, b


def scipy_fid(x: Rows, y: Rows) -> float:
    from scipy.linalg import sqrtm

    x, y = x.astype(np.float64), y.astype(np.float64)
    a, b, step = np.cov(x, rowvar=False), np.cov(y, rowvar=False), x.mean(0) - y.mean(0)
    return float(step @ step + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


def torchmetrics_fid(x: Rows, y: Rows) -> float:
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    identity = torch.nn.Identity()
    identity.num_features = x.shape[1]  # type: ignore[assignment]
    metric = FrechetInceptionDistance(feature=identity, normalize=True)
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(x).double(), real=True)
    metric.update(torch.from_numpy(y).double(), real=False)
    return float(metric.compute())


def fidelity_kid(x: Rows, y: Rows, subsets: int) -> float:
    import torch
    from torch_fidelity.metric_kid import kernel_mmd, kid_features_to_metric

    if subsets == 1:
        return float(kernel_mmd(x.astype(np.float64), y.astype(np.float64)))
    both = [torch.from_numpy(rows).double() for rows in (y, x)]
    found = kid_features_to_metric(*both, kid_subsets=subsets, kid_subset_size=1000, verbose=False)
    return float(found["kernel_inception_distance_mean"])


# Distances from pictures


def pictures(data: Path) -> Part:
    """From files to FID and KID, resize and network included, against torch-fidelity."""
    part = Part("Distances, from the same pictures")
    photos = sorted((data / "flickr8k/images").glob("*.jpg"))
    sets = [
        (
            "coco/val2017, photos as shot, 35 and 35",
            sorted((data / "coco/val2017").glob("*.jpg")),
            35,
        ),
        ("flickr8k, 224 × 224, 100 and 100", photos, 100),
        ("flickr8k, 100 with noise and 100", photos, 100),
    ]
    with tempfile.TemporaryDirectory() as folder:
        weights = random_weights(Path(folder) / "inception.pth")
        for number, (name, files, n) in enumerate(sets):
            if len(files) < 2 * n:
                part.notes.append(f"Not run: {name} (not there).")
                continue
            sides = [Path(folder) / f"{number}-{side}" for side in "ab"]
            copy(files[:n], sides[0], noise="noise" in name)
            copy(files[n : 2 * n], sides[1])
            ours, theirs = ours_of(sides, weights), torch_fidelity_of(sides, weights, n)
            for measure in ("FID", "KID"):
                part.add(measure, ours[measure], theirs[measure], library("torch-fidelity"), name)
                gap = abs(ours[measure] - theirs[measure]) / abs(theirs[measure])
                part.notes.append(f"{measure}, {name}: relative difference {gap:.0e}.")
            part.notes.append(f"KID, {name}: {single_precision(sides, weights)}")
    part.notes.append(
        "InceptionV3 (2,048 features) with random weights, made here in the published file's shape: "
        "the published file is not on this machine. Both resize to 299 × 299 as TensorFlow 1 did: "
        "bilinear, no antialiasing, sides squashed."
    )
    return part


def copy(files: Sequence[Path], folder: Path, noise: bool = False) -> None:
    """As they are; with noise of standard deviation 64, as torch-fidelity's own test has it."""
    import PIL.Image

    folder.mkdir()
    rng = np.random.default_rng(2020)
    for file in files:
        if not noise:
            shutil.copy(file, folder)
            continue
        pixels = np.asarray(PIL.Image.open(file).convert("RGB"), float)
        noisy = np.clip(pixels + rng.normal(0, 64, pixels.shape), 0, 255).astype(np.uint8)
        PIL.Image.fromarray(noisy).save(folder / f"{file.stem}.png")


def single_precision(sides: Sequence[Path], weights: Path) -> str:
    """How far torch-fidelity's KID is from itself in double precision, on the same features."""
    from torch_fidelity.metric_kid import kernel_mmd

    from mmragbench.models.inception import Inception

    encoder = Inception(weights, unchecked=True, batch=16)
    files = [sorted(side.iterdir()) for side in sides]
    x, y = (encoder.encode_images([Image(f.name, f) for f in own]) for own in files)
    single, double = (float(kernel_mmd(x.astype(t), y.astype(t))) for t in (np.float32, np.float64))
    return (
        "torch-fidelity computes the kernel in single precision; on our features its function gives "
        f"{single:.8g} so, and {double:.8g} in double precision."
    )


def random_weights(path: Path) -> Path:
    """Scaled so that features spread as those of a trained network do."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Network(FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, *_: object) -> None:
            """Keep the random weights."""

    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.manual_seed(0)
    network = Network("random", ["2048"], feature_extractor_weights_path=empty)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    torch.save(network.state_dict(), path)
    return path


def ours_of(sides: Sequence[Path], weights: Path) -> dict[str, float]:
    from mmragbench.verify.fid import fid
    from mmragbench.verify.references import chosen, load

    (one,) = chosen(load(), "torch-fidelity/fid")
    asked = [one.model_copy(update={"name": m, "measure": m}) for m in ("FID", "KID")]
    features = {"use": "inception", "weights": weights, "unchecked": True, "batch": 16}
    given = {"made": str(sides[0]), "real": str(sides[1]), "features": features}
    return {name: value(scores) for name, scores in fid(asked, given, Path("/")).items()}


def torch_fidelity_of(sides: Sequence[Path], weights: Path, n: int) -> dict[str, float]:
    from torch_fidelity import calculate_metrics

    found = calculate_metrics(
        input1=str(sides[0]),
        input2=str(sides[1]),
        fid=True,
        kid=True,
        kid_subsets=1,
        kid_subset_size=n,
        feature_extractor_weights_path=str(weights),
        batch_size=1,
        cuda=False,
        cache=False,
        save_cpu_ram=True,  # no worker processes
        verbose=False,
    )
    return {
        "FID": found["frechet_inception_distance"],
        "KID": found["kernel_inception_distance_mean"],
    }


# Agreement of picture and text


class Made:
    """Unit vectors drawn from a text's or an image's id: the formula does not care."""

    modalities = frozenset({"image", "text"})

    def encode_texts(self, texts: Sequence[Text]) -> NDArray[np.float32]:
        return np.stack([self.vector(text.content) for text in texts])

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        return np.stack([self.vector(image.id) for image in images])

    def vector(self, name: str) -> NDArray[np.float32]:
        row = np.random.default_rng(list(name.encode())).normal(0.3, 1.0, 32)
        return np.asarray(row / np.linalg.norm(row), np.float32)


def agreement(data: Path) -> Part:
    """CLIPScore and RefCLIPScore against the paper's formulas, loop by loop."""
    from mmragbench.evals.clipscore import clipscore

    part = Part("CLIPScore")
    ids = [f"i{n}" for n in range(500)]
    queries = [Query(id, image=Image(id, Path(id))) for id in ids]
    references = {id: tuple(f"reference {id} {j}" for j in range(5)) for id in ids}
    task = Task("captioning", [], queries, output="caption", references=references)
    outputs = [Output(id, text=f"a caption of {id}") for id in ids]
    measures = [Measure("CLIPScore", "made"), Measure("RefCLIPScore", "made")]
    found = clipscore(measures, task, [], outputs, features=Made())
    theirs = by_formula(references)
    tool = "Hessel et al. 2021, equations 1 and 2"
    for scores in found:
        expected = theirs[scores.measure.name]
        got = {score.query: score.value or 0.0 for score in scores.scores}
        mean = math.fsum(expected.values()) / len(expected)
        part.add(scores.measure.name, value(scores), mean, tool, "500 random vectors, 5 references")
        gap = worst((got[id], expected[id]) for id in ids)
        part.notes.append(f"{scores.measure.name}: worst query {gap:.0e}.")
    return part


def by_formula(references: dict[str, tuple[str, ...]]) -> dict[str, dict[str, float]]:
    vector = Made().vector
    plain, with_references = {}, {}
    for id, texts in references.items():
        caption = vector(f"A photo depicts a caption of {id}").astype(float)
        plain[id] = 2.5 * max(float(caption @ vector(id).astype(float)), 0.0)
        closest = max(float(caption @ vector(f"A photo depicts {t}").astype(float)) for t in texts)
        a, b = plain[id], max(closest, 0.0)
        with_references[id] = 2 * a * b / (a + b) if a and b else 0.0
    return {"CLIPScore": plain, "RefCLIPScore": with_references}


# The page

HEAD = """# Parity with reference implementations

Written by `python benchmarks/parity.py`. The difference is ours less theirs. Where a line is about
many queries, the numbers are means and the largest difference of any one query is told below.

Python {python}, {machine}; mmragbench {ours}, numpy {numpy}, torch {torch}.
"""

PARTS: tuple[Callable[[Path], Part], ...] = (
    captions, tokens, rankings, distances, pictures, agreement,
)  # fmt: skip


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "data").resolve()
    head = HEAD.format(
        python=platform.python_version(),
        machine=platform.machine(),
        ours=version("mmragbench"),
        numpy=version("numpy"),
        torch=version("torch"),
    )
    pages = [head]
    for make in PARTS:
        began = time.perf_counter()
        pages.append(make(data).markdown())
        print(f"{pages[-1]}\n({make.__name__}: {time.perf_counter() - began:.0f} s)", flush=True)
    DOCUMENT.write_text("\n".join(pages).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
