from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, character
from icf.errors import WrongUse
from icf.filter.review import consistency
from icf.filter.review.consistency import Survey, Surveyor
from icf.stores.vectors import VectorStore
from tests.filter.rows import add_album, add_face, add_image

MODEL = "e" * 64
#: Even odds at a cosine of 0.5.
CURVE = Curve(14.0, -7.0)


class Shown:
    """Kept faces of characters of albums, by their vectors."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self.catalogue = catalogue
        self.store = VectorStore(folder)

    def face(self, who: int, vector: tuple[float, ...], **columns: object) -> int:
        image_id = add_image(self.catalogue, who)
        kept = {"awaits": None, "verdict": "kept", "embedder": MODEL}
        face_id = add_face(self.catalogue, image_id, who, **{**kept, **columns})
        self.store.append(MODEL, np.array([face_id]), np.array([vector], np.float32))
        return face_id

    def refer(self, who: int, face_id: int) -> None:
        self.set(who, reference_face_id=face_id)

    def set(self, who: int, **values: int) -> None:
        with self.catalogue.write() as connection:
            one = sa.update(character).where(character.c.id == who)
            connection.execute(one.values(**values))

    def survey(self, only: str | None = None, limit: int = 20) -> Survey:
        return Surveyor(self.catalogue, self.store, MODEL, CURVE).survey(only, limit)


@pytest.fixture
def shown(catalogue: Catalogue, tmp_path: Path) -> Shown:
    return Shown(catalogue, tmp_path / "vectors")


def test_faces_are_measured_by_their_cosine_to_the_centroid(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consistency, "_BLOCK", 3)
    [tom] = add_album(shown.catalogue, "Tom")
    draw = np.random.default_rng(0)
    vectors = np.array([1, 0, 0, 0]) + draw.normal(size=(8, 4)) * 0.5
    for vector in vectors:
        shown.face(tom, tuple(vector))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    middle = units.mean(axis=0) / np.linalg.norm(units.mean(axis=0))
    cosines = units @ middle
    [found] = shown.survey().least_consistent
    assert (found.character.name, found.faces) == ("Tom", 8)
    assert found.mean == pytest.approx(cosines.mean(), abs=2e-3)
    assert found.spread == pytest.approx(cosines.std(), abs=2e-3)
    assert found.lowest == pytest.approx(cosines.min(), abs=2e-3)
    assert found.under == pytest.approx((cosines < 0.5).mean())


def test_the_least_consistent_come_first_and_the_others_are_counted(
    shown: Shown,
) -> None:
    close, spread, lone, nobody = add_album(shown.catalogue, "A", "B", "C", "D")
    for turn in (0.1, -0.1):
        shown.face(close, (1, turn, 0))
    for turn in (2, -2):
        shown.face(spread, (1, turn, 0))
    shown.face(lone, (0, 0, 1))
    shown.face(nobody, (1, 0, 0), verdict="dropped", reason="blurred")
    found = shown.survey(limit=2)
    assert found.characters == 3
    assert [each.character.id for each in found.least_consistent] == [spread, close]
    assert [each.under for each in found.least_consistent] == [1, 0]


def test_similar_characters_of_one_album_are_paired_worst_first(shown: Shown) -> None:
    tom, jerry, spike = add_album(shown.catalogue, "Tom", "Jerry", "Spike")
    [twin] = add_album(shown.catalogue, "Twin")
    shown.face(tom, (1, 0, 0))
    shown.refer(tom, shown.face(tom, (1, 0.5, 0)))
    shown.face(jerry, (0, 1, 0))
    shown.refer(jerry, shown.face(jerry, (1, 0.6, 0)))
    shown.face(spike, (0, 0, 1))
    shown.face(twin, (1, 0, 0))
    worst, *others = shown.survey().most_similar
    assert (worst.one.name, worst.other.name) == ("Tom", "Jerry")
    assert worst.references == pytest.approx(0.996, abs=2e-3)
    assert worst.cosine < 0.9
    assert worst.probability == pytest.approx(float(CURVE.probability(0.996)), abs=1e-3)
    assert [each.references for each in others] == [None, None]
    assert len(shown.survey(limit=1).most_similar) == 1


def test_of_a_large_album_the_same_pairs_are_found_some_rows_at_a_time(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = add_album(shown.catalogue, *(f"Ann {each}" for each in range(7)))
    draw = np.random.default_rng(1)
    for number, who in enumerate(cast):
        # The last two are the same as the first: equal pairs come in order.
        vector = np.eye(4)[0] if number in (0, 5, 6) else draw.normal(size=4)
        face_id = shown.face(who, tuple(vector))
        if number % 2:
            shown.refer(who, face_id)
    at_once = shown.survey(limit=12).most_similar
    assert len(shown.survey(limit=100).most_similar) == 21
    monkeypatch.setattr(consistency, "_CELLS", 14)
    in_parts = shown.survey(limit=12).most_similar
    first = [(each.one.id, each.other.id) for each in in_parts[:3]]
    assert first == [(cast[0], cast[5]), (cast[0], cast[6]), (cast[5], cast[6])]
    assert [(each.one, each.other) for each in in_parts] == [
        (each.one, each.other) for each in at_once
    ]
    cosines = [each.cosine for each in at_once]
    assert [each.cosine for each in in_parts] == pytest.approx(cosines, abs=1e-6)
    known = [each.references is not None for each in at_once]
    assert [each.references is not None for each in in_parts] == known
    assert len(shown.survey(limit=100).most_similar) == 21


def test_characters_are_measured_the_same_together_and_alone(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = add_album(shown.catalogue, *(f"Ann {each}" for each in range(9)))
    draw = np.random.default_rng(2)
    # One has no face, and one more than are read at a time.
    for who, count in zip(cast, (1, 3, 0, 2, 11, 1, 1, 4, 2), strict=True):
        for vector in draw.normal(size=(count, 4)):
            shown.face(who, tuple(vector))
    together = shown.survey()
    monkeypatch.setattr(consistency, "_BLOCK", 5)
    monkeypatch.setattr(consistency, "_CHARACTERS", 2)
    in_parts = shown.survey()
    for each in (together, in_parts):
        faces = {one.character.id: one.faces for one in each.least_consistent}
        assert sorted(faces.items()) == list(
            zip(
                [who for who in cast if who != cast[2]],
                (1, 3, 2, 11, 1, 1, 4, 2),
                strict=True,
            )
        )
    for one, other in zip(
        together.least_consistent, in_parts.least_consistent, strict=True
    ):
        assert one.character == other.character
        assert (one.mean, one.lowest) == pytest.approx((other.mean, other.lowest))


def test_a_large_album_takes_few_statements(shown: Shown) -> None:
    for who in add_album(shown.catalogue, *(f"Ann {each}" for each in range(30))):
        shown.face(who, (1.0, 0.5, who % 3))
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engine = shown.catalogue.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    assert shown.survey().characters == 30
    sa.event.remove(engine, "before_cursor_execute", note)
    assert sum("FROM face" in each for each in sent) == 1


def test_a_merged_character_is_not_surveyed(shown: Shown) -> None:
    tom, jerry = add_album(shown.catalogue, "Tom", "Jerry")
    for who in (tom, jerry):
        shown.face(who, (1, 0, 0))
    shown.set(jerry, merged_into=tom)
    found = shown.survey()
    assert (found.characters, len(found.most_similar)) == (1, 0)


def test_one_album_is_surveyed_alone_and_a_wrong_name_is_refused(shown: Shown) -> None:
    for _ in range(2):
        for who in add_album(shown.catalogue, "Tom", "Jerry"):
            shown.face(who, (1, 0, 0))
    with shown.catalogue.read() as connection:
        names = connection.execute(sa.select(album.c.name)).scalars().all()
    found = shown.survey(names[0])
    assert found.characters == 2
    assert {each.character.album for each in found.least_consistent} == {names[0]}
    with pytest.raises(WrongUse, match=f"did you mean '{names[0]}'"):
        shown.survey(names[0] + "x")


def test_without_albums_a_name_is_refused_as_well(shown: Shown) -> None:
    assert shown.survey().characters == 0
    with pytest.raises(WrongUse, match="there are no albums"):
        shown.survey("Tom")
