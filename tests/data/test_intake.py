"""How image files come in."""

from __future__ import annotations

import os
import sqlite3
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmragbench._decoding import open_image
from mmragbench.data import intake
from mmragbench.data.intake import inside, take_in
from mmragbench.errors import BadImage, DataError
from mmragbench.records import Exclusion, Image


def save(path: Path, mode: str = "RGB", size: tuple[int, int] = (12, 8), **kind: Any) -> Path:
    noise = np.random.default_rng(7).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).convert(mode).save(path, **kind)
    return path


def claim(path: Path, width: int, height: int) -> Path:
    """A PNG of a few bytes that claims a size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def cut(path: Path, bytes_left: int) -> Path:
    path.write_bytes(path.read_bytes()[:bytes_left])
    return path


def bad_files(folder: Path) -> dict[str, Path]:
    """One file (or none) for every kind of refusal."""
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("<html>404</html>")
    damaged = save(folder / "damaged.png", size=(60, 60))
    damaged.write_bytes(damaged.read_bytes().replace(b"IDAT", b"IDAT\xff\xff", 1))
    return {
        "missing image": folder / "nowhere.jpg",
        "empty file": folder / "empty.jpg",
        "truncated image": cut(save(folder / "cut.jpg"), -40),
        "damaged image": damaged,
        "not an image": folder / "text.jpg",
        "image too large": claim(folder / "huge.png", 60_000, 60_000),
        "image too elongated": save(folder / "long.png", size=(510, 10)),
    }


KINDS = [
    "missing image",
    "empty file",
    "truncated image",
    "damaged image",
    "not an image",
    "image too large",
    "image too elongated",
]


@pytest.mark.parametrize("kind", KINDS)
def test_refusals(kind: str, tmp_path: Path) -> None:
    """A file that cannot be used is refused in one line that names it and says why."""
    path = bad_files(tmp_path)[kind]
    with pytest.raises(BadImage) as refusal:
        open_image(path)
    assert kind in str(refusal.value)
    assert path.name in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "kind",
    ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "QOI", "PCX", "SGI", "DIB"],
)
@pytest.mark.parametrize("missing", [0.01, 0.3, 0.9])
def test_truncated_in_any_format(kind: str, missing: float, tmp_path: Path) -> None:
    """A file that lost its end is truncated, however little is missing, for reader and intake."""
    path = save(tmp_path / "picture", size=(160, 120), format=kind)
    size = path.stat().st_size
    cut(path, size - max(1, int(size * missing)))
    taken, excluded = take_in([Image("1", path)])
    assert taken == []
    assert [exclusion.kind for exclusion in excluded] == ["truncated image"]
    with pytest.raises(BadImage, match="truncated"):
        open_image(path)


def test_a_png_without_its_last_chunk(tmp_path: Path) -> None:
    """A PNG is truncated too when all its pixels are there and only the end is not."""
    path = cut(save(tmp_path / "picture.png"), -12)
    assert [e.kind for e in take_in([Image("1", path)])[1]] == ["truncated image"]


def with_chunks(path: Path, *chunks: tuple[bytes, bytes]) -> Path:
    """A PNG with more chunks after its header."""
    data = save(path, format="PNG").read_bytes()
    made = (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    path.write_bytes(data[:33] + b"".join(made) + data[33:])
    return path


@pytest.mark.parametrize("size", [2, 12, 60])
@pytest.mark.parametrize(
    "name, head", [(b"zTXt", b"workflow\0\0"), (b"iTXt", b"xmp\0\1\0\0\0"), (b"iCCP", b"icc\0\0")]
)
def test_a_png_may_have_much_text(name: bytes, head: bytes, size: int, tmp_path: Path) -> None:
    """MiB of compressed text (workflows, XMP) or of a colour profile are no obstacle."""
    content = head + zlib.compress(b"x" * (size * 2**20 - 99))
    path = with_chunks(tmp_path / "picture.png", (name, content))
    assert np.array_equal(open_image(path), open_image(save(tmp_path / "plain.png")))


def test_a_png_of_text_is_refused_as_that(tmp_path: Path) -> None:
    """What unpacks to hundreds of MB is not called truncated, in one chunk or in many."""
    one = (b"zTXt", b"k\0\0" + zlib.compress(b"x" * 200_000_000))
    many = [(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 10_000_000))] * 20
    for chunks in ([one], many):
        path = with_chunks(tmp_path / "picture.png", *chunks)
        assert [e.kind for e in take_in([Image("1", path)])[1]] == ["image metadata too large"]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "AVIF"])
def test_much_metadata_in_other_formats(kind: str, tmp_path: Path) -> None:
    """A profile of 3 MiB, XMP and a comment."""
    notes = {"icc_profile": bytes(3 * 2**20), "xmp": b"<x>" + b" " * 60_000 + b"</x>"}
    path = save(tmp_path / "picture", format=kind, **notes)
    assert len(take_in([Image("1", path)])[0]) == 1


def test_a_damaged_file_is_not_called_truncated(tmp_path: Path) -> None:
    """Where the end is there, the fault is before it."""
    for kind in ("JPEG", "PNG", "JPEG2000"):
        path = save(tmp_path / "picture", size=(160, 120), format=kind)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 3] + bytes(400) + data[len(data) // 3 + 400 :])
        assert [e.kind for e in take_in([Image("1", path)])[1]] in (["damaged image"], [])
        path.write_bytes(data[:40] + bytes(400) + data[440:])
        assert [e.kind for e in take_in([Image("1", path)])[1]] == ["damaged image"]


def test_colours_of_print_as_another_library_decodes_them(tmp_path: Path) -> None:
    """CMYK in a JPEG, stored inverted as Adobe does: torchvision's own decoder is the oracle."""
    io = pytest.importorskip("torchvision.io")
    path = save(tmp_path / "picture.jpg", "CMYK", size=(96, 64), quality=95)
    expected = io.decode_jpeg(io.read_file(str(path)), io.ImageReadMode.RGB).permute(1, 2, 0)
    assert np.array_equal(np.asarray(open_image(path)), expected.numpy())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_every_orientation_is_shown_upright(kind: str, tmp_path: Path) -> None:
    """EXIF's eight, turned and mirrored by numpy."""
    pixels = np.arange(12 * 8 * 3, dtype=np.uint8).reshape(8, 12, 3)
    turned = {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
              5: pixels.transpose(1, 0, 2), 6: np.rot90(pixels, -1),
              7: np.rot90(pixels, 2).transpose(1, 0, 2), 8: np.rot90(pixels)}  # fmt: skip
    lossless = {"lossless": True} if kind == "WEBP" else {}
    for orientation, expected in turned.items():
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        PIL.Image.fromarray(pixels).save(tmp_path / "picture", kind, exif=exif, **lossless)
        assert np.array_equal(np.asarray(open_image(tmp_path / "picture")), expected)


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in a file's name: taken in with an index too, with a sign in their place in reasons."""
    good, bad = tmp_path / "a\udcff.png", tmp_path / "b\udcff.png"
    save(tmp_path / "a.png").rename(good)
    bad.write_text("no picture")
    taken, excluded = take_in([Image("1", good), Image("2", bad)], tmp_path / "index")
    assert [image.id for image in taken] == ["1"]
    assert excluded[0].reason.startswith("b\ufffd.png: none of")


def test_a_name_of_any_length(tmp_path: Path) -> None:
    """A name that is too long for the file system is a file that is not there; one line names it."""
    path = inside(tmp_path, "x" * 5_000)
    assert take_in([Image("1", path)])[1][0].kind == "missing image"
    with pytest.raises(DataError) as error:
        inside(tmp_path, "../" + "x" * 5_000)
    assert len(str(error.value)) < 500


def test_a_link_that_leads_out_says_what_to_do(tmp_path: Path) -> None:
    """As the hub's cache has its files: links into a folder of blobs."""
    (tmp_path / "blobs").mkdir()
    save(tmp_path / "blobs" / "b", format="PNG")
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "1.png").symlink_to("../blobs/b")
    with pytest.raises(DataError, match="copy the folder with what its links lead to: cp -rL"):
        inside(tmp_path / "snapshot", "1.png")


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    """The size in the header decides before anything is decoded, at exactly 64 million pixels."""
    for width, kind in [(8_000, "damaged image"), (8_001, "image too large")]:
        path = claim(tmp_path / f"{width}.png", width, 8_000)
        assert [e.kind for e in take_in([Image("1", path)])[1]] == [kind]


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    """What is not a regular file (a folder, a pipe) is not opened."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    images = [Image(name, tmp_path / name) for name in ("pipe.jpg", "folder.jpg")]
    assert [e.kind for e in take_in(images)[1]] == ["not an image", "not an image"]


def test_other_formats_are_refused(tmp_path: Path) -> None:
    """Formats outside the list are not decoded, though Pillow could; those that are known are named."""
    path = save(tmp_path / "picture.jpg", format="DDS")
    with pytest.raises(BadImage, match="none of JPEG, PNG"):
        open_image(path)
    with pytest.raises(BadImage, match="PostScript is not read: save it as PNG or JPEG"):
        open_image(save(tmp_path / "picture.eps", format="EPS"))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(mode: str, tmp_path: Path) -> None:
    """Whatever colours a file has, it opens as RGB, as Pillow converts them."""
    kind = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    path = save(tmp_path / "picture", mode, format=kind)
    opened = open_image(path)
    assert opened.mode == "RGB"
    expected = PIL.Image.open(path).convert("RGB")
    assert np.array_equal(np.asarray(opened), np.asarray(expected))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_lies_on_white(mode: str, tmp_path: Path) -> None:
    """A transparent pixel is white, whatever colour hides under it."""
    clear = PIL.Image.new("RGBA", (4, 4), (10, 10, 10, 0))
    if mode == "PA":  # a palette with a transparent entry
        clear = PIL.Image.new("P", (4, 4), 0)
        clear.save(tmp_path / "picture.png", transparency=0)
    else:
        clear.convert(mode).save(tmp_path / "picture.png")
    assert open_image(tmp_path / "picture.png").getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled(kind: str, tmp_path: Path) -> None:
    """16-bit grey is scaled to 8 bits, not clipped to white."""
    grey = np.array([[0, 32768, 65535]], dtype=np.uint16)
    PIL.Image.fromarray(grey).save(tmp_path / "picture", format=kind)
    values = np.asarray(open_image(tmp_path / "picture"))[0, :, 0]
    assert values.tolist() == [0, 127, 255]


def test_a_transparent_shade_of_sixteen_bits_is_white(tmp_path: Path) -> None:
    """As it is in eight bits."""
    grey = np.array([[0, 1000, 1001]], dtype=np.uint16)
    PIL.Image.fromarray(grey).save(tmp_path / "picture.png", transparency=1000)
    assert np.asarray(open_image(tmp_path / "picture.png"))[0, :, 0].tolist() == [0, 255, 3]


def test_upright(tmp_path: Path) -> None:
    """The EXIF orientation is applied."""
    picture = PIL.Image.new("RGB", (12, 8))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert open_image(tmp_path / "turned.jpg").size == (8, 12)


def test_broken_exif_is_no_obstacle(tmp_path: Path) -> None:
    """An image with intact pixels and broken EXIF opens as it lies."""
    picture = PIL.Image.new("RGB", (12, 8))
    picture.save(tmp_path / "picture.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff")
    with pytest.warns(UserWarning, match="EXIF"):
        assert open_image(tmp_path / "picture.jpg").size == (12, 8)


def test_first_frame(tmp_path: Path) -> None:
    """Of an animation the first frame is the picture."""
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert open_image(tmp_path / "two.gif").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("name", ["../secret.jpg", "a/../../secret.jpg", "", "a\0b", ".", "link/x"])
def test_ways_out_are_refused(name: str, tmp_path: Path) -> None:
    """A name that leads out of the folder is refused, by `..` or by a link."""
    root = tmp_path / "images"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(DataError, match="images/"):
        inside(root, name)


def test_an_absolute_path_is_refused(tmp_path: Path) -> None:
    """An absolute path is refused, even one below the folder."""
    with pytest.raises(DataError):
        inside(tmp_path, str(tmp_path / "picture.jpg"))


def test_names_below_the_folder(tmp_path: Path) -> None:
    """Names below the folder are joined; the folder itself may be a link; a file need not exist."""
    (tmp_path / "real").mkdir()
    (tmp_path / "images").symlink_to(tmp_path / "real")
    root = tmp_path / "images"
    for name in ("1.jpg", "sub/1.jpg", "a/../1.jpg", "..1.jpg"):
        assert inside(root, name) == root / name


def test_take_in_digests_and_names(tmp_path: Path) -> None:
    """Good files come back in order with the SHA-256 of their bytes, bad ones as exclusions."""
    good = [save(tmp_path / f"{i}.jpg", size=(20 + i, 20)) for i in range(3)]
    bad = bad_files(tmp_path)
    images = [Image("a", good[0]), *(Image(kind, path) for kind, path in bad.items())]
    images += [Image("b", good[1]), Image("c", good[2])]
    taken, excluded = take_in(images)
    digests = [sha256(path.read_bytes()).hexdigest() for path in good]
    assert [(image.id, image.digest) for image in taken] == list(zip("abc", digests, strict=True))
    assert [(exclusion.kind, exclusion.id) for exclusion in excluded] == [(k, k) for k in bad]
    assert all(bad[e.id].name in e.reason and "\n" not in e.reason for e in excluded)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    reads: list[str] = []
    read = intake.read_file

    def counted(path: Path) -> bytes:
        reads.append(path.name)
        return read(path)

    monkeypatch.setattr(intake, "read_file", counted)
    return reads


def test_the_index_spares_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an index an unchanged file is not read again, good or bad; a changed one is."""
    index = tmp_path / "deep" / "index.sqlite"
    images = [Image("1", save(tmp_path / "1.jpg")), Image("2", cut(save(tmp_path / "2.jpg"), -9))]
    reads = count_reads(monkeypatch)
    first = take_in(images, index)
    assert sorted(reads) == ["1.jpg", "2.jpg"]
    assert take_in(images, index) == first
    assert len(reads) == 2
    save(tmp_path / "2.jpg")
    taken, excluded = take_in(images, index)
    assert reads[2:] == ["2.jpg"]
    assert [image.id for image in taken] == ["1", "2"]
    assert excluded == []


def test_a_verdict_that_has_changed_is_not_believed(tmp_path: Path) -> None:
    """A digest that a damaged index has changed: the file is read again."""
    index = tmp_path / "index.sqlite"
    images = [Image("1", save(tmp_path / "1.jpg"))]
    first = take_in(images, index)
    with sqlite3.connect(index) as db:
        db.execute("UPDATE verdicts SET digest = 'f' || substr(digest, 2)")
    assert take_in(images, index) == first


def test_a_file_of_the_same_size(tmp_path: Path) -> None:
    """A file that was replaced by one of the same size is read again."""
    path = save(tmp_path / "1.bmp")
    before = take_in([Image("1", path)], tmp_path / "index")[0][0].digest
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    os.utime(path, (1, 1))
    after = take_in([Image("1", path)], tmp_path / "index")[0][0].digest
    assert after == sha256(path.read_bytes()).hexdigest() != before


def test_a_missing_file_is_looked_for_again(tmp_path: Path) -> None:
    """That a file was missing is not remembered."""
    images = [Image("1", tmp_path / "late.jpg")]
    assert take_in(images, tmp_path / "index")[1][0].kind == "missing image"
    save(tmp_path / "late.jpg")
    assert take_in(images, tmp_path / "index")[1] == []


def test_two_runs_share_an_index(tmp_path: Path) -> None:
    """Runs at the same time with one index get the same answers."""
    images = [Image(str(i), save(tmp_path / f"{i}.jpg")) for i in range(40)]
    expected = take_in(images)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: take_in(images, tmp_path / "index"), range(8)))
    assert results == [expected] * 8


def test_a_broken_index_costs_speed_only(tmp_path: Path) -> None:
    """An index that is no database is named in a warning, the files are read, and it is made anew; one
    that cannot be made is done without."""
    (tmp_path / "index").write_text("this is no database, " * 99)
    images = [Image("1", save(tmp_path / "1.jpg"))]
    with pytest.warns(UserWarning, match="index is damaged"):
        taken, _ = take_in(images, tmp_path / "index")
    assert [image.id for image in taken] == ["1"]
    with sqlite3.connect(tmp_path / "index") as db:
        assert db.execute("SELECT count(*) FROM verdicts").fetchone() == (1,)
    with pytest.warns(UserWarning, match="pictures are read again"):
        assert take_in(images, tmp_path / "1.jpg" / "below")[0] == taken


def test_nothing_to_take_in() -> None:
    """No images, no exclusions, no error."""
    none: tuple[list[Image], list[Exclusion]] = ([], [])
    assert take_in([]) == none
