from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.app.takedown.work import remove_files
from icf.catalogue import ledger, reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import character, face, review
from icf.filter.copies import twins
from icf.filter.copies.twins import find_twins
from icf.settings import load
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image

MODEL = "a" * 64

#: A hash of a face that is not flat.
BASE = 0x0F0F_3333_5555_00FF


class Drawn:
    """A workspace on either database, and faces that the filter kept in it."""

    def __init__(self, root: Path, catalogue: Catalogue) -> None:
        config = root / "icf.toml"
        config.write_text(f'[catalogue]\nurl = "{catalogue.url}"\n', encoding="utf-8")
        self.workspace = Workspace(root, load(config))
        self.catalogue = self.workspace.catalogue
        self.characters = add_album(self.catalogue, "Tom", "Tim", "Kim")

    def face(
        self,
        who: int,
        bits: int = 0,
        *,
        dhash: int = BASE,
        vector: tuple[float, float] = (1, 0),
        contrast: float = 50.0,
    ) -> int:
        """Add a kept face of a character, whose pHash differs from `BASE` in bits."""
        filed = self.characters[who]
        face_id = add_face(
            self.catalogue,
            add_image(self.catalogue, filed, awaits=None),
            filed,
            phash=BASE ^ bits,
            dhash=dhash,
            contrast=contrast,
            embedder=MODEL,
            awaits=None,
        )
        vectors = np.array([vector], np.float32)
        self.workspace.vectors.append(MODEL, np.array([face_id]), vectors)
        self.judge(face_id, "kept")
        return face_id

    def judge(self, face_id: int, verdict: str, **columns: object) -> None:
        """Enter what identity makes of a face."""
        with self.catalogue.write() as connection:
            run_id = ledger.begin_run(connection, "test", "{}", "0")
            made = ledger.Decision("face", face_id, "identity", verdict, "ok")
            ledger.append(connection, run_id, [made])
            connection.execute(
                sa.update(face)
                .where(face.c.id == face_id)
                .values(verdict=verdict, awaits=None, **columns)
            )

    def rows(self) -> list[Any]:
        with self.catalogue.read() as connection:
            return list(connection.execute(sa.select(review).order_by(review.c.id)))

    def pairs(self, status: str = "open") -> list[tuple[int, int]]:
        return [
            (row.face_id, row.other_face_id)
            for row in self.rows()
            if row.status == status
        ]


@pytest.fixture
def drawn(tmp_path: Path, catalogue: Catalogue) -> Iterator[Drawn]:
    made = Drawn(tmp_path, catalogue)
    yield made
    made.catalogue.close()


def test_near_duplicates_of_two_characters_are_twins(drawn: Drawn) -> None:
    later, first = drawn.face(1, 0b111), drawn.face(0, vector=(0.96, 0.28))
    assert find_twins(drawn.workspace) == 1
    [row] = drawn.rows()
    assert (row.kind, row.status, row.model) == ("twin", "open", MODEL)
    assert (row.face_id, row.other_face_id) == (later, first)
    tom, tim, _ = drawn.characters
    assert (row.character_id, row.other_character_id) == (tim, tom)
    assert (row.phash_bits, row.dhash_bits) == (3, 0)
    assert row.similarity == pytest.approx(0.96, abs=1e-3)
    assert row.score == pytest.approx(0.96 * (1 - 3 / 128), abs=1e-3)


@pytest.mark.parametrize(
    "other",
    [
        {"who": 0},
        {"who": 1, "bits": (1 << 11) - 1},
        {"who": 1, "dhash": BASE ^ ((1 << 11) - 1)},
        {"who": 1, "vector": (0.5, 0.9)},
    ],
)
def test_a_pair_that_fails_one_threshold_is_no_twin(
    drawn: Drawn, other: dict[str, Any]
) -> None:
    drawn.face(0)
    drawn.face(**other)
    assert find_twins(drawn.workspace) == 0
    assert drawn.rows() == []


def test_flat_faces_are_no_twins(drawn: Drawn) -> None:
    for who in (0, 1):
        drawn.face(who, contrast=0.5)
        drawn.face(who, dhash=0)
    assert find_twins(drawn.workspace) == 0


def test_looking_again_changes_nothing_and_new_faces_find_the_old(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "_OVERLAP", 0)
    one, other = drawn.face(0), drawn.face(1)
    assert find_twins(drawn.workspace) == 1
    before = drawn.rows()
    assert find_twins(drawn.workspace) == 0
    third = drawn.face(2)
    again = Workspace(drawn.workspace.root, drawn.workspace.loaded)
    assert find_twins(again) == 2
    again.catalogue.close()
    assert drawn.rows()[:1] == before
    assert drawn.pairs() == [(one, other), (one, third), (other, third)]


def test_changed_settings_apply_to_earlier_twins(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "_OVERLAP", 0)
    near = drawn.face(0), drawn.face(1, vector=(0.96, 0.28))
    far = drawn.face(0, 1 << 60, vector=(0, 1)), drawn.face(2, 1 << 60, vector=(0.4, 1))

    def found_with(flag: str) -> list[tuple[int, int]]:
        loaded = load(drawn.workspace.root / "icf.toml", flags=(flag,))
        again = Workspace(drawn.workspace.root, loaded)
        find_twins(again)
        again.catalogue.close()
        return drawn.pairs()

    assert found_with("filter.min_duplicate_cosine=0.95") == [near]
    assert found_with("filter.min_duplicate_cosine=0.9") == [near, far]
    assert found_with("filter.min_duplicate_cosine=0.98") == []
    assert found_with("filter.max_phash=0") == [near, far]


def test_a_deleted_index_is_built_again(drawn: Drawn) -> None:
    drawn.face(0), drawn.face(1)
    find_twins(drawn.workspace)
    before = drawn.rows()
    for path in (drawn.workspace.root / "hashes").iterdir():
        path.unlink()
    assert find_twins(drawn.workspace) == 1
    assert drawn.rows() == before


def test_killed_before_the_index_is_marked_it_finds_the_same_again(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "_OVERLAP", 0)
    drawn.face(0), drawn.face(1)

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reviews, "add", dies)
        with pytest.raises(KeyboardInterrupt):
            find_twins(drawn.workspace)
    assert find_twins(drawn.workspace) == 1
    assert len(drawn.pairs()) == 1


def test_a_twin_of_a_dropped_face_is_closed_until_the_face_is_kept_again(
    drawn: Drawn,
) -> None:
    one, other = drawn.face(0), drawn.face(1)
    find_twins(drawn.workspace)
    drawn.judge(other, "dropped")
    find_twins(drawn.workspace)
    assert (drawn.pairs(), drawn.pairs("closed")) == ([], [(one, other)])
    drawn.judge(other, "kept")
    find_twins(drawn.workspace)
    assert drawn.pairs() == [(one, other)]


def test_faces_of_merged_characters_are_no_twins(drawn: Drawn) -> None:
    one, other = drawn.face(0), drawn.face(1)
    find_twins(drawn.workspace)
    with drawn.catalogue.write() as connection:
        connection.execute(
            sa.update(character)
            .where(character.c.id == drawn.characters[1])
            .values(merged_into=drawn.characters[0])
        )
    third = drawn.face(1)
    assert find_twins(drawn.workspace) == 0
    assert drawn.pairs("closed") == [(one, other)]
    fourth = drawn.face(2)
    find_twins(drawn.workspace)
    assert drawn.pairs() == [(each, fourth) for each in (one, other, third)]
    assert {row.character_id for row in drawn.rows()} == {drawn.characters[0]}


def test_a_face_that_moved_to_another_character_is_compared_again(
    drawn: Drawn,
) -> None:
    one, other = drawn.face(0), drawn.face(0)
    assert find_twins(drawn.workspace) == 0
    drawn.judge(other, "kept", character_id=drawn.characters[1])
    find_twins(drawn.workspace)
    assert drawn.pairs() == [(one, other)]
    drawn.judge(other, "kept", character_id=drawn.characters[2])
    find_twins(drawn.workspace)
    [row] = drawn.rows()
    assert row.other_character_id == drawn.characters[2]


def test_answered_twins_are_not_opened_again(drawn: Drawn) -> None:
    pair = drawn.face(0), drawn.face(1)
    find_twins(drawn.workspace)
    with drawn.catalogue.write() as connection:
        connection.execute(sa.update(review).values(status="different"))
    drawn.judge(pair[0], "kept")
    find_twins(drawn.workspace)
    assert drawn.pairs("different") == [pair]


def test_of_a_drawing_with_many_copies_only_the_strongest_twins_are_stored(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "_PAGE", 7)
    monkeypatch.setattr(twins, "_MAX_PAIRS", 3)
    monkeypatch.setattr(twins, "_COMPARED", 4)
    monkeypatch.setattr(twins, "_WRITTEN", 2)
    crowd = [drawn.face(0, 1 << (number + 2)) for number in range(8)]
    one, other = drawn.face(1), drawn.face(1, 0b11)
    assert find_twins(drawn.workspace) == 5
    of_each = {(first, face_id) for first in crowd[:2] for face_id in (one, other)}
    assert set(drawn.pairs()) == of_each | {(crowd[-1], one)}


def test_withdrawn_faces_are_removed_from_the_index(drawn: Drawn) -> None:
    one, other = drawn.face(0), drawn.face(1)
    find_twins(drawn.workspace)
    drawn.judge(one, "dropped", reason="taken_down")
    remove_files(drawn.workspace)
    there = drawn.workspace.hashes.has(np.array([one, other]))
    assert there.tolist() == [False, True]
