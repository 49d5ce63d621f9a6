"""An editable install takes the catalogues from the checkout: none of their files is copied.

Copies would grow stale, and pytest would take `reports/csv.py` and its like for plug-ins.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EditableHook(BuildHookInterface):  # type: ignore[type-arg]
    """Something must be named, since nothing would stand for everything."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            marker = "mmragbench/py.typed"
            build_data["force_include_editable"] = {f"src/{marker}": marker}
