"""What is damaged is made again, until all is as if nothing had happened."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.demo.site import DemoSite
from icf.catalogue import row_state
from icf.catalogue.catalogue import DamagedCatalogue
from icf.catalogue.ledger import Decision
from icf.catalogue.row_state import RowState
from icf.catalogue.schema import character, face, image, question, review, url
from icf.errors import BrokenMachine, SomeFailed
from icf.workspace import Workspace, find
from tests.app.demo_runs import Demo
from tests.app.doctor.damages import DAMAGES, cut, flip_a_bit, zero
from tests.app.program import call, said
from tests.dataset.drawn import same_files
from tests.filter.rows import alike


def state(space: Workspace) -> dict[str, Any]:
    """All that the filter and people have decided."""
    columns = (
        (image, ("id", "sha256", "verdict", "reason", "awaits", "pixel_hash")),
        (
            face,
            (
                *("id", "verdict", "reason", "awaits", "embedder", "filed_under_id"),
                *("character_id", "keeper_id", "similarity", "probability"),
            ),
        ),
        (character, ("id", "reference_face_id", "reference_by")),
        (question, ("id", "face_id", "character_id", "label")),
        (review, ("kind", "face_id", "character_id", "other_face_id", "status")),
        (url, ("id", "image_id")),
    )
    found: dict[str, Any] = {}
    with space.catalogue.read() as connection:
        for table, names in columns:
            query = sa.select(*(table.c[name] for name in names)).order_by(table.c.id)
            for row in connection.execute(query).mappings():
                found[f"{table.name} {len(found)}"] = dict(row)
    return found


def blobs(space: Workspace) -> list[Path]:
    return sorted(each for each in (space.root / "blobs").rglob("*") if each.is_file())


@pytest.fixture
def space(finished_demo: tuple[Demo, dict[str, Any]], tmp_path: Path) -> Workspace:
    shutil.copytree(finished_demo[0].root, tmp_path / "demo")
    return find(tmp_path / "demo")


def repair(space: Workspace) -> dict[str, Any]:
    """Repair it while its site is there."""
    port = json.loads((space.root / "demo.json").read_text())["port"]
    with DemoSite(port):
        done = said("-C", space.root, "doctor", "--repair")
    assert {each["state"] for each in done["checks"]} <= {"ok"}
    repaired = done["repaired"]
    assert isinstance(repaired, dict)
    return repaired


def test_everything_that_is_damaged_is_made_again(space: Workspace) -> None:
    call("-C", space.root, "filter", "rethreshold")
    before = state(space)
    releases = space.root / "releases"
    said("-C", space.root, "build-splits", releases / "before")
    for number, path in enumerate(blobs(space)[::20]):
        DAMAGES[number % len(DAMAGES)](path)
    [shard] = (space.root / "vectors").rglob("*.checked")
    cut(shard)
    flip_a_bit(shard)
    batch = space.root / "batches" / "questions"
    shutil.copytree(batch, space.root / "batch as it was")
    crops = sorted((batch / "pictures").iterdir())
    for damage, crop in zip(DAMAGES, crops, strict=False):
        damage(crop)
    [segment] = (space.root / "hashes").glob("*.hashes")
    flip_a_bit(segment)
    # Nothing that can be run now drops or restores a face.
    for command in (("filter", "run"), ("filter", "rethreshold")):
        with pytest.raises(BrokenMachine, match="`icf doctor --repair`"):
            call("-C", space.root, *command)
    done = repair(space)
    assert (done["pictures"], done["crops"]) == (31, 5)
    assert done["embeddings"] > 100
    assert (done["lost"], done["stale"]) == ({}, False)
    assert alike(state(space), before)
    assert same_files(batch, space.root / "batch as it was")
    said("-C", space.root, "build-splits", releases / "after")
    assert same_files(releases / "before", releases / "after")


def test_what_an_earlier_version_dropped_for_damage_is_restored(
    space: Workspace,
) -> None:
    call("-C", space.root, "filter", "rethreshold")
    before = state(space)
    run_id = space.begin_run("icf-filter rethreshold")
    lost = blobs(space)[::50]
    for path in lost:
        path.unlink()
    with space.catalogue.write() as connection:
        kept = sa.select(face.c.id).where(face.c.verdict == "kept").limit(250)
        faces = list(connection.execute(kept).scalars())
        named = image.c.sha256.in_([path.name for path in lost])
        images = list(connection.execute(sa.select(image.c.id).where(named)).scalars())
        of_images = sa.select(face.c.id).where(
            face.c.image_id.in_(images),
            face.c.id.not_in(faces),
            face.c.awaits.is_(None),
        )
        why = "MissingVector: 9 faces have no vector of model d8626f66a796"
        states = [dropped("face", key, "identity", "step_failed", why) for key in faces]
        states += [
            dropped("face", key, "embed", "missing_blob")
            for key in connection.execute(of_images.where(face.c.embedder.is_not(None)))
            .scalars()
            .all()
        ]
        row_state.write(connection, run_id, states)
    space.end_run(run_id)
    assert repair(space)["pictures"] == len(lost)
    assert alike(state(space), before)
    assert repair(space)["restored"] == 0


def dropped(
    subject: str, key: int, step: str, reason: str, message: str | None = None
) -> RowState:
    made = Decision(subject, key, step, "dropped", reason, message=message)
    return RowState(made, None)


def test_pictures_whose_bytes_are_lost_wait_and_are_filtered_when_they_are_back(
    space: Workspace,
) -> None:
    call("-C", space.root, "filter", "rethreshold")
    before = state(space)
    run_id = space.begin_run("test")
    lost = blobs(space)[10]
    with space.catalogue.write() as connection:
        named = sa.select(image.c.id).where(image.c.sha256 == lost.name)
        key = connection.execute(named).scalar_one()
        faces = connection.execute(sa.select(face.c.id).where(face.c.image_id == key))
        waits = [
            RowState(Decision("face", each, "embed", "pending", "ok"), "embed")
            for each in faces.scalars()
        ]
        row_state.write(connection, run_id, waits)
    lost.unlink()
    shutil.rmtree(space.root / "vectors")
    with pytest.raises((SomeFailed, BrokenMachine), match="`icf doctor --repair`"):
        call("-C", space.root, "filter", "run")
    repair(space)
    assert alike(state(space), before)


def test_a_picture_that_no_source_has_is_named_and_drops_nothing(
    space: Workspace,
) -> None:
    before = state(space)
    zero(blobs(space)[0])
    config = space.root / "icf.toml"
    config.write_text(config.read_text().split("[[source]]")[0])
    with pytest.raises(SomeFailed, match=f"1 pictures .*{blobs(space)[0].name}"):
        call("-C", space.root, "doctor", "--repair")
    assert alike(state(space), before)


def root_page(path: Path, name: str) -> int:
    with sqlite3.connect(path) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        page = connection.execute(query, (name,)).fetchone()[0]
    connection.close()
    return int(page)


def overwrite_page(path: Path, number: int, change: Callable[[bytes], bytes]) -> None:
    size = 4096
    with path.open("r+b") as file:
        file.seek((number - 1) * size)
        data = file.read(size)
        file.seek((number - 1) * size)
        file.write(change(data))


def test_damaged_indexes_of_the_catalogue_are_made_again(
    drawn_space: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn_space, tmp_path / "space")
    path = tmp_path / "space" / "catalogue.sqlite"
    with sqlite3.connect(path) as connection:
        # The drawing has a face of every reason.
        connection.execute("DELETE FROM face WHERE reason = 'missing_blob'")
    connection.close()
    before = state(find(tmp_path / "space"))
    page = root_page(path, "ix_face_character_id")
    # The second half of a page of an index are its entries.
    overwrite_page(path, page, lambda data: data[:2048] + data[2049:] + b"x")
    found = json.loads(
        call_anyhow("-C", tmp_path / "space", "doctor", "--full", "--json")
    )
    [catalogue] = [each for each in found["checks"] if each["name"] == "catalogue"]
    assert catalogue["state"] == "broken"
    done = said("-C", tmp_path / "space", "doctor", "--repair")
    assert done["repaired"]["catalogue"]
    assert alike(state(find(tmp_path / "space")), before)


def test_a_catalogue_that_has_lost_rows_is_left_alone_and_the_way_out_is_said(
    drawn_space: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn_space, tmp_path / "space")
    path = tmp_path / "space" / "catalogue.sqlite"
    overwrite_page(path, root_page(path, "face"), lambda data: bytes(len(data)))
    damaged = path.read_bytes()
    with pytest.raises(DamagedCatalogue, match=r"is damaged: .*\n.*put a backup"):
        call("-C", tmp_path / "space", "doctor", "--repair")
    assert path.read_bytes() == damaged


def test_indexes_that_cannot_be_made_again_are_not_promised(
    drawn_space: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn_space, tmp_path / "space")
    path = tmp_path / "space" / "catalogue.sqlite"
    page = root_page(path, "ix_face_character_id")
    overwrite_page(path, page, lambda data: b"x" * len(data))
    found = json.loads(
        call_anyhow("-C", tmp_path / "space", "doctor", "--full", "--json")
    )
    [catalogue] = [each for each in found["checks"] if each["name"] == "catalogue"]
    assert "mends it" not in catalogue["found"]
    assert "tries to make the indexes again" in catalogue["found"]
    with pytest.raises(DamagedCatalogue, match=r"is damaged: .*\n") as failed:
        call("-C", tmp_path / "space", "doctor", "--repair")
    said = str(failed.value)
    assert "cannot be made again: put a backup of the file in its place" in said
    assert "`icf doctor --repair`" not in said


def call_anyhow(*words: object) -> str:
    from click.testing import CliRunner

    from icf.app.cli import cli

    return CliRunner().invoke(cli, [str(word) for word in words]).stdout
