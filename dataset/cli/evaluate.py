"""`icf-evaluate`: score a recogniser or a detector on official files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options

_FILE = click.Path(path_type=Path, dir_okay=False)

cli = command.group(
    "icf-evaluate",
    "Score a recogniser or a detector on official files; needs no workspace.",
)


@cli.command("identification")
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
    help="A row per picture of INFO.txt, in its order: raw float64 or float32, or "
    ".npy.",
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
    """Compute the percent of pairs at rank 1, 5 and 10, as the official script does.

    A tie with a distractor counts against the pair.
    """
    # Imported here, so that help and wrong use do not wait for numpy.
    from icf.dataset.scores.identification import score_identification
    from icf.icartoonface.features import read_features
    from icf.icartoonface.recognition import read_rectest_info

    info = read_rectest_info(info_path)
    features = read_features(features_path, len(info.files))
    if features.dtype != float and features_path.suffix != ".npy":
        invocation.say(f"{features_path} holds {features.dtype}, by its numbers")
    made = score_identification(info, features)
    if made.caution:
        invocation.say(made.caution)
    score = asdict(made)
    invocation.emit(
        {**score, "caution": made.caution}, lambda: _score_table(score, "{:.2f}%")
    )


@cli.command("detection")
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
    help="Detected boxes: picture,xmin,ymin,xmax,ymax,face,score; or what "
    "`icf detect --json` prints.",
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
    """Compute average precision at IoU 0.5, from 0 to 1, in three named conventions.

    They differ in the third digit: official (matched in file order), coco (AP50 of
    pycocotools) and voc_all_point (matched by score).
    """
    from icf.dataset.formats.icartoonface.detected import read_detections
    from icf.dataset.scores.detection import score_detection
    from icf.icartoonface.detection import read_dettest_csv

    truth = read_dettest_csv(truth_path)
    detections = read_detections(detections_path, truth.pictures)
    score = asdict(score_detection(truth, detections))
    for path, boxes in ((truth_path, truth), (detections_path, detections)):
        if boxes.repeated:
            invocation.say(
                f"{path} repeats {boxes.repeated} boxes; each of them counts"
            )
    score["repeated_boxes"] = truth.repeated
    score["repeated_detections"] = detections.repeated
    invocation.emit(score, lambda: _score_table(score, "{:.4f}"))


def _score_table(score: dict[str, float], shape: str) -> object:
    rows = [
        (name, f"{value:,}" if isinstance(value, int) else shape.format(value))
        for name, value in score.items()
    ]
    return command.table(("", "score"), rows)


def main() -> None:
    """Run `icf-evaluate`."""
    command.run(cli)
