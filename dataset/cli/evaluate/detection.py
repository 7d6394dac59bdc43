"""`icf-evaluate detection`: average precision of a detector's boxes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.evaluate.table import score_table

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("detection")
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
def detection(invocation: Invocation, truth_path: Path, detections_path: Path) -> None:
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
    coco = {f"coco_{name}": value for name, value in score["coco_summary"].items()}
    shown = {**score, **coco}
    del shown["coco_summary"]
    rows = {name: value for name, value in shown.items() if value is not None}
    invocation.emit(score, lambda: score_table(rows, "{:.4f}"))
