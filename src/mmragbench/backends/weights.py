"""Locations and fingerprints of model weights."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from mmragbench._catalogue import folders
from mmragbench._files import file_digest
from mmragbench.contracts import Requirement
from mmragbench.errors import NotApplicable, SuiteError, unknown

SHIPPED = "shipped:"

UNRESOLVED = "unresolved:"
"""Prefix of the fingerprint of a hub id that has not been downloaded yet."""

ABSENT = "absent: "
"""Prefix of the line that stands for weights that are not available; the reason follows."""


def locate(name: str) -> str:
    """The folder behind `shipped:scenes/clip`; any other name (hub id, path) is itself, with `~`
    expanded.

    Raises:
        SuiteError: nothing of that name is shipped.
    """
    if not name.startswith(SHIPPED):
        return str(Path(name).expanduser()) if name.startswith("~") else name
    wanted = name.removeprefix(SHIPPED)
    for root in folders("models"):
        folder = (root / wanted).resolve()
        if folder.is_dir() and folder.is_relative_to(root.resolve()):
            return str(folder)
    raise SuiteError(unknown("shipped model", wanted, _shipped()))


def world(name: object) -> str | None:
    """The dataset that a shipped model was trained on, `scenes` of `shipped:scenes/clip`; None for
    what is not shipped."""
    text = str(name)
    return text.removeprefix(SHIPPED).partition("/")[0] if text.startswith(SHIPPED) else None


def _shipped() -> list[str]:
    files = ((root, file) for root in folders("models") for file in root.rglob("*.safetensors"))
    return sorted({file.parent.relative_to(root).as_posix() for root, file in files})


def _checksum(file: Path) -> str:
    """SHA-256 of a file, which may be gigabytes: computed once, as long as the file is not changed."""
    status = file.stat()
    return _checksum_of(file.resolve(), status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@cache
def _checksum_of(file: Path, size: int, changed: int, moved: int) -> str:
    return file_digest(file)


def fingerprint(name: str) -> str:
    """The fingerprint of weights: `sha256:…` of a file or folder, `revision:…` of a hub id in the
    local hub cache, else `unresolved:<name>`."""
    path = Path(name)
    if path.is_file():
        return f"sha256:{_checksum(path)}"
    if path.is_dir():
        return f"sha256:{_folder_digest(path)}"
    return _hub_revision(name) or UNRESOLVED + name


def _folder_digest(folder: Path) -> str:
    """SHA-256 over names and contents of a model folder's files; notes (Markdown, code) aside."""
    running = sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix not in {".md", ".py", ".pyc", ".png", ".svg"}:
            running.update(f"{file.relative_to(folder).as_posix()} {_checksum(file)}\n".encode())
    return running.hexdigest()


def _hub_revision(repository: str) -> str | None:
    """The commit of a hub repository's snapshot in the local cache, where `main` was resolved."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    reference = folder / "refs" / "main"
    return f"revision:{reference.read_text().strip()}" if reference.is_file() else None


def download(what: str) -> Requirement:
    """What has to come from the hub, which may be switched off."""
    from huggingface_hub import constants

    off = constants.is_offline_mode()
    return Requirement("download", what, "HF_HUB_OFFLINE is set" if off else "")


def read_config(name: str, file: str) -> Any:
    """A JSON file of a model folder, or of a hub repository in the local cache; None without it."""
    path: Path | str | None = Path(name) / file
    if not Path(name).is_dir():
        path = _cached(name, file)
    if path is None or not Path(path).is_file():
        return None
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise SuiteError(f"{path} is not a JSON file: {str(error)[:100]}") from error


def _cached(repository: str, file: str) -> str | None:
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(repository, file)
    except ValueError:  # no name that a repository can have
        return None
    return found if isinstance(found, str) else None


def torch_hub_file(name: str, url: str) -> Path:
    """A published file of weights in torch hub's folder; its name ends in the start of its SHA-256.

    Raises:
        NotApplicable: it is not there, or has another content.
    """
    from torch import hub

    path = Path(hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        raise NotApplicable(f"the weights {name} are not at {path.parent}; put {url}{name} there")
    if not is_published(path):
        raise NotApplicable(f"{path} is not the published file (SHA-256); put {url}{name} there")
    return path


def is_published(path: Path) -> bool:
    """Whether a file's SHA-256 begins as the end of its name, as torch hub names files."""
    return _checksum(path).startswith(path.stem.rpartition("-")[2])


def hub_snapshot(repository: str) -> Path:
    """The folder of a hub repository in the local cache, named after its commit.

    Raises:
        NotApplicable: it is not there.
    """
    config = _cached(repository, "config.json")
    if config is None:
        raise NotApplicable(
            f"the weights of {repository} are not in the hub's local cache; download them with: "
            f"hf download {repository}"
        )
    return Path(config).parent
