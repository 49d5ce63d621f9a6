"""`mmragbench score`: captions, rankings and pictures that another system made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmragbench._places import check_file
from mmragbench.cli.terminal import Terminal
from mmragbench.data import exclusions
from mmragbench.data.exclusions import USUAL_MAXIMUM
from mmragbench.errors import MmragbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmragbench.measuring.scoring import Row
    from mmragbench.submissions.scoring import Judged
    from mmragbench.submissions.submission import Submission
    from mmragbench.submissions.versus import Versus

app = typer.Typer(
    no_args_is_help=True,
    help="Score what another system made: captions, rankings, pictures, in the field's formats.",
)
out = Terminal()
err = Terminal(stderr=True)

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
Against = Annotated[
    Path | None,
    typer.Option(
        help="A second system's outputs: both are scored on what both have, and compared in "
        "pairs. --scores then writes those of the first."
    ),
]


MaxExcluded = Annotated[
    str,
    typer.Option(metavar="SHARE", help="How much may be missing or unreadable: 5% or a number."),
]


@dataclass(frozen=True)
class Ways:
    """How results leave; and how much may be left out for them to be numbers at all."""

    max_excluded: str
    as_json: bool
    output: Path | None
    scores: Path | None
    problems: Path | None

    def __post_init__(self) -> None:
        from mmragbench.submissions.writing import check_ending

        try:
            exclusions.bound(self.max_excluded)
        except ValueError as error:
            raise MmragbenchError(f"--max-excluded: {error}") from error
        if self.scores:
            check_ending(self.scores)
        check_file("--output", self.output)
        check_file("--scores", self.scores)
        check_file("--problems", self.problems)

    def admit(self, submission: Submission) -> None:
        """Refuse what too much is left out of."""
        left = submission.problems.left_out(submission.policy)
        exclusions.check(left, exclusions.bound(self.max_excluded))


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
    max_excluded: MaxExcluded = USUAL_MAXIMUM,
    against: Against = None,
    json: AsJson = False,
    output: Output = None,
    scores: ScoresFile = None,
    problems: ProblemsFile = None,
) -> None:
    """Score captions: CIDEr, Bleu_1 to Bleu_4, ROUGE_L, METEOR, or any other measure of captions.

    METEOR needs Java and takes minutes for thousands of captions; leave it out by naming others:
    --measures CIDEr,Bleu_4.
    """
    from mmragbench.submissions.captions import captions as read
    from mmragbench.submissions.scoring import CAPTIONS, judge_captions

    ways = Ways(max_excluded, json, output, scores, problems)
    names = _names(measures, CAPTIONS)
    files = [results] if against is None else [results, against]
    submissions = [read(file, references, missing) for file in files]
    _judge(submissions, lambda given: judge_captions(given, names, tokenizer), ways)


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
    max_excluded: MaxExcluded = USUAL_MAXIMUM,
    against: Against = None,
    json: AsJson = False,
    output: Output = None,
    scores: ScoresFile = None,
    problems: ProblemsFile = None,
) -> None:
    """Score rankings: R@k (true recall), Success@k (hit or not), RR, nDCG, AP, P@k, Rprec.

    Without --groups, intervals take queries as independent of each other.
    """
    from mmragbench.submissions.rankings import rankings as read
    from mmragbench.submissions.scoring import RANKINGS, judge_rankings

    ways = Ways(max_excluded, json, output, scores, problems)
    names = _names(measures, RANKINGS)
    files = [run] if against is None else [run, against]
    submissions = [read(file, qrels, missing, groups) for file in files]
    _judge(submissions, lambda given: judge_rankings(given, names), ways)


@app.command()
def images(  # noqa: PLR0913, PLR0917 - the options of a command
    made: Annotated[Path, typer.Argument(help="A folder of pictures, or .npz with mu, sigma.")],
    real: Annotated[Path, typer.Option(help="The real ones: a folder, or .npz.")],
    features: Annotated[
        str | None,
        typer.Option(
            help="What FID, KID and MIFID compare: inception, shipped:NAME, a folder with an "
            "open_clip model, an open_clip architecture (with --weights), or "
            "package.module:Encoder; inception-logits for InceptionScore."
        ),
    ] = None,
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
    max_excluded: MaxExcluded = USUAL_MAXIMUM,
    json: AsJson = False,
    output: Output = None,
    scores: ScoresFile = None,
    problems: ProblemsFile = None,
) -> None:
    """Score pictures: FID, KID on named features; pairs by SSIM, PSNR, LPIPS and other measures."""
    from mmragbench.submissions import fidelity
    from mmragbench.submissions.features import Features, label, resolve
    from mmragbench.submissions.images import images as read

    ways = Ways(max_excluded, json, output, scores, problems)
    names = _names(measures, fidelity.IMAGES)
    stored = [path.suffix == ".npz" for path in (made, real)]
    known = Features(label(features) if features else "")
    network = resolve(features, weights, unchecked) if features and not all(stored) else known
    if any(stored):
        submission, judged = fidelity.judge_moments(made, real, network, names, missing)
        ways.admit(submission)
    else:
        submission = read(made, real, missing, pairs)
        ways.admit(submission)
        judged = fidelity.judge_images(submission, network, names)
    _leave(submission, judged, ways)


def _names(given: str | None, usual: tuple[str, ...]) -> list[str]:
    asked = given.split(",") if given else usual
    return list(dict.fromkeys(name.strip() for name in asked if name.strip()))


def _judge(
    submissions: list[Submission], judge: Callable[[Submission], Judged], ways: Ways
) -> None:
    for submission in submissions:
        ways.admit(submission)
    if len(submissions) == 1:
        _leave(submissions[0], judge(submissions[0]), ways)
        return
    from mmragbench.submissions.versus import versus

    _leave_both(submissions, versus(submissions[0], submissions[1], judge), ways)


def _leave_both(submissions: list[Submission], found: Versus, ways: Ways) -> None:
    """As `_leave`, with the comparison below; `--scores` are those of the first."""
    from mmragbench._files import write_json
    from mmragbench.cli.score_tables import of_differences, of_scores
    from mmragbench.submissions import versus as against
    from mmragbench.submissions import writing

    rows = [row for side in found.sides for row in side.rows]
    document = {"scores": rows, "comparisons": [pair.row() for pair in found.pairs]}
    sources = [given.problems.source for given in submissions]
    notes = {given.problems.source: given.problems.notes for given in submissions}
    if ways.scores:
        writing.write_scores(ways.scores, found.sides[0])
    if ways.output:
        write_json(ways.output, document)
    if ways.problems:
        write_json(ways.problems, notes)
    if ways.as_json:
        out.as_json(document)
        err.say(json.dumps({"notes": notes}))
    else:
        for given, side in zip(submissions, found.sides, strict=True):
            out.say(f"{given.problems.source}:")
            out.print(of_scores(side.rows))
            for line in (*writing.remarks(side.rows, given.problems, given.policy), ""):
                out.say(line)
            _say_unfit(given)
        out.say(f"{' - '.join(sources)}:")
        noun = submissions[0].problems.noun
        out.print(of_differences(found.pairs))
        for line in ("", *against.remarks(found, sources, noun)):
            out.say(line)
    _fail_on_crash(rows)


def _leave(submission: Submission, judged: Judged, ways: Ways) -> None:
    from mmragbench._files import write_json, write_rows
    from mmragbench.cli.score_tables import of_scores
    from mmragbench.submissions import writing

    problems = submission.problems
    if ways.scores:
        writing.write_scores(ways.scores, judged)
    if ways.output:
        write_rows(ways.output, judged.rows)
    if ways.problems:
        write_json(ways.problems, problems.notes)
    if ways.as_json:
        out.as_json(judged.rows)
        err.say(json.dumps({"notes": problems.notes}))
    else:
        out.print(of_scores(judged.rows))
        for line in ("", *writing.remarks(judged.rows, problems, submission.policy)):
            out.say(line)
        _say_unfit(submission)
    _fail_on_crash(judged.rows)


def _say_unfit(submission: Submission) -> None:
    """On standard error too, where it is seen although the table goes elsewhere."""
    from mmragbench.submissions.writing import unfit

    for line in unfit(submission.problems, submission.policy, examples=3):
        err.say(f"{submission.problems.source}: {line}")


def _fail_on_crash(rows: list[Row]) -> None:
    if any(row.get("absence") == "crashed" for row in rows):
        raise typer.Exit(1)
