"""Pictures made elsewhere: folders and moments, and what does not fit."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image as Pillow

from mmragbench.errors import DataError, SuiteError
from mmragbench.signature import parse
from mmragbench.submissions.features import Features, label, resolve
from mmragbench.submissions.fidelity import score_images, score_moments
from mmragbench.submissions.image_folders import images
from mmragbench.submissions.moments import Moments, frechet
from mmragbench.submissions.problems import MissingOutputs
from mmragbench.submissions.score_output import remarks


class Mean:
    """A picture's mean colour and how much it varies: six numbers."""

    modalities = frozenset({"image"})
    resize = "none"

    def encode_images(self, images):
        pixels = [np.asarray(image.open(), dtype=np.float32).reshape(-1, 3) for image in images]
        return np.array([np.concatenate([p.mean(0), p.std(0)]) for p in pixels], np.float32)


FEATURES = Features("mean", Mean(), {"weights": "none"})


@pytest.fixture
def folder(tmp_path):
    """Writes a folder of noise pictures under names, and returns it."""

    def write(name, files, seed):
        dice = np.random.default_rng(seed)
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            low, high = sorted(dice.integers(0, 256, 2))
            Pillow.fromarray(dice.integers(low, high + 1, (8, 8, 3), dtype=np.uint8)).save(path)
        return tmp_path / name

    return write


def names(n, ending):
    return [f"{i}{ending}" for i in range(n)]


def scipy_fid(x, y):
    """The oracle: Heusel et al.'s formula with scipy's matrix square root."""
    from scipy import linalg

    a, b = (np.cov(rows.astype(np.float64), rowvar=False) for rows in (x, y))
    apart = np.square(x.mean(0, dtype=np.float64) - y.mean(0, dtype=np.float64)).sum()
    return apart + np.trace(a + b - 2 * np.real(linalg.sqrtm(a @ b)))


def encoded(path):
    return Mean().encode_images([Opened(file) for file in sorted(path.rglob("*.*"))])


class Opened:
    def __init__(self, path):
        self.path = path

    def open(self):
        return Pillow.open(self.path).convert("RGB")


def test_folders_are_paired_by_name_without_ending(folder):
    """`7.png` was made for `7.jpg`; FID is scipy's, with features and their facts in the signature."""
    made, real = folder("made", names(30, ".png"), 1), folder("real", names(30, ".bmp"), 2)
    submission = images(made, real)
    assert not submission.problems.notes
    fid, kid = score_images(submission, FEATURES).rows
    assert fid["estimate"] == pytest.approx(scipy_fid(encoded(real), encoded(made)), rel=1e-5)
    facts = parse(fid["signature"])
    assert (facts["measure"], facts["n_real"], facts["n_generated"]) == ("FID(mean)", "30", "30")
    assert (facts["weights"], facts["missing"], facts["n_missing"]) == ("none", "error", "0")
    for row in (fid, kid):
        assert row["low"] <= row["estimate"] <= row["high"]
        assert (row["n"], row["n_failed"]) == (30, 0)


def test_folders_with_no_name_in_common_are_two_sets(folder):
    """Then nothing can be missing, and their sizes may differ."""
    made, real = (
        folder("made", names(20, ".png"), 1),
        folder("real", ["a/x.png", *"bcdef"][:1] + [f"r{i}.png" for i in range(24)], 2),
    )
    submission = images(made, real)
    assert not submission.problems.notes
    facts = parse(score_images(submission, FEATURES, ["FID"]).rows[0]["signature"])
    assert (facts["n_real"], facts["n_generated"]) == ("25", "20")


def test_names_that_agree_by_accident_need_not_be_pairs(folder):
    """`pairs=none`: the same names in both, and each set is taken whole."""
    made, real = folder("made", names(5, ".png"), 1), folder("real", names(9, ".png"), 2)
    with pytest.raises(MissingOutputs, match="4 of 9 pictures missing: 5"):
        images(made, real)
    assert len(images(made, real, pairs="none").task.targets) == 9


def test_a_missing_picture_takes_its_real_one_along(folder):
    """Under `skip` complete pairs are compared; nothing takes the place of the missing one (UniRAG
    puts noise there)."""
    made, real = folder("made", names(18, ".png"), 1), folder("real", names(20, ".png"), 2)
    skipped = images(made, real, "skip")
    assert skipped.problems.ids["missing"] == ("18", "19")
    row = score_images(skipped, FEATURES, ["FID"]).rows[0]
    kept = [file for file in real.iterdir() if int(file.stem) < 18]
    there = Mean().encode_images([Opened(file) for file in kept])
    assert row["estimate"] == pytest.approx(scipy_fid(there, encoded(made)), rel=1e-5)
    facts = parse(row["signature"])
    assert (facts["n_real"], facts["missing"], facts["n_missing"]) == ("18", "skip", "2")


def test_a_picture_that_cannot_be_read_is_named_and_counted(folder):
    """An error by default; under `skip` it has failed, and is neither replaced nor zero."""
    made, real = folder("made", names(12, ".png"), 1), folder("real", names(12, ".png"), 2)
    (made / "3.png").write_bytes((made / "3.png").read_bytes()[:60])
    with pytest.raises(MissingOutputs, match=r"made/3 \(truncated image\)"):
        images(made, real)
    submission = images(made, real, "skip")
    judged = score_images(submission, FEATURES)
    assert [(row["n"], row["n_failed"]) for row in judged.rows] == [(11, 1)] * 2
    assert [(s.query, s.error) for s in judged.scores[0].scores] == [("3", "truncated image")]


def test_zero_is_refused(folder):
    """A distance between sets has no zero for one picture."""
    made, real = folder("made", names(3, ".png"), 1), folder("real", names(4, ".png"), 2)
    with pytest.raises(MissingOutputs, match="--missing zero makes no sense for pictures"):
        images(made, real, "zero")


def test_two_pictures_of_one_name(folder):
    """Copies count once; different ones are an error where they are paired."""
    made, real = folder("made", names(4, ".png"), 1), folder("real", names(4, ".png"), 2)
    (made / "0.PNG").write_bytes((made / "0.png").read_bytes())
    assert images(made, real).problems.ids["duplicate"] == ("made/0",)
    Pillow.new("RGB", (8, 8)).save(made / "0.bmp")
    with pytest.raises(DataError, match="1 names with more than one answer"):
        images(made, real)


def test_a_folder_without_pictures_is_an_error(tmp_path):
    """What there is instead is counted."""
    (tmp_path / "a.txt").write_text("not a picture")
    (tmp_path / ".b.png").touch()
    with pytest.raises(DataError, match=r"no pictures: 1 other files \(.txt 1\), 1 hidden ones"):
        images(tmp_path, tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        images(tmp_path / "nowhere", tmp_path)


def globbed(path):
    """The oracle: clean-fid's own listing."""
    from glob import glob

    endings = ["bmp", "jpg", "jpeg", "pgm", "png", "ppm", "tif", "tiff", "webp", "JPG", "PNG"]
    return [f for e in endings for f in glob(f"{path}/**/*.{e}", recursive=True)]  # noqa: PTH207


def test_linked_folders_are_followed_and_cycles_are_not(folder, tmp_path):
    """As clean-fid's glob lists them; a folder of links to files alone; a link to a folder above."""
    made, real = folder("made", names(6, ".png"), 1), folder("real", names(5, ".jpg"), 2)
    for name in ("store", "deeper"):
        (made / name).symlink_to(folder(f"other/{name}", names(4, ".PNG"), 3))
    submission = images(made, real, pairs="none")
    assert len(submission.outputs) == len(globbed(made)) == 14
    links = tmp_path / "links"
    links.mkdir()
    for file in made.glob("*.png"):
        (links / f"l{file.name}").symlink_to(file)
    (made / "again").symlink_to(made)
    assert len(images(made, links).outputs) == 14
    assert len(images(made, links).task.targets) == len(globbed(links)) == 6


def test_a_picture_is_one_by_its_ending_or_its_content(folder):
    """Whatever the decoder reads, in capitals, under a rare ending, or without one."""
    made, real = folder("made", names(3, ".png"), 1), folder("real", names(9, ".png"), 2)
    pixels = Pillow.new("RGB", (16, 16), "red")
    kinds = {"a.JFIF": "JPEG", "b.avif": "AVIF", "c.jp2": "JPEG2000", "d.ppm": "PPM",
             "e.tga": "TGA", "f.ico": "ICO", "g": "PNG", "h.large": "JPEG", "i.pcx": "PCX",
             "j.qoi": "QOI", "k.mpo": "JPEG", "l.dib": "DIB"}  # fmt: skip
    for name, kind in kinds.items():
        pixels.save(made / name, kind)
    submission = images(made, real, pairs="none")
    assert len(submission.outputs) == 3 + len(kinds)
    red = [
        output.image.open() for output in submission.outputs if output.image.path.suffix != ".png"
    ]
    for picture in red:
        assert np.abs(np.asarray(picture, int) - np.asarray(pixels, int)).max() < 12
    assert not submission.problems.notes


def test_what_is_left_out_is_counted_by_ending(folder):
    """Files that are no pictures, and hidden ones: those of a notebook, of a Mac, of Windows."""
    made, real = folder("made", names(3, ".png"), 1), folder("real", names(3, ".png"), 2)
    for name in (".ipynb_checkpoints/0-checkpoint.png", "__MACOSX/0.png", "._1.png", "Thumbs.db"):
        folder("made", [f"{name}.png"], 3)
        (made / f"{name}.png").rename(made / name)
    for name in ("a.txt", "b.TXT", "c.json", "d"):
        (made / name).write_text("no picture")
    submission = images(made, real)
    assert len(submission.outputs) == 3
    judged = score_images(submission, FEATURES, ["FID"])
    lines = list(remarks(judged.rows, submission))
    assert lines[:2] == [
        "4 files that are no pictures: .txt 2, .json 1, without one 1 (left out)",
        "4 hidden files: .png 3, .db 1 (left out)",
    ]


@pytest.mark.parametrize(
    "name, start, kind",
    [
        ("x.heic", b"\0\0\0\x18ftypheic" + b"\0" * 99, "HEIF is not read"),
        ("x.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript is not read"),
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG is not read"),
        ("x.psd", b"8BPS\0\1" + b"\0" * 99, "Photoshop is not read"),
        ("x.wmf", b"\xd7\xcd\xc6\x9a" + b"\0" * 99, "Windows metafile is not read"),
        ("x.jpg", b"<html>404</html>", "not an image"),
        ("x.jpeg", b"<?xml version='1.0'?><Error>AccessDenied</Error>", "not an image"),
        ("x.png", b"", "empty file"),
    ],
)
def test_a_picture_that_is_not_read_is_refused_by_name(folder, name, start, kind):
    """Its ending promises a picture: an error, not a file among others."""
    made, real = folder("made", names(3, ".png"), 1), folder("real", names(3, ".bmp"), 2)
    (made / name).write_bytes(start)
    with pytest.raises(MissingOutputs, match=rf"made/x \({kind}\)"):
        images(made, real)


def test_names_that_agree_by_chance_are_advised_to_be_sets(folder):
    """The error says how all pictures of both are compared; a policy that makes no sense does not."""
    made, real = folder("made", names(4, ".png"), 1), folder("real", names(9, ".jpg"), 2)
    with pytest.raises(MissingOutputs, match="--pairs none compares all 4 with all 9 as two sets"):
        images(made, real)
    with pytest.raises(MissingOutputs, match="makes no sense for pictures: there is error, skip$"):
        images(made, real, "zero")


def test_where_no_picture_can_be_read_that_is_the_reason(folder):
    """Not a question about names, under any policy."""
    made, real = folder("made", names(2, ".png"), 1), folder("real", names(2, ".png"), 2)
    for file in made.iterdir():
        file.write_text("no picture")
    for policy in ("error", "skip"):
        for pairs in ("names", "none"):
            with pytest.raises(MissingOutputs, match=r"unreadable: made/0.* \(not an image\)"):
                images(made, real, policy, pairs)


def test_names_that_differ_in_case_only_are_said_to(folder):
    """Not taken for two sets without a word."""
    made, real = folder("made", ["A.png", "B.png"], 1), folder("real", ["a.png", "b.png"], 2)
    with pytest.raises(MissingOutputs, match="2 differ in upper and lower case only: A"):
        images(made, real)


def test_accents_are_one_name_however_they_are_spelled(folder):
    """A Mac's decomposed letters against composed ones."""
    made, real = (
        folder("made", ["a\u0308.png", "b.png"], 1),
        folder("real", ["\xe4.png", "b.png"], 2),
    )
    assert not images(made, real).problems.notes


def test_odd_names_are_names(folder):
    """No UTF-8, a line break, an escape: shown with signs, compared like others."""
    made, real = folder("made", ["a.png", "b\n\x1b[2J.png"], 1), folder("real", ["a.png"], 2)
    (made / "a.png").rename(made / "a\udcff.png")
    assert len(images(made, real, pairs="none").outputs) == 2
    (real / "a.png").rename(real / "b\n\x1b[2J.png")
    with pytest.raises(MissingOutputs, match="unknown: a\ufffd\\. ") as error:
        images(made, real)
    assert str(error.value).isprintable()


def test_what_is_no_file_is_no_picture(folder):
    """A pipe, a link to nothing, a folder called like a picture: none holds the reader up."""
    made, real = folder("made", names(3, ".png"), 1), folder("real", names(3, ".bmp"), 2)
    os.mkfifo(made / "pipe")
    (made / "broken").symlink_to(made / "nowhere")
    (made / "round").symlink_to(made / "round")
    (made / "folder.png").mkdir()
    assert images(made, real).problems.notes["no picture"]["count"] == 3
    (made / "0.jpg").symlink_to(made / "nowhere.jpg")
    with pytest.raises(DataError, match="1 names .* or compare two sets: --pairs none"):
        images(made, real)


def test_of_several_frames_the_first_is_taken_and_that_is_said(folder):
    """Animations and pages."""
    made, real = folder("made", names(3, ".png"), 1), folder("real", names(9, ".jpg"), 2)
    frames = [Pillow.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("x.gif", "y.tif", "z.webp"):
        frames[0].save(made / name, save_all=True, append_images=frames[1:])
    problems = images(made, real, pairs="none").problems
    assert problems.ids["with several frames"] == ("made/x.gif", "made/y.tif", "made/z.webp")


def saved(path, rows):
    np.savez(path, mu=rows.mean(0), sigma=np.cov(rows, rowvar=False))
    return path


@pytest.mark.parametrize("stored", ["made", "real", "both"])
def test_moments_stand_for_pictures_on_either_side(folder, tmp_path, stored):
    """FID of pytorch-fid's `.npz` is that of the pictures; what is unknown is said; no interval."""
    folders = {
        "made": folder("made", names(30, ".png"), 1),
        "real": folder("real", names(30, ".png"), 2),
    }
    paths = {
        side: saved(tmp_path / f"{side}.npz", encoded(path)) if stored in (side, "both") else path
        for side, path in folders.items()
    }
    _, judged = score_moments(paths["made"], paths["real"], FEATURES, ["FID", "KID"], "error")
    fid, kid = judged.rows
    expected = scipy_fid(encoded(folders["real"]), encoded(folders["made"]))
    assert fid["estimate"] == pytest.approx(expected, rel=1e-5)
    facts = parse(fid["signature"])
    unknown = {"made": ["n_generated"], "real": ["n_real"], "both": ["n_real", "n_generated"]}
    for fact in ("n_real", "n_generated"):
        assert facts[fact] == ("unknown" if fact in unknown[stored] else "30")
    assert fid["n"] == (30 if stored == "real" else None)
    assert (fid["low"], fid["high"]) == (None, None)
    assert "no interval" in fid["warning"]
    assert (kid["estimate"], "KID needs" in kid["reason"]) == (None, True)


def test_moments_of_another_network_are_refused(tmp_path):
    """2,048 dimensions against 6."""
    dice = np.random.default_rng(0)
    a = saved(tmp_path / "a.npz", dice.normal(size=(9, 4)))
    b = saved(tmp_path / "b.npz", dice.normal(size=(9, 6)))
    with pytest.raises(DataError, match="6 and of 4 dimensions"):
        score_moments(a, b, Features("mean"), ["FID"], "error")


def test_a_pickle_in_an_npz_is_not_opened(tmp_path):
    """Nothing is ever unpickled."""
    np.savez(tmp_path / "bad.npz", mu=np.array([{}], dtype=object), sigma=np.eye(1))
    with pytest.raises(DataError, match="holds Python objects"):
        Moments.read(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    "content",
    [
        {"mu": np.zeros(3)},
        {"mu": np.zeros(3), "sigma": np.eye(2)},
        {"mu": np.full(2, np.nan), "sigma": np.eye(2)},
    ],
)
def test_an_npz_without_moments_is_named(tmp_path, content):
    """`mu` (d,) and `sigma` (d, d), finite."""
    np.savez(tmp_path / "bad.npz", **content)
    with pytest.raises(DataError, match="expected `mu`"):
        Moments.read(tmp_path / "bad.npz")


GAUSSIAN = (np.zeros(3), np.diag([2.0, 1.0, 0.0]))


@pytest.mark.parametrize(
    "mu, sigma, fault",
    [
        (GAUSSIAN[0] + 1j, GAUSSIAN[1], "not real numbers"),
        (np.zeros(3, bool), GAUSSIAN[1], "not real numbers"),
        (np.array(["a", "b", "c"]), GAUSSIAN[1], "not real numbers"),
        (np.full(3, 1e308), GAUSSIAN[1], "larger than"),
        (GAUSSIAN[0], np.full((3, 3), np.inf), "not finite"),
        (GAUSSIAN[0], np.where(np.eye(3, k=1) + np.eye(3, k=-1), np.nan, np.eye(3)), "not finite"),
        (np.array([0, np.nan, 0]), GAUSSIAN[1], "not finite"),
        (GAUSSIAN[0], np.tri(3), "not symmetric"),
        (GAUSSIAN[0], -np.eye(3), "not positive semidefinite"),
        (GAUSSIAN[0], np.array([[1.0, 2, 0], [2, 1, 0], [0, 0, 1]]), "not positive semidefinite"),
        (np.zeros((3, 1)), GAUSSIAN[1], "mu has shape"),
        (np.zeros(0), np.zeros((0, 0)), "mu has shape"),
        (np.float64(0), np.eye(1), "mu has shape"),
    ],
)
def test_what_is_no_gaussian_is_refused(tmp_path, mu, sigma, fault):
    """A mean and a covariance are real, finite and of one width; a covariance is symmetric, and no
    direction has a negative variance. One line says which does not hold."""
    np.savez(tmp_path / "bad.npz", mu=mu, sigma=sigma)
    with pytest.raises(DataError, match=fault) as caught:
        Moments.read(tmp_path / "bad.npz")
    assert "bad.npz" in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64])
def test_moments_in_any_real_numbers(tmp_path, kind):
    """Singular, in 16 bits or whole numbers: what is a Gaussian up to rounding is taken."""
    rows = np.random.default_rng(0).normal(0, 4, (5, 12))
    mu, sigma = rows.mean(axis=0), np.cov(rows, rowvar=False)
    if kind is np.int64:
        mu, sigma = np.round(mu), np.diag(np.round(np.diag(sigma)))
    np.savez(tmp_path / "good.npz", mu=mu.astype(kind), sigma=sigma.astype(kind))
    moments = Moments.read(tmp_path / "good.npz")
    np.testing.assert_array_equal(moments.covariance, sigma.astype(kind).astype(np.float64))


def test_a_picture_without_features_is_named(folder):
    """An encoder that overflows on one picture gives no distance, and says which picture it was."""

    class Overflowing:
        modalities = frozenset({"image"})

        def encode_images(self, images):
            rows = np.random.default_rng(0).normal(size=(len(images), 4)).astype(np.float16)
            return np.where([[image.id.endswith("7.png")] for image in images], np.inf, rows)

    made, real = folder("made", names(9, ".png"), 1), folder("real", names(9, ".png"), 2)
    submission = images(made, real)
    with pytest.raises(DataError, match=r"cannot encode 1 of 9: .*7\.png"):
        score_images(submission, Features("mine", Overflowing()))


def test_fewer_pictures_than_dimensions(tmp_path):
    """Singular covariances: equal to the closed form on the features themselves."""
    from mmragbench.statistics import fid_interval

    dice = np.random.default_rng(0)
    x, y = (dice.normal(m, 1, (20, 64)).astype(np.float32) for m in (0, 0.3))
    assert frechet(Moments.of(x), Moments.of(y)) == pytest.approx(
        fid_interval(x, y, resamples=9).estimate, rel=1e-6
    )
    assert frechet(Moments.of(x), Moments.of(x)) == pytest.approx(0, abs=1e-5)


def test_features_by_dotted_path():
    """A class of one's own; what it says of its resize is in the signature."""
    found = resolve("support.toy:ColourEncoder")
    assert (found.name, type(found.encoder).__name__) == ("ColourEncoder", "ColourEncoder")


@pytest.mark.parametrize(
    "asked, expected",
    [
        ("inception", "inception"),
        ("shipped:scenes/clip", "scenes-clip"),
        ("local-dir:/models/my clip", "my-clip"),
        ("hf-hub:laion/CLIP-ViT", "laion-CLIP-ViT"),
        ("ViT-B-32", "ViT-B-32"),
        ("my.package:Encoder", "Encoder"),
    ],
)
def test_features_have_a_name_that_a_measure_can_hold(asked, expected):
    """`FID(name)` parses back."""
    from mmragbench.records import Measure

    assert label(asked) == expected
    assert Measure.parse(f"FID({expected})").features == expected


def test_an_architecture_without_weights_is_refused():
    """Random features would give a number too."""
    with pytest.raises(SuiteError, match="there is no such folder"):
        resolve("ViT-B-32")
