"""Captioned images through Hugging Face's `datasets`: a hub repository or a local folder.

`import datasets` is that library here, never the folder that this file lies in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from mmragbench.backends.weights import download
from mmragbench.contracts import Requirement
from mmragbench.data.coco_tasks import OUTPUTS
from mmragbench.data.entries import Entry, Limit, Sample
from mmragbench.data.files import required_folder
from mmragbench.data.intake import inside
from mmragbench.data.splits import REST, choose, warn_of_rest
from mmragbench.data.tables import Columns, Locate, Row, build_tasks_of_splits, gather, pick
from mmragbench.errors import BadImage, DataError, unknown
from mmragbench.records import Exclusion, Task
from mmragbench.registry import dataset

Preset = Literal["coco-karpathy", "flickr30k"]


@dataclass(frozen=True)
class Published:
    """A dataset as it lies on the hub: where, and what its splits and columns are called."""

    path: str
    revision: str | None
    queries: str
    memory: str
    columns: Columns


PRESETS: Mapping[str, Published] = {
    # Captions and file names only; the photographs come from cocodataset.org and lie below root.
    "coco-karpathy": Published(
        "yerevann/coco-karpathy",
        revision=None,
        queries="test",
        memory="train+restval",
        columns=Columns("filepath/filename", "sentences", "cocoid", caption_ids="sentids"),
    ),
    # Its main branch holds a loading script, which nothing runs any more; the hub's own conversion
    # to parquet has all images in one split `test`, and a column with the split of each.
    "flickr30k": Published(
        "nlphuji/flickr30k",
        revision="refs/convert/parquet",
        queries="test",
        memory="train",
        columns=Columns("image", "caption", "filename", split="split"),
    ),
}

_BATCH = 1_000
_ENDINGS = {
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG": "png",
    b"GIF8": "gif",
    b"BM": "bmp",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"RIFF": "webp",
}


@dataset
class Huggingface:
    """A captioned dataset of the Hugging Face hub, or a local folder that `datasets` loads."""

    outputs = OUTPUTS

    def __init__(  # noqa: PLR0913, PLR0917 - the vocabulary of a suite
        self,
        path: str | None = None,
        revision: str | None = None,
        config: str | None = None,
        queries: str | None = None,
        memory: str | None = None,
        columns: Columns | None = None,
        preset: Preset | None = None,
        root: Path | None = None,
        limit: Limit | None = None,
        memory_limit: Limit | None = None,
        seed: int = 0,
    ) -> None:
        """Nothing is read before `tasks`; what the hub has and the cache lacks is fetched then.

        Args:
            path: a hub id (`owner/name`), or a local folder of parquet files or images.
            revision: a branch, tag or commit of the hub repository; pin one in a paper.
            config: which of a repository's configurations.
            queries: the query split, by default `test`, else `validation`, `val` or `dev`, or the
                single one; several are joined by `+`.
            memory: the memory split, by default `train`, else `rest`: what the draw leaves of the
                query split.
            columns: what the columns are called.
            preset: a published dataset; what else is given goes before what it says.
            root: the folder of the image files, where a column has their names.
            limit: how many query images to draw; by default all, beside the memory `rest` a fifth
                (50 or a half of few images, at most 1,000).
            memory_limit: how many memory images to draw; all by default.
            seed: for the draws.

        Raises:
            DataError: neither a path nor a preset.
        """
        known = PRESETS[preset] if preset else None
        if known is None and not path:
            raise DataError(
                f"huggingface needs a path (a hub id or a folder) or a preset: {', '.join(PRESETS)}"
            )
        ours = known if known and not path else None  # another path has revisions of its own
        self.path = path or (known.path if known else "")
        self.revision = revision or (ours.revision if ours else None)
        self.config = config
        self.queries = queries or (known.queries if known else None)
        self.memory = memory or (known.memory if known else None)
        self.columns = columns or (known.columns if known else Columns())
        self.root = Path(root).expanduser() if root else None
        self.sample = Sample(limit, memory_limit, seed)

    def requirements(self) -> list[Requirement]:
        """The local folder, where it is not there; what the hub has and the cache lacks."""
        local = Path(self.path).expanduser()
        if self.path.startswith(("/", ".", "~")):
            return required_folder(local, ["parquet files or images"])
        return [] if local.is_dir() or _is_cached(self.path) else [download(self.path)]

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation.

        Images that are bytes in a table are written to `images/` in the cache when they are drawn,
        under the hash of their content.

        Raises:
            DataError: the dataset cannot be loaded, or has no such split or column; a split has no
                usable image, or the splits share one.
        """
        known = ("test", "train") if self.columns.split else tuple(self._loaded.tables)
        splits = choose(known, self.queries, self.memory)
        if self.memory is None and splits.memory == REST:
            warn_of_rest(self.path)
        tasks = build_tasks_of_splits(self._read, *splits, self.sample)
        source = f"{self.path}@{self._loaded.commit}" if self._loaded.commit else ""
        return {name: replace(task, source=source) for name, task in tasks.items()}

    @cached_property
    def _loaded(self) -> Loaded:
        return load(self.path, self.config, self.revision)

    def _read(self, name: str, excluded: list[Exclusion]) -> list[Entry]:
        columns, tables = self.columns, self._loaded.tables
        entries: list[Entry] = []
        wanted = name.split("+")
        for split in tables if columns.split else wanted:
            if split not in tables:
                raise DataError(f"{self.path}: " + unknown("split", split, tables))
            table = _checked(self.path, tables[split], columns)
            rows = _rows(table, columns)
            if columns.split:
                rows = (row for row in rows if pick(row[1], columns.split) in wanted)
            gathered, broken = gather(rows, columns, split, self._locator(table))
            entries += gathered
            excluded += broken
        if not entries and columns.split:
            raise DataError(f"{self.path}: no row's {columns.split!r} is {name!r}")
        return entries

    def _locator(self, table: Any) -> Locate:
        local = Path(self.path).expanduser()
        folders = [folder for folder in (self.root, local) if folder and folder.is_dir()]
        pictures = _pictures(table, self.columns)
        if pictures is None:
            root = self.root or (local if folders else None)
            return partial(_by_name, root, self.columns.image.split("/"))
        roots = [place for folder in folders for place in (folder.absolute(), folder.resolve())]
        return partial(_by_row, pictures, self.columns.image, roots or _caches())


@dataclass(frozen=True)
class Loaded:
    """The tables of a dataset by split, and the commit that they come from, if from the hub."""

    tables: Mapping[str, Any]
    commit: str | None


def load(path: str, config: str | None = None, revision: str | None = None) -> Loaded:
    """All splits of a dataset, memory-mapped; loading scripts are never run.

    Raises:
        DataError: it cannot be reached or is no dataset; one line with what to do.
    """
    local = Path(path).expanduser()
    named = re.fullmatch(
        r"[\w-][\w.-]*/[\w.-]+", path
    )  # a bare name is one of the library's formats
    if not local.is_dir() and not named:
        raise DataError(f"there is no folder {path}; give one, or a hub id like owner/name")
    import datasets

    place = str(local) if local.is_dir() else path
    try:
        with _quiet():
            builder = datasets.load_dataset_builder(place, config, revision=revision)
            builder.download_and_prepare()
            tables = builder.as_dataset()
    except Exception as error:  # the library raises whatever a file or the network made it raise
        raise DataError(_why_not(path, local.is_dir(), error)) from error
    if local.is_dir():
        return Loaded(dict(tables), None)
    _the_one_asked_for(path, revision, builder.hash)
    return Loaded(dict(tables), builder.hash)


def _is_cached(repository: str) -> bool:
    """Whether the library's cache has a dataset of the hub, of whatever commit and configuration."""
    from datasets.naming import camelcase_to_snakecase

    from datasets import config

    *owner, name = repository.split("/")
    folder = Path(config.HF_DATASETS_CACHE) / "___".join([*owner, camelcase_to_snakecase(name)])
    return folder.is_dir()


def _the_one_asked_for(path: str, revision: str | None, commit: str) -> None:
    """Without a network the library takes what its cache has, of whatever commit."""
    if revision and re.fullmatch(r"[0-9a-f]{40}", revision) and revision != commit:
        raise DataError(
            f"{path} at commit {revision} cannot be reached, the cache has {commit}; connect to "
            "the hub once, or name the cached commit"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """A context in which the library prints neither progress bars nor what it raises anyway."""
    import datasets

    bars, level = datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        yield
    finally:
        datasets.logging.set_verbosity(level)
        if not bars:
            datasets.enable_progress_bars()


def _damaged(folder: Path) -> Iterator[Path]:
    """The Parquet files below a folder that have no readable footer."""
    import pyarrow.parquet as pq

    for file in sorted(folder.rglob("*.parquet")):
        try:
            pq.read_metadata(file)
        except (OSError, ValueError):
            yield file


def _why_not(path: str, local: bool, error: Exception) -> str:
    cause = error.__cause__ or error
    reason = " ".join(f"{type(cause).__name__}: {cause}".split())[:300]
    if local and (file := next(_damaged(Path(path).expanduser()), None)):
        return f"{file} is damaged: its footer cannot be read; copy or download it again"
    if local:
        return f"{path} cannot be loaded as parquet files or an image folder ({reason})"
    return (
        f"{path} cannot be loaded from the hub ({reason}); check the id, the revision and the "
        "network, or download the repository and give its folder as path"
    )


def _checked(path: str, table: Any, columns: Columns) -> Any:
    """The table itself, if it has the columns."""
    known = table.column_names
    for name in (*columns.image.split("/"), *columns.described()):
        if name not in known and name.partition(".")[0] not in known:
            message = unknown("column", name, known)
            raise DataError(f"{path}: {message} Name them: columns: {{image: ..., captions: ...}}")
    return table


def _rows(table: Any, columns: Columns) -> Iterator[tuple[int, Row]]:
    """What the rows say, with their numbers; pictures stay where they are."""
    named = [*columns.image.split("/"), *columns.described()]
    columns_read = {
        name if name in table.column_names else name.partition(".")[0] for name in named
    }
    if _pictures(table, columns) is not None:
        columns_read.discard(columns.image)
    number = 0
    for batch in table.select_columns(sorted(columns_read)).iter(_BATCH):
        for values in zip(*batch.values(), strict=True):
            yield number, dict(zip(batch, values, strict=True))
            number += 1


def _pictures(table: Any, columns: Columns) -> Any:
    """The column of pictures alone, undecoded; None where it holds names of files."""
    import datasets

    kind = table.features.get(columns.image)
    dtype = kind.dtype if isinstance(kind, datasets.Value) else ""
    if kind is None or dtype in ("string", "large_string"):
        return None
    pictures = table.select_columns([columns.image])
    if isinstance(kind, datasets.Image):
        return pictures.cast_column(columns.image, datasets.Image(decode=False))
    return pictures


def _by_name(root: Path | None, parts: list[str], _: int, row: Row, id: str) -> Entry:
    """A picture that the row names: a file below the root."""
    if root is None:
        raise DataError(
            f"the column {'/'.join(parts)} has names of files; say where they lie: root: <folder>"
        )
    values = [pick(row, part) for part in parts]
    if not all(isinstance(value, str) for value in values):
        raise DataError(f"the row names no file in {'/'.join(parts)}")
    return Entry(id, root, "/".join(values), ())


def _by_row(pictures: Any, column: str, roots: list[Path], number: int, _: Row, id: str) -> Entry:
    """A picture in the table itself, or in a file that the library has laid down."""
    fetch = partial(_fetch, pictures, column, roots, number)
    return Entry(id, Path(), f"row {number}", (), fetch=fetch)


def _fetch(pictures: Any, column: str, roots: list[Path], number: int) -> Path:
    value = pictures[number][column]
    data = value.get("bytes") if isinstance(value, Mapping) else value
    path = value.get("path") if isinstance(value, Mapping) else None
    if isinstance(data, bytes):
        return keep(data)
    if not isinstance(path, str):
        raise BadImage(f"row {number}: neither bytes nor a path in {column!r}")
    for root in roots:
        if Path(path).is_relative_to(root):
            return _linked(root, str(Path(path).relative_to(root)))
    return _linked(roots[0], path)


def _linked(root: Path, name: str) -> Path:
    """As `inside`; what leads out may lie in a folder above, as in the hub's cache."""
    try:
        return inside(root, name)
    except DataError as error:
        raise DataError(f"{error}; or give as root a folder above that has them too") from error


def keep(data: bytes) -> Path:
    """A file in the cache with these bytes, `images/<ab>/<sha256>.<ending>`; written once, and again
    where it is damaged."""
    from mmragbench._files import file_digest, write_atomically
    from mmragbench.cache.cache import folder

    name = sha256(data).hexdigest()
    ending = next((end for magic, end in _ENDINGS.items() if data.startswith(magic)), "bin")
    path = folder() / "images" / name[:2] / f"{name}.{ending}"
    if not path.is_file() or file_digest(path) != name:
        write_atomically(path, data)
    return path


def _caches() -> list[Path]:
    """Where the library puts what it fetches from the hub."""
    from huggingface_hub import constants

    import datasets

    config = datasets.config
    places = (config.HF_DATASETS_CACHE, config.DOWNLOADED_DATASETS_PATH, constants.HF_HUB_CACHE)
    return [Path(place).absolute() for place in places]
