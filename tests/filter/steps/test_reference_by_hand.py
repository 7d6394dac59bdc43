"""What a person chose, through the whole filter on real pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.app.demo.site.truth import Noise
from icf.catalogue import references
from icf.catalogue.schema import candidate, character, decision, face, image
from icf.workspace import Workspace
from tests.filter.workspaces import (
    add_files,
    make_workspace,
    rows,
    run_filter,
    site_files,
)

pytestmark = pytest.mark.slow


def choose(made: Workspace, name: str, *arguments: int) -> None:
    run_id = made.begin_run("test")
    with made.catalogue.write() as connection:
        getattr(references, name)(connection, run_id, *arguments)


def reference(made: Workspace, who: int) -> tuple[int | None, str | None]:
    query = sa.select(character.c.reference_face_id, character.c.reference_by)
    [(face_id, by)] = rows(made, query.where(character.c.id == who))
    return face_id, by


def similarities(made: Workspace, who: int) -> dict[int, float]:
    query = sa.select(face.c.id, face.c.similarity).where(
        face.c.character_id == who, face.c.similarity.is_not(None)
    )
    return dict(rows(made, query))


def test_a_picture_chosen_before_the_filter_ran_gives_the_reference(
    tmp_path: Path,
) -> None:
    made = make_workspace(tmp_path, site_files(2))
    query = sa.select(candidate.c.character_id, candidate.c.image_id)
    who, image_id = rows(made, query.where(~candidate.c.is_lead))[0]
    choose(made, "choose_image", who, image_id)
    run_filter(made)
    face_id, by = reference(made, who)
    assert by == "hand"
    assert rows(made, sa.select(face.c.image_id).where(face.c.id == face_id)) == [
        (image_id,)
    ]
    assert similarities(made, who)[face_id or 0] > 0.99


def test_a_new_reference_has_the_faces_of_its_album_judged_against_it(
    tmp_path: Path,
) -> None:
    made = make_workspace(tmp_path, site_files(2))
    run_filter(made)
    who, old = rows(
        made,
        sa.select(character.c.id, character.c.reference_face_id).where(
            character.c.reference_face_id.is_not(None)
        ),
    )[0]
    before = similarities(made, who)
    new = next(each for each in before if each != old)
    choose(made, "choose_face", who, new)
    assert similarities(made, who) == {}
    run_filter(made)
    after = similarities(made, who)
    assert reference(made, who) == (new, "hand")
    assert after[new] > 0.99 > after[old]
    judged = sa.select(sa.func.count()).where(
        decision.c.subject == "face",
        decision.c.subject_id == old,
        decision.c.step == "identity",
    )
    assert rows(made, judged) == [(2,)]


def test_a_face_that_the_filter_would_drop_serves_when_a_person_chose_it(
    tmp_path: Path,
) -> None:
    blurred = [each for each in site_files(1000) if each.noise is Noise.BLURRED]
    made = make_workspace(tmp_path, [*site_files(1), *blurred[:4]])
    run_filter(made)
    [(dropped, image_id)] = rows(
        made,
        sa.select(face.c.id, face.c.image_id)
        .where(face.c.reason.in_(["blurred", "too_small"]))
        .order_by(face.c.id)
        .limit(1),
    )
    who = rows(
        made,
        sa.select(candidate.c.character_id).where(candidate.c.image_id == image_id),
    )[0][0]
    choose(made, "choose_face", who, dropped)
    run_filter(made)
    [(embedder, verdict, awaits)] = rows(
        made,
        sa.select(face.c.embedder, face.c.verdict, face.c.awaits).where(
            face.c.id == dropped
        ),
    )
    assert (embedder is not None, verdict, awaits) == (True, "kept", None)
    assert reference(made, who) == (dropped, "hand")


def test_none_by_hand_stays_when_more_pictures_come(tmp_path: Path) -> None:
    files = site_files(1)
    made = make_workspace(tmp_path, files[::2])
    [(who,)] = rows(made, sa.select(character.c.id).limit(1))
    choose(made, "choose_none", who)
    add_files(made, files[1::2])
    run_filter(made)
    assert reference(made, who) == (None, "hand")
    [(pending,)] = rows(
        made, sa.select(sa.func.count()).where(image.c.awaits.is_not(None))
    )
    assert pending == 0
