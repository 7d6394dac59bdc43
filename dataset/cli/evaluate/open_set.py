"""`icf-evaluate open-set`: who a picture shows, if anybody that is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.evaluate.rates import Names
from icf.dataset.cli.evaluate.recognition import (
    Asked,
    Loaded,
    load,
    naming,
    recognition_options,
    write_and_say,
)

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import NDArray

    from icf.dataset.scores.recognition.open_set import OpenSetScore


_NAMES = Names(
    false="FPIR",
    true="TPIR",
    needed="non-mated probes",
    grouped="probes",
    right="hits",
    wrong="false_positives",
)


@click.command("open-set")
@recognition_options
@shared_options
@pass_invocation
@example(
    "icf-evaluate open-set --release releases/first"
    " --features releases/first/recognition/icartoonface_rectest_features.bin"
)
def open_set(invocation: Invocation, /, **options: Any) -> None:
    """Compute the share of pictures identified (TPIR) at false identifications (FPIR).

    Of every known identity one picture, or template, is enrolled; the others are to be
    identified. Identities that are in train are known, and the test's other identities
    and the distractors are not; where the release does not say so, all but the
    distractors are known. A hit needs its mate on top, and above the threshold.
    """
    # Imported here, so that help and wrong use do not wait for numpy.
    from icf.dataset.scores.recognition.open_set import divide, score_open_set

    asked = Asked(**options)
    loaded = load(invocation, asked)
    with naming(loaded.test.path):
        parts = divide(loaded.info, _known(loaded), asked.seed)
        found = score_open_set(
            loaded.info, loaded.features, parts, loaded.groups, asked.seed
        )
    for refusal in filter(None, map(_NAMES.refusal, found.rates)):
        invocation.say(refusal)
    if asked.plots is not None:
        _plot(invocation, asked, found)
    columns = ("", "identified", "score", "95%", "threshold")
    invocation.emit(
        _json(loaded, found), lambda: command.table(columns, list(_rows(loaded, found)))
    )


def _known(loaded: Loaded) -> NDArray[bool_] | None:
    """The pictures of identities in train; None: the release does not say."""
    from icf.dataset.scores.recognition.release_groups import SEEN

    role = loaded.groups.get("role")
    if role is None or SEEN not in role.names:
        return None
    known = role.codes == role.names.index(SEEN)
    return known if known.any() else None


def _json(loaded: Loaded, found: OpenSetScore) -> dict[str, Any]:
    return {
        "gallery": found.gallery,
        "mated_probes": found.mated,
        "non_mated_probes": found.non_mated,
        "known": "all labelled" if _known(loaded) is None else "seen in train",
        "rank1": 100 * found.rank1,
        "tpir": [_NAMES.as_json(each) for each in found.rates],
        **loaded.about,
    }


def _rows(loaded: Loaded, found: OpenSetScore) -> Iterator[tuple[str, ...]]:
    yield "identities enrolled", "", f"{found.gallery:,}", "", ""
    yield "mated probes", "", f"{found.mated:,}", "", ""
    yield "non-mated probes", "", f"{found.non_mated:,}", "", ""
    yield "numbers a picture", "", f"{loaded.about['dim']:,}", "", ""
    yield "mate on top", "", f"{found.rank1:.2%}", "", ""
    yield from map(_NAMES.row, found.rates)


def _plot(invocation: Invocation, asked: Asked, found: OpenSetScore) -> None:
    from icf.dataset.scores.plots import Line, Plot

    assert asked.plots is not None
    made = [each for each in found.rates if each.share is not None][::-1]
    if not made:
        invocation.say(f"nothing is written to {asked.plots}: no rate has a score")
        return
    line = Line(
        "mated probes",
        [each.rate for each in made],
        [each.share or 0.0 for each in made],
        [each.bounds.low for each in made],
        [each.bounds.high for each in made],
    )
    plot = Plot(
        "Open-set identification, with intervals of 95%",
        "false positive identification rate",
        "true positive identification rate",
        [line],
        log_x=True,
        most=1.0,
    )
    write_and_say(invocation, asked.plots, "open-set", plot)
