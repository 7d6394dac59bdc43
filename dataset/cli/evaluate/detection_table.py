"""What `icf-evaluate detection` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group

from icf import command
from icf.dataset.scores.detection.evaluation import Evaluation
from icf.dataset.scores.detection.groups import GroupScore
from icf.dataset.scores.detection.operating import OperatingPoint

if TYPE_CHECKING:
    from rich.table import Table

#: Values of a kind that are printed; --json has all.
_MOST = 20
#: Letters of a name that are printed.
_WIDEST = 72
#: What is printed of a threshold.
_POINT = (
    *("threshold", "score", "precision", "recall", "F1"),
    *("false a picture", "false an empty one"),
)


def detection_table(made: Evaluation, values: Mapping[str, Any]) -> Group:
    """The figures, each under its full name, in a few tables."""
    return Group(*_tables(made, values))


def _tables(made: Evaluation, values: Mapping[str, Any]) -> Iterator[Table]:
    yield command.table(("", "score", "95% interval"), list(_scores(made, values)))
    yield command.table(
        ("size of the face", "boxes", "coco AP50", "coco AP50:95", "coco AR"),
        [
            (name, f"{each.boxes:,}", *map(_figure, (each.ap50, each.ap, each.ar)))
            for name, each in _sizes(made)
        ],
    )
    for kind, groups in made.kinds.items():
        columns = (kind, "pictures", "boxes", "official AP50", "coco AP50")
        yield command.table(columns, list(_groups(groups)))
    yield command.table(
        ("error", "count", "coco AP50 without it"),
        [
            (name, f"{each.count:,}", f"+{each.ap:.4f}")
            for name, each in made.errors.costs.causes.items()
        ],
    )
    yield command.table(_POINT, [(name, *_point(p)) for name, p in made.points.items()])


def _scores(
    made: Evaluation, values: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    score = made.scored.score
    yield "detector", _short(values["detector"]), ""
    for name in ("pictures", "boxes", "detections"):
        yield name, f"{getattr(score, name):,}", ""
    for name in ("official", "coco", "voc_all_point"):
        value = f"{getattr(score, name):.4f}"
        yield f"{name} AP50", value, _span(made.intervals, name)
    yield from _ties(made)
    yield "coco AP50:95", _figure(score.coco_summary.ap), ""
    yield "coco AP75", _figure(score.coco_summary.ap75), ""
    yield "coco AR, 100 detections", _figure(score.coco_summary.ar_100), ""
    yield from _counts(values)


def _groups(groups: Mapping[str, GroupScore]) -> Iterator[tuple[str, ...]]:
    for name, each in list(groups.items())[:_MOST]:
        scores = f"{each.official:.4f}", f"{each.coco:.4f}"
        yield name, f"{each.pictures:,}", f"{each.boxes:,}", *scores
    if len(groups) > _MOST:
        yield f"and {len(groups) - _MOST} more: --json", "", "", "", ""


def _short(text: str) -> str:
    """Enough of it to be recognised; --json has all."""
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _span(intervals: Mapping[str, Any], name: str) -> str:
    if name not in intervals:
        return ""
    return f"{intervals[name].low:.4f} to {intervals[name].high:.4f}"


def _ties(made: Evaluation) -> Iterator[tuple[str, str, str]]:
    score = made.scored.score
    if score.official_low != score.official_high:
        low, high = f"{score.official_low:.4f}", f"{score.official_high:.4f}"
        yield "official, by the order of ties", f"{low} to {high}", ""


def _counts(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    calibration = values["calibration"]
    if calibration:
        yield "calibration error of scores", f"{calibration['error']:.4f}", ""
    for name, number in values["suspects"].items():
        yield f"suspected in the truth: {name}", f"{number:,}", ""
    for name in ("repeated_boxes", "repeated_detections"):
        if values[name]:
            yield name.replace("_", " "), f"{values[name]:,}", ""


def _sizes(made: Evaluation) -> Iterator[tuple[str, Any]]:
    yield from made.sizes.items()
    for name, each in (made.shares or {}).items():
        yield f"{name} of the picture", each


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _point(each: OperatingPoint) -> tuple[str, ...]:
    return (
        f"{each.threshold:.3f}",
        _figure(each.precision),
        f"{each.recall:.4f}",
        f"{each.f1:.4f}",
        f"{each.false_per_picture:.2f}",
        ""
        if each.false_per_empty_picture is None
        else f"{each.false_per_empty_picture:.2f}",
    )
