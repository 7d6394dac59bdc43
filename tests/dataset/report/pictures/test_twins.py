from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.report.pictures.twins import PAIRS, Suspected, read_suspected
from icf.workspace import Workspace


def suspect(workspace: Workspace, kind: str, score: float, status: str) -> None:
    """Two faces of different characters, as a step would suspect them."""
    with workspace.catalogue.write() as connection:
        known = connection.execute(
            sa.select(sa.func.count()).select_from(schema.review)
        ).scalar_one()
        face = schema.face.c
        kept = sa.select(face.id, face.character_id).where(face.verdict == "kept")
        rows = connection.execute(kept.order_by(face.id)).all()
        one = rows[known]
        other = next(row for row in rows if row.character_id != one.character_id)
        connection.execute(
            sa.insert(schema.review).values(
                kind=kind,
                character_id=one.character_id,
                face_id=one.id,
                other_character_id=other.character_id,
                other_face_id=other.id,
                score=score,
                similarity=score - 0.1,
                phash_bits=3,
                dhash_bits=4,
                status=status,
                found_at=0.0,
                changed_at=0.0,
            )
        )


def suspected(workspace: Workspace) -> list[Suspected]:
    with workspace.catalogue.read() as connection:
        return read_suspected(connection, workspace.blobs)


def test_both_faces_are_shown_with_their_similarity(workspace: Workspace) -> None:
    suspect(workspace, "twin", 0.9, "open")
    [twins] = suspected(workspace)
    [pair] = twins.pairs
    assert pair.first.character != pair.second.character
    assert pair.first.album.startswith("Album")
    for face in (pair.first, pair.second):
        assert face.thumbnail is not None
        assert face.thumbnail.crop.startswith("data:image/jpeg;base64,")
    assert (pair.bits, pair.status) == ((3, 4), "open")
    assert pair.similarity is not None
    assert round(pair.similarity, 6) == 0.8


def test_what_waits_for_an_answer_comes_first_and_closed_pairs_are_only_counted(
    workspace: Workspace,
) -> None:
    for score, status in ((0.99, "same"), (0.5, "open"), (0.7, "asked"), (1, "closed")):
        suspect(workspace, "merge", score, status)
    [merges] = suspected(workspace)
    assert [pair.status for pair in merges.pairs] == ["asked", "open", "same"]
    assert {bar.name: bar.count for bar in merges.statuses} == {
        "open": 1,
        "asked": 1,
        "same": 1,
        "closed": 1,
    }


def test_only_some_are_shown_of_many(workspace: Workspace) -> None:
    for number in range(PAIRS + 3):
        suspect(workspace, "twin", number / 100, "open")
    [twins] = suspected(workspace)
    assert len(twins.pairs) == PAIRS
    assert sum(bar.count for bar in twins.statuses) == PAIRS + 3


def test_a_picture_that_is_gone_leaves_its_names(workspace: Workspace) -> None:
    suspect(workspace, "twin", 0.9, "open")
    with workspace.catalogue.read() as connection:
        hashes = connection.execute(sa.select(schema.image.c.sha256)).scalars().all()
    for sha256 in hashes:
        workspace.blobs.path(sha256).unlink()
    [pair] = suspected(workspace)[0].pairs
    assert pair.first.thumbnail is None
    assert pair.second.thumbnail is None
    assert pair.first.character


def test_suspicions_about_one_character_are_no_pairs(workspace: Workspace) -> None:
    suspect(workspace, "outlier", 0.9, "open")
    assert suspected(workspace) == []
