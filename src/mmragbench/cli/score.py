"""`mmragbench score`: scores captions, rankings and pictures of another system."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmragbench._places import check_file
from mmragbench.cli.options import expanded
from mmragbench.cli.terminal import Terminal, wide
from mmragbench.data import exclusions
from mmragbench.data.exclusions import USUAL_MAXIMUM
from mmragbench.errors import MmragbenchError
from mmragbench.submissions.problems import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmragbench.measuring.scoring import Row
    from mmragbench.submissions.submission import Submission
    from mmragbench.submissions.submission_scores import ScoredSubmission
    from mmragbench.submissions.versus import Versus

app = typer.Typer(
    no_args_is_help=True,
    help="Score what another system made: captions, rankings, pictures, in the field's formats.",
)
out = wide()
err = Terminal(stderr=True)

Tokenizer = Literal["ptb-py", "ptb-java"]


@dataclass(frozen=True)
class Options:
    """Options that all commands share: what is measured, how much may be left out, where results go."""

    measures: Annotated[
        str | None, typer.Option(metavar="A,B", help="Which measures; by default the usual ones.")
    ] = None
    missing: Annotated[
        Policy,
        typer.Option(
            help="What to do about outputs that are missing; it is part of the signature."
        ),
    ] = "error"
    max_excluded: Annotated[
        str,
        typer.Option(
            metavar="SHARE", help="How much may be missing or unreadable: 5% or a number."
        ),
    ] = USUAL_MAXIMUM
    as_json: Annotated[
        bool, typer.Option("--json", help="Print rows of summary.json; notes go to standard error.")
    ] = False
    output: Annotated[
        Path | None,
        typer.Option(help="Also write a JSON file, which gate and compare read as they do a run."),
    ] = None
    scores: Annotated[
        Path | None, typer.Option(help="Write each query's scores: .parquet or .csv.")
    ] = None
    problems: Annotated[
        Path | None, typer.Option(help="Write every missing, unknown, ... id as JSON.")
    ] = None

    def __post_init__(self) -> None:
        from mmragbench.submissions.score_output import check_ending

        try:
            exclusions.bound(self.max_excluded)
        except ValueError as error:
            raise MmragbenchError(f"--max-excluded: {error}") from error
        if self.scores:
            check_ending(self.scores)
        check_file("--output", self.output)
        check_file("--scores", self.scores)
        check_file("--problems", self.problems)

    def names(self, usual: tuple[str, ...]) -> list[str]:
        """The measures, each once."""
        names = self.measures.split(",") if self.measures else usual
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))

    def admit(self, submission: Submission) -> None:
        """Raise DataError where more is left out of a submission than may be."""
        left_out = submission.problems.left_out(submission.policy)
        exclusions.check(left_out, exclusions.bound(self.max_excluded))


@dataclass(frozen=True)
class Rival:
    """Options of the comparison with a second system."""

    against: Annotated[
        Path | None,
        typer.Option(
            help="A second system's outputs: both are scored on what both have, and compared in "
            "pairs. --scores then writes those of the first."
        ),
    ] = None
    fail_on_worse: Annotated[
        bool,
        typer.Option(
            "--fail-on-worse", help="Exit code 1 where a measure is worse than --against."
        ),
    ] = False

    def __post_init__(self) -> None:
        if self.fail_on_worse and self.against is None:
            raise MmragbenchError("--fail-on-worse needs a second system: --against FILE")


@app.command()
@expanded
def captions(
    results: Annotated[Path, typer.Argument(help="COCO results: a list of {image_id, caption}.")],
    references: Annotated[Path, typer.Option(help="COCO caption annotations.")],
    options: Options,
    rival: Rival,
    tokenizer: Annotated[
        Tokenizer,
        typer.Option(help="Ours, or pycocoevalcap's own (needs Java); told in the signature."),
    ] = "ptb-py",
) -> None:
    """Score captions: CIDEr, Bleu_1 to Bleu_4, ROUGE_L, METEOR, or any other measure of captions.

    METEOR needs Java and takes minutes for thousands of captions; leave it out by naming others:
    --measures CIDEr,Bleu_4.
    """
    from mmragbench.submissions.coco_results import captions as read
    from mmragbench.submissions.submission_scores import CAPTIONS, score_captions

    names = options.names(CAPTIONS)
    _score(
        results,
        lambda file: read(file, references, options.missing),
        lambda submission: score_captions(submission, names, tokenizer),
        options,
        rival,
    )


@app.command()
@expanded
def rankings(
    run: Annotated[Path, typer.Argument(help="A TREC run: query Q0 document rank score tag.")],
    qrels: Annotated[Path, typer.Option(help="TREC qrels, or BEIR's TSV.")],
    options: Options,
    rival: Rival,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="Which queries are about one image and are resampled together: a TSV of query and "
            "group, or COCO caption annotations (.json) whose ids are the queries."
        ),
    ] = None,
) -> None:
    """Score rankings: R@k (true recall), Success@k (hit or not), RR, nDCG, AP, P@k, Rprec.

    Queries about one image are resampled together: those of --groups; else queries named
    image#number; else those with the same only relevant document. The output says which.
    """
    from mmragbench.submissions.submission_scores import RANKINGS, score_rankings
    from mmragbench.submissions.trec_rankings import rankings as read

    names = options.names(RANKINGS)
    _score(
        run,
        lambda file: read(file, qrels, options.missing, groups),
        lambda submission: score_rankings(submission, names),
        options,
        rival,
    )


@app.command()
@expanded
def images(
    generated: Annotated[
        Path,
        typer.Argument(metavar="MADE", help="A folder of pictures, or .npz with mu, sigma."),
    ],
    real: Annotated[Path, typer.Option(help="The real ones: a folder, or .npz.")],
    options: Options,
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
) -> None:
    """Score pictures: FID, KID on named features; pairs by SSIM, PSNR, LPIPS and other measures."""
    from mmragbench.submissions import fidelity
    from mmragbench.submissions.features import Features, label, resolve
    from mmragbench.submissions.image_folders import images as read

    names = options.names(fidelity.IMAGES)
    stored = [path.suffix == ".npz" for path in (generated, real)]
    name_alone = Features(label(features) if features else "")
    network = resolve(features, weights, unchecked) if features and not all(stored) else name_alone
    if any(stored):
        submission, result = fidelity.score_moments(
            generated, real, network, names, options.missing
        )
        options.admit(submission)
    else:
        submission = read(generated, real, options.missing, pairs)
        options.admit(submission)
        result = fidelity.score_images(submission, network, names)
    _report(submission, result, options)


def _score(
    file: Path,
    read: Callable[[Path], Submission],
    score: Callable[[Submission], ScoredSubmission],
    options: Options,
    rival: Rival,
) -> None:
    """Score one file, or two and their differences, and report them."""
    submissions = [read(path) for path in filter(None, (file, rival.against))]
    for submission in submissions:
        options.admit(submission)
    if len(submissions) == 1:
        _report(submissions[0], score(submissions[0]), options)
        return
    from mmragbench.submissions.versus import versus

    result = versus(submissions[0], submissions[1], score)
    _report_both(submissions, result, options)
    if rival.fail_on_worse and any(pair.verdict == "worse" for pair in result.pairs):
        raise typer.Exit(1)


def _report(submission: Submission, result: ScoredSubmission, options: Options) -> None:
    """Write and print the scores of one submission."""
    from mmragbench._files import write_json
    from mmragbench.submissions.score_output import write_output, write_scores

    problems = submission.problems
    if options.scores:
        write_scores(options.scores, result.scores)
    if options.output:
        write_output(options.output, [(submission, result)])
    if options.problems:
        write_json(options.problems, problems.notes)
    if options.as_json:
        out.as_json(result.rows)
        err.say(json.dumps({"notes": problems.notes}))
    else:
        _print_scores(submission, result)
    _fail_on_crash(result.rows)


def _report_both(submissions: list[Submission], result: Versus, options: Options) -> None:
    """Write and print the scores of two submissions and their differences; the file of `--scores`
    has those of the first."""
    from mmragbench._files import write_json
    from mmragbench.submissions.score_output import write_output, write_scores

    rows = [row for side in result.sides for row in side.rows]
    pairs = [pair.row() for pair in result.pairs]
    notes = {own.problems.source: own.problems.notes for own in submissions}
    if options.scores:
        write_scores(options.scores, result.sides[0].scores)
    if options.output:
        write_output(options.output, zip(result.submissions, result.sides, strict=True), pairs)
    if options.problems:
        write_json(options.problems, notes)
    if options.as_json:
        out.as_json({"scores": rows, "comparisons": pairs})
        err.say(json.dumps({"notes": notes}))
    else:
        _print_both(submissions, result)
    _fail_on_crash(rows)


def _print_scores(submission: Submission, result: ScoredSubmission) -> None:
    from mmragbench.cli.score_tables import of_scores
    from mmragbench.submissions.score_output import remarks

    out.print(of_scores(result.rows))
    for line in ("", *remarks(result.rows, submission)):
        out.say(line)
    _say_unfit(submission)


def _print_both(submissions: list[Submission], result: Versus) -> None:
    from mmragbench.cli.score_tables import of_differences, of_scores
    from mmragbench.submissions import score_output, versus

    for submission, side in zip(submissions, result.sides, strict=True):
        out.say(f"{submission.problems.source}:")
        out.print(of_scores(side.rows))
        for line in (*score_output.remarks(side.rows, submission), ""):
            out.say(line)
        _say_unfit(submission)
    sources = [submission.problems.source for submission in submissions]
    out.say(f"{' - '.join(sources)}:")
    out.print(of_differences(result.pairs))
    for line in ("", *versus.remarks(result, sources, submissions[0].problems.noun)):
        out.say(line)


def _say_unfit(submission: Submission) -> None:
    """Print what did not match to standard error too, where it is seen if the table is redirected."""
    from mmragbench.submissions.score_output import unfit

    for line in unfit(submission.problems, submission.policy, examples=3):
        err.say(f"{submission.problems.source}: {line}")


def _fail_on_crash(rows: list[Row]) -> None:
    """Exit with code 1 where a measure crashed."""
    if any(row.get("absence") == "crashed" for row in rows):
        raise typer.Exit(1)
