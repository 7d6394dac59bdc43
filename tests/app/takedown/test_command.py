"""What is withdrawn is gone, and nothing brings it back."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.app.takedown import copies, work
from icf.app.why import explain
from icf.catalogue import merges, reviews
from icf.catalogue.reviews import Found
from icf.catalogue.schema import (
    candidate,
    character,
    decision,
    discovery,
    face,
    image,
    question,
    review,
    tombstone,
    url,
)
from icf.codes import Suspicion
from icf.errors import SomeFailed, WrongUse
from icf.harvest.cli.main import cli as harvest
from icf.models.cards import new_card, save_card
from icf.stores.blobs import BlobStore
from icf.stores.vectors import VectorStore
from icf.workspace import Workspace
from tests.app.program import call, invoke, said
from tests.dataset.drawn import EMBEDDER, Drawing, Size

PICTURE = "http://toons.test/1-1.jpg"
REASON = ("--reason", "asked by mail", "--yes")


def rows(space: Workspace, query: sa.Select[Any]) -> list[Any]:
    with space.catalogue.read() as connection:
        return list(connection.execute(query).all())


def picture(space: Workspace, address: str = PICTURE) -> Any:
    query = sa.select(image).join(url, url.c.image_id == image.c.id)
    [found] = rows(space, query.where(url.c.url == address))
    return found


def faces_of(space: Workspace, image_id: int) -> list[Any]:
    return rows(space, sa.select(face).where(face.c.image_id == image_id))


def withdraw(space: Workspace, subject: object, *words: object) -> dict[str, Any]:
    return said("-C", space.root, "takedown", subject, *REASON, *words)


@pytest.mark.parametrize("by", ["url", "sha256"])
def test_bytes_faces_questions_and_vectors_are_removed_and_tombstones_stay(
    space: Workspace, by: str
) -> None:
    before = picture(space)
    [found] = faces_of(space, before.id)
    shown = withdraw(space, PICTURE if by == "url" else before.sha256.upper())
    assert shown["kind"] == by
    assert (shown["images"], shown["faces"], shown["urls"]) == (1, 1, 1)
    after = picture(space)
    state = ("dropped", "taken_down", None)
    assert (after.verdict, after.reason, after.awaits) == state
    [gone] = faces_of(space, before.id)
    assert (gone.verdict, gone.reason, gone.awaits) == state
    assert not space.blobs.has(before.sha256)
    assert found.id not in VectorStore(space.root / "vectors").ids(EMBEDDER)
    assert rows(space, sa.select(question).where(question.c.face_id == found.id)) == []
    [row] = rows(space, sa.select(url).where(url.c.url == PICTURE))
    assert (row.fate, row.message) == ("taken_down", "asked by mail")
    tombstones = {
        (each.kind, each.subject, each.reason)
        for each in rows(space, sa.select(tombstone))
    }
    assert tombstones == {
        ("url", PICTURE, "asked by mail"),
        ("sha256", before.sha256, "asked by mail"),
    }
    noted = rows(space, sa.select(decision).where(decision.c.step == "takedown"))
    assert {(each.subject, each.reason) for each in noted} == {
        ("image", "taken_down"),
        ("face", "taken_down"),
        ("question", "taken_down"),
    }


def test_what_was_withdrawn_is_counted_no_more(space: Workspace) -> None:
    def counts() -> tuple[int, ...]:
        where = ("-C", space.root, "--json")
        own = json.loads(call("status", *where).stdout)
        harvested = json.loads(invoke(harvest, "status", *where).stdout)
        assert harvested["images"] == own["images"]
        names = ("characters", "images", "faces")
        return *(own[name] for name in names), harvested["bytes"]

    characters, images, faces, size = counts()
    one = picture(space)
    withdraw(space, PICTURE)
    assert counts() == (characters, images - 1, faces - 1, size - one.bytes)
    gone = withdraw(space, "character:2")
    left = counts()
    assert left[0] == characters - 1
    assert left[1:3] == (images - 1 - gone["images"], faces - 1 - gone["faces"])


@pytest.mark.parametrize("by", ["url", "sha256"])
def test_other_files_with_the_same_pixels_are_removed_too(
    space: Workspace, by: str
) -> None:
    first, copy = picture(space), picture(space, "http://toons.test/1-2.jpg")
    assert first.id != copy.id
    with space.catalogue.write() as connection:
        same = sa.update(image).where(image.c.id == copy.id)
        connection.execute(same.values(pixel_hash=first.pixel_hash))
    shown = withdraw(space, PICTURE if by == "url" else first.sha256)
    assert shown["images"] == 2
    assert picture(space, "http://toons.test/1-2.jpg").reason == "taken_down"
    assert not space.blobs.has(copy.sha256)


def test_nothing_else_changes(space: Workspace) -> None:
    gone = picture(space).id
    query = sa.select(face).where(face.c.image_id != gone).order_by(face.c.id)
    before = rows(space, query)
    withdraw(space, PICTURE)
    assert rows(space, query) == before
    stored = rows(space, sa.select(image.c.sha256).where(image.c.id != gone))
    assert all(space.blobs.has(each.sha256) for each in stored)
    ids = [each.id for each in before if each.embedder]
    assert space.vectors.get(EMBEDDER, np.array(ids)).any(axis=1).all()


def test_a_dry_run_says_what_would_go_and_removes_nothing(space: Workspace) -> None:
    before = picture(space)
    shown = withdraw(space, PICTURE, "--dry-run")
    assert (shown["removed"], shown["images"], shown["faces"]) == (False, 1, 1)
    assert space.blobs.has(before.sha256)
    assert rows(space, sa.select(tombstone)) == []


def test_without_yes_the_person_is_prompted_and_no_means_no(space: Workspace) -> None:
    done = call("-C", space.root, "takedown", PICTURE, "--reason", "why")
    assert done.exit_code == 1
    assert "Remove it permanently?" in done.output
    assert rows(space, sa.select(tombstone)) == []


@pytest.mark.parametrize(
    "stopped_in",
    [
        (work, "_end_urls"),
        (work, "_drop_faces"),
        (work, "_drop_images"),
        (work, "remove_files"),
        (BlobStore, "remove"),
        (VectorStore, "erase"),
        (copies, "_crops"),
    ],
    ids=lambda place: place[1],
)
@pytest.mark.parametrize("subject", [PICTURE, "Album 1/Character 1-0"])
def test_stopped_anywhere_the_same_command_completes_it(
    space: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    stopped_in: tuple[Any, str],
    subject: str,
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = picture(space)
    [found] = faces_of(space, before.id)
    with monkeypatch.context() as patched:
        patched.setattr(*stopped_in, stop)
        call("-C", space.root, "takedown", subject, *REASON)
    # From the first moment on there is a tombstone for the bytes.
    tombstones = rows(space, sa.select(tombstone.c.subject))
    assert (before.sha256,) in tombstones
    withdraw(space, subject)
    assert not space.blobs.has(before.sha256)
    assert picture(space).reason == "taken_down"
    assert faces_of(space, before.id)[0].reason == "taken_down"
    assert found.id not in VectorStore(space.root / "vectors").ids(EMBEDDER)
    noted = rows(space, sa.select(decision).where(decision.c.step == "takedown"))
    assert len({(each.subject, each.subject_id) for each in noted}) == len(noted)


def test_with_another_store_it_says_that_the_bytes_may_stay(space: Workspace) -> None:
    before, blobs = picture(space), space.root / "blobs"
    blobs.rename(space.root / "elsewhere")
    blobs.mkdir()
    with pytest.raises(SomeFailed, match="none of the catalogue's pictures"):
        withdraw(space, PICTURE)
    assert picture(space).reason == "taken_down"
    blobs.rmdir()
    (space.root / "elsewhere").rename(blobs)
    assert space.blobs.has(before.sha256)
    withdraw(space, PICTURE)
    assert not space.blobs.has(before.sha256)


def test_a_characters_pictures_are_removed_unless_they_show_others(
    space: Workspace,
) -> None:
    key = 2
    with space.catalogue.write() as connection:
        _share(connection, key)
    shown = withdraw(space, f"character:{key}")
    assert shown["subject"] == "Album 1/Character 1-1"
    kept = rows(space, sa.select(image).where(image.c.reason != "taken_down"))
    filed = rows(space, sa.select(candidate).where(candidate.c.character_id == key))
    assert not {each.image_id for each in filed} & {each.id for each in kept}
    assert picture(space, "http://toons.test/2-3.jpg").reason == "ok"
    assert picture(space, "http://toons.test/2-2.jpg").reason == "taken_down"
    own = rows(space, sa.select(face).where(face.c.character_id == key))
    assert {each.reason for each in own} == {"taken_down"}
    [row] = rows(space, sa.select(character).where(character.c.id == key))
    assert row.reference_face_id is None
    assert rows(space, sa.select(discovery)) == []


def test_a_face_that_people_took_for_a_withdrawn_character_goes_too(
    space: Workspace,
) -> None:
    [found] = faces_of(space, picture(space, "http://toons.test/2-2.jpg").id)
    with space.catalogue.write() as connection:
        # Identity has changed its mind since; the answers have not.
        connection.execute(
            sa.update(face).where(face.c.id == found.id).values(character_id=1)
        )
        connection.execute(
            sa.insert(candidate).values(
                image_id=found.image_id, character_id=1, is_lead=False
            )
        )
    withdraw(space, "character:2")
    [gone] = faces_of(space, found.image_id)
    assert gone.reason == "taken_down"
    asked = sa.select(question).where(question.c.character_id == 2)
    assert rows(space, asked) == []
    assert picture(space, "http://toons.test/2-2.jpg").reason == "ok"


def _share(connection: sa.Connection, key: int) -> None:
    """File one picture of the character under another too, and list it."""
    where = sa.select(url.c.image_id).where(url.c.url == "http://toons.test/2-3.jpg")
    image_id = connection.execute(where).scalar_one()
    connection.execute(
        sa.insert(candidate).values(image_id=image_id, character_id=1, is_lead=False)
    )
    connection.execute(
        sa.insert(discovery).values(
            source="test",
            task="images",
            subject="x",
            character_id=key,
            status="done",
            changed_at=0.0,
        )
    )


@pytest.mark.parametrize("key", [1, 2])
def test_merged_characters_must_be_split_before_one_is_withdrawn(
    space: Workspace, key: int
) -> None:
    run_id = space.begin_run("test")
    with space.catalogue.write() as connection:
        merges.merge(connection, run_id, 2, 1)
    with pytest.raises(WrongUse, match="review --undo character:2`, then withdraw"):
        withdraw(space, f"character:{key}")
    with space.catalogue.write() as connection:
        merges.undo(connection, run_id, 2)
    assert withdraw(space, f"character:{key}")["kind"] == "character"


def test_what_was_suspected_of_withdrawn_faces_is_closed(space: Workspace) -> None:
    [found] = faces_of(space, picture(space).id)
    outlier = Found(Suspicion.OUTLIER, 2, found.id, found.id, 0.9)
    with space.catalogue.write() as connection:
        reviews.replace(connection, [Suspicion.OUTLIER], [2], [outlier])
    withdraw(space, PICTURE)
    assert rows(space, sa.select(review.c.status)) == [("closed",)]


def test_a_reference_that_is_withdrawn_is_chosen_again(space: Workspace) -> None:
    [who] = rows(space, sa.select(character).where(character.c.id == 1))
    [shown] = rows(space, sa.select(face).where(face.c.id == who.reference_face_id))
    [where] = rows(space, sa.select(url).where(url.c.image_id == shown.image_id))
    withdraw(space, where.url)
    [who] = rows(space, sa.select(character).where(character.c.id == 1))
    assert (who.reference_face_id, who.reference_by) == (None, None)
    waiting = rows(space, sa.select(face).where(face.c.awaits == "reference"))
    assert waiting
    assert {each.character_id for each in waiting} == {1}


def test_exported_crops_are_removed_from_batches(space: Workspace) -> None:
    [found] = faces_of(space, picture(space).id)
    crops = space.root / "b1" / "pictures"
    crops.mkdir()
    for number in (found.id, found.id + 1):
        (crops / f"face-{number}.jpg").write_bytes(b"crop")
    withdraw(space, PICTURE)
    assert [crop.name for crop in crops.iterdir()] == [f"face-{found.id + 1}.jpg"]


def test_what_nobody_has_fetched_can_be_withdrawn_beforehand(space: Workspace) -> None:
    for subject in ("http://a.test/never seen.png", "f" * 64):
        shown = withdraw(space, subject)
        assert (shown["images"], shown["urls"]) == (0, 0)
        with space.catalogue.read() as connection:
            found = explain(connection, shown["subject"], space.root)
        assert found["tombstones"][0]["reason"] == "asked by mail"
    assert explain_of(space, PICTURE)["tombstones"] == []


def explain_of(space: Workspace, subject: str) -> dict[str, Any]:
    with space.catalogue.read() as connection:
        return explain(connection, subject, space.root)


def test_why_shows_the_tombstones_and_list_has_them_all(space: Workspace) -> None:
    withdraw(space, PICTURE)
    found = explain_of(space, PICTURE)
    assert found["fate"] == "taken_down"
    assert [each["kind"] for each in found["tombstones"]] == ["url"]
    assert [each["kind"] for each in found["image"]["tombstones"]] == ["sha256"]
    listed = said("-C", space.root, "takedown", "--list")["tombstones"]
    assert {each["kind"] for each in listed} == {"url", "sha256"}
    assert "asked by mail" in call("-C", space.root, "takedown", "--list").stdout
    withdraw(space, "character:2")
    assert explain_of(space, "character:2")["tombstones"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((PICTURE,), "give a subject and a reason"),
        ((PICTURE, "--reason", "  "), "give a subject and a reason"),
        (("--reason", "why"), "give a subject and a reason"),
        (("Album 1/Charakter 1-0", *REASON), "mean 'Album 1/Character 1-0'"),
        (("character:999", *REASON), "there is no 'character:999'"),
        (("nonsense", *REASON), "give a URL, an image's SHA-256, character:ID"),
    ],
)
def test_wrong_use_removes_nothing_and_says_what_would_be_right(
    space: Workspace, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        call("-C", space.root, "takedown", *words)
    assert rows(space, sa.select(tombstone)) == []


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with enough to release, and a release."""
    made = Drawing(tmp_path / "large", Size()).draw()
    said("-C", made.root, "build-splits", made.root / "releases" / "one")
    yield made
    made.catalogue.close()


def test_a_release_that_contains_it_is_listed_with_how_to_make_it_again(
    large: Workspace,
) -> None:
    space, released = large, large.root / "releases" / "one"
    sha256 = picture(space).sha256
    [held] = withdraw(space, PICTURE)["releases"]
    assert held["folder"] == str(released)
    assert held["files"]
    assert all((released / name).is_file() for name in held["files"])
    _, *words = held["rebuild"].split()
    said("-C", space.root, "build-splits", *words)
    with (Path(words[0]) / "licences.csv").open(newline="") as file:
        assert sha256 not in {row["sha256"] for row in csv.DictReader(file)}
    other = withdraw(space, "f" * 64)
    assert [each["folder"] for each in other["releases"]] == [str(released)]


def test_copies_in_a_release_are_deleted_on_demand_and_noted_there(
    large: Workspace,
) -> None:
    space, released = large, large.root / "releases" / "one"
    words = ("-C", space.root, "release", "list")
    assert "withdrawn pictures" not in call(*words).stdout
    withdraw(space, PICTURE)
    assert "1 withdrawn pictures" in call(*words).stdout
    assert json.loads(call(*words, "--json").stdout)[0]["withdrawn"] == 1
    [held] = withdraw(space, PICTURE, "--releases")["releases"]
    assert "withdrawn pictures" not in call(*words).stdout
    assert not any((released / name).exists() for name in held["files"])
    [note] = json.loads((released / "taken_down.json").read_text())
    assert (note["files"], note["reason"]) == (held["files"], "asked by mail")
    assert withdraw(space, PICTURE)["releases"] == []


def test_models_that_were_trained_on_the_workspace_are_named(space: Workspace) -> None:
    def model(name: str, parent: str = "", *data: str) -> str:
        path = space.root / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".onnx").write_bytes(name.encode())
        card = new_card(
            path.with_suffix(".onnx"),
            "embed",
            "icf-embedder-onnx",
            {},
            parent=parent,
            data=tuple({"name": each} for each in data),
        )
        save_card(card, path.with_suffix(".json"))
        return card.sha256

    (space.root / "models").mkdir(exist_ok=True)
    (space.root / "models" / "other.json").write_text("[]")
    released = f"release:{space.root / 'releases' / 'one'}"
    further = model("a/embedder", model("z-first", "", "workspace"), "folders:/a")
    model("b", further, "folders:/b")
    model("c", "", "folders:/c", released)
    model("foreign", "0" * 64, "folders:/c", "release:/elsewhere")
    done = call("-C", space.root, "takedown", PICTURE, *REASON)
    line = "models/{}.onnx may have been trained on it: train it again"
    for name in ("a/embedder", "b", "c", "z-first"):
        assert line.format(name) in done.stdout
    assert "foreign" not in done.stdout
    assert len(withdraw(space, "http://toons.test/1-2.jpg")["models"]) == 4
    assert withdraw(space, "http://toons.test/none.jpg")["models"] == []


def test_warc_files_that_may_have_its_bytes_are_named(space: Workspace) -> None:
    (space.root / "warc").mkdir()
    for name in ("icf-1.warc.gz", "icf-2.warc.gz.open"):
        (space.root / "warc" / name).write_bytes(b"as fetched")
    withdrawn = call("-C", space.root, "takedown", PICTURE, *REASON, "--dry-run").stdout
    assert "warc/icf-1.warc.gz may have its bytes" in withdrawn
    assert len(withdraw(space, PICTURE)["warc"]) == 2
    assert withdraw(space, "http://toons.test/none.jpg")["warc"] == []


def test_reports_are_named(space: Workspace) -> None:
    (space.root / "reports" / "first.html").write_text("<html></html>")
    done = call("-C", space.root, "takedown", PICTURE, *REASON)
    assert "first.html may show it; make it again: icf-report" in done.stdout
