"""`icf-filter rethreshold` on real pictures: it ends where a fresh run ends."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue import ledger, references
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import batch, character, decision, face, question
from icf.catalogue.schema import run as run_table
from icf.filter.rethreshold import run as rethreshold_run
from icf.filter.rethreshold.dry_run import tried
from icf.filter.rethreshold.reevaluate import reevaluate
from icf.filter.rethreshold.run import Rethresholded, rethreshold
from icf.workspace import Workspace, find
from tests.filter.cli.test_main import forked, run
from tests.filter.rows import alike
from tests.filter.workspaces import (
    make_workspace,
    no_bar,
    outcome_of,
    rows,
    run_before,
    run_filter,
    site_files,
)

pytestmark = pytest.mark.slow

#: Each with what it leaves out of a workspace that was made with the defaults.
MOVED = [
    "filter.min_score=0.8",
    "filter.min_side=400",
    "filter.max_aspect=1.2",
    "filter.min_face=160",
    "filter.min_brightness=130",
    "filter.min_contrast=80",
    "filter.min_sharpness=4000",
    "filter.min_edge_sharpness=0.25",
    "filter.max_phash=3",
    "filter.max_dhash=3",
    "filter.min_duplicate_cosine=0.99",
    "filter.min_probability=0.99",
]

Made = Callable[..., Workspace]


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Give a workspace that was filtered afresh with some settings."""
    folder = tmp_path_factory.mktemp("filtered")
    # No setting changes what is detected.
    run_before(make_workspace(folder / "detected", site_files(3)), "aspect")

    def make(*flags: str) -> Workspace:
        root = folder / ("-".join(flags) or "defaults")
        if not root.exists():
            shutil.copytree(folder / "detected", root)
            run_filter(workspace.find(root, flags))
        return workspace.find(root, flags)

    return make


@pytest.fixture
def copied(tmp_path: Path) -> Made:
    """Give a copy of a workspace, with other settings."""

    def copy(made: Workspace, *flags: str) -> Workspace:
        root = tmp_path / "copy"
        shutil.copytree(made.root, root, dirs_exist_ok=True)
        return workspace.find(root, flags)

    return copy


def standing(made: Workspace) -> dict[str, list[Any]]:
    """What `outcome_of` tells, but for the ledger and vectors of faces that are out.

    A face that is out may have its vector from before.
    """
    found = outcome_of(made)
    del found["decisions"]
    place = {column.name: at - 1 for at, column in enumerate(face.c)}
    faces = [list(row) for row in found["faces"]]
    for row in faces:
        if row[place["verdict"]] != "kept":
            row[place["embedder"]] = None
    return {**found, "faces": faces}


def changed(made: Rethresholded) -> int:
    return sum((made.dropped + made.restored + made.other_reason).values())


@pytest.mark.parametrize("flag", MOVED)
def test_there_and_back_it_ends_where_a_fresh_run_ends(
    filtered: Made, copied: Made, flag: str
) -> None:
    there = copied(filtered(), flag)
    assert changed(rethreshold(there, no_bar)) > 0
    run_filter(there)
    rethreshold(there, no_bar)
    assert alike(standing(there), standing(filtered(flag)))
    back = workspace.find(there.root)
    assert changed(rethreshold(back, no_bar)) > 0
    assert alike(standing(back), standing(filtered()))


def confirm(made: Workspace, face_id: int) -> None:
    """Let people say that a face is its character."""
    with made.catalogue.write() as connection:
        row = connection.execute(sa.select(face).where(face.c.id == face_id)).one()
        name = f"b{face_id}"
        connection.execute(
            sa.insert(batch).values(
                id=name, format="csv", path="b", questions=1, created_at=0.0
            )
        )
        connection.execute(
            sa.insert(question).values(
                face_id=face_id,
                character_id=row.character_id,
                reference_face_id=face_id,
                batch_id=name,
                label="same",
                asked_at=0.0,
            )
        )


def smallest_kept(made: Workspace) -> int:
    side = sa.func.min(face.c.x2 - face.c.x1, face.c.y2 - face.c.y1)
    kept = sa.select(face.c.id).where(face.c.verdict == "kept").order_by(side)
    with made.catalogue.read() as connection:
        return int(connection.execute(kept.limit(1)).scalar_one())


def test_only_what_changes_gets_a_new_decision(filtered: Made, copied: Made) -> None:
    made = copied(filtered(), "filter.min_face=160")
    before = rows(made, sa.select(face.c.id, face.c.verdict, face.c.reason))
    known = len(rows(made, sa.select(decision.c.id)))
    done = rethreshold(made, no_bar)
    after = rows(made, sa.select(face.c.id, face.c.verdict, face.c.reason))
    moved = {now[0] for now, then in zip(after, before, strict=True) if now != then}
    query = sa.select(
        decision.c.subject_id,
        decision.c.step,
        decision.c.reason,
        decision.c.threshold,
        decision.c.value,
    )
    new = rows(made, query.order_by(decision.c.id))[known:]
    # Where a reference is out too, its album is compared with another one.
    by_size = [row for row in new if row[1] not in ("reference", "identity")]
    assert len(moved) == changed(done) > 10
    assert {row[0] for row in by_size} == moved
    assert {row[1:4] for row in by_size} == {("size", "too_small", 160.0)}
    assert all(row[4] < 160 for row in by_size)


def test_a_dry_run_tells_the_same_and_changes_nothing(
    filtered: Made, copied: Made
) -> None:
    made = copied(filtered(), "filter.min_sharpness=4000")
    before = outcome_of(made)
    told = rethreshold(made, no_bar, dry_run=True)
    assert outcome_of(made) == before
    assert rethreshold(made, no_bar) == told
    assert changed(told) > 0


def test_others_write_and_see_nothing_while_a_dry_run_writes(
    sqlite_catalogue: Catalogue,
) -> None:
    other = Catalogue(sqlite_catalogue.url)
    sa.event.listen(other.engine, "connect", _wait_for_nobody)
    begin = ledger.begin_run
    with tried(sqlite_catalogue) as dry, dry.write() as connection:
        begin(connection, "dry", "{}", "0")
        with other.write() as beside:
            begin(beside, "beside", "{}", "0")
        seen = list(connection.execute(sa.select(run_table.c.command)).scalars())
    with other.read() as connection:
        left = list(connection.execute(sa.select(run_table.c.command)).scalars())
    other.close()
    assert (seen, left) == (["dry"], ["beside"])


def _wait_for_nobody(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout = 0")


def test_a_face_that_people_confirmed_and_that_is_out_now_is_named(
    filtered: Made, copied: Made
) -> None:
    made = copied(filtered())
    small = smallest_kept(made)
    confirm(made, small)
    moved = ("--set", "filter.min_face=400")
    out, err = run(made, "rethreshold", "--json", *moved)
    assert json.loads(out)["confirmed_out"] == [small]
    assert f"icf why face:{small}" in err
    [[label]] = rows(made, sa.select(question.c.label))
    assert label == "same"
    out, err = run(made, "rethreshold", "--json")
    assert json.loads(out)["in"]["size"]["too_small"] > 0
    assert "icf why" not in err


def test_a_reference_chosen_by_hand_stays_in_though_it_is_too_small(
    filtered: Made, copied: Made
) -> None:
    made = copied(filtered(), "filter.min_face=400")
    small = smallest_kept(made)
    with made.catalogue.write() as connection:
        who = sa.select(face.c.character_id).where(face.c.id == small)
        character_id = connection.execute(who).scalar_one()
        run_id = made.note_run(connection, "test")
        references.choose_face(connection, run_id, character_id, small)
    run_filter(made)
    rethreshold(made, no_bar)
    kept = rows(made, sa.select(face.c.id).where(face.c.verdict == "kept"))
    assert (small,) in kept
    chosen = sa.select(character.c.reference_face_id, character.c.reference_by)
    assert rows(made, chosen.where(character.c.id == character_id)) == [(small, "hand")]


def test_a_reference_is_chosen_again_among_faces_that_people_confirmed(
    filtered: Made, copied: Made
) -> None:
    made = copied(filtered())
    query = sa.select(face.c.id).where(face.c.verdict == "kept").order_by(face.c.id)
    confirmed = rows(made, query)
    for [face_id] in confirmed:
        confirm(made, face_id)
    rethreshold(workspace.find(made.root, ("filter.min_face=160",)), no_bar)
    left = rows(made, query.with_only_columns(face.c.character_id))
    chosen = sa.select(character.c.id).where(character.c.reference_face_id.is_not(None))
    assert left
    assert set(left) == set(rows(made, chosen))
    lacking = rows(made, sa.select(face.c.id).where(face.c.reason == "no_reference"))
    assert not {*lacking} & {*confirmed}


def test_a_character_whose_faces_are_all_out_has_no_reference_any_more(
    filtered: Made, copied: Made
) -> None:
    made = copied(filtered(), "filter.min_face=10000")
    rethreshold(made, no_bar)
    assert set(rows(made, sa.select(character.c.reference_face_id))) == {(None,)}
    assert rows(made, sa.select(face.c.id).where(face.c.awaits.is_not(None))) == []


def test_what_was_never_embedded_waits_for_a_run_and_the_command_says_so(
    filtered: Made, copied: Made
) -> None:
    made = copied(filtered("filter.min_face=160"))
    out, err = run(made, "rethreshold")
    assert "too_small" in out
    assert "wait for the step embed; run `icf-filter run`" in err
    run(made, "run")
    run(made, "rethreshold")
    assert alike(standing(made), standing(filtered()))


def test_killed_anywhere_and_started_again_it_comes_to_the_same_end(
    filtered: Made, copied: Made
) -> None:
    moved = ("--set", "filter.min_sharpness=4000")
    made = copied(filtered())
    known = len(rows(made, sa.select(decision.c.id)))
    process = forked(made, "rethreshold", *moved)
    while process.poll() is None:
        if len(rows(made, sa.select(decision.c.id))) > known:
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()
    run(made, "rethreshold", *moved)
    assert alike(standing(made), standing(filtered("filter.min_sharpness=4000")))


def test_the_table_says_what_moved_and_when_nothing_did(
    filtered: Made, copied: Made
) -> None:
    made = copied(filtered())
    assert "nothing changes" in run(made, "rethreshold")[0]
    out, err = run(made, "rethreshold", "--dry-run", "--set", "filter.min_face=160")
    assert "newly dropped" in out
    assert "a side of the face is under" in out
    assert "nothing was changed" in err


def test_a_threshold_out_of_range_is_wrong_use(filtered: Made, copied: Made) -> None:
    made = copied(filtered())
    err = run(made, "rethreshold", "--set", "filter.min_score=0.1", code=2)[1]
    assert "filter.min_score" in err
    assert "greater than or equal to 0.3" in err


def test_what_changed_nothing_is_not_evaluated_again_until_something_changes(
    filtered: Made, copied: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = copied(filtered())
    times: list[int] = []

    def note(*arguments: Any) -> Any:
        times.append(1)
        return reevaluate(*arguments)

    monkeypatch.setattr(rethreshold_run, "reevaluate", note)
    rethreshold(made, no_bar)
    rethreshold(made, no_bar)
    before = len(times)
    assert changed(rethreshold(made, no_bar)) == 0
    assert changed(rethreshold(made, no_bar, dry_run=True)) == 0
    assert len(times) == before
    # Measures can change without a decision, thresholds without the catalogue.
    small = smallest_kept(made)
    with made.catalogue.write() as connection:
        connection.execute(
            sa.update(face).where(face.c.id == small).values(brightness=1.0)
        )
    assert changed(rethreshold(made, no_bar, dry_run=True)) > 0
    moved = find(made.root, ("filter.min_face=10000",))
    assert changed(rethreshold(moved, no_bar, dry_run=True)) > 1
    confirm(made, small)
    rethreshold(made, no_bar)
    assert len(times) == before + 3
