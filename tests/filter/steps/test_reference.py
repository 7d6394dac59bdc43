from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import (
    batch,
    character,
    image_source,
    mention,
    question,
    url,
)
from icf.filter.steps.reference import PossibleReference, Reference
from icf.stores.vectors import VectorStore
from tests.filter.rows import add_album, add_face, add_image

MODEL = "e" * 64


@pytest.fixture
def tom(sqlite_catalogue: Catalogue) -> int:
    return add_album(sqlite_catalogue, "Tom", "Jerry")[0]


def chosen(
    catalogue: Catalogue, folder: Path, *faces: int
) -> list[tuple[int, int | None, str | None]]:
    """Each chosen face, its character, and how it was chosen; all must pass."""
    step = Reference(folder)
    with catalogue.read() as connection:
        outcomes = step.judge(step.select(connection, faces))
    assert all(outcome.passed for outcome in outcomes)
    return [
        (o.id, o.reference_of, o.reference_by)
        for o in outcomes
        if o.reference_of is not None
    ]


def add(
    catalogue: Catalogue,
    tom: int,
    *,
    lead: bool = False,
    vector: tuple[float, ...] = (1.0, 0.0),
    folder: Path | None = None,
    **columns: object,
) -> int:
    image_id = add_image(catalogue, tom, lead=lead)
    face_id = add_face(
        catalogue,
        image_id,
        tom,
        **{"awaits": "reference", "embedder": MODEL, **columns},
    )
    if folder:
        unit = np.array([vector], np.float32) / np.linalg.norm(vector)
        VectorStore(folder).append(MODEL, np.array([face_id]), unit.astype(np.float32))
    return face_id


def test_the_largest_face_of_the_lead_picture_is_chosen(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    add_faces = [
        add(sqlite_catalogue, tom, x2=900.0),
        add(sqlite_catalogue, tom, lead=True),
        add(sqlite_catalogue, tom, lead=True, x2=200.0),
    ]
    assert chosen(sqlite_catalogue, tmp_path, *add_faces) == [
        (add_faces[2], tom, "lead")
    ]


def test_a_doubtful_box_of_the_lead_picture_is_passed_over(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    doubtful = add(sqlite_catalogue, tom, lead=True, x2=900.0, score=0.55)
    sure = add(sqlite_catalogue, tom, lead=True)
    assert chosen(sqlite_catalogue, tmp_path, doubtful, sure) == [(sure, tom, "lead")]


def test_the_better_copy_of_a_lead_picture_stands_for_it(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    other = add(sqlite_catalogue, tom, x2=900.0)
    better = add(sqlite_catalogue, tom)
    add(
        sqlite_catalogue,
        tom,
        lead=True,
        keeper_id=better,
        awaits=None,
        verdict="dropped",
        reason="near_duplicate",
    )
    assert chosen(sqlite_catalogue, tmp_path, other, better) == [(better, tom, "lead")]


def test_without_a_lead_picture_the_face_most_like_the_others_is_chosen(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    directions = [(1.0, 0.5), (1.0, 0.0), (1.0, -0.5), (-1.0, 0.0)]
    faces = [
        add(sqlite_catalogue, tom, vector=each, folder=tmp_path) for each in directions
    ]
    assert chosen(sqlite_catalogue, tmp_path, *faces) == [(faces[1], tom, "medoid")]


def refer(catalogue: Catalogue, tom: int, face_id: int, by: str) -> None:
    with catalogue.write() as connection:
        connection.execute(
            sa.update(character)
            .where(character.c.id == tom)
            .values(reference_face_id=face_id, reference_by=by)
        )


def test_a_reference_that_stands_is_kept(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    old = add(sqlite_catalogue, tom, awaits=None, verdict="kept")
    refer(sqlite_catalogue, tom, old, "medoid")
    new = add(sqlite_catalogue, tom, lead=True)
    assert chosen(sqlite_catalogue, tmp_path, old, new) == []


def test_a_reference_that_was_dropped_since_is_replaced(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    old = add(sqlite_catalogue, tom, awaits=None, verdict="dropped", reason="blurred")
    refer(sqlite_catalogue, tom, old, "lead")
    new = add(sqlite_catalogue, tom, lead=True)
    assert chosen(sqlite_catalogue, tmp_path, new) == [(new, tom, "lead")]


def test_a_reference_set_by_hand_stays_whatever_the_filter_thinks_of_it(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    old = add(sqlite_catalogue, tom, awaits=None, verdict="dropped", reason="blurred")
    refer(sqlite_catalogue, tom, old, "hand")
    new = add(sqlite_catalogue, tom, lead=True)
    assert chosen(sqlite_catalogue, tmp_path, new) == []


def test_a_refused_face_is_not_chosen_and_those_like_it_come_last(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    directions = [(1.0, 0.1), (1.0, 0.0), (1.0, -0.1), (0.0, 1.0), (-0.1, 1.0)]
    faces = [
        add(sqlite_catalogue, tom, vector=each, folder=tmp_path) for each in directions
    ]
    assert chosen(sqlite_catalogue, tmp_path, *faces)[0][0] in faces[:3]
    _refuse(sqlite_catalogue, tom, faces[1])
    assert chosen(sqlite_catalogue, tmp_path, *faces)[0][0] in faces[3:]
    # So it is with a refused lead picture. Where all else fails, one like it is taken.
    led = add(sqlite_catalogue, tom, lead=True, vector=(0.0, 1.0), folder=tmp_path)
    _refuse(sqlite_catalogue, tom, led)
    assert chosen(sqlite_catalogue, tmp_path, faces[0], faces[1], led) == [
        (faces[0], tom, "medoid")
    ]
    assert chosen(sqlite_catalogue, tmp_path, faces[1], led) == []


def _refuse(catalogue: Catalogue, who: int, face_id: int) -> None:
    """Let people say that a face is no good picture of a character."""
    with catalogue.write() as connection:
        connection.execute(
            sa.insert(batch).values(
                id=f"b{face_id}", format="csv", path="b", questions=1, created_at=0.0
            )
        )
        connection.execute(
            sa.insert(question).values(
                face_id=face_id,
                character_id=who,
                reference_face_id=face_id,
                batch_id=f"b{face_id}",
                label="different",
                asked_at=0.0,
            )
        )


def test_characters_are_chosen_for_one_by_one() -> None:
    items = [
        PossibleReference(face_id, 100.0, 0.9, MODEL, True, has, group=group)
        for face_id, group, has in [(1, 1, False), (2, 2, True), (3, 3, False)]
    ]
    outcomes = Reference(Path("nowhere")).judge(items)
    assert {o.id: o.reference_of for o in outcomes} == {1: 1, 2: None, 3: 3}


def test_that_a_person_wants_none_of_the_faces_stands(
    sqlite_catalogue: Catalogue, tom: int, tmp_path: Path
) -> None:
    with sqlite_catalogue.write() as connection:
        connection.execute(sa.update(character).values(reference_by="hand"))
    new = add(sqlite_catalogue, tom, lead=True)
    assert chosen(sqlite_catalogue, tmp_path, new) == []


def of_comic(catalogue: Catalogue, *cast: int, lead: bool = False) -> int:
    """A picture of an album alone, as a page of a comic is: of the whole cast."""
    image_id = add_image(catalogue, *cast, lead=lead)
    with catalogue.write() as connection:
        about = {"url": f"book.cbz#{image_id}", "source": "comics"}
        album_id = connection.execute(sa.select(character.c.album_id)).scalar()
        made = sa.insert(url).values(
            **about,
            found_at=0.0,
            host="",
            album_id=album_id,
            fate="stored",
            image_id=image_id,
        )
        key = connection.execute(made.returning(url.c.id)).scalar_one()
        rows = [
            {"url_id": key, "character_id": each, "is_lead": lead, "found_at": 0.0}
            for each in cast
        ]
        connection.execute(sa.insert(mention), rows)
        source = sa.insert(image_source).values(
            **about,
            image_id=image_id,
            fetched_at=0.0,
            licence="CC0",
            licence_from="list",
        )
        connection.execute(source)
    return image_id


def waiting(catalogue: Catalogue, image_id: int, filed_under: int, folder: Path) -> int:
    face_id = add_face(
        catalogue, image_id, filed_under, awaits="reference", embedder=MODEL
    )
    unit = np.array([[1.0, 0.0]], np.float32)
    VectorStore(folder).append(MODEL, np.array([face_id]), unit)
    return face_id


@pytest.mark.parametrize("cast", [1, 2])
def test_faces_of_an_album_alone_are_no_evidence_of_whom_they_show(
    sqlite_catalogue: Catalogue, tmp_path: Path, cast: int
) -> None:
    luna, *others = add_album(sqlite_catalogue, "Luna", "Mia")[:cast]
    faces = [
        waiting(
            sqlite_catalogue, of_comic(sqlite_catalogue, luna, *others), luna, tmp_path
        )
        for _ in range(5)
    ]
    assert chosen(sqlite_catalogue, tmp_path, *faces) == []
    named = add(sqlite_catalogue, luna, vector=(0.0, 1.0), folder=tmp_path)
    assert chosen(sqlite_catalogue, tmp_path, *faces, named) == [
        (named, luna, "medoid")
    ]


def test_a_picture_of_several_characters_is_no_evidence_either(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    luna, mia = add_album(sqlite_catalogue, "Luna", "Mia")
    both = [
        waiting(
            sqlite_catalogue, add_image(sqlite_catalogue, luna, mia), luna, tmp_path
        )
        for _ in range(3)
    ]
    led = add_image(sqlite_catalogue, luna, mia, lead=True)
    both.append(waiting(sqlite_catalogue, led, luna, tmp_path))
    assert chosen(sqlite_catalogue, tmp_path, *both) == []


def test_a_page_that_the_source_also_names_for_a_character_is_evidence(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    luna, mia = add_album(sqlite_catalogue, "Luna", "Mia")
    image_id = of_comic(sqlite_catalogue, luna, mia)
    with sqlite_catalogue.write() as connection:
        about = {"url": "http://site/luna.png", "source": "wiki"}
        made = sa.insert(url).values(**about, found_at=0.0, host="site", fate="stored")
        key = connection.execute(made.returning(url.c.id)).scalar_one()
        row = {"url_id": key, "character_id": luna, "is_lead": False, "found_at": 0.0}
        connection.execute(sa.insert(mention), [row])
        source = sa.insert(image_source).values(
            **about,
            image_id=image_id,
            fetched_at=0.0,
            licence="CC0",
            licence_from="site",
        )
        connection.execute(source)
    face_id = waiting(sqlite_catalogue, image_id, luna, tmp_path)
    assert chosen(sqlite_catalogue, tmp_path, face_id) == [(face_id, luna, "medoid")]
