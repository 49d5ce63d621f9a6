"""A thousand calls to an unreliable server: is each answered or accounted for, and paid once?

    python benchmarks/api_faults.py [QUERIES]

A chat model reads what two strategies retrieve for 500 pictures: a thousand prompts. The server (on
127.0.0.1, part of the tests) fails a fifth of the requests: 429 with Retry-After, 500, replies that are
cut off, connections that break, replies that come too late; and refuses a fiftieth of the prompts
for good. The run is killed twice and started again; then it is run with a budget that is too small.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support import served
from support.loopback import FINAL, Loopback, named
from support.served import Place

CONCURRENCY = 16
SEED = 11


def main() -> None:
    queries = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        data = served.write(root / "coco", memory=2 * queries, queries=queries)
        lines = [*_calm(data, root / "calm"), *_killed(data, root / "killed", root / "calm")]
        lines += _poor(data, root / "poor", root / "calm")
    width = max(len(what) for what, _ in lines)
    print("\n".join(f"{what:<{width}}  {told}" for what, told in lines))


def _suite(data: Path, url: str, **changes: object) -> dict:
    content = served.suite(data, url, **changes)
    content["models"]["gpt"]["calls"]["concurrency"] = CONCURRENCY
    return content


def _calm(data: Path, folder: Path) -> list[tuple[str, str]]:
    with Loopback(final=0.02, seed=SEED, latency=0.02, answer=named) as server:
        began = time.perf_counter()
        _done(*Place(folder).run(_suite(data, server.url)))
        seconds = time.perf_counter() - began
        asked = len(server.asked)
        (folder / "bill").write_text(str(served.bill(server)))
    return [("undisturbed", f"{asked:,} calls, {seconds:.0f} s")]


def _killed(data: Path, folder: Path, calm: Path) -> list[tuple[str, str]]:
    place = Place(folder)
    faults = Loopback(faults=0.2, final=0.02, seed=SEED, latency=0.02, slow=4.0, answer=named)
    with faults as server:
        content, again = _suite(data, server.url), 0
        began = time.perf_counter()
        for share in (0.3, 0.65):
            process = place.start(content)
            served.kill_after(process, server, int(share * 2 * len(list(data.glob("val2017/*")))))
            kept, before = set(place.stored()), len(server.asked)
            process = place.start(content)
            served.kill_after(process, server, len(server.answered) + 20)
            again += len(kept & {asked.key for asked in server.asked[before:]})
        before = len(server.asked)
        kept = set(place.stored())
        _done(*place.run(content))
        again += len(kept & {asked.key for asked in server.asked[before:]})
        seconds = time.perf_counter() - began
        refused = {asked.key for asked in server.asked if asked.fault in FINAL}
        prompts = {asked.key for asked in server.asked}
        twice = set(served.answered_twice(server)) - refused
        ledger, bill = place.ledger(), served.bill(server)
        met = Counter(asked.fault for asked in server.asked if asked.fault)
    failed = json.loads((place.run_folder / "failures.json").read_text())
    answered = len(set(place.stored()))
    same = _summary(place) == _summary(Place(calm))
    passing = sum(n for fault, n in met.items() if fault not in FINAL)
    return [
        ("requests", f"{len(server.asked):,} for {len(prompts):,} prompts, {seconds:.0f} s, "
                     "killed 4 times"),
        ("injected faults", f"{passing:,} ({100 * passing / len(server.asked):.1f} %): "
                            + ", ".join(f"{f} {n}" for f, n in sorted(met.items()))),
        ("answered", f"{answered:,} prompts"),
        ("refused for good", f"{len(refused):,} prompts, {len(failed):,} errors in the results"),
        ("neither", f"{len(prompts) - answered - len(refused):,}"),
        ("stored and asked again", f"{again:,}"),
        ("answered twice", f"{len(twice):,} (at most {4 * CONCURRENCY}: what was under way)"),
        ("server's bill", f"${bill:.4f}"),
        ("ledger", f"${served.known(ledger):.4f} known, ${served.unsure(ledger):.4f} at most for "
                   "replies that never came"),
        ("bill within the ledger", _yes(_between(served.known(ledger), bill, served.unsure(ledger)))),
        ("summary as undisturbed", _yes(same)),
    ]  # fmt: skip


def _poor(data: Path, folder: Path, calm: Path) -> list[tuple[str, str]]:
    place, budget = Place(folder), round(0.6 * float((calm / "bill").read_text()), 2)
    faults = Loopback(faults=0.2, final=0.02, seed=SEED, latency=0.02, slow=4.0, answer=named)
    with faults as server:
        code, errors = place.run(_suite(data, server.url, budget=budget))
        bill, ledger = served.bill(server), place.ledger()
        counted = served.known(ledger) + served.unsure(ledger)
        message = errors.splitlines()[-1]
        _done(*place.run(_suite(data, server.url, budget=1000.0)))
        refused = {asked.key for asked in server.asked if asked.fault in FINAL}
        twice = set(served.answered_twice(server)) - refused
    return [
        ("budget", f"${budget:.2f}: exit code {code}, server's bill ${bill:.4f}, ${counted:.4f} "
                   "with lost replies"),
        ("kept", _yes(bill <= budget and counted <= budget)),
        ("said", message),
        ("with a larger one", f"finished, {len(twice)} prompts answered twice, summary as "
                              f"undisturbed: {_yes(_summary(place) == _summary(Place(calm)))}"),
    ]  # fmt: skip


def _between(low: float, bill: float, unsure: float) -> bool:
    return low - 1e-9 <= bill <= low + unsure + 1e-9


def _summary(place: Place) -> list:
    found: list = json.loads((place.run_folder / "summary.json").read_text())
    return found


def _done(code: int, errors: str) -> None:
    if code:
        raise SystemExit(errors)


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"


if __name__ == "__main__":
    main()
