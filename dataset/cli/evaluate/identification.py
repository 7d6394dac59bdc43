"""`icf-evaluate identification`: rank-k of a recogniser's features."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.evaluate.table import score_table

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("identification")
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
def identification(
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
        {**score, "caution": made.caution}, lambda: score_table(score, "{:.2f}%")
    )
