"""`icf-report compare`: what differs between two releases, or two workspaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.dataset.report.compare.moves import Moves, face_moves, picture_moves
from icf.dataset.report.compare.releases import (
    Release,
    in_whole_pixels,
    is_release,
    read_release,
)
from icf.dataset.report.compare.scores import Scores, compare_scores
from icf.dataset.report.compare.side import Side
from icf.dataset.report.compare.workspaces import last_release_path, read_workspace
from icf.dataset.report.drawing.bars import grouped
from icf.dataset.report.drawing.charts import bar_width
from icf.dataset.report.drawing.plot import Plot
from icf.dataset.report.templates import environment
from icf.errors import WrongUse
from icf.stores.files import replace_file
from icf.version import __version__
from icf.workspace import find

#: Albums that are listed, those that changed most first.
ALBUMS = 20
_BARS = 10


@dataclass(frozen=True)
class Counted:
    """How many of something both have."""

    name: str
    first: int
    second: int

    @property
    def change(self) -> int:
        """Second less first."""
        return self.second - self.first


@dataclass(frozen=True)
class Compared:
    """What the page shows of two sides.

    Attributes:
        first, second: the sides.
        counts: of everything that either has.
        albums: those with another number of faces, and how many such there are.
        changed_albums: how many these are in all.
        settings: key and both values, of those that differ.
        models: role and both models.
        plots: distributions of both.
        moves: of faces and pictures; empty of workspaces.
        scores: of both, None where one has none.
        earlier: names of those that an earlier version wrote, without their contents.
    """

    first: Side
    second: Side
    counts: Sequence[Counted]
    albums: Sequence[Counted]
    changed_albums: int
    settings: Sequence[tuple[str, str, str]]
    models: Sequence[tuple[str, str, str]]
    plots: Sequence[Plot]
    moves: Sequence[Moves] = ()
    scores: Scores | None = None
    earlier: Sequence[str] = ()


def compare(first: Path, second: Path, target: Path) -> dict[str, Any]:
    """Write a page about two releases or two workspaces; return what it says in short.

    Releases are read by their files alone. Of workspaces the newest releases are
    compared as well, where both are still there.

    Raises:
        WrongUse: one is neither, or they are not of one kind.
        BadInput: a file of a release is damaged.
    """
    parts = _compare(first, second)
    page = (
        environment()
        .get_template("compare/compare.html")
        .render(
            parts=parts,
            title=f"{parts[0].first.name} and {parts[0].second.name}",
            version=__version__,
        )
    )
    data = page.encode()
    replace_file(target, [data])
    return {"path": str(target), "bytes": len(data), **_short(parts[-1])}


def _compare(first: Path, second: Path) -> list[Compared]:
    kinds = [is_release(each) for each in (first, second)]
    if all(kinds):
        return [_releases(read_release(first), read_release(second))]
    for path, is_one in zip((first, second), kinds, strict=True):
        if not is_one and not (path / "icf.toml").is_file():
            raise WrongUse(
                f"{path} is neither a release (release.json) nor a workspace "
                "(icf.toml); name two folders of one kind"
            )
    if any(kinds):
        raise WrongUse(
            f"{first} and {second} are a release and a workspace; name two folders of "
            "one kind"
        )
    spaces = [find(each) for each in (first, second)]
    try:
        made = [_sides(read_workspace(spaces[0]), read_workspace(spaces[1]))]
        paths = [last_release_path(each) for each in spaces]
        newest = [Path(each) for each in paths if each and is_release(Path(each))]
        if len(newest) == 2:
            one, other = map(read_release, newest)
            made.append(_releases(one, other))
        return made
    finally:
        for each in spaces:
            each.catalogue.close()


def _releases(first: Release, second: Release) -> Compared:
    earlier = [each.side.name for each in (first, second) if each.is_earlier]
    if earlier:
        first, second = in_whole_pixels(first), in_whole_pixels(second)
    made = _sides(
        first.side,
        second.side,
        (
            face_moves(first.contents, second.contents),
            picture_moves(first.contents, second.contents),
        ),
        compare_scores(first, second),
    )
    return replace(made, earlier=earlier)


def _sides(
    first: Side,
    second: Side,
    moves: Sequence[Moves] = (),
    scores: Scores | None = None,
) -> Compared:
    albums = [each for each in _counted(first.albums, second.albums) if each.change]
    albums.sort(key=lambda each: (-abs(each.change), each.name))
    plots = (
        _plot("Resolution", "shorter side of faces, pixels", first, second, "sizes"),
        _plot("Faces an identity", "identities by faces", first, second, "samples"),
    )
    return Compared(
        first,
        second,
        _counted(first.counts, second.counts),
        albums[:ALBUMS],
        len(albums),
        [
            each
            for each in _pairs(first.settings, second.settings)
            if each[1] != each[2]
        ],
        _pairs(first.models, second.models),
        [each for each in plots if each is not None],
        moves,
        scores,
    )


def _counted(first: Mapping[str, int], second: Mapping[str, int]) -> list[Counted]:
    names = dict.fromkeys([*first, *second])
    return [Counted(each, first.get(each, 0), second.get(each, 0)) for each in names]


def _pairs(
    first: Mapping[str, str], second: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    names = dict.fromkeys([*first, *second])
    return [(each, first.get(each, ""), second.get(each, "")) for each in names]


def _plot(title: str, note: str, first: Side, second: Side, of: str) -> Plot | None:
    """Bars of both side by side; values beyond nearly all others are in the last."""
    both: list[npt.NDArray[Any]] = [getattr(each, of) for each in (first, second)]
    every = np.floor(np.concatenate(both)).astype(np.int64)
    if not len(every):
        return None
    width = bar_width(_tally(every), _BARS)
    start = int(every.min()) // width
    places = [
        np.minimum(np.floor(each).astype(np.int64) // width - start, _BARS - 1)
        for each in both
    ]
    last = max(int(each.max()) for each in places if len(each))
    counts = [np.bincount(each, minlength=last + 1).tolist() for each in places]
    names = [str((start + at) * width) for at in range(last + 1)]
    if last == _BARS - 1:
        names[-1] += "+"
    series = [
        (side.name, count) for side, count in zip((first, second), counts, strict=True)
    ]
    drawing = grouped(names, series, f"{title} of both")
    rows = list(zip(names, *counts, strict=True))
    return Plot(of, title, note, drawing, ("from", first.name, second.name), rows)


def _tally(values: npt.NDArray[np.int64]) -> dict[int, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _short(made: Compared) -> dict[str, Any]:
    """What ``--json`` prints beside the file."""
    return {
        "changed_counts": sum(bool(each.change) for each in made.counts),
        "changed_settings": len(made.settings),
        "without_contents": list(made.earlier),
        "moved": {
            each.what: {
                "shared": each.shared,
                "moved": each.moved,
                "trained_then_tested": each.trained_then_tested,
                "tested_then_trained": each.tested_then_trained,
            }
            for each in made.moves
        },
    }
