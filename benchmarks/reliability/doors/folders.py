"""Folders of pictures as people have them: links, hidden files, odd names, files that are none."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import PIL.Image

from doors import Outcome

NAMES = ("0", "1", "2", "a", "A", "\xe4", "a\u0308", "n\nl", "\x1b[2J", "\udcff", "x" * 200, " ", "%s",
         "[red]", "it's", "日本", "\u202e", "a.b", "-rf", "'", "0001", "\u2028", "\U0001f600")  # fmt: skip
ENDINGS = (".png", ".PNG", ".jpg", ".jfif", ".gif", "", ".", ".txt", ".json", ".avif", ".heic", ".npz",
           ".png.bak", ".jpg_large", ".svg", ".db", ".ppm", ".tif")  # fmt: skip
FOLDERS = ("a", "b", "c.png", ".git", "__MACOSX", ".ipynb_checkpoints", "\xe4", "a\u0308", "\udcfe")
HIDDEN = ("Thumbs.db", "._0.png", ".DS_Store", "desktop.ini")


def make(rng: random.Random, folder: Path) -> None:
    """Two trees, `made` and `real`, and how their files are to be paired."""
    (folder / "how").write_text(rng.choice(["auto", "auto", "names", "none"]))
    outside = folder / "outside"
    for name in ("outside", "made", "real"):
        (folder / name).mkdir()
        _fill(rng, folder / name, outside, rng.randint(0, 3))
    if rng.random() < 0.3:
        _copy_some(rng, folder / "made", folder / "real")


def enter(folder: Path) -> Outcome:
    """As `score images --missing skip` reads them; the outcome is that of `made`."""
    from mmragbench.data.picture_folders import list_pictures, read_folder
    from mmragbench.errors import MmragbenchError
    from mmragbench.submissions.image_folders import images

    made, real, how = folder / "made", folder / "real", (folder / "how").read_text()
    refused = None
    try:
        submission = images(made, real, "skip", how)
    except MmragbenchError as error:
        refused = error
    else:
        for kind in submission.problems.ids:
            assert submission.problems.line(kind).isprintable()
    found = read_folder(list_pictures(made), whole=True)
    listing = found.listing
    named = len(found.unreadable) + len(found.copies) + len(listing.others) + len(listing.hidden)
    if refused:
        raise refused
    return Outcome(_count(made, ()), len(found.images), named)


def _count(folder: Path, above: tuple[str, ...]) -> int:
    """What is no folder, links followed: without the product's walk."""
    here = os.path.realpath(folder)
    if here in above:
        return 0
    return sum(_count(e, (*above, here)) if e.is_dir() else 1 for e in folder.iterdir())


def _fill(rng: random.Random, folder: Path, outside: Path, depth: int) -> None:
    for _ in range(rng.randint(0, 5)):
        _write(rng, folder / f"{rng.choice(NAMES)}{rng.choice(ENDINGS)}")
    for name in rng.sample(HIDDEN, rng.randint(0, 1)):
        _write(rng, folder / name)
    for name in rng.sample(FOLDERS, rng.randint(0, 2) if depth else 0):
        if not os.path.lexists(folder / name):
            (folder / name).mkdir()
            _fill(rng, folder / name, outside, depth - 1)
    if rng.random() < 0.4:
        targets = [
            folder,
            folder.parent,
            outside,
            folder / "nowhere",
            *folder.iterdir(),
            Path("loop"),
        ]
        link = folder / rng.choice(["loop", "link", "link.png"])
        if not os.path.lexists(link):
            link.symlink_to(rng.choice(targets))


def _write(rng: random.Random, file: Path) -> None:
    if os.path.lexists(file):
        return
    kind = rng.choice(["PNG", "PNG", "PNG", "JPEG", "GIF", "PPM", "text", "empty", "cut", "pipe"])
    if kind == "pipe":
        os.mkfifo(file)
        return
    content = io.BytesIO()
    if kind in ("PNG", "JPEG", "GIF", "PPM", "cut"):
        colour = rng.choice(["red", "green", "blue"])
        PIL.Image.new("RGB", (9, 9), colour).save(content, "PNG" if kind == "cut" else kind)
    data = {"text": b"no picture\n", "empty": b""}.get(kind, content.getvalue())
    file.write_bytes(data[:40] if kind == "cut" else data)


def _copy_some(rng: random.Random, made: Path, real: Path) -> None:
    for file in made.iterdir():
        if file.is_file() and rng.random() < 0.8 and not os.path.lexists(real / file.name):
            (real / file.name).write_bytes(file.read_bytes())
