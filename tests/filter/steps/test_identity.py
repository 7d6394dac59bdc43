from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue import calibrations, ledger
from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import batch, character, face, face_link, question
from icf.codes import Label
from icf.engine.step import Outcome
from icf.filter.steps.identity import Identity
from icf.models.embedding import Embedder
from icf.stores.vectors import VectorStore
from tests.filter.rows import add_album, add_face, add_image


def unit(*numbers: float) -> NDArray[np.float32]:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


class Album:
    """Characters with reference vectors of the bundled embedder's dimension."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self.catalogue = catalogue
        self.folder = folder
        self.embedder = Embedder.bundled()
        self.ids = add_album(catalogue, "Tom", "Jerry", "Spike")

    def add(self, character_id: int, vector: NDArray[np.float32], *also: int) -> int:
        image_id = add_image(self.catalogue, character_id, *also)
        model = self.embedder.model_hash
        face_id = add_face(
            self.catalogue, image_id, character_id, awaits="identity", embedder=model
        )
        full = np.zeros((1, self.embedder.dim), np.float32)
        full[0, : len(vector)] = vector
        VectorStore(self.folder).append(model, np.array([face_id]), full)
        return face_id

    def refer(self, character_id: int, vector: NDArray[np.float32]) -> int:
        face_id = self.add(character_id, vector)
        with self.catalogue.write() as connection:
            connection.execute(
                sa.update(character)
                .where(character.c.id == character_id)
                .values(reference_face_id=face_id, reference_by="lead")
            )
        return face_id

    def answer(self, face_id: int, character_id: int, label: Label) -> None:
        """Let people have answered whether a face is a character."""
        with self.catalogue.write() as connection:
            if connection.execute(sa.select(batch.c.id)).first() is None:
                connection.execute(
                    sa.insert(batch).values(
                        id="b1", format="page", path="b1", questions=1, created_at=0.0
                    )
                )
            reference = sa.select(character.c.reference_face_id)
            connection.execute(
                sa.insert(question).values(
                    face_id=face_id,
                    character_id=character_id,
                    reference_face_id=connection.execute(
                        reference.where(character.c.id == character_id)
                    ).scalar_one(),
                    batch_id="b1",
                    label=label.value,
                    asked_at=0.0,
                )
            )

    def link(self, one: int, other: int, *, same: bool) -> None:
        """Let a video say that two faces are the same, or two."""
        low, high = sorted((one, other))
        with self.catalogue.write() as connection:
            connection.execute(
                sa.insert(face_link).values(face_id=low, other_id=high, same=same)
            )


@pytest.fixture
def album(catalogue: Catalogue, tmp_path: Path) -> Album:
    return Album(catalogue, tmp_path / "vectors")


def outcomes(album: Album, *face_ids: int) -> list[Outcome]:
    step = Identity(album.folder, 0.1)
    with album.catalogue.read() as connection:
        items = step.select(connection, face_ids)
    found = {outcome.id: outcome for outcome in step.judge(items)}
    assert sorted(found) == sorted(face_ids)
    return [found[each] for each in face_ids]


def judged(album: Album, face_id: int) -> tuple[str, int | None]:
    [outcome] = outcomes(album, face_id)
    filed = outcome.columns.get("character_id")
    return outcome.reason, None if filed is None else int(str(filed))


def probability(album: Album, face_id: int) -> float:
    [outcome] = outcomes(album, face_id)
    return float(str(outcome.columns["probability"]))


def test_a_face_is_filed_under_the_likeliest_of_its_candidates(album: Album) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    both = album.add(tom, unit(0.1, 1, 0), jerry)
    assert judged(album, both) == ("ok", jerry)


def test_a_face_unlike_every_reference_is_not_this_character(album: Album) -> None:
    tom, _, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    assert judged(album, album.add(tom, unit(-1, 0.2, 0)))[0] == "not_this_character"


def test_the_reference_itself_passes(album: Album) -> None:
    tom, jerry, _ = album.ids
    album.refer(jerry, unit(0.9, 0.1, 0))
    assert judged(album, album.refer(tom, unit(1, 0, 0))) == ("ok", tom)


def test_a_face_that_another_character_explains_far_better_is_out(
    album: Album,
) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    assert judged(album, album.add(tom, unit(0, 1, 0)))[0] == "not_this_character"


def test_a_character_without_reference_gives_no_reference(album: Album) -> None:
    tom, jerry, spike = album.ids
    album.refer(jerry, unit(1, 0, 0))
    assert judged(album, album.add(spike, unit(1, 0, 0), tom))[0] == "no_reference"


def test_a_face_that_may_be_one_without_reference_is_not_called_another(
    album: Album,
) -> None:
    _, jerry, spike = album.ids
    album.refer(jerry, unit(1, 0, 0))
    assert judged(album, album.add(spike, unit(0, 1, 0), jerry))[0] == "no_reference"
    assert judged(album, album.add(jerry, unit(0, 1, 0)))[0] == "not_this_character"
    assert judged(album, album.add(spike, unit(1, 0.1, 0), jerry)) == ("ok", jerry)


def test_the_decision_says_what_was_measured_and_against_what(album: Album) -> None:
    tom, _, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    face_id = album.add(tom, unit(0.8, 0.6, 0))
    step = Identity(album.folder, 0.1)
    with album.catalogue.read() as connection:
        [outcome] = step.judge(step.select(connection, [face_id]))
    assert outcome.columns["similarity"] == pytest.approx(0.8, abs=1e-3)
    assert outcome.columns["probability"] == outcome.value
    assert outcome.value == pytest.approx(
        float(album.embedder.curve.probability(0.8)), abs=1e-2
    )
    assert (outcome.threshold, outcome.model) == (0.1, album.embedder.model_hash)


def test_a_rival_that_is_likelier_by_far_is_named(album: Album) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    [outcome] = outcomes(album, album.add(tom, unit(0, 1, 0)))
    assert outcome.message == f"character {jerry} of the same album is far more like it"


def test_a_face_as_like_a_rival_as_its_own_character_goes_on(album: Album) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0.1, 0))
    album.refer(jerry, unit(1, -0.1, 0))
    assert judged(album, album.add(tom, unit(1, 0, 0))) == ("ok", tom)


def test_a_face_like_one_that_people_confirmed_is_kept(album: Album) -> None:
    tom, _, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    odd = album.add(tom, unit(0.1, 1, 0))
    confirmed = album.add(tom, unit(0, 1, 0))
    assert judged(album, odd)[0] == "not_this_character"
    album.answer(confirmed, tom, Label.SAME)
    [outcome] = outcomes(album, odd)
    assert outcome.passed
    assert outcome.columns["similarity"] == pytest.approx(0.1, abs=0.01)


def test_what_people_said_of_the_very_face_moves_its_probability(album: Album) -> None:
    tom, _, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    looks = [(0.6, 0.8, 0, 0), (0.6, 0, 0.8, 0), (0.6, 0, 0, 0.8)]
    asked = [album.add(tom, unit(*look)) for look in looks]
    alone = probability(album, asked[0])
    album.answer(asked[0], tom, Label.DIFFERENT)
    album.answer(asked[1], tom, Label.UNSURE)
    assert probability(album, asked[1]) == pytest.approx(alone, abs=1e-3)
    album.answer(asked[2], tom, Label.SAME)
    assert probability(album, asked[0]) < 0.1 < alone
    assert probability(album, asked[2]) > 0.9 > alone


def test_a_merged_character_counts_as_the_one_that_stands_for_it(album: Album) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    with album.catalogue.write() as connection:
        connection.execute(
            sa.update(character).where(character.c.id == jerry).values(merged_into=tom)
        )
    assert judged(album, album.add(jerry, unit(1, 0.1, 0))) == ("ok", tom)


def test_confirmed_faces_of_a_merged_character_are_those_of_who_stands(
    album: Album,
) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    album.answer(album.add(jerry, unit(0, 1, 0.1)), jerry, Label.SAME)
    with album.catalogue.write() as connection:
        connection.execute(
            sa.update(character).where(character.c.id == jerry).values(merged_into=tom)
        )
    assert judged(album, album.add(tom, unit(0, 1, 0))) == ("ok", tom)


def test_what_answers_taught_counts_in_place_of_the_card(album: Album) -> None:
    tom, _, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    face_id = album.add(tom, unit(0.8, 0.6, 0))
    model = album.embedder.model_hash
    for slope in (1.0, 5.0):
        with album.catalogue.write() as connection:
            run_id = ledger.begin_run(connection, "test", "{}", "0")
            calibrations.add(
                connection,
                run_id,
                model,
                Curve(slope, -4.0),
                answered=50,
                error=0.01,
                figures={},
            )
    assert probability(album, face_id) == pytest.approx(0.5, abs=0.01)


def test_the_faces_of_a_track_are_judged_together(album: Album) -> None:
    tom, _, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    plain, turned = album.add(tom, unit(1, 0.1, 0)), album.add(tom, unit(0, 1, 0))
    assert judged(album, turned)[0] == "not_this_character"
    album.link(plain, turned, same=True)
    both = outcomes(album, plain, turned)
    assert [each.passed for each in both] == [True, True]
    assert both[0].columns["probability"] == both[1].columns["probability"]
    # Also where a batch has one of them alone.
    assert outcomes(album, turned)[0] == both[1]


def test_two_faces_of_a_frame_are_not_filed_under_one_character(album: Album) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    likelier = album.add(tom, unit(1, 0.1, 0))
    other = album.add(tom, unit(1, 0.75, 0))
    album.link(likelier, other, same=False)
    first, second = outcomes(album, likelier, other)
    assert (first.passed, first.columns["character_id"]) == (True, tom)
    assert not second.passed
    assert second.message == (
        "another face of the same frame is likelier to be that character"
    )


def test_a_face_is_not_filed_under_what_a_linked_one_was_found_under(
    album: Album,
) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    first, second = album.add(tom, unit(1, 0, 0.1)), album.add(tom, unit(1, 0.7, 0))
    album.link(first, second, same=False)
    album.link(second, album.add(jerry, unit(0, 0, 1)), same=False)
    [outcome] = outcomes(album, second)
    assert (outcome.passed, outcome.columns["character_id"]) == (False, tom)


def test_the_other_face_of_a_frame_takes_its_next_best(album: Album) -> None:
    tom, jerry, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    album.refer(jerry, unit(0, 1, 0))
    likelier = album.add(tom, unit(1, 0.1, 0), jerry)
    other = album.add(tom, unit(1, 0.9, 0), jerry)
    assert judged(album, other) == ("ok", tom)
    album.link(likelier, other, same=False)
    assert judged(album, other) == ("ok", jerry)
    assert judged(album, likelier) == ("ok", tom)


def test_a_linked_face_that_was_dropped_before_it_was_embedded_says_nothing(
    album: Album,
) -> None:
    tom, _, _ = album.ids
    album.refer(tom, unit(1, 0, 0))
    seen, blurred = album.add(tom, unit(1, 0.2, 0)), album.add(tom, unit(1, 0, 0))
    album.link(seen, blurred, same=False)
    before = probability(album, seen)
    with album.catalogue.write() as connection:
        connection.execute(
            sa.update(face)
            .where(face.c.id == blurred)
            .values(embedder=None, awaits=None, verdict="dropped", reason="blurred")
        )
    assert before < probability(album, seen)
    assert judged(album, seen) == ("ok", tom)


def test_a_picture_found_under_a_whole_cast_is_filed_under_the_likeliest(
    album: Album,
) -> None:
    tom, jerry, spike = album.ids
    for who, vector in ((tom, (1, 0, 0)), (jerry, (0, 1, 0)), (spike, (0, 0, 1))):
        album.refer(who, unit(*vector))
    assert judged(album, album.add(tom, unit(0.1, 0, 1), jerry, spike)) == ("ok", spike)
