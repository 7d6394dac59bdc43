"""`icf-evaluate verification`: whether two pictures are of one character."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icf import command
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.evaluate.rates import Names
from icf.dataset.cli.evaluate.recognition import (
    Asked,
    Loaded,
    interval,
    load,
    naming,
    pair_of,
    recognition_options,
    write_and_say,
)
from icf.errors import WrongUse

if TYPE_CHECKING:
    from icf.dataset.scores.recognition.pair_blocks import Pairs
    from icf.dataset.scores.recognition.verification import Verification


_NAMES = Names(
    false="FAR",
    true="TAR",
    needed="impostor pairs",
    grouped="pairs",
    right="accepted",
    wrong="false_accepts",
)


@click.command("verification")
@recognition_options
@click.option(
    "--pairs",
    "pairs_path",
    metavar="PAIRS.txt",
    type=GivenPath(dir_okay=False),
    help="Score these pairs only: two pictures of the list a line, or those of LFW.",
)
@shared_options
@pass_invocation
@example(
    "icf-evaluate verification --release releases/first"
    " --features releases/first/recognition/icartoonface_rectest_features.bin"
)
def verification(
    invocation: Invocation, /, pairs_path: Path | None, **options: Any
) -> None:
    """Compute the true accept rate (TAR) at false accept rates (FAR) of 0.1 to 1e-6.

    Every pair of pictures of the test is compared, but for pairs of two distractors. A
    rate for which there are too few impostor pairs is refused, and said. The interval
    of 95% is for identities that are drawn again. EER is the equal error rate.
    """
    # Imported here, so that help and wrong use do not wait for numpy.
    from icf.dataset.scores.recognition.verification import verify

    asked = Asked(**options)
    if pairs_path is not None and asked.templates is not None:
        raise WrongUse(
            "--pairs names pictures, and --templates has none: leave out one"
        )
    loaded = load(invocation, asked)
    pairs = _pairs(loaded, pairs_path)
    with naming(pairs_path or loaded.test.path):
        found = verify(pairs, loaded.groups, asked.seed)
    for refusal in filter(None, map(_NAMES.refusal, found.operating)):
        invocation.say(refusal)
    if asked.plots is not None:
        _plot(invocation, asked, found)
    columns = ("", "accepted", "score", "95%", "threshold")
    invocation.emit(
        _json(loaded, found), lambda: command.table(columns, list(_rows(loaded, found)))
    )


def _pairs(loaded: Loaded, path: Path | None) -> Pairs:
    from icf.dataset.scores.recognition.pair_blocks import AllPairs, ListedPairs
    from icf.dataset.scores.recognition.pairs_file import read_pairs
    from icf.dataset.scores.recognition.unit_vectors import check_features, unit

    check_features(loaded.info.files, loaded.features)
    units = unit(loaded.features)
    if path is None:
        return AllPairs.of(loaded.info, units)
    return ListedPairs(loaded.info.labels, units, read_pairs(path, loaded.info))


def _json(loaded: Loaded, found: Verification) -> dict[str, Any]:
    return {
        **_figures(found),
        "tar": [_NAMES.as_json(each) for each in found.operating],
        "groups": {
            kind: {name: _group(each) for name, each in named.items()}
            for kind, named in found.groups.items()
        },
        **loaded.about,
        "det": [
            {"far": p.far, "frr": p.frr, "low": p.bounds.low, "high": p.bounds.high}
            for p in found.curve
        ],
    }


def _figures(found: Verification) -> dict[str, Any]:
    return {
        "genuine_pairs": found.genuine,
        "impostor_pairs": found.impostors,
        "identities": found.identities,
        "eer": found.eer,
        "eer_interval": pair_of(found.eer_bounds),
        "eer_threshold": found.eer_threshold,
    }


def _group(found: Verification) -> dict[str, Any]:
    """The pairs within a group, at the rates that they support."""
    made = [each for each in found.operating if each.share is not None]
    return {**_figures(found), "tar": [_NAMES.figures(each) for each in made]}


def _rows(loaded: Loaded, found: Verification) -> Iterator[tuple[str, ...]]:
    yield "genuine pairs", "", f"{found.genuine:,}", "", ""
    yield "impostor pairs", "", f"{found.impostors:,}", "", ""
    yield "identities", "", f"{found.identities:,}", "", ""
    yield "numbers a picture", "", f"{loaded.about['dim']:,}", "", ""
    eer = interval(found.eer_bounds, 100)
    yield "EER", "", f"{found.eer:.2%}", eer, f"{found.eer_threshold:.4f}"
    for each in found.operating:
        yield _NAMES.row(each)
        for name, one in each.groups.get("role", {}).items():
            yield f"  {name}", "", f"{one.share:.2%}", interval(one.bounds, 100), ""


def _plot(invocation: Invocation, asked: Asked, found: Verification) -> None:
    from icf.dataset.scores.plots import Line, Plot

    assert asked.plots is not None
    line = Line(
        "all pairs",
        [each.far for each in found.curve][::-1],
        [each.frr for each in found.curve][::-1],
        [each.bounds.low for each in found.curve][::-1],
        [each.bounds.high for each in found.curve][::-1],
    )
    plot = Plot(
        "Error trade-off, with intervals of 95%",
        "false accept rate",
        "false reject rate",
        [line],
        log_x=True,
        most=1.0,
    )
    write_and_say(invocation, asked.plots, "det", plot)
