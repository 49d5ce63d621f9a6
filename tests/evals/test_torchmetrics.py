"""Measures of torchmetrics: its functions called directly, closed forms, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from PIL import ImageOps

from mmragbench.backends import weights
from mmragbench.evals import torchmetrics as provider
from mmragbench.measuring.scoring import estimate, score
from mmragbench.models.inception import Inception
from mmragbench.records import Absence, Image, Measure, Output, Query, Scores, Task
from mmragbench.registry import find_measure, registered
from mmragbench.signature import parse
from support import checkpoints

ALL = {**provider.PAIRED, **provider.SETS, **provider.TEXTS}
HERE = ["SSIM", "MS_SSIM", "PSNR", "VIF"]
"""Paired image measures that need no weights."""


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """More threads than free cores make a small network wait for itself."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Features:
    """An encoder that knows rows by the image's id."""

    modalities = frozenset({"image"})

    def __init__(self, rows: dict[str, np.ndarray]) -> None:
        self.rows = rows

    def encode_images(self, images: Sequence[Image]) -> np.ndarray:
        return np.stack([self.rows[image.id] for image in images]).astype(np.float32)


def compute(name: str, task: Task, outputs: Sequence[Output], features=None) -> Scores:
    """One measure, as a run computes it."""
    measure = Measure.parse(name)
    chosen = {measure: find_measure(measure)}
    return score(chosen, task, [], outputs, lambda _: features)["all"][0]


def values(scores: Scores) -> list[float | None]:
    return [score.value for score in scores.scores]


def drawn(path: Path, pixels: np.ndarray) -> Image:
    PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    return Image(path.stem, path)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Task, list[Output]]:
    """Targets of 200 × 180 pixels, and generated ones that are the same, noisy, noisier, noise."""
    rng = np.random.default_rng(0)
    targets, outputs = {}, []
    for i, noise in enumerate((0, 5, 50, 400)):
        ramp = np.linspace(0, 255, 180)[None, :, None] * rng.uniform(0.5, 1, (200, 1, 3))
        targets[str(i)] = drawn(tmp_path / f"target{i}.png", ramp)
        generated = drawn(tmp_path / f"made{i}.png", ramp + rng.normal(0, noise, ramp.shape))
        outputs.append(Output(str(i), image=generated))
    return of_images(targets), outputs


def of_images(targets: dict[str, Image]) -> Task:
    queries = [Query(id) for id in targets]
    return Task("image-generation", [], queries, output="image", targets=targets)


def of_texts(references: dict[str, tuple[str, ...]]) -> Task:
    queries = [Query(id) for id in references]
    return Task("captioning", [], queries, output="caption", references=references)


def tensor(image: Image) -> torch.Tensor:
    pixels = np.array(PIL.Image.open(image.path).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


# What torchmetrics' classes say


@pytest.mark.parametrize("name", ALL)
def test_the_direction_is_that_of_torchmetrics(name):
    """Which end is better is its class's own word."""
    makers = (provider.paired_images, provider.image_sets, provider.texts)
    (component,) = [c for make in makers for c in registered(make) if c.name == name]
    higher = ALL[name].metric_class.higher_is_better
    assert (component.info.better == "higher") is higher


def test_bounds_are_those_of_torchmetrics():
    """Its class's plot bounds, except where they are the ends of an axis only."""
    own = {name: given.bounds for name, given in ALL.items() if given.limits is None}
    for name, bounds in own.items():
        low, high = ALL[name].metric_class.plot_lower_bound, ALL[name].metric_class.plot_upper_bound
        assert bounds == (None if None in (low, high) else (low, high))
    assert {name for name, bounds in own.items() if bounds} == {
        "MS_SSIM",
        "ROUGE_1",
        "ROUGE_2",
        "chrF",
    }


def test_no_value_leaves_its_bounds(pictures, tmp_path):
    """Not of an inverted picture, nor of empty, foreign and endless texts; and those that torchmetrics
    plots from 0 to 1 although they have other ends do leave these."""
    task, outputs = pictures
    rng = np.random.default_rng(1)
    stripes = rng.integers(0, 2, (200, 180, 1)).repeat(3, axis=2) * 255
    task.targets["0"] = drawn(tmp_path / "stripes.png", stripes)
    outputs[0] = Output("0", image=drawn(tmp_path / "inverted.png", 255 - stripes))
    answers = {"0": "", "1": "zzz", "2": "a dog " * 40, "3": "a dog"}
    texts = of_texts(dict.fromkeys(answers, ("a dog", "the dog sat")))
    outputs_of_texts = [Output(id, text=text) for id, text in answers.items()]
    extremes = {name: values(compute(name, task, outputs)) for name in HERE}
    extremes |= {
        name: values(compute(name, texts, outputs_of_texts))
        for name in provider.TEXTS
        if name != "BERTScore"
    }
    for name, numbers in extremes.items():
        low, high = ALL[name].bounds or ALL[name].limits or (None, None)
        assert None not in numbers, name
        assert (low is None or min(numbers) >= low) and (high is None or max(numbers) <= high), name
    assert min(extremes["SSIM"]) < 0 and max(extremes["WER"]) > 1 and max(extremes["CER"]) > 1


# Pairs of images


@pytest.mark.parametrize("name", HERE)
def test_an_image_measure_is_torchmetrics_own(name, pictures):
    """Each query's value is that of torchmetrics' function on its pair, the number their mean; the
    better picture has the better value."""
    from torchmetrics.functional import image

    functions = {
        "SSIM": lambda a, b: image.structural_similarity_index_measure(a, b, data_range=1.0),
        "MS_SSIM": lambda a, b: image.multiscale_structural_similarity_index_measure(
            a, b, data_range=1.0
        ),
        "PSNR": lambda a, b: image.peak_signal_noise_ratio(a, b, data_range=1.0).clamp(max=100),
        "VIF": image.visual_information_fidelity,
    }
    task, outputs = pictures
    scores = compute(name, task, outputs)
    expected = [
        float(functions[name](tensor(output.image), tensor(task.targets[output.query])))
        for output in outputs
    ]
    assert values(scores) == pytest.approx(expected, rel=1e-5)
    assert values(scores) == sorted(expected, reverse=True)
    assert estimate(scores)[0] == pytest.approx(np.mean(expected))


def test_psnr_is_the_closed_form(pictures):
    """10 log10(1 / MSE) of pixels in 0 to 1; of identical pictures the ceiling, as the signature says."""
    task, outputs = pictures
    scores = compute("PSNR", task, outputs)
    errors = [
        float(((tensor(o.image) - tensor(task.targets[o.query])) ** 2).mean()) for o in outputs[1:]
    ]
    assert values(scores) == pytest.approx([100.0, *(-10 * np.log10(errors))], rel=1e-5)
    assert parse(scores.signature)["ceiling"] == "100.0"


def test_another_size_is_scaled_and_cut_never_squashed(tmp_path):
    """The picture covers the target's size and is cut around the centre; the signature says so."""
    rng = np.random.default_rng(0)
    target = drawn(tmp_path / "target.png", rng.integers(0, 256, (40, 60, 3)))
    wide = drawn(tmp_path / "wide.png", rng.integers(0, 256, (80, 200, 3)))
    scores = compute("PSNR", of_images({"0": target}), [Output("0", image=wide)])
    box = (40, 0, 160, 80)  # the middle 120 × 80 of 200 × 80
    cut = PIL.Image.open(wide.path).resize((60, 40), PIL.Image.Resampling.BICUBIC, box=box)
    mse = ((np.array(cut) / 255.0 - np.array(PIL.Image.open(target.path)) / 255.0) ** 2).mean()
    assert values(scores) == pytest.approx([-10 * np.log10(mse)], rel=1e-5)
    assert parse(scores.signature)["resize"] == "fit-target-bicubic"
    assert ImageOps.fit(PIL.Image.open(wide.path), (60, 40)).size == (60, 40)


def test_what_failed_is_an_error_and_what_has_no_target_is_not_scored(pictures):
    """Neither is a zero, and neither changes the others' mean."""
    task, outputs = pictures
    whole = compute("SSIM", task, outputs)
    targets = {id: target for id, target in task.targets.items() if id != "3"}
    task = Task("t", [], task.queries, output="image", targets=targets)
    scores = compute("SSIM", task, [outputs[0], Output("1", error="refused"), outputs[3]])
    assert [(s.value is not None, s.error) for s in scores.scores] == [
        (True, None), (False, "refused"), (False, "no output"), (False, None),
    ]  # fmt: skip
    assert scores.scores[0] == whole.scores[0] and parse(scores.signature)["n"] == "1"


def test_a_set_without_queries_has_a_reason():
    """A slice may be empty."""
    for name, task in (("SSIM", of_images({})), ("WER", of_texts({}))):
        scores = compute(name, task, [])
        assert scores.absence == Absence("no output has anything to be compared with")


def test_a_picture_that_is_too_small_is_an_error_with_torchmetrics_reason(tmp_path):
    """Multi-scale SSIM wants more than 160 pixels; where all are smaller it has no number."""
    rng = np.random.default_rng(0)
    small = drawn(tmp_path / "small.png", rng.integers(0, 256, (100, 100, 3)))
    scores = compute("MS_SSIM", of_images({"0": small}), [Output("0", image=small)])
    assert "larger than" in str(scores.absence) and estimate(scores)[0] is None
    assert scores.absence and not scores.absence.crashed


def test_the_signature_has_every_setting(pictures):
    """torchmetrics' version, and its defaults as well as what is set here."""
    facts = parse(compute("SSIM", *pictures).signature)
    version = pytest.importorskip("torchmetrics").__version__
    assert facts["torchmetrics"] == version
    wanted = {
        "gaussian_kernel": "True",
        "sigma": "1.5",
        "kernel_size": "11",
        "k1": "0.01",
        "data_range": "1.0",
    }
    assert facts.items() >= wanted.items()


# Weights that may be absent


def test_lpips_without_its_weights_is_absent_with_the_reason(pictures, tmp_path, monkeypatch):
    """No download, no crash, no zero; the same for a file that is not the published one."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    scores = compute("LPIPS", *pictures)
    assert estimate(scores)[0] is None
    assert "put https://download.pytorch.org/models/alexnet" in str(scores.absence)
    file = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"something else")
    assert "is not the published file" in str(compute("LPIPS", *pictures).absence)


def test_lpips_is_torchmetrics_own(pictures, tmp_path, monkeypatch):
    """With weights in torch hub's folder (random ones here) each query has its value, the signature
    their checksum, and a worse picture a higher value."""
    import torchvision
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity as lpips

    torch.manual_seed(0)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(weights, "is_published", lambda path: True)
    file = tmp_path / "checkpoints" / "alexnet-owt-7be5be79.pth"
    file.parent.mkdir()
    torch.save(torchvision.models.alexnet().state_dict(), file)
    task, outputs = pictures
    scores = compute("LPIPS", task, outputs)
    expected = [
        float(lpips(tensor(o.image), tensor(task.targets[o.query]), "alex", normalize=True))
        for o in outputs
    ]
    assert values(scores) == pytest.approx(expected, rel=1e-4, abs=1e-7)
    assert values(scores) == sorted(expected) and expected[0] < expected[3]
    assert weights.fingerprint(str(file)).startswith("sha256:" + parse(scores.signature)["weights"])


# Sets of images


def sets(n: int, m: int, d: int) -> tuple[Task, list[Output], Features, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(n, d)), rng.normal(0.3, 1.2, size=(m, d))
    rows = {f"real{i}": row for i, row in enumerate(real)} | {
        f"made{i}": row for i, row in enumerate(generated)
    }
    task = of_images({str(i): Image(f"real{i}", Path("none")) for i in range(n)})
    outputs = [Output(str(i), image=Image(f"made{i}", Path("none"))) for i in range(m)]
    return task, outputs, Features(rows), real.astype(np.float32), generated.astype(np.float32)


@pytest.mark.parametrize(("dims", "near"), [(3, True), (6, False)])
def test_mifid_is_fid_over_the_distance_from_copies(dims, near):
    """The closed form (Bai et al. 2021): FID by scipy over the mean of the smallest cosine distances,
    which counts as 1 from 0.1 on."""
    from scipy import linalg

    task, outputs, features, x, y = sets(60, 50, dims)
    means, (a, b) = x.mean(0) - y.mean(0), (np.cov(rows, rowvar=False) for rows in (x, y))
    fid = means @ means + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    unit_x, unit_y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    # For each real image the nearest generated one, as torchmetrics has it.
    far = (1 - np.abs(unit_x @ unit_y.T)).min(axis=1).mean()
    scores = compute("MIFID(f)", task, outputs, features)
    assert scores.total == pytest.approx(fid / (far if far < 0.1 else 1), rel=1e-4)
    assert bool(far < 0.1) is near
    assert parse(scores.signature)["n_real"] == "60"
    assert sum(score.error == "no output" for score in scores.scores) == 10


def test_mifid_grows_with_the_distance_and_with_copies():
    """Lower is better: generated images of another distribution are worse, and so are near copies."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(60, 12))
    shifts = {
        "fresh": rng.normal(size=(60, 12)),
        "far": rng.normal(1, 1, size=(60, 12)),
        "farther": rng.normal(2, 1, size=(60, 12)),
        "copies": real * 1.3 + rng.normal(0, 0.05, size=(60, 12)),
    }
    task = of_images({str(i): Image(f"real{i}", Path("none")) for i in range(60)})
    outputs = [Output(str(i), image=Image(f"made{i}", Path("none"))) for i in range(60)]
    number = {}
    for name, generated in shifts.items():
        rows = {f"real{i}": row for i, row in enumerate(real)}
        rows |= {f"made{i}": row for i, row in enumerate(generated)}
        number[name] = compute("MIFID(f)", task, outputs, Features(rows)).total
    assert number["fresh"] < number["far"] < number["farther"]
    assert number["fresh"] < number["copies"]


def test_the_inception_score_is_the_closed_form():
    """exp of the mean KL divergence of an image's classes from all images' (Salimans et al. 2016)."""
    task, outputs, features, _, y = sets(4, 40, 5)
    task = of_images({str(i): Image(f"real{i % 4}", Path("none")) for i in range(40)})
    p = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
    expected = np.exp((p * (np.log(p) - np.log(p.mean(axis=0)))).sum(axis=1).mean())
    scores = compute("InceptionScore(f)", task, outputs, features)
    assert scores.total == pytest.approx(expected, rel=1e-5)
    assert compute("InceptionScore(f)", task, outputs, features) == scores


@pytest.mark.parametrize("rows", [np.ones((2, 3)), np.array([[0.6, -0.8], [0.8, -0.6]])])
def test_features_that_are_no_logits_have_no_inception_score(rows):
    """Pooled features are not negative, vectors for search have length 1."""
    features = Features({"made0": rows[0], "made1": rows[1]})
    outputs = [Output(str(i), image=Image(f"made{i}", Path("none"))) for i in range(2)]
    task = of_images({str(i): Image("real0", Path("none")) for i in range(2)})
    assert "logits" in str(compute("InceptionScore(f)", task, outputs, features).absence)


def test_inceptions_logits_are_its_networks(tmp_path):
    """`layer: logits` gives the 1,008 classes before the bias, which the Inception Score takes."""
    network = checkpoints.inception_network()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    rng = np.random.default_rng(0)
    images = [drawn(tmp_path / f"{i}.png", rng.integers(0, 256, (40, 30, 3))) for i in range(2)]
    rows = Inception(tmp_path / "weights.pth", unchecked=True, layer="logits").encode_images(images)
    network.features_list = ["logits_unbiased"]
    (expected,) = network((torch.cat([tensor(image) for image in images]) * 255).byte())
    assert rows.shape == (2, 1008)
    assert rows == pytest.approx(expected.detach().numpy(), rel=1e-4, abs=1e-5)


def test_fewer_than_two_images_have_no_number():
    """The reason says how many there are."""
    task, outputs, features, _, _ = sets(3, 1, 4)
    absence = compute("MIFID(f)", task, outputs, features).absence
    assert absence == Absence("needs 2 images of each kind: 3 real, 1 generated")


# Texts

REFERENCES = {
    "a": ("a dog sat on the mat", "the small dog is on a mat"),
    "b": ("two big cats run fast",),
    "c": ("a red bus in the street",),
    "d": (),
}
ANSWERS = {"a": "a dog on a mat", "b": "two big cats run fast", "c": "", "d": "a tree"}


@pytest.mark.parametrize("name", ["ROUGE_1", "ROUGE_2", "chrF", "WER", "CER"])
def test_a_text_measure_is_torchmetrics_own(name):
    """Each caption's value is that of torchmetrics' function with its best reference; one without a
    reference is not scored; an empty caption is the worst there is, and no error."""
    from torchmetrics.functional import text

    functions = {
        "ROUGE_1": lambda p, r: text.rouge_score(p, r, rouge_keys="rouge1")["rouge1_fmeasure"],
        "ROUGE_2": lambda p, r: text.rouge_score(p, r, rouge_keys="rouge2")["rouge2_fmeasure"],
        "chrF": lambda p, r: text.chrf_score([p], [[r]], n_word_order=0),
        "WER": lambda p, r: text.word_error_rate([p], [r]),
        "CER": lambda p, r: text.char_error_rate([p], [r]),
    }
    best, worst = (min, 1.0) if name in ("WER", "CER") else (max, 0.0)
    scores = compute(name, of_texts(REFERENCES), [Output(id, text=t) for id, t in ANSWERS.items()])
    expected = [
        best(float(functions[name](ANSWERS[id], reference)) for reference in REFERENCES[id])
        for id in "abc"
    ]
    assert values(scores) == [*map(pytest.approx, expected), None]
    assert expected[1:] == [1 - worst, worst]
    assert [score.error for score in scores.scores] == [None] * 4
    assert parse(scores.signature).items() >= {"refs": "1-2", "set": "mean", "n": "3"}.items()


def roberta(cache: Path) -> torch.nn.Module:
    """A small RoBERTa of 18 layers in a hub cache, as `hf download roberta-large` would lay it down."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    folder = cache / "models--roberta-large" / "snapshots" / ("0123456789ab" + "0" * 28)
    folder.mkdir(parents=True)
    (cache / "models--roberta-large" / "refs").mkdir()
    (cache / "models--roberta-large" / "refs" / "main").write_text(folder.name)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(sum(REFERENCES.values(), ()), vocab_size=300, special_tokens=special)
    bpe.save_model(str(folder))
    tokenizer = RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = RobertaModel(
        RobertaConfig(
            vocab_size=400, hidden_size=16, num_hidden_layers=18, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=514, pad_token_id=1,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    return model.eval()


def test_bertscore_is_torchmetrics_own(tmp_path, monkeypatch):
    """F1 on the 17th layer, with the best reference. One pair at a time is the oracle: torchmetrics
    mixes the order of several pairs of different lengths."""
    from huggingface_hub import constants
    from torchmetrics.functional.text.bert import bert_score

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    provider._roberta.cache_clear()
    model = roberta(tmp_path)
    (folder,) = (tmp_path / "models--roberta-large" / "snapshots").iterdir()
    scores = compute(
        "BERTScore", of_texts(REFERENCES), [Output(id, text=t) for id, t in ANSWERS.items()]
    )
    provider._roberta.cache_clear()
    expected = [
        max(
            float(
                bert_score(
                    [ANSWERS[id]], [reference], model_name_or_path=str(folder), num_layers=17
                )["f1"]
            )
            for reference in REFERENCES[id]
        )
        for id in "ab"
    ]
    assert model.config.num_hidden_layers == 18
    assert values(scores) == [
        *(pytest.approx(reference, abs=1e-5) for reference in expected),
        0.0,
        None,
    ]
    facts = parse(scores.signature)
    assert facts["weights"] == "roberta-large@0123456789ab" and facts["num_layers"] == "17"


def test_bertscore_without_its_model_is_absent_with_the_reason(tmp_path, monkeypatch):
    """Nothing is downloaded."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    provider._roberta.cache_clear()
    scores = compute("BERTScore", of_texts(REFERENCES), [Output("a", text="a dog")])
    assert "hf download roberta-large" in str(scores.absence) and estimate(scores)[0] is None
