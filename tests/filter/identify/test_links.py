import json
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, face, face_link, looked_at, url
from icf.filter.identify import links
from icf.filter.identify.links import link_faces
from tests.filter.rows import add_album, add_image

LEFT, RIGHT = (10.0, 10.0, 50.0, 50.0), (100.0, 10.0, 140.0, 50.0)
Box = tuple[float, float, float, float]


def add_faces(catalogue: Catalogue, *boxes: Box) -> tuple[int, list[int]]:
    """Add an image with faces in these places; return its id and theirs."""
    [person] = add_album(catalogue, "Luna")
    image_id = add_image(catalogue, person, awaits=None)
    rows = [
        {
            **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
            "image_id": image_id,
            "kind": "cartoon",
            "score": 0.9,
            "detector": "d" * 64,
            "sharpness": 1.0,
            "pixel_hash": "0" * 64,
            "phash": 0,
            "dhash": 0,
            "filed_under_id": person,
            "verdict": "pending",
            "reason": "ok",
            "found_at": 0.0,
        }
        for box in boxes
    ]
    with catalogue.write() as connection:
        ids = [
            connection.execute(sa.insert(face).values(row).returning(face.c.id))
            for row in rows
        ]
        return image_id, [one.scalar_one() for one in ids]


def add_frame(
    catalogue: Catalogue,
    image_id: int,
    seconds: float,
    tracks: Sequence[tuple[str, Box]] = (),
    shot: int = 0,
    album_id: int | None = None,
) -> None:
    row = {
        "url": f"file:///film.mp4#t={seconds}",
        "album_id": album_id,
        "host": "",
        "source": "films",
        "seconds": seconds,
        "shot": shot,
        "tracks": json.dumps([[name, *box] for name, box in tracks]),
        "fate": "stored",
        "image_id": image_id,
        "found_at": 0.0,
    }
    with catalogue.write() as connection:
        connection.execute(sa.insert(url).values(row))


def known(catalogue: Catalogue) -> dict[tuple[int, int], bool]:
    with catalogue.read() as connection:
        rows: list[Any] = list(connection.execute(sa.select(face_link)))
    return {(row.face_id, row.other_id): row.same for row in rows}


def test_a_track_is_one_identity_and_a_frame_is_several(catalogue: Catalogue) -> None:
    first, (a, b) = add_faces(catalogue, LEFT, RIGHT)
    second, (c, d) = add_faces(catalogue, RIGHT, LEFT)
    add_frame(catalogue, first, 1.0, [("l", LEFT), ("r", RIGHT)])
    add_frame(catalogue, second, 2.0, [("l", LEFT), ("r", RIGHT)])
    assert link_faces(catalogue) == 4
    expected = {(a, b): False, (c, d): False, (a, d): True, (b, c): True}
    assert known(catalogue) == expected
    assert link_faces(catalogue) == 0
    assert known(catalogue) == expected


def test_a_face_elsewhere_than_its_track_is_not_linked(catalogue: Catalogue) -> None:
    for seconds, box in ((1.0, LEFT), (2.0, RIGHT)):
        image_id, _ = add_faces(catalogue, box)
        add_frame(catalogue, image_id, seconds, [("l", LEFT)])
    assert link_faces(catalogue) == 0


def test_pictures_that_are_no_frames_give_no_links(catalogue: Catalogue) -> None:
    add_faces(catalogue, LEFT, RIGHT)
    assert link_faces(catalogue) == 0


def test_a_track_that_contradicts_what_is_known_is_left_out(
    sqlite_catalogue: Catalogue,
) -> None:
    pictures = [add_faces(sqlite_catalogue, LEFT, RIGHT) for _ in range(2)]
    (first, (a, b)), (second, (c, d)) = pictures
    # One track says a = c, the next b = c: then a would be b.
    add_frame(sqlite_catalogue, first, 1.0, [("one", LEFT)], shot=0)
    add_frame(sqlite_catalogue, second, 2.0, [("one", LEFT)], shot=0)
    add_frame(sqlite_catalogue, first, 3.0, [("two", RIGHT)], shot=1)
    add_frame(sqlite_catalogue, second, 4.0, [("two", LEFT)], shot=1)
    link_faces(sqlite_catalogue)
    assert known(sqlite_catalogue) == {(a, b): False, (c, d): False, (a, c): True}


def test_a_shot_over_the_end_of_a_page_is_read_whole(
    sqlite_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_PAGE", 2)
    ids = []
    for number in range(5):
        image_id, [one] = add_faces(sqlite_catalogue, LEFT)
        add_frame(sqlite_catalogue, image_id, number, [("t", LEFT)])
        ids.append(one)
    link_faces(sqlite_catalogue)
    assert len(known(sqlite_catalogue)) == 10


def test_only_albums_whose_frames_changed_are_looked_at_again(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_album(catalogue, "Tom")
    add_album(catalogue, "Jerry")
    with catalogue.read() as connection:
        first, second = connection.execute(sa.select(album.c.id)).scalars()
    images = {}
    for number, album_id in enumerate((first, first, second, second, None, None)):
        image_id, _ = add_faces(catalogue, LEFT, RIGHT)
        images[number] = image_id
        track = [(f"of {album_id}", LEFT)]
        add_frame(catalogue, image_id, number, track, album_id=album_id)
    looked: list[set[int]] = []
    facts = links._facts

    def note(connection: sa.Connection, frames: Any) -> Any:
        looked.append({frame.image_id for frame in frames})
        return facts(connection, frames)

    monkeypatch.setattr(links, "_facts", note)
    assert link_faces(catalogue) == 6 + 3
    looked.clear()
    assert link_faces(catalogue) == 0
    assert looked == []
    image_id, _ = add_faces(catalogue, LEFT)
    add_frame(catalogue, image_id, 9, [(f"of {second}", LEFT)], album_id=second)
    assert link_faces(catalogue) == 2
    assert looked == [{images[2], images[3], image_id}]
    found = known(catalogue)
    with catalogue.write() as connection:
        connection.execute(sa.delete(looked_at))
    assert link_faces(catalogue) == 0
    assert known(catalogue) == found
