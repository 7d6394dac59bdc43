"""The whole chain on real pictures."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue.schema import character, decision, face, image
from icf.errors import SomeFailed, WrongUse
from icf.filter.chain import filter_chain
from icf.filter.retry import retry
from icf.filter.run import pending, raise_for_failures
from icf.filter.status import count_faces, count_images
from icf.filter.steps.embed import Embed
from icf.workspace import Workspace
from tests.filter.workspaces import (
    add_files,
    make_workspace,
    outcome_of,
    rows,
    run_before,
    run_filter,
    site_files,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of four characters after the filter."""
    made = make_workspace(tmp_path_factory.mktemp("filtered"), site_files(4))
    run_filter(made)
    return made


def test_every_image_and_face_has_one_fate(filtered: Workspace) -> None:
    with filtered.catalogue.read() as connection:
        images, faces = count_images(connection), count_faces(connection)
    assert (images.pending, faces.pending) == (0, 0)
    [[image_total]] = rows(filtered, sa.select(sa.func.count()).select_from(image))
    [[face_total]] = rows(filtered, sa.select(sa.func.count()).select_from(face))
    assert images.total == images.kept + sum(images.dropped.values()) == image_total
    assert faces.total == faces.kept + sum(faces.dropped.values()) == face_total
    assert images.kept > 20
    assert faces.kept > 10
    assert "step_failed" not in {**images.dropped, **faces.dropped}


def test_the_ledger_has_one_decision_for_each_step_that_a_row_passed(
    filtered: Workspace,
) -> None:
    taken = rows(
        filtered, sa.select(decision.c.subject, decision.c.subject_id, decision.c.step)
    )
    assert set(Counter(taken).values()) == {1}
    steps = [
        each.name for each in filter_chain(filtered).steps if each.subject == "face"
    ]
    for face_id, verdict, reason in rows(
        filtered, sa.select(face.c.id, face.c.verdict, face.c.reason)
    ):
        history = rows(
            filtered,
            sa.select(decision.c.step, decision.c.verdict, decision.c.reason)
            .where(decision.c.subject == "face", decision.c.subject_id == face_id)
            .order_by(decision.c.id),
        )
        assert [row[0] for row in history] == steps[: len(history)]
        assert history[-1][1:] == (verdict, reason)
        assert all(row[1:] == ("pending", "ok") for row in history[:-1])
        assert (verdict == "kept") == (len(history) == len(steps) and reason == "ok")


def test_characters_get_a_reference_from_their_lead_picture(
    filtered: Workspace,
) -> None:
    with_faces = sa.select(face.c.filed_under_id).where(face.c.embedder.is_not(None))
    found = rows(
        filtered,
        sa.select(character.c.reference_face_id, character.c.reference_by).where(
            character.c.id.in_(with_faces)
        ),
    )
    assert len(found) >= 4
    assert all(face_id is not None for face_id, _ in found)
    assert "lead" in {by for _, by in found}


def test_a_duplicate_points_at_a_face_that_was_not_a_duplicate_itself(
    filtered: Workspace,
) -> None:
    keeper = face.alias()
    found = rows(
        filtered,
        sa.select(face.c.reason, keeper.c.reason, keeper.c.keeper_id).join(
            keeper, keeper.c.id == face.c.keeper_id
        ),
    )
    assert found
    for reason, _, keepers_keeper in found:
        assert reason in ("exact_duplicate", "near_duplicate")
        assert keepers_keeper is None


def test_running_again_changes_nothing(filtered: Workspace) -> None:
    before = outcome_of(filtered)
    tallies = run_filter(filtered)
    assert all(not tally.passed and not tally.dropped for tally in tallies)
    assert outcome_of(filtered) == before


def test_images_that_come_later_are_held_against_those_kept_before(
    tmp_path: Path,
) -> None:
    files = site_files(1)
    made = make_workspace(tmp_path, files[::2])
    run_filter(made)
    kept = rows(made, sa.select(face.c.id).where(face.c.verdict == "kept"))
    references = sa.select(character.c.name, character.c.reference_face_id)
    before = dict(rows(made, references.where(character.c.reference_by == "lead")))
    add_files(made, files[1::2])
    assert pending(made)["detect"] > 0
    run_filter(made)
    assert set(kept) <= set(
        rows(made, sa.select(face.c.id).where(face.c.verdict == "kept"))
    )
    assert before.items() <= dict(rows(made, references)).items()


def test_one_bad_face_stops_nothing_is_named_at_the_end_and_can_be_tried_again(
    tmp_path: Path,
) -> None:
    made = make_workspace(tmp_path, site_files(1))
    run_before(made, "embed")
    waiting = pending(made)["embed"]
    with made.catalogue.write() as connection:
        bad, right = connection.execute(
            sa.select(face.c.id, face.c.x2)
            .where(face.c.awaits == "embed")
            .order_by(face.c.id)
            .limit(1)
        ).one()
        broken = sa.update(face).where(face.c.id == bad).values(x2=float("inf"))
        connection.execute(broken)
    [tally] = run_filter(made, "embed")
    assert (tally.passed, tally.dropped) == (waiting - 1, {"step_failed": 1})
    said = rf"embed \(1\); see `icf why face:{bad}`; .*`icf-filter retry`"
    with pytest.raises(SomeFailed, match=said):
        raise_for_failures(made, [tally])
    with made.catalogue.write() as connection:
        connection.execute(sa.update(face).where(face.c.id == bad).values(x2=right))
    assert retry(made, dry_run=True) == {"embed": 1}
    assert pending(made)["embed"] == 0
    assert retry(made) == {"embed": 1}
    assert retry(made) == {}
    [tally] = run_filter(made, "embed")
    assert (tally.passed, tally.dropped) == (1, {})


def test_an_unknown_step_is_wrong_use(tmp_path: Path) -> None:
    made = make_workspace(tmp_path, site_files(1)[:1])
    with pytest.raises(WrongUse, match="no step is called 'crop'; the nearest is"):
        run_filter(made, "crop")


def test_after_a_backup_was_put_back_no_face_gets_the_vector_of_another(
    tmp_path: Path,
) -> None:
    files = site_files(1)
    made = make_workspace(tmp_path, files[:2])
    run_filter(made)
    [[last]] = rows(made, sa.select(sa.func.max(face.c.id)))
    place, backup = tmp_path / "catalogue.sqlite", tmp_path / "backup"
    made.catalogue.close()
    shutil.copy(place, backup)
    add_files(made, files[2:6])
    run_filter(made)
    made.catalogue.close()
    shutil.copy(backup, place)
    add_files(made, files[6:])
    run_filter(made)
    embedded = sa.select(face.c.id, face.c.embedder).where(face.c.embedder.is_not(None))
    later = [face_id for face_id, _ in rows(made, embedded) if face_id > last]
    [model] = {by for _, by in rows(made, embedded)}
    stored = made.vectors.get(model, np.array(later))
    [step] = [each for each in filter_chain(made).steps if isinstance(each, Embed)]
    with made.catalogue.read() as connection:
        items = [replace(i, embedder=None) for i in step.select(connection, later)]
    own = {outcome.id: outcome.vector for outcome in step.judge(items)}
    for face_id, vector in zip(later, stored, strict=True):
        assert np.dot(vector, np.asarray(own[face_id])) > 0.999
