"""Are the numbers those of the reference implementations?

    python benchmarks/parity.py [DATA]       # writes docs/parity.md

DATA is the folder with caption_results/, flickr8k/ and coco/ (by default ../shared/data). A part whose
data or program is not there says so. METEOR and InceptionV3 make it take minutes.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from parities import agreement, captions, distances, pictures, rankings, tokens
from parities.part import Part

from mmragbench.signature import version

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "parity.md"

HEAD = """# Parity with reference implementations

Written by `python benchmarks/parity.py`. The difference is ours less theirs. Where a line is about
many queries, the numbers are means and the largest difference of any one query is told below.

Python {python}, {machine}; mmragbench {ours}, numpy {numpy}, torch {torch}.
"""

PARTS: tuple[Callable[[Path], Part], ...] = (
    captions.captions, tokens.tokens, rankings.rankings, distances.distances, pictures.pictures,
    agreement.agreement,
)  # fmt: skip


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "data").resolve()
    head = HEAD.format(
        python=platform.python_version(),
        machine=platform.machine(),
        ours=version("mmragbench"),
        numpy=version("numpy"),
        torch=version("torch"),
    )
    pages = [head]
    for make in PARTS:
        began = time.perf_counter()
        pages.append(make(data).markdown())
        print(f"{pages[-1]}\n({make.__name__}: {time.perf_counter() - began:.0f} s)", flush=True)
    DOCUMENT.write_text("\n".join(pages).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
