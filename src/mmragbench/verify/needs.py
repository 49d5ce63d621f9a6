"""What has to be at hand before a number can be computed, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shutil import which
from typing import NamedTuple

from mmragbench.verify.references import Need


class Missing(NamedTuple):
    """One thing that is not there, and how to get it."""

    what: str
    get: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.get})" if self.get else self.what


def missing(needs: Iterable[Need], data: Path) -> tuple[Missing, ...]:
    """What of it is not there; looks only, loads and fetches nothing."""
    return tuple(Missing(what, need.get or get) for need in needs for what, get in _gap(need, data))


def _gap(need: Need, data: Path) -> Iterable[tuple[str, str]]:
    """What is not there, and the usual way to get it; nothing where it is there."""
    if need.path is not None:
        if not (data / need.path).exists():
            yield f"{data / need.path}", ""
    elif need.program is not None:
        if not which(need.program):
            yield f"the program {need.program}", ""
    elif need.torch_hub is not None:
        path = _torch_hub() / need.torch_hub
        if not path.is_file():
            yield f"weights {path}", ""
    elif not _in_hub_cache(str(need.hub), need.files):
        kind = "weights" if any("open_clip" in file for file in need.files) else "tokenizer"
        yield f"{kind} {need.hub}", "hf download NAME"


def _torch_hub() -> Path:
    """Torch hub's folder of files, without importing torch: as `torch.hub.get_dir` finds it."""
    import os

    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", f"{cache}/torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def _in_hub_cache(repository: str, files: Iterable[str]) -> bool:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)
