"""What has to be at hand before a number can be computed, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from mmragbench.errors import MmragbenchError
from mmragbench.verify.references import Need


@dataclass(frozen=True)
class Lack:
    """One thing that is not there, and how to get it."""

    what: str
    get: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.get})" if self.get else self.what


class Missing(MmragbenchError):
    """Something that a reference needs turned out not to be there, or not to be whole."""

    def __init__(self, *lacks: Lack) -> None:
        super().__init__("; ".join(map(str, lacks)))
        self.lacks = lacks


def lacking(needs: Iterable[Need], data: Path) -> tuple[Lack, ...]:
    """What of it is not there; looks only, loads and fetches nothing."""
    return tuple(lack for need in needs if (lack := _lack(need, data)))


def _lack(need: Need, data: Path) -> Lack | None:
    if need.path is not None:
        there = (data / need.path).exists()
        return None if there else Lack(f"{data / need.path}", need.get)
    if need.program is not None:
        return None if which(need.program) else Lack(f"the program {need.program}", need.get)
    if need.torch_hub is not None:
        path = _torch_hub() / need.torch_hub
        return None if path.is_file() else Lack(f"weights {path}", need.get)
    if _in_hub_cache(str(need.hub), need.files):
        return None
    kind = "weights" if any("open_clip" in file for file in need.files) else "tokenizer"
    return Lack(f"{kind} {need.hub}", need.get or "hf download NAME")


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
