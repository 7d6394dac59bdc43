from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import batch, character, face_link, question
from icf.codes import Label
from icf.filter.identify.evidence import (
    MAX_CONFIRMED,
    GalleryFace,
    reached_identity,
    read_answers,
    read_casts,
    read_gallery,
    read_links,
)
from tests.filter.rows import add_album, add_face, add_image

MODEL, OTHER = "e" * 64, "f" * 64


def kept_face(catalogue: Catalogue, who: int, **columns: object) -> int:
    kept = {"awaits": None, "verdict": "kept", "embedder": MODEL}
    image_id = add_image(catalogue, who)
    return add_face(catalogue, image_id, who, **{**kept, **columns})


def change(catalogue: Catalogue, who: int, **values: int) -> None:
    with catalogue.write() as connection:
        one = sa.update(character).where(character.c.id == who)
        connection.execute(one.values(**values))


def answer(catalogue: Catalogue, who: int, label: Label, *face_ids: int) -> None:
    with catalogue.write() as connection:
        if connection.execute(sa.select(batch.c.id)).first() is None:
            connection.execute(
                sa.insert(batch).values(
                    id="b1", format="page", path="b1", questions=1, created_at=0.0
                )
            )
        rows = [
            {
                "face_id": each,
                "character_id": who,
                "reference_face_id": each,
                "batch_id": "b1",
                "label": label.value,
                "asked_at": 0.0,
            }
            for each in face_ids
        ]
        connection.execute(sa.insert(question), rows)


def test_the_gallery_has_the_reference_and_the_first_confirmed_faces(
    catalogue: Catalogue,
) -> None:
    [tom] = add_album(catalogue, "Tom")
    faces = [kept_face(catalogue, tom) for _ in range(MAX_CONFIRMED + 4)]
    change(catalogue, tom, reference_face_id=faces[2])
    answer(catalogue, tom, Label.SAME, *reversed(faces))
    with catalogue.read() as connection:
        known = read_gallery(connection, [tom])[tom][MODEL]
    others = [each for each in faces if each != faces[2]][:MAX_CONFIRMED]
    assert known == (
        GalleryFace(tom, faces[2], True),
        *(GalleryFace(tom, each, False) for each in others),
    )


@pytest.mark.parametrize("reason", ["taken_down", "missing_blob"])
def test_removed_refused_and_differently_embedded_faces_are_not_in_the_gallery(
    catalogue: Catalogue, reason: str
) -> None:
    [tom] = add_album(catalogue, "Tom")
    reference = kept_face(catalogue, tom)
    change(catalogue, tom, reference_face_id=reference)
    gone = kept_face(catalogue, tom, verdict="dropped", reason=reason)
    of_other, refused = (
        kept_face(catalogue, tom, embedder=OTHER),
        kept_face(catalogue, tom),
    )
    answer(catalogue, tom, Label.SAME, gone, of_other)
    answer(catalogue, tom, Label.DIFFERENT, refused)
    with catalogue.read() as connection:
        known = read_gallery(connection, [tom])[tom]
        said = read_answers(connection, [refused, of_other, reference])
    assert known == {MODEL: (GalleryFace(tom, reference, True),)}
    assert said == {refused: {tom: False}, of_other: {tom: True}}


def test_without_a_reference_there_is_no_gallery(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    answer(catalogue, tom, Label.SAME, kept_face(catalogue, tom))
    with catalogue.read() as connection:
        assert read_gallery(connection, [tom]) == {}


def test_a_cast_has_the_characters_after_merges(
    catalogue: Catalogue,
) -> None:
    tom, jerry, spike = add_album(catalogue, "Tom", "Jerry", "Spike")
    [elsewhere] = add_album(catalogue, "Elsewhere")
    change(catalogue, jerry, merged_into=tom)
    change(catalogue, spike, merged_into=elsewhere)
    with catalogue.read() as connection:
        people = connection.execute(sa.select(character.c.id, character.c.album_id))
        album_of = {row.id: row.album_id for row in people}
        casts = read_casts(connection, set(album_of.values()))
    assert casts == {album_of[tom]: {tom, elsewhere}, album_of[elsewhere]: {elsewhere}}


def test_links_are_followed_to_their_end(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    a, b, c, d, alone = (kept_face(catalogue, tom) for _ in range(5))
    with catalogue.write() as connection:
        for one, other, same in ((a, b, True), (b, c, True), (c, d, False)):
            connection.execute(
                sa.insert(face_link).values(face_id=one, other_id=other, same=same)
            )
    with catalogue.read() as connection:
        links = read_links(connection, [a, alone])
        assert read_links(connection, [alone]).related() == {}
    assert links.track == {a: a, b: a, c: a}
    assert links.cannot_link == {c: {d}, d: {c}}
    assert links.related() == {a: a, b: a, c: a, d: a}


def test_faces_that_reached_identity_are_found(
    catalogue: Catalogue,
) -> None:
    [tom] = add_album(catalogue, "Tom")
    out = {"verdict": "dropped"}
    far = [
        kept_face(catalogue, tom),
        kept_face(catalogue, tom, awaits="identity", verdict="pending"),
        kept_face(catalogue, tom, reason="not_this_character", **out),
        kept_face(catalogue, tom, reason="no_reference", **out),
    ]
    not_so_far = [
        kept_face(catalogue, tom, reason="near_duplicate", **out),
        kept_face(catalogue, tom, reason="blurred", embedder=None, **out),
        kept_face(catalogue, tom, awaits="embed", verdict="pending"),
    ]
    with catalogue.read() as connection:
        assert reached_identity(connection, [*far, *not_so_far]) == set(far)
