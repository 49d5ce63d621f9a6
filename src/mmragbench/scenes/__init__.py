"""A small world that the package draws itself and writes out as COCO-format files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmragbench.scenes.coco import write

__all__ = ["write"]


def __getattr__(name: str) -> Any:
    """The writer, imported when it is used: Pillow is not needed to say what a world has."""
    if name == "write":
        from mmragbench.scenes import coco

        return coco.write
    raise AttributeError(f"module 'mmragbench.scenes' has no attribute {name!r}")
