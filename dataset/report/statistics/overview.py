"""Figure 4 of the paper for this data set, and its table 1 beside it.

Zheng et al. 2020, section 3.2: region of identities, angles of heads, resolution,
gender, sharpness, and faces of each identity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.annotation.audits import read_last_found
from icf.catalogue.labels.attributes import Attributes
from icf.codes import Gender, Region
from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.bars import grouped
from icf.dataset.report.drawing.plot import Plot, Value
from icf.dataset.report.process.measure_charts import thresholded
from icf.dataset.report.process.measures import PAPER_SHARPNESS, Measure
from icf.dataset.report.statistics.faces import Faces

#: The angles at which the paper divides poses, in degrees.
ANGLES = (30, 60, 90)
_ANGLE_NAMES = ("under 30°", "30° to 60°", "60° to 90°", "over 90°")

#: Sides in pixels that the paper counts faces above.
SIDES = (100, 200)

#: What a source or people did not say.
UNKNOWN = "not known"
#: Styles that have a bar of their own.
_TAGS = 8
_OTHERS = "other styles"


@dataclass(frozen=True)
class Overview:
    """What the data set is.

    Attributes:
        faces: how many faces were counted.
        confirmed: whether people confirmed them.
        plots: the panels of figure 4 that have data.
        missing: what has none, and the command that brings it.
        beside: rows of a table: what, here, in the paper.
    """

    faces: int
    confirmed: bool
    plots: Sequence[Plot]
    missing: Sequence[tuple[str, str]]
    beside: Sequence[tuple[str, str, str]]


def read_overview(
    connection: sa.Connection,
    faces: Faces,
    described: Sequence[Attributes],
    release: Mapping[str, int] | None,
) -> Overview:
    """Read it.

    Args:
        connection: to the catalogue.
        faces: those of the data set.
        described: what people said of faces.
        release: the counts of the last release; None without one.
    """
    identities = np.unique(faces.identity)
    regions, styles, genders = _said_of(connection, identities)
    by_style = _named("Style", "style", most_frequent(styles), ())
    panels = (
        ("where sources say it", _named("Region", "region", regions, Region)),
        ("people describe faces: icf-annotate serve", _poses(described)),
        ("icf-filter run", _resolution(faces)),
        ("where sources say it", _named("Gender", "gender", genders, Gender)),
        ("icf-filter run", _sharpness(faces)),
        ("icf-filter run", _samples(faces)),
    )
    names = ("region", "pose", "resolution", "gender", "sharpness", "faces an identity")
    return Overview(
        len(faces),
        faces.confirmed,
        [
            *(plot for _, plot in panels if plot is not None),
            # The paper has none: nothing is missing where no list says it.
            *([by_style] if by_style is not None else []),
        ],
        [
            (name, source)
            for name, (source, plot) in zip(names, panels, strict=True)
            if plot is None
        ],
        _beside(connection, faces, described, release),
    )


def _said_of(
    connection: sa.Connection, identities: npt.NDArray[np.int64]
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Count the identities by region, by style and by gender."""
    album, character = schema.album.c, schema.character.c
    query = sa.select(
        character.id, album.region, album.style, character.gender
    ).select_from(schema.character.join(schema.album))
    wanted = set(identities.tolist())
    regions: Counter[str] = Counter()
    styles: Counter[str] = Counter()
    genders: Counter[str] = Counter()
    for identity, region, style, gender in connection.execute(query):
        if identity in wanted:
            regions[region or UNKNOWN] += 1
            styles[style or UNKNOWN] += 1
            genders[gender or UNKNOWN] += 1
    return regions, styles, genders


def most_frequent(counts: Counter[str]) -> Counter[str]:
    """The most frequent tags of a user's own, and all others together."""
    known = Counter({each: n for each, n in counts.items() if each != UNKNOWN})
    shown = Counter(dict(known.most_common(_TAGS)))
    others = known.total() - shown.total()
    rest = {_OTHERS: others, UNKNOWN: counts[UNKNOWN]}
    return shown + Counter(rest)


def _named(
    title: str, name: str, counts: Counter[str], codes: Iterable[Any]
) -> Plot | None:
    """Bars of what sources said; None where they said nothing."""
    if not counts.keys() - {UNKNOWN}:
        return None
    known = [each.value for each in codes if each.value in counts]
    # A catalogue of an earlier version may have another word.
    others = sorted(counts.keys() - {*known, UNKNOWN})
    order = [*known, *others, *([UNKNOWN] if UNKNOWN in counts else [])]
    shown = [(each, counts[each]) for each in order]
    said = "; ".join(f"{each}: {count:,}" for each, count in shown)
    drawing = grouped(
        [each for each, _ in shown],
        [("identities", [count for _, count in shown])],
        f"Identities by {name}: {said}",
    )
    note = f"identities by {name}, as their source says"
    return Plot(name, title, note, drawing, (name, "identities"), shown)


def _poses(described: Sequence[Attributes]) -> Plot | None:
    counts = {
        name: _by_angle([getattr(each, name).value for each in described])
        for name in ("yaw", "pitch", "roll")
    }
    total = sum(counts["yaw"])
    if not total:
        return None
    series = [(name, found) for name, found in counts.items()]
    rows: list[tuple[Value, ...]] = [
        (bin_, *(found[place] for _, found in series))
        for place, bin_ in enumerate(_ANGLE_NAMES)
    ]
    each = zip(_ANGLE_NAMES, counts["yaw"], strict=True)
    said = "; ".join(f"{bin_}: {yaw:,} by yaw" for bin_, yaw in each)
    drawing = grouped(_ANGLE_NAMES, series, f"Poses: {said}")
    note = (
        f"faces by angle to either side, as people described {total:,} of them; "
        f"{_percent(counts['yaw'][0], total)} are turned by under 30°"
    )
    return Plot("pose", "Pose", note, drawing, ("angle", *counts), rows)


def _by_angle(angles: Sequence[float | None]) -> list[int]:
    known = np.array([abs(each) for each in angles if each is not None], np.float64)
    places = np.searchsorted(ANGLES, known, side="right")
    # 90 degrees itself is a profile, as in the paper's "60 up to 90".
    places[known == ANGLES[-1]] = len(ANGLES) - 1
    return [int(each) for each in np.bincount(places, minlength=len(ANGLES) + 1)]


def _resolution(faces: Faces) -> Plot | None:
    return _histogram(
        "resolution",
        "Resolution",
        "shorter side of the face's box in pixels; "
        + ", ".join(
            f"{_percent(int((faces.side >= side).sum()), len(faces))} have {side}"
            for side in SIDES
        ),
        faces.side,
        10.0,
    )


def _sharpness(faces: Faces) -> Plot | None:
    known = faces.sharpness[np.isfinite(faces.sharpness)]
    enough = int((known >= PAPER_SHARPNESS).sum())
    return _histogram(
        "sharpness",
        "Sharpness",
        "Laplacian variance of the face at its own size, as in the paper; "
        f"{_percent(enough, len(known))} have {PAPER_SHARPNESS:g}",
        known,
        50.0,
    )


def _histogram(
    name: str, title: str, note: str, values: npt.NDArray[np.float64], step: float
) -> Plot | None:
    if not len(values):
        return None
    places, counts = np.unique(np.floor_divide(values, step), return_counts=True)
    bins = {int(at): (int(count), 0) for at, count in zip(places, counts, strict=True)}
    drawing = thresholded(Measure(title, note, step, bins, None))
    rows = [(at * step, count) for at, (count, _) in bins.items()]
    return Plot(name, title, note, drawing, ("from", "faces"), rows)


def _samples(faces: Faces) -> Plot | None:
    if not len(faces):
        return None
    sizes = faces.per_identity()
    half, most = int(np.median(sizes)), int(sizes[0])
    note = (
        f"{len(sizes):,} identities, the one with most faces first; half have "
        f"{half:,} or fewer, one has {most:,}"
    )
    drawing = charts.ranked(sizes.tolist(), f"Faces an identity: {note}")
    rows = list(enumerate(sizes.tolist(), start=1))
    return Plot(
        "samples", "Faces an identity", note, drawing, ("identity", "faces"), rows
    )


def _beside(
    connection: sa.Connection,
    faces: Faces,
    described: Sequence[Attributes],
    release: Mapping[str, int] | None,
) -> list[tuple[str, str, str]]:
    """Table 1, and the figures of sections 3.2 and 3.3, here and in the paper."""
    if not len(faces):
        return []
    sizes = faces.per_identity()
    yaws = _by_angle([each.yaw.value for each in described])
    sharp = faces.sharpness[np.isfinite(faces.sharpness)]
    kind = "confirmed faces" if faces.confirmed else "kept faces, not confirmed yet"
    rows = [
        (kind, f"{len(faces):,}", "389,678"),
        ("identities", f"{len(sizes):,}", "5,013"),
        ("albums", f"{_albums(connection, faces):,}", "1,302"),
        ("faces of an identity, median", f"{np.median(sizes):g}", "under 30"),
        ("faces of an identity, most", f"{sizes[0]:,}", "about 500"),
    ]
    for side, paper in zip(SIDES, ("all", "over 65%"), strict=True):
        count = int((faces.side >= side).sum())
        rows.append(
            (f"faces of {side} pixels or more", _percent(count, len(faces)), paper)
        )
    if len(sharp):
        count = int((sharp >= PAPER_SHARPNESS).sum())
        rows.append(
            ("faces of sharpness 100 or more", _percent(count, len(sharp)), "most")
        )
    if sum(yaws):
        rows.append(("faces turned by under 30°", _percent(yaws[0], sum(yaws)), "66%"))
        rows.append(
            ("faces turned by 60° to 90°", _percent(yaws[2], sum(yaws)), "about 8%")
        )
    found = read_last_found(connection)
    if found is not None:
        # The first part is what releases contain.
        bound = next(iter(found["parts"].values()))["bound"]
        rows.append(("labels wrong, at most", f"{100 * bound:.2f}%", "under 5%"))
    for part, what in (("train", "50,000 / 91,163"), ("test", "10,000 / 18,647")):
        if release and f"detection_{part}_pictures" in release:
            here = " / ".join(
                f"{release[f'detection_{part}_{each}']:,}"
                for each in ("pictures", "boxes")
            )
            rows.append((f"detection, {part}: pictures / boxes", here, what))
    return rows


def _albums(connection: sa.Connection, faces: Faces) -> int:
    query = sa.select(schema.character.c.id, schema.character.c.album_id)
    album = {identity: album for identity, album in connection.execute(query)}
    return len({album[each] for each in np.unique(faces.identity).tolist()})


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.3g}%" if total else "none"
