"""`icf-evaluate detection`: how good a detector's boxes are."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.revoked import say_if_revoked

if TYPE_CHECKING:
    from icf.dataset.cli.evaluate.detection_inputs import Asked, Inputs
    from icf.dataset.scores.detection.evaluation import Evaluation
    from icf.dataset.scores.detection.oddities import Oddities

_FILE = GivenPath(dir_okay=False)
_FOLDER = GivenPath(file_okay=False)


@click.command("detection")
@click.option(
    "--truth",
    metavar="T.csv|T.json",
    type=_FILE,
    help="True boxes: picture,x1,y1,x2,y2,face; or COCO's JSON.",
)
@click.option(
    "--release",
    metavar="DIR",
    type=_FOLDER,
    help="Instead of --truth: the detection test of a release.",
)
@click.option(
    "--detections",
    metavar="D.csv|D.json",
    type=_FILE,
    help="Detected boxes: picture,xmin,ymin,xmax,ymax,face,score; or what "
    "`icf detect --json` prints; or COCO's results.",
)
@click.option(
    "--model",
    metavar="NAME",
    help="Instead of --detections: the detector to run on the pictures of the truth, "
    "by its file, or by what the workspace calls it.",
)
@click.option(
    "--pictures",
    metavar="DIR",
    type=_FOLDER,
    help="Where the pictures lie  [default: those of the release].",
)
@click.option(
    "--plots",
    metavar="DIR",
    type=_FOLDER,
    help="Write curves as SVG and CSV, suspected label errors, and, where pictures are "
    "known, a page of the worst errors.",
)
@click.option(
    "--threshold",
    metavar="SCORE",
    type=float,
    help="The detector's own threshold  [default: that of --model].",
)
@click.option(
    "--kinds",
    metavar="K.csv",
    type=_FILE,
    help="What is known of the pictures, to score each kind by itself: a header "
    "picture,NAME,... and a row a picture.",
)
@click.option(
    "--category",
    metavar="NAME",
    help="Whose boxes are scored, where JSON has several categories.",
)
@click.option(
    "--draws",
    metavar="N",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="How often pictures are drawn for the 95% intervals; 0: none.",
)
@click.option(
    "--unverified",
    is_flag=True,
    help="Score against boxes that the detector proposed and nobody verified; this is "
    "agreement, not precision.",
)
@shared_options
@pass_invocation
@example(
    "icf-evaluate detection"
    " --truth releases/first/detection/personai_icartoonface_detval.csv"
    " --detections releases/first/detection/icartoonface_detval_detections.csv"
)
def detection(invocation: Invocation, /, **options: Any) -> None:
    """Compute average precision, in three named conventions, and what lowers it.

    At IoU 0.5, from 0 to 1: official (matched in file order), coco (AP50 of
    pycocotools) and voc_all_point (matched by score). They differ in the third digit.
    """
    from icf.dataset.cli.evaluate.detection_inputs import Asked, read_inputs
    from icf.dataset.scores.detection.evaluation import evaluate
    from icf.dataset.scores.detection.oddities import find_oddities

    asked = Asked(**options)
    inputs = read_inputs(invocation, asked)
    made = evaluate(inputs.truth, inputs.found, inputs.threshold, asked.draws)
    odd = find_oddities(inputs.truth, inputs.found)
    values: dict[str, Any] = {
        **made.values(),
        **asdict(odd),
        "resized_pictures": inputs.resized,
        "detector": inputs.detector,
        "boxes_are": "proposed" if inputs.unverified else "as given",
    }
    _caution(invocation, asked, inputs, odd, made)
    if asked.plots is not None:
        values["plots"] = _plots(invocation, asked.plots, inputs.pictures, made)
    from icf.dataset.cli.evaluate.detection_table import detection_table

    invocation.emit(values, lambda: detection_table(made, values))


def _caution(
    invocation: Invocation,
    asked: Asked,
    inputs: Inputs,
    odd: Oddities,
    made: Evaluation,
) -> None:
    """Say what a reader of the figures must know."""
    from icf.dataset.own_models import OWN_DETECTOR

    say_if_revoked(invocation, inputs.truth_path)
    for path, number in (
        (inputs.truth_path, odd.repeated_boxes),
        (asked.detections, odd.repeated_detections),
    ):
        if number:
            invocation.say(f"{path} repeats {number} boxes; each of them counts")
    for message in odd.messages():
        invocation.say(message)
    if inputs.resized:
        invocation.say(
            f"{inputs.resized:,} pictures have another size than {inputs.truth_path} "
            "says, as where they were scaled, or EXIF turns them: its boxes are "
            "elsewhere in them, and what a model finds there counts as wrong"
        )
    if not len(inputs.found.scores):
        invocation.say("there is no detection at all: every face counts as missed")
    score = made.scored.score
    if score.official_unseen:
        invocation.say(
            f"official does not see {score.official_unseen:,} detections in pictures "
            "without a box, as the published script does not"
        )
    if OWN_DETECTOR in inputs.detector:
        invocation.say(f"scored is {OWN_DETECTOR}")
    if inputs.unverified:
        invocation.say(
            "nobody verified the true boxes: the figures say how far detections agree "
            "with what a detector proposed, not how good they are"
        )


def _plots(
    invocation: Invocation, folder: Path, pictures: Path | None, made: Evaluation
) -> list[str]:
    from icf.dataset.scores.detection.plots import write_plots
    from icf.dataset.scores.detection.worst import write_worst

    written = write_plots(folder, made)
    if pictures is None:
        invocation.say("name --pictures to see the worst errors in their pictures")
    else:
        missing = write_worst(folder / "worst.html", made, pictures)
        written.append("worst.html")
        if missing:
            invocation.say(f"{missing} pictures of worst.html cannot be read")
    return [str(folder / name) for name in written]
