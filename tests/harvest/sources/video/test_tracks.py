import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.app.why import explain
from icf.catalogue.schema import face, face_link, url
from icf.harvest.sources.video.found import Box
from icf.harvest.sources.video.tracks import ShotTracks
from tests.filter.workspaces import run_filter
from tests.harvest.sources.video.films import scenes, two_faces, write_film
from tests.harvest.sources.video.test_source import made, run

pytestmark = pytest.mark.slow


def moved(box: Box, right: float) -> Box:
    return (box[0] + right, box[1], box[2] + right, box[3])


def test_faces_that_cross_keep_their_tracks() -> None:
    left, right = (0.0, 0.0, 40.0, 40.0), (200.0, 0.0, 240.0, 40.0)
    faces = ShotTracks()
    for step in range(21):
        faces.see(step / 5, [moved(right, -10 * step), moved(left, 10 * step)])
    on_it = faces.of(2.5, [moved(left, 125), moved(right, -125)])
    assert dict(on_it) == {1: moved(left, 125), 0: moved(right, -125)}


def test_a_face_that_was_away_too_long_begins_a_track() -> None:
    box = (0.0, 0.0, 40.0, 40.0)
    faces = ShotTracks()
    faces.see(0.0, [box])
    faces.see(5.0, [box])
    assert [number for number, _ in faces.of(0.1, [box])] == [0]
    assert faces.of(2.5, [box]) == []
    assert [number for number, _ in faces.of(5.0, [box])] == [1]


def test_tracked_faces_are_linked_from_harvest_to_filter(tmp_path: Path) -> None:
    shot = two_faces(("Delia Quill", "Pia Margin"), 72)
    write_film(tmp_path / "films/Moon/1.mp4", [*shot, *(f[:, ::-1] for f in shot)])
    place = made(tmp_path, 'characters = ["Luna"]\ntracks = true')
    run(place)
    run_filter(place, "detect")
    query = sa.select(face, url.c.shot, url.c.seconds).join(
        url, url.c.image_id == face.c.image_id
    )
    with place.catalogue.read() as connection:
        faces = {row.id: row for row in connection.execute(query)}
        rows = list(connection.execute(sa.select(face_link)))
        links = {(row.face_id, row.other_id): row.same for row in rows}
        story = explain(connection, f"face:{min(faces)}", place.root)
    assert len(faces) == 8
    side = {key: row.x1 < 400 for key, row in faces.items()}
    expected = {}
    for a in faces:
        for b in faces:
            if a < b and faces[a].seconds == faces[b].seconds:
                expected[a, b] = False
            elif a < b and faces[a].shot == faces[b].shot and side[a] == side[b]:
                expected[a, b] = True
    assert links == expected
    assert sorted(links.values()).count(True) == 4
    assert len(story["same_as"]) == len(story["other_than"]) == 1


def test_a_film_without_faces_has_no_tracks(tmp_path: Path) -> None:
    write_film(tmp_path / "films/Moon/1.mp4", scenes(48))
    place = made(tmp_path, "tracks = true")
    run(place)
    with place.catalogue.read() as connection:
        assert set(connection.execute(sa.select(url.c.tracks)).scalars()) == {None}


def test_tracks_can_be_asked_for_later(tmp_path: Path) -> None:
    shot = two_faces(("Delia Quill", "Pia Margin"), 48)
    write_film(tmp_path / "films/Moon/1.mp4", shot)
    run(made(tmp_path))
    config = tmp_path / "icf.toml"
    config.write_text(config.read_text() + "tracks = true\n")
    place = workspace.find(tmp_path)
    run(place)
    with place.catalogue.read() as connection:
        rows = connection.execute(sa.select(url.c.tracks, url.c.fate)).all()
    assert len(rows) == 2
    assert all(len(json.loads(tracks)) == 2 for tracks, _ in rows)
    assert {fate for _, fate in rows} == {"stored"}
