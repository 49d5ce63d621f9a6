"""A small world that the package draws itself and writes out as COCO-format files."""

from mmragbench.scenes.coco import write

__all__ = ["write"]
