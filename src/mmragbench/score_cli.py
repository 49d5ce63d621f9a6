"""`mmragbench score`: captions, rankings and pictures that another system made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

if TYPE_CHECKING:
    from mmragbench.outside.judging import Judged
    from mmragbench.outside.submission import Submission

app = typer.Typer(
    no_args_is_help=True,
    help="Score what another system made: captions, rankings, pictures, in the field's formats.",
)
out = Console()
err = Console(stderr=True)

Measures = Annotated[
    str | None, typer.Option(metavar="A,B", help="Which measures; by default the usual ones.")
]
Missing = Annotated[
    Literal["error", "skip", "zero"],
    typer.Option(help="What to do about outputs that are missing; it is part of the signature."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print rows of summary.json; notes go to standard error.")
]
Output = Annotated[Path | None, typer.Option(help="Also write the rows to this JSON file.")]
ScoresFile = Annotated[
    Path | None, typer.Option("--scores", help="Write each query's scores: .parquet or .csv.")
]
ProblemsFile = Annotated[
    Path | None, typer.Option("--problems", help="Write every missing, unknown, ... id as JSON.")
]


@dataclass(frozen=True)
class Ways:
    """How results leave."""

    as_json: bool
    output: Path | None
    scores: Path | None
    problems: Path | None

    def __post_init__(self) -> None:
        from mmragbench.outside.writing import check_ending

        if self.scores:
            check_ending(self.scores)


@app.command()
def captions(  # noqa: PLR0913, PLR0917 - the options of a command
    results: Annotated[Path, typer.Argument(help="COCO results: a list of {image_id, caption}.")],
    references: Annotated[Path, typer.Option(help="COCO caption annotations.")],
    measures: Measures = None,
    tokenizer: Annotated[
        Literal["ptb-py", "ptb-java"],
        typer.Option(help="Ours, or pycocoevalcap's own (needs Java); told in the signature."),
    ] = "ptb-py",
    missing: Missing = "error",
    json: AsJson = False,
    output: Output = None,
    scores: ScoresFile = None,
    problems: ProblemsFile = None,
) -> None:
    """Score captions: CIDEr, Bleu_1 to Bleu_4, ROUGE_L, METEOR.

    METEOR needs Java and takes minutes for thousands of captions; leave it out by naming others:
    --measures CIDEr,Bleu_4.
    """
    from mmragbench.outside.captions import captions as read
    from mmragbench.outside.judging import CAPTIONS, judge_captions

    ways = Ways(json, output, scores, problems)
    submission = read(results, references, missing)
    judged = judge_captions(submission, _names(measures, CAPTIONS), tokenizer)
    _leave(submission, judged, ways)


@app.command()
def rankings(  # noqa: PLR0913, PLR0917 - the options of a command
    run: Annotated[Path, typer.Argument(help="A TREC run: query Q0 document rank score tag.")],
    qrels: Annotated[Path, typer.Option(help="TREC qrels, or BEIR's TSV.")],
    measures: Measures = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="TSV of query and group: queries about one image are resampled together."
        ),
    ] = None,
    missing: Missing = "error",
    json: AsJson = False,
    output: Output = None,
    scores: ScoresFile = None,
    problems: ProblemsFile = None,
) -> None:
    """Score rankings: R@k (true recall), Success@k (hit or not), RR, nDCG, AP, P@k.

    Without --groups, intervals take queries as independent of each other.
    """
    from mmragbench.outside.judging import RANKINGS, judge_rankings
    from mmragbench.outside.rankings import rankings as read

    ways = Ways(json, output, scores, problems)
    submission = read(run, qrels, missing, groups)
    judged = judge_rankings(submission, _names(measures, RANKINGS))
    _leave(submission, judged, ways)


@app.command()
def images(  # noqa: PLR0913, PLR0917 - the options of a command
    made: Annotated[Path, typer.Argument(help="A folder of pictures, or .npz with mu, sigma.")],
    real: Annotated[Path, typer.Option(help="The real ones: a folder, or .npz.")],
    features: Annotated[
        str,
        typer.Option(
            help="inception, shipped:NAME, a folder with an open_clip model, an open_clip "
            "architecture (with --weights), or package.module:Encoder."
        ),
    ],
    weights: Annotated[
        str | None, typer.Option(help="A file of weights, or open_clip's tag.")
    ] = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Accept inception weights other than the published.")
    ] = False,
    pairs: Annotated[
        Literal["auto", "names", "none"],
        typer.Option(help="Pair files by name without ending; auto: if any names agree."),
    ] = "auto",
    measures: Measures = None,
    missing: Missing = "error",
    json: AsJson = False,
    output: Output = None,
    scores: ScoresFile = None,
    problems: ProblemsFile = None,
) -> None:
    """Score pictures: FID, KID on named features."""
    from mmragbench.outside import fidelity
    from mmragbench.outside.features import Features, label, resolve
    from mmragbench.outside.images import images as read

    ways = Ways(json, output, scores, problems)
    names = _names(measures, fidelity.IMAGES)
    stored = [path.suffix == ".npz" for path in (made, real)]
    known = Features(label(features))
    network = known if all(stored) else resolve(features, weights, unchecked)
    if any(stored):
        submission, judged = fidelity.judge_moments(made, real, network, names, missing)
    else:
        submission = read(made, real, missing, pairs)
        judged = fidelity.judge_images(submission, network, names)
    _leave(submission, judged, ways)


def _names(given: str | None, usual: tuple[str, ...]) -> list[str]:
    asked = given.split(",") if given else usual
    return list(dict.fromkeys(name.strip() for name in asked if name.strip()))


def _leave(submission: Submission, judged: Judged, ways: Ways) -> None:
    from mmragbench.outside import writing
    from mmragbench.run_folder import write_json, write_rows
    from mmragbench.stages import CRASH

    problems = submission.problems
    if ways.scores:
        writing.write_scores(ways.scores, judged)
    if ways.output:
        write_rows(ways.output, judged.rows)
    if ways.problems:
        write_json(ways.problems, problems.notes)
    if ways.as_json:
        _say(out, json.dumps(judged.rows, indent=1, ensure_ascii=False))
        _say(err, json.dumps({"notes": problems.notes}, ensure_ascii=False))
    else:
        out.print(writing.table(judged.rows))
        for line in ("", *writing.remarks(judged.rows, problems, submission.policy)):
            _say(out, line)
    if any((row.get("reason") or "").startswith(CRASH) for row in judged.rows):
        raise typer.Exit(1)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
