"""`icf-evaluate identification`: rank-k of a recogniser's features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icf import command
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.evaluate.recognition import (
    Asked,
    Loaded,
    interval,
    load,
    load_for,
    naming,
    pair_of,
    recognition_options,
    write_and_say,
)
from icf.errors import WrongUse

if TYPE_CHECKING:
    from icf.dataset.scores.recognition.comparison import Difference
    from icf.dataset.scores.recognition.identification import Identified
    from icf.dataset.scores.recognition.match_curve import MatchCurve

#: The ranks that are named.
_NAMED = (1, 5, 10)


@dataclass(frozen=True)
class _Compared:
    """The other recogniser.

    Attributes:
        about: What was read of it, for JSON.
        differences: To it, at each named rank.
    """

    about: Mapping[str, Any]
    differences: Sequence[Difference]


@click.command("identification")
@recognition_options
@click.option(
    "--against-features",
    metavar="FILE",
    type=GivenPath(dir_okay=False),
    help="Features of another recogniser: also say how far the two are apart.",
)
@click.option(
    "--against-model",
    metavar="NAME",
    help="The same, of an embedder that is run.",
)
@shared_options
@pass_invocation
@example(
    "icf-evaluate identification --release releases/first"
    " --features releases/first/recognition/icartoonface_rectest_features.bin"
)
def identification(
    invocation: Invocation,
    /,
    against_features: Path | None,
    against_model: str | None,
    **options: Any,
) -> None:
    """Compute the percent of pairs at rank 1, 5 and 10, as the official script does.

    A tie with a distractor counts against the pair. With each percent goes its interval
    of 95%, for which identities are drawn again, and the same for groups of pictures:
    seen and unseen in train, albums, sizes, and what else the release tells.

    Whether a recogniser is better than another one on the same pictures is what
    --against-features or --against-model says: the interval of the difference is
    narrower than those of the scores, as the same identities are drawn for both.
    """
    # Imported here, so that help and wrong use do not wait for numpy.
    from icf.dataset.scores.recognition.identification import identify
    from icf.icartoonface.recognition import count_pairs

    asked = Asked(**options)
    if against_features and against_model:
        raise WrongUse("--against-features and --against-model exclude each other")
    loaded = load(invocation, asked, against_model)
    with naming(loaded.test.path):
        found = identify(loaded.info, loaded.features, loaded.groups, asked.seed)
    compared = None
    if against_features or against_model:
        other = replace(asked, features=against_features, model=against_model, dim=None)
        compared = _compare(found, load_for(invocation, other, loaded.test), asked.seed)
    listed, every = len(loaded.test.info.pairs), count_pairs(loaded.test.info.labels)
    if 0 < listed < every:
        invocation.say(
            f"{loaded.test.path} lists {listed:,} of {every:,} pairs of pictures of "
            "one identity, and only these are scored: is the file whole?"
        )
    if found.score.caution:
        invocation.say(found.score.caution)
    if asked.plots is not None:
        _plot(invocation, asked, found)
    columns = ("", "pairs", "score", "95%")
    invocation.emit(
        {**_json(loaded, found), **_compared_json(compared)},
        lambda: command.table(
            columns, [*_rows(loaded, found), *_compared_rows(compared)]
        ),
    )


def _compare(found: Identified, other: Loaded, seed: int) -> _Compared:
    from icf.dataset.scores.recognition.comparison import compare_ranks
    from icf.dataset.scores.recognition.identification import rank_pairs

    ranks = rank_pairs(other.info, other.features)
    return _Compared(
        other.about, compare_ranks(found.ranks, ranks, found.owners, _NAMED, seed)
    )


def _compared_json(compared: _Compared | None) -> dict[str, Any]:
    if compared is None:
        return {}
    return {
        "against": {
            **compared.about,
            **{f"rank{each.rank}": each.other for each in compared.differences},
            "differences": {
                f"rank{each.rank}": {
                    "points": each.points,
                    "interval": pair_of(each.bounds),
                }
                for each in compared.differences
            },
        }
    }


def _compared_rows(compared: _Compared | None) -> Iterator[tuple[str, str, str, str]]:
    for each in compared.differences if compared else ():
        yield f"rank-{each.rank} of the other", "", f"{each.other:.2f}%", ""
        low_high = interval(each.bounds).replace("%", "")
        yield f"rank-{each.rank} less the other's", "", f"{each.points:+.2f}", low_high


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
