"""`icf-evaluate identification`: rank-k of a recogniser's features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.evaluate.recognition import (
    Asked,
    Loaded,
    interval,
    load,
    pair_of,
    recognition_options,
    write_and_say,
)

if TYPE_CHECKING:
    from icf.dataset.scores.recognition.identification import Identified
    from icf.dataset.scores.recognition.match_curve import MatchCurve

#: The ranks that are named.
_NAMED = (1, 5, 10)


@click.command("identification")
@recognition_options
@shared_options
@pass_invocation
@example(
    "icf-evaluate identification --release releases/first"
    " --features releases/first/recognition/icartoonface_rectest_features.bin"
)
def identification(invocation: Invocation, /, **options: Any) -> None:
    """Compute the percent of pairs at rank 1, 5 and 10, as the official script does.

    A tie with a distractor counts against the pair. With each percent goes its interval
    of 95%, for which identities are drawn again, and the same for groups of pictures:
    seen and unseen in train, albums, sizes, and what else the release tells.
    """
    # Imported here, so that help and wrong use do not wait for numpy.
    from icf.dataset.scores.recognition.identification import identify

    asked = Asked(**options)
    loaded = load(invocation, asked)
    found = identify(loaded.info, loaded.features, loaded.groups, asked.seed)
    if found.score.caution:
        invocation.say(found.score.caution)
    if asked.plots is not None:
        _plot(invocation, asked, found)
    columns = ("", "pairs", "score", "95%")
    invocation.emit(
        _json(loaded, found), lambda: command.table(columns, list(_rows(loaded, found)))
    )


def _json(loaded: Loaded, found: Identified) -> dict[str, Any]:
    whole = found.curves.all
    return {
        **asdict(found.score),
        "caution": found.score.caution,
        **loaded.about,
        "intervals": {f"rank{k}": pair_of(whole.at(k)[1]) for k in _NAMED},
        "cmc": _curve(whole),
        "groups": {
            kind: {
                name: {
                    "pairs": curve.pairs,
                    "identities": curve.identities,
                    **{f"rank{k}": curve.at(k)[0] for k in _NAMED},
                    "intervals": {f"rank{k}": pair_of(curve.at(k)[1]) for k in _NAMED},
                }
                for name, curve in curves.items()
            }
            for kind, curves in found.curves.groups.items()
        },
    }


def _curve(curve: MatchCurve) -> list[dict[str, float | None]]:
    return [
        {"rank": rank, "percent": percent, "low": bounds.low, "high": bounds.high}
        for rank, (percent, bounds) in enumerate(
            zip(curve.percent, curve.bounds, strict=True), start=1
        )
    ]


def _rows(loaded: Loaded, found: Identified) -> Iterator[tuple[str, str, str, str]]:
    score = found.score
    for name in ("probes", "identities", "distractors"):
        yield name, "", f"{getattr(score, name):,}", ""
    yield "numbers a picture", "", f"{loaded.about['dim']:,}", ""
    for k in _NAMED:
        yield _row(f"rank-{k}", found.curves.all, k)
    for kind, curves in found.curves.groups.items():
        for name, curve in curves.items():
            yield _row(f"rank-1, {kind}: {name}", curve, 1)


def _row(title: str, curve: MatchCurve, rank: int) -> tuple[str, str, str, str]:
    percent, bounds = curve.at(rank)
    return title, f"{curve.pairs:,}", f"{percent:.2f}%", interval(bounds)


def _plot(invocation: Invocation, asked: Asked, found: Identified) -> None:
    from icf.dataset.scores.plots import Line, Plot

    assert asked.plots is not None
    curves = {"all": found.curves.all, **found.curves.groups.get("role", {})}
    lines = [
        Line(
            name,
            [float(rank) for rank in range(1, len(each.percent) + 1)],
            each.percent,
            [bounds.low for bounds in each.bounds],
            [bounds.high for bounds in each.bounds],
        )
        for name, each in curves.items()
    ]
    title = "Cumulative match, with intervals of 95%"
    plot = Plot(title, "rank", "% of pairs", lines)
    write_and_say(invocation, asked.plots, "cmc", plot)
