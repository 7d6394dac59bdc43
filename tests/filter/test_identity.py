from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import character
from icf.filter.identity import (
    RIVAL_SHARE,
    Identity,
    Match,
    best_matches,
    rival_share,
)
from icf.models.embedding import Embedder
from icf.vectors import VectorStore
from tests.filter.rows import add_album, add_face, add_image


def unit(*numbers: float) -> NDArray[np.float32]:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


def test_the_best_candidate_and_the_best_other_character_are_found() -> None:
    references = np.stack([unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)])
    faces = np.stack([unit(3, 4, 0), unit(1, 0, 2)])
    first, second = best_matches(faces, references, [5, 6, 7], [(5, 7), (7,)])
    assert (first.character_id, first.rival_id) == (5, 6)
    assert (first.cosine, first.rival_cosine) == pytest.approx((0.6, 0.8))
    assert (second.character_id, second.rival_id) == (7, 5)
    expected = (2 / np.sqrt(5), 1 / np.sqrt(5))
    assert (second.cosine, second.rival_cosine) == pytest.approx(expected)


def test_candidates_without_reference_are_passed_over() -> None:
    (match,) = best_matches(unit(1, 1)[None], unit(0, 1)[None], [6], [(5, 6)])
    assert match.cosine == pytest.approx(np.sqrt(0.5))
    assert match == Match(6, match.cosine, None, -1.0)


def test_it_agrees_with_comparing_everything_with_everything() -> None:
    draw = np.random.default_rng(3)
    references = draw.normal(size=(40, 16)).astype(np.float32)
    faces = draw.normal(size=(60, 16)).astype(np.float32)
    references /= np.linalg.norm(references, axis=1, keepdims=True)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    candidates = [
        tuple(sorted(draw.choice(40, size=1 + row % 4, replace=False).tolist()))
        for row in range(60)
    ]
    cosines = faces @ references.T
    for row, match in enumerate(best_matches(faces, references, range(40), candidates)):
        own = list(candidates[row])
        others = [each for each in range(40) if each not in own]
        assert match.character_id == own[int(np.argmax(cosines[row, own]))]
        assert match.rival_id == others[int(np.argmax(cosines[row, others]))]
        assert match.rival_cosine == pytest.approx(cosines[row, others].max(), abs=1e-5)


@pytest.mark.parametrize(
    ("own", "rival", "another"),
    [(0.5, 0.5, False), (0.5, 0.94, False), (0.5, 0.96, True), (0.2, 0.9, True)],
)
def test_only_a_rival_that_is_twenty_times_as_likely_wins(
    own: float, rival: float, another: bool
) -> None:
    assert (rival_share(own, rival) < RIVAL_SHARE) is another


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


@pytest.fixture
def album(sqlite_catalogue: Catalogue, tmp_path: Path) -> Album:
    return Album(sqlite_catalogue, tmp_path / "vectors")


def judged(album: Album, face_id: int) -> tuple[str, int | None]:
    step = Identity(album.folder, 0.1)
    with album.catalogue.read() as connection:
        items = step.select(connection, [face_id])
    [outcome] = step.judge(items)
    filed = outcome.columns.get("character_id")
    return outcome.reason, None if filed is None else int(str(filed))


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
        float(album.embedder.probability_same(0.8)), abs=1e-2
    )
    assert (outcome.threshold, outcome.model) == (0.1, album.embedder.model_hash)
