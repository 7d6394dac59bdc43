"""`icf-build-splits`, `icf-evaluate` and `icf-report`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from icf import __version__, command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.dataset.formats.icartoonface.detection import (
    read_dettest_csv,
    read_submission_csv,
)
from icf.dataset.formats.icartoonface.features import read_features
from icf.dataset.formats.icartoonface.recognition import read_rectest_info
from icf.dataset.release import Prepared, prepare, write
from icf.dataset.scores.detection import score_detection
from icf.dataset.scores.identification import score_identification
from icf.errors import WrongUse

_WIDE = {"max_content_width": 88}
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("icf-build-splits", context_settings=_WIDE)
@click.version_option(__version__, prog_name="icf-build-splits")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The lot."
)
@click.option("--dry-run", is_flag=True, help="Only count what would go where.")
@shared_options
@pass_invocation
@example("icf-build-splits releases/first --seed 1")
def build_splits_cli(
    invocation: Invocation, out: Path, seed: int, dry_run: bool
) -> None:
    """Write a release into the folder OUT, in iCartoonFace's file formats.

    People's answers say who is who. Identities are divided into those to train on,
    those to test with (some trained on, some never seen) and distractors that appear
    nowhere else; pictures into a detection train and test set. Train and test are
    checked for anything they share, and OUT appears only when they share nothing. The
    same catalogue and seed give the same files.
    """
    workspace = invocation.workspace
    if dry_run:
        _show_release(invocation, prepare(workspace, seed), out, written=False)
        return
    run_id = workspace.begin_run("icf-build-splits")
    prepared = prepare(workspace, seed)
    written = write(workspace, prepared, out, seed)
    workspace.end_run(run_id)
    if not written:
        invocation.say(f"{out} is this very release already; nothing was written")
    _show_release(invocation, prepared, out, written)


def _show_release(
    invocation: Invocation, prepared: Prepared, out: Path, written: bool
) -> None:
    counts = prepared.plan.counts
    result = {
        "path": str(out),
        "written": written,
        "inputs": prepared.inputs,
        "counts": counts,
        "held_back": dict(prepared.plan.held_back),
        "left_out": dict(prepared.plan.selection.left_out),
        "leaks": {check.name: check.count for check in prepared.leaks.checks},
    }
    rows = [(name.replace("_", " "), value) for name, value in counts.items()]
    for name, value in prepared.plan.held_back.items():
        rows.append((f"held back from train: {name.replace('_', ' ')}", value))
    rows.append(("leaks", sum(check.count for check in prepared.leaks.leaks)))
    invocation.emit(result, lambda: command.table(("", "count"), rows))


@click.group("icf-evaluate", context_settings=_WIDE)
@click.version_option(__version__, prog_name="icf-evaluate")
@shared_options
def evaluate_cli() -> None:
    """Score a recogniser or a detector on official files; needs no workspace."""


@evaluate_cli.command("identification")
@click.option(
    "--info",
    "info_path",
    metavar="INFO.txt",
    type=_FILE,
    required=True,
    help="The test's labels, with or without the pairs.",
)
@click.option(
    "--features",
    "features_path",
    metavar="F.bin",
    type=_FILE,
    required=True,
    help="Raw float64, a row for each picture of INFO.txt, in its order.",
)
@shared_options
@pass_invocation
@example(
    "icf-evaluate identification"
    " --info releases/first/recognition/icartoonface_rectest_info.txt"
    " --features releases/first/recognition/icartoonface_rectest_features.bin"
)
def identification_command(
    invocation: Invocation, info_path: Path, features_path: Path
) -> None:
    """Percent of pairs at rank 1, 5 and 10, as the official script counts them.

    A tie with a distractor counts against the pair.
    """
    info = read_rectest_info(info_path)
    score = asdict(
        score_identification(info, read_features(features_path, len(info.files)))
    )
    invocation.emit(score, lambda: _score_table(score, "{:.2f}%"))


@evaluate_cli.command("detection")
@click.option(
    "--truth",
    "truth_path",
    metavar="T.csv",
    type=_FILE,
    required=True,
    help="True boxes: picture,x1,y1,x2,y2,face.",
)
@click.option(
    "--detections",
    "detections_path",
    metavar="D.csv",
    type=_FILE,
    required=True,
    help="Found boxes: picture,xmin,ymin,xmax,ymax,face,score.",
)
@shared_options
@pass_invocation
@example(
    "icf-evaluate detection"
    " --truth releases/first/detection/personai_icartoonface_detval.csv"
    " --detections releases/first/detection/icartoonface_detval_detections.csv"
)
def detection_command(
    invocation: Invocation, truth_path: Path, detections_path: Path
) -> None:
    """Average precision at IoU 0.5, from 0 to 1, in three named conventions.

    They differ in the third digit: official (matched in file order), coco (AP50 of
    pycocotools) and voc_all_point (matched by score).
    """
    truth = read_dettest_csv(truth_path)
    score = asdict(score_detection(truth, read_submission_csv(detections_path)))
    invocation.emit(score, lambda: _score_table(score, "{:.4f}"))


def _score_table(score: dict[str, float], shape: str) -> object:
    rows = [
        (name, f"{value:,}" if isinstance(value, int) else shape.format(value))
        for name, value in score.items()
    ]
    return command.table(("", "score"), rows)


@click.command("icf-report", context_settings=_WIDE)
@click.version_option(__version__, prog_name="icf-report")
@click.argument("out", metavar="OUT.html", type=_FILE)
@shared_options
@pass_invocation
@example("icf-report reports/report.html")
def report_cli(invocation: Invocation, out: Path) -> None:
    """Write one HTML file that shows what the data set is and how it came to be.

    Counts, why pictures and faces were dropped, samples, licences, models, labels, the
    last release with its leak report and scores. It needs nothing beside it: open it,
    print it or send it.
    """
    # Drawing needs libraries that scoring does not wait for.
    from icf.dataset.report.page import write_report

    if not out.parent.is_dir():
        raise WrongUse(f"there is no folder {out.parent} to write {out.name} into")
    size = write_report(invocation.workspace, out)
    invocation.emit(
        {"path": str(out), "bytes": size},
        lambda: f"{out}: {size / 1_000_000:.1f} MB",
    )


def build_splits() -> None:
    """Run `icf-build-splits`."""
    command.run(build_splits_cli)


def evaluate() -> None:
    """Run `icf-evaluate`."""
    command.run(evaluate_cli)


def report() -> None:
    """Run `icf-report`."""
    command.run(report_cli)
