from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.labels.attributes import Description, merge
from icf.dataset.report.drawing.plot import Plot
from icf.dataset.report.statistics.faces import read_faces
from icf.dataset.report.statistics.overview import (
    Overview,
    most_frequent,
    read_overview,
)
from icf.workspace import Workspace


def overview(workspace: Workspace, *yaws: float) -> Overview:
    described = [merge([Description(yaw=yaw, pitch=0, roll=0)]) for yaw in yaws]
    with workspace.catalogue.read() as connection:
        return read_overview(connection, read_faces(connection), described, None)


def named(made: Overview) -> dict[str, Plot]:
    return {each.name: each for each in made.plots}


def test_what_is_not_known_is_named_with_what_brings_it(workspace: Workspace) -> None:
    made = overview(workspace)
    assert set(named(made)) == {"resolution", "sharpness", "samples"}
    assert [name for name, _ in made.missing] == ["region", "pose", "gender"]
    assert all(source for _, source in made.missing)


def test_identities_are_counted_by_style_where_one_is_known(
    workspace: Workspace,
) -> None:
    assert "style" not in named(overview(workspace))
    with workspace.catalogue.write() as connection:
        one = schema.album.c.name == "Album 1"
        connection.execute(sa.update(schema.album).where(one).values(style="flat"))
    made = overview(workspace)
    assert list(named(made)["style"].rows) == [("flat", 5), ("not known", 10)]


def test_styles_beyond_the_most_frequent_are_counted_together() -> None:
    counts = Counter({f"style {n:02}": n for n in range(1, 12)} | {"not known": 3})
    shown = most_frequent(counts)
    assert shown["other styles"] == 1 + 2 + 3
    assert shown["not known"] == 3
    assert min(n for name, n in shown.items() if name.startswith("style")) == 4


def test_identities_are_counted_by_region_and_gender_also_unknown_ones(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.write() as connection:
        album, character = schema.album, schema.character
        where = album.c.name == "Album 1"
        connection.execute(sa.update(album).where(where).values(region="japan"))
        two = character.c.id <= 2
        connection.execute(sa.update(character).where(two).values(gender="female"))
    plots = named(overview(workspace))
    assert list(plots["region"].rows) == [("japan", 5), ("not known", 10)]
    assert list(plots["gender"].rows) == [("female", 2), ("not known", 13)]


@pytest.mark.parametrize(
    ("yaw", "place"),
    [(0, 0), (-29.9, 0), (30, 1), (-60, 2), (90, 2), (-90, 2), (90.1, 3), (180, 3)],
)
def test_a_pose_is_in_the_bin_of_its_angle_to_either_side(
    workspace: Workspace, yaw: float, place: int
) -> None:
    rows = named(overview(workspace, yaw))["pose"].rows
    assert [row[1] for row in rows] == [int(at == place) for at in range(4)]
    assert [row[2] for row in rows] == [1, 0, 0, 0]


def test_faces_are_counted_by_size_and_identity(workspace: Workspace) -> None:
    made = overview(workspace)
    plots = named(made)
    assert plots["resolution"].rows == [(90.0, made.faces)]
    samples = [int(row[1] or 0) for row in plots["samples"].rows]
    assert samples == sorted(samples, reverse=True)
    assert sum(samples) == made.faces
    beside = {what: here for what, here, _ in made.beside}
    assert beside["confirmed faces"] == str(made.faces)
    assert beside["identities"] == "15"
    assert beside["albums"] == "3"
    assert beside["faces of an identity, median"] == f"{np.median(samples):g}"
    assert beside["faces of 100 pixels or more"] == "0%"
    assert beside["faces of sharpness 100 or more"] == "100%"


def test_an_empty_catalogue_has_nothing_to_show(workspace: Workspace) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.question).values(label="open"))
        connection.execute(sa.update(schema.face).values(verdict="pending"))
    made = overview(workspace)
    assert (made.faces, list(made.plots), list(made.beside)) == (0, [], [])
    assert len(made.missing) == 6
