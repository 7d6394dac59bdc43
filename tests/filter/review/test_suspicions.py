from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from numpy.typing import NDArray

from icf import workspace
from icf.catalogue import merges
from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import (
    batch,
    calibration,
    character,
    face,
    face_link,
    looked_at,
    question,
    review,
)
from icf.codes import Label, Suspicion
from icf.filter.review import cleaning, suspicions
from icf.filter.review import merges as review_merges
from icf.filter.review.groups import Members
from icf.filter.review.queues import count, count_characters, read_queue
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image

EMBEDDER = "e" * 64
DIM = 32


class Cast:
    """Characters whose faces lie around axes, the first of each its reference."""

    def __init__(self, made: Workspace) -> None:
        self.made = made
        self.catalogue = made.catalogue
        self._rng = np.random.default_rng(3)

    def add(self, who: int, axes: Sequence[int], **columns: object) -> list[int]:
        """Faces filed under a character, one around each of ``axes``."""
        ids = []
        for axis in axes:
            vector = np.eye(DIM)[axis] + 0.03 * self._rng.normal(size=DIM)
            ids.append(self.face(who, vector, **columns))
        return ids

    def face(self, who: int, vector: NDArray[np.float64], **columns: object) -> int:
        kept = {"awaits": None, "verdict": "kept", "embedder": EMBEDDER}
        image_id = add_image(self.catalogue, who, awaits=None)
        made = add_face(self.catalogue, image_id, who, **{**kept, **columns})
        unit = np.array([vector / np.linalg.norm(vector)], np.float32)
        self.made.vectors.append(EMBEDDER, np.array([made]), unit)
        return made

    def character(self, name: str, axes: Sequence[int]) -> tuple[int, list[int]]:
        [who] = add_album(self.catalogue, name)
        ids = self.add(who, axes)
        self.refer(who, ids[0])
        return who, ids

    def refer(self, who: int, face_id: int | None) -> None:
        with self.catalogue.write() as connection:
            connection.execute(
                sa.update(character)
                .where(character.c.id == who)
                .values(reference_face_id=face_id, reference_by="hand")
            )

    def answer(self, face_id: int, who: int, label: Label) -> None:
        with self.catalogue.write() as connection:
            known = sa.select(batch.c.id).where(batch.c.id == "b")
            if connection.execute(known).first() is None:
                connection.execute(
                    sa.insert(batch).values(
                        id="b", format="csv", path="b", questions=0, created_at=0.0
                    )
                )
            connection.execute(
                sa.insert(question).values(
                    face_id=face_id,
                    character_id=who,
                    reference_face_id=face_id,
                    batch_id="b",
                    label=label.value,
                    asked_at=0.0,
                )
            )

    def link(self, one: int, other: int, *, same: bool) -> None:
        with self.catalogue.write() as connection:
            connection.execute(
                sa.insert(face_link).values(face_id=one, other_id=other, same=same)
            )

    def look(self) -> set[tuple[str, int, str]]:
        """Search what changed; return kinds, faces and statuses.

        A search of everything finds the same.
        """
        suspicions.refresh(self.made)
        found = self.reviews()
        with self.catalogue.write() as connection:
            connection.execute(sa.delete(looked_at))
        suspicions.refresh(self.made)
        assert self.reviews() == found
        return {(row.kind, row.face_id, row.status) for row in found}

    def reviews(self) -> list[sa.Row[Any]]:
        """All rows of suspicions."""
        with self.catalogue.read() as connection:
            return list(connection.execute(sa.select(review).order_by(review.c.id)))

    def change(self, table: sa.Table, row_id: int, **values: object) -> None:
        with self.catalogue.write() as connection:
            connection.execute(
                sa.update(table).where(table.c.id == row_id).values(values)
            )


@pytest.fixture
def cast(catalogue: Catalogue, tmp_path: Path) -> Iterator[Cast]:
    made = workspace.init(tmp_path / "space", (f"catalogue.url={catalogue.url}",))
    yield Cast(made)
    made.catalogue.close()


def test_a_lone_face_is_an_outlier_next_to_its_reference(cast: Cast) -> None:
    tom, ids = cast.character("Tom", [0] * 5)
    [stranger] = cast.add(tom, [1])
    assert cast.look() == {("outlier", stranger, "open")}
    with cast.catalogue.read() as connection:
        [found] = read_queue(connection, Suspicion.OUTLIER)
    assert (found.face.face_id, found.other.face_id) == (stranger, ids[0])
    assert found.face.character == found.other.character == "Tom"
    assert found.score > 0.9
    assert found.similarity == pytest.approx(0, abs=0.2)


def test_several_similar_faces_of_somebody_else_are_one_split(cast: Cast) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    strangers = cast.add(tom, [1] * 4)
    [(kind, face_id, status)] = cast.look()
    assert (kind, status) == ("split", "open")
    assert face_id in strangers


def test_after_a_refused_split_each_of_its_faces_is_an_outlier(cast: Cast) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    strangers = set(cast.add(tom, [1] * 4))
    [(_, medoid, _)] = cast.look()
    cast.answer(medoid, tom, Label.DIFFERENT)
    assert cast.look() == {
        ("split", medoid, "closed"),
        *(("outlier", each, "open") for each in strangers - {medoid}),
    }


def test_after_a_confirmed_split_its_faces_join_the_main_group(cast: Cast) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    cast.add(tom, [1] * 4)
    [(_, medoid, _)] = cast.look()
    cast.answer(medoid, tom, Label.SAME)
    assert cast.look() == {("split", medoid, "closed")}


def test_two_similar_characters_are_a_merge(cast: Cast) -> None:
    tom, toms = cast.character("Tom", [0] * 5)
    thomas, others = cast.character("Thomas", [0] * 4)
    cast.character("Jerry", [1] * 4)
    assert cast.look() == {("merge", toms[0], "open")}
    with cast.catalogue.read() as connection:
        [found] = read_queue(connection, Suspicion.MERGE)
    assert (found.face.character_id, found.other.character_id) == (tom, thomas)
    assert (found.face.face_id, found.other.face_id) == (toms[0], others[0])


def test_characters_that_share_their_reference_are_merges_and_stop_nothing(
    cast: Cast,
) -> None:
    _, toms = cast.character("Tom", [0] * 5)
    thomas, others = cast.character("Thomas", [0] * 4)
    cast.refer(cast.character("Tommy", [0] * 4)[0], others[0])
    cast.refer(thomas, others[0])
    assert ("merge", toms[0], "open") in cast.look()


def test_two_characters_in_one_frame_are_no_merge(
    cast: Cast,
) -> None:
    _, toms = cast.character("Tom", [0] * 5)
    _, others = cast.character("Tom's twin", [0] * 5)
    cast.link(toms[3], others[1], same=False)
    assert cast.look() == set()


def test_a_track_is_never_split(cast: Cast) -> None:
    tom, ids = cast.character("Tom", [0] * 5)
    [profile] = cast.add(tom, [1])
    cast.link(ids[2], profile, same=True)
    assert cast.look() == set()


def test_looking_again_changes_nothing(cast: Cast) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    cast.add(tom, [1, 2, 2])
    cast.character("Thomas", [0] * 4)
    suspicions.refresh(cast.made)
    query = sa.select(review).order_by(review.c.id)
    with cast.catalogue.read() as connection:
        before = list(connection.execute(query))
    suspicions.refresh(cast.made)
    with cast.catalogue.read() as connection:
        assert list(connection.execute(query)) == before
    assert len(before) == 3


def test_dropped_pending_and_unreferenced_faces_are_not_searched(
    cast: Cast,
) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    cast.add(tom, [1], verdict="dropped", reason="blurred")
    cast.add(tom, [2], verdict="pending", awaits="identity")
    bare, _ = cast.character("Jerry", [4, 5, 6])
    cast.refer(bare, None)
    assert cast.look() == set()


def test_a_suspicion_closes_when_its_face_or_the_reference_goes(cast: Cast) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    [stranger] = cast.add(tom, [1])
    assert cast.look() == {("outlier", stranger, "open")}
    cast.refer(tom, None)
    assert cast.look() == {("outlier", stranger, "closed")}


def test_a_search_changes_no_face(cast: Cast) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    cast.add(tom, [1, 2, 2])
    query = sa.select(face).order_by(face.c.id)
    with cast.catalogue.read() as connection:
        before = list(connection.execute(query))
    assert len(cast.look()) == 2
    with cast.catalogue.read() as connection:
        assert list(connection.execute(query)) == before


def test_progress_and_counts_cover_every_unmerged_character(
    cast: Cast,
) -> None:
    cast.character("Tom", [0] * 3)
    gone, _ = cast.character("Thomas", [0] * 3)
    stays, _ = cast.character("Tommy", [7] * 3)
    run_id = cast.made.begin_run("test")
    with cast.catalogue.write() as connection:
        merges.merge(connection, run_id, gone, stays)
    looked: list[int] = []
    suspicions.refresh(cast.made, looked.append)
    assert sum(looked) == count_characters(cast.catalogue) == 2
    with cast.catalogue.read() as connection:
        counts = count(connection)
    assert sum(n for each in counts.values() for n in each.values()) == 0


def test_a_merge_that_is_done_is_not_suspected_again(cast: Cast) -> None:
    cast.character("Tom", [0] * 5)
    cast.character("Thomas", [0] * 4)
    cast.look()
    with cast.catalogue.write() as connection:
        connection.execute(sa.update(review).values(status="same"))
    [done] = review_merges.apply(cast.made).merges
    [(kind, _, status)] = cast.look()
    assert (kind, status) == ("merge", "same")
    review_merges.undo(cast.made, done.gone)
    [(kind, _, status)] = cast.look()
    assert (kind, status) == ("merge", "different")
    assert review_merges.apply(cast.made).merges == ()


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many faces each search of a character looked at."""
    counts: list[int] = []

    def clean(members: Members, curve: Curve) -> cleaning.CleaningResult:
        counts.append(len(members.vectors))
        return cleaning.clean(members, curve)

    monkeypatch.setattr(suspicions, "clean", clean)
    return counts


def test_only_characters_that_changed_are_searched_again(
    cast: Cast, searched: list[int]
) -> None:
    tom, _ = cast.character("Tom", [0] * 5)
    cast.character("Jerry", [1] * 4)
    suspicions.refresh(cast.made)
    assert sorted(searched) == [4, 5]
    searched.clear()
    suspicions.refresh(cast.made)
    assert searched == []
    cast.add(tom, [3])
    suspicions.refresh(cast.made)
    assert searched == [6]


def test_whatever_changes_is_searched_as_if_everything_were(cast: Cast) -> None:
    rng = np.random.default_rng(5)
    people = {}
    for name, axis in (("Tom", 0), ("Thomas", 0), ("Jerry", 1), ("Spike", 2)):
        who, _ = cast.character(name, [axis] * 3)
        people[who] = [*cast.add(who, [axis, 3, 4, 4])]
    run_id = cast.made.begin_run("test")

    def curve() -> None:
        slope = float(rng.uniform(8, 20))
        with cast.catalogue.write() as connection:
            connection.execute(
                sa.insert(calibration).values(
                    model=EMBEDDER,
                    parameters=json.dumps({"slope": slope, "intercept": -slope / 2}),
                    answered=1,
                    error=0.1,
                    run_id=run_id,
                    fitted_at=0.0,
                )
            )

    asked: set[tuple[int, int]] = set()
    for turn in range(40):
        who = int(rng.choice(list(people)))
        other = int(rng.choice(list(people)))
        face_id, second = (int(each) for each in rng.choice(people[who], 2, False))
        match turn % 8:
            case 0 | 4 if (face_id, who) not in asked:
                asked.add((face_id, who))
                labels = [Label.SAME, Label.DIFFERENT, Label.OPEN]
                cast.answer(face_id, who, labels[int(rng.integers(3))])
            case 1:
                verdict = str(rng.choice(["kept", "dropped"]))
                cast.change(face, face_id, verdict=verdict)
            case 2:
                cast.change(face, face_id, character_id=other)
            case 3:
                cast.refer(who, face_id)
            case 5:
                status = str(rng.choice(["open", "closed", "asked"]))
                for row in cast.reviews():
                    cast.change(review, row.id, status=status)
                    break
            case 6:
                with suppress(sa.exc.IntegrityError):
                    one, more = sorted((face_id, second))
                    cast.link(one, more, same=bool(rng.integers(2)))
            case 7:
                curve()
        cast.look()
    assert len(cast.reviews()) > 5
