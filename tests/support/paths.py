"""Where things lie: the checkout, its tests, and the real data beside it."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared" / "data"
"""Real data, which not everybody has: the fixture `shared_data` skips where it is not there."""
