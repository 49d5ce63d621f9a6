"""Files, weights and programs that a number needs, and how to get those that are missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shutil import which
from typing import NamedTuple

from mmragbench.verify.references import Need


class Missing(NamedTuple):
    """A missing file, program or weights, and how to get it."""

    what: str
    get: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.get})" if self.get else self.what


def missing(needs: Iterable[Need], data: Path) -> tuple[Missing, ...]:
    """The needs that are not met; loads and fetches nothing."""
    gaps = ((need, _missing(need, data)) for need in needs)
    return tuple(gap._replace(get=need.get or gap.get) for need, gap in gaps if gap)


def _missing(need: Need, data: Path) -> Missing | None:
    """What is missing of a need, with the usual way to get it; None where it is met."""
    if need.path is not None:
        path = data / need.path
        return None if path.exists() else Missing(f"{path}")
    if need.program is not None:
        return None if which(need.program) else Missing(f"the program {need.program}")
    if need.torch_hub is not None:
        path = _torch_hub() / need.torch_hub
        return None if path.is_file() else Missing(f"weights {path}")
    if _in_hub_cache(str(need.hub), need.files):
        return None
    kind = "weights" if any("open_clip" in file for file in need.files) else "tokenizer"
    return Missing(f"{kind} {need.hub}", "hf download NAME")


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
