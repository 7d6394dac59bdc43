"""The labels of a workspace as training data."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import merges, schema
from icf.catalogue.catalogue import Catalogue
from icf.codes import FaceReason, Label, ReviewStatus, Suspicion
from icf.dataset.selecting.select import select
from icf.errors import BadInput, WrongUse
from icf.models.data.base import LabelledPicture, Skipped
from icf.models.data.spec import open_reader, parse
from icf.models.data.workspace import WorkspaceReader
from icf.workspace import Workspace, find
from tests.dataset.drawn import Drawing, Size

SIZE = Size(albums=2, characters=3, faces=6, verified=False)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("labels") / "space"
    Drawing(root, SIZE).draw().catalogue.close()
    return root


@pytest.fixture
def space(drawn: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Two albums of three characters with six pictures each; the last one is shared."""
    shutil.copytree(drawn, tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()


@dataclass
class Read:
    """What a reader gives."""

    pictures: list[LabelledPicture]
    skipped: list[Skipped]

    def faces_of(self, identity: str) -> int:
        return sum(
            face.identity == identity for each in self.pictures for face in each.faces
        )

    @property
    def identities(self) -> set[str]:
        named = {face.identity for each in self.pictures for face in each.faces}
        return {each for each in named if each}

    @property
    def reasons(self) -> list[str]:
        return [each.reason for each in self.skipped]


def read(space: Workspace) -> Read:
    found = Read([], [])
    for each in WorkspaceReader(space.root).pictures():
        if isinstance(each, Skipped):
            found.skipped.append(each)
        else:
            found.pictures.append(each)
    return found


def change(space: Workspace, *statements: sa.Executable) -> None:
    with space.catalogue.write() as connection:
        for each in statements:
            connection.execute(each)


def confirmed_face(space: Workspace, character_id: int, number: int = 0) -> int:
    query = (
        sa.select(schema.question.c.face_id)
        .where(
            schema.question.c.character_id == character_id,
            schema.question.c.label == Label.SAME.value,
        )
        .order_by(schema.question.c.face_id)
    )
    with space.catalogue.read() as connection:
        return int(connection.execute(query).scalars().all()[number])


def picture_of(space: Workspace, face_id: int) -> tuple[int, str]:
    query = (
        sa.select(schema.image.c.id, schema.image.c.sha256)
        .join(schema.face, schema.face.c.image_id == schema.image.c.id)
        .where(schema.face.c.id == face_id)
    )
    with space.catalogue.read() as connection:
        row = connection.execute(query).one()
    return int(row.id), str(row.sha256)


def ask(space: Workspace, face_id: int, character_id: int, label: Label) -> None:
    question = {
        "face_id": face_id,
        "character_id": character_id,
        # Another one than the question that was asked already.
        "reference_face_id": 1,
        "batch_id": "b1",
        "label": label.value,
        "asked_at": 1.0,
    }
    change(space, sa.insert(schema.question).values(question))


def set_aside(space: Workspace, kind: str, subject_id: int) -> None:
    row = {"kind": kind, "subject_id": subject_id, "set_aside_at": 1.0}
    change(space, sa.insert(schema.audit_item).values(row))


def labels_of_selection(space: Workspace) -> set[tuple[str, tuple[float, ...], str]]:
    with space.catalogue.read() as connection:
        selection = select(connection)
    faces, pictures = selection.faces, selection.pictures
    named = {
        key: f"{each.album}/{each.character}"
        for key, each in selection.identities.items()
    }
    return {
        (pictures.sha256[picture].decode(), tuple(box), named[identity])
        for picture, box, identity in zip(
            faces.picture, faces.corners.tolist(), faces.identity.tolist(), strict=True
        )
    }


def test_faces_have_the_identities_that_a_release_gives_them(space: Workspace) -> None:
    given = {
        (each.key, face.box, face.identity)
        for each in read(space).pictures
        for face in each.faces
        if face.identity
    }
    assert given == labels_of_selection(space)
    assert len(given) > 30


def test_pictures_come_by_content_and_again_the_same(space: Workspace) -> None:
    found = read(space)
    keys = [each.key for each in found.pictures]
    assert keys == sorted(set(keys))
    assert read(space) == found


def test_the_bytes_of_a_picture_are_those_in_the_blob_store(space: Workspace) -> None:
    reader = pickle.loads(pickle.dumps(WorkspaceReader(space.root)))
    key = read(space).pictures[0].key
    assert reader.read(key) == space.blobs.get(key)
    space.blobs.path(key).write_bytes(b"other")
    with pytest.raises(BadInput, match="have changed"):
        reader.read(key)
    with pytest.raises(BadInput, match="has no"):
        reader.read("0" * 64)


def test_a_refused_face_names_who_it_is_not(space: Workspace) -> None:
    refused = [
        face
        for each in read(space).pictures
        for face in each.faces
        if face.not_identities
    ]
    assert [face.identity for face in refused] == [None]
    assert refused[0].not_identities == ("Album 1/Character 1-0",)


def test_a_merged_character_is_the_one_it_was_merged_into(space: Workspace) -> None:
    before = read(space)
    run_id = space.begin_run("test")
    with space.catalogue.write() as connection:
        merges.merge(connection, run_id, 2, 1)
    after = read(space)
    assert after.faces_of("Album 1/Character 1-1") == 0
    together = before.faces_of("Album 1/Character 1-0") + before.faces_of(
        "Album 1/Character 1-1"
    )
    assert after.faces_of("Album 1/Character 1-0") == together


def test_a_face_confirmed_for_two_characters_has_no_identity(space: Workspace) -> None:
    face_id = confirmed_face(space, 1)
    before = read(space).faces_of("Album 1/Character 1-0")
    ask(space, face_id, 2, Label.SAME)
    found = read(space)
    assert found.faces_of("Album 1/Character 1-0") == before - 1
    [said] = [each for each in found.skipped if "two characters" in each.reason]
    assert said.count == 1


def test_characters_that_wait_to_be_merged_have_no_identity(space: Workspace) -> None:
    suspicion = {
        "kind": Suspicion.MERGE.value,
        "character_id": 1,
        "other_character_id": 2,
        "face_id": 1,
        "other_face_id": 2,
        "score": 0.9,
        "status": ReviewStatus.SAME.value,
        "found_at": 1.0,
        "changed_at": 1.0,
    }
    change(space, sa.insert(schema.review).values(suspicion))
    found = read(space)
    torn = {"Album 1/Character 1-0", "Album 1/Character 1-1"}
    assert torn.isdisjoint(found.identities)
    assert any("`icf-filter review --apply`" in each for each in found.reasons)


def test_what_people_say_is_no_face_is_background(space: Workspace) -> None:
    face_id = confirmed_face(space, 1)
    _, key = picture_of(space, face_id)
    no_face = sa.update(schema.face).where(schema.face.c.id == face_id)
    change(space, no_face.values(reason=FaceReason.NOT_A_FACE.value))
    assert key not in {each.key for each in read(space).pictures}


def test_a_picture_is_complete_where_people_confirmed_every_drawn_face(
    space: Workspace,
) -> None:
    face_id = confirmed_face(space, 1)
    image_id, key = picture_of(space, face_id)
    whole = next(each for each in read(space).pictures if each.key == key)
    assert whole.complete
    assert whole.checked
    columns = [each for each in schema.face.c if each.name != "id"]
    with space.catalogue.write() as connection:
        old = connection.execute(
            sa.select(*columns).where(schema.face.c.id == face_id)
        ).one()
        for reason, kind in (
            (FaceReason.LOW_SCORE, "cartoon"),
            (FaceReason.HUMAN, "human"),
        ):
            other = {**old._mapping, "reason": reason.value, "kind": kind, "x1": 90.0}
            connection.execute(sa.insert(schema.face).values(other))
    doubtful = next(each for each in read(space).pictures if each.key == key)
    assert doubtful.complete
    assert not doubtful.checked
    assert [face.ignored for face in doubtful.faces] == [False, True, False]
    assert [face.kind for face in doubtful.faces] == ["cartoon", "cartoon", "human"]
    change(
        space,
        sa.update(schema.face)
        .where(schema.face.c.image_id == image_id)
        .values(reason=FaceReason.OK.value, kind="cartoon"),
    )
    partly = next(each for each in read(space).pictures if each.key == key)
    assert not partly.complete


def test_nobody_checked_the_box_of_a_reference_that_nobody_was_asked_about(
    space: Workspace,
) -> None:
    found = read(space).pictures
    assert {each.checked for each in found if each.complete} == {True, False}


def test_what_is_set_aside_is_left_out_entirely(space: Workspace) -> None:
    before = read(space)
    set_aside(space, "character", 2)
    after = read(space)
    name = "Album 1/Character 1-1"
    left = [
        each
        for each in before.pictures
        if not any(name in (face.identity, *face.not_identities) for face in each.faces)
    ]
    assert after.faces_of("Album 1/Character 1-2") < before.faces_of(
        "Album 1/Character 1-2"
    ), "of the picture that shows both"
    assert [each.key for each in after.pictures] == [each.key for each in left]
    [said] = [each for each in after.skipped if "set aside" in each.reason]
    assert said.count == len(before.pictures) - len(left)


def test_no_near_duplicate_of_what_is_set_aside_is_left(space: Workspace) -> None:
    one, other = confirmed_face(space, 1), confirmed_face(space, 4)
    image_id, key = picture_of(space, one)
    _, near = picture_of(space, other)
    change(
        space,
        sa.update(schema.face).where(schema.face.c.id == other).values(keeper_id=one),
    )
    together = {each.group for each in read(space).pictures if each.key in (key, near)}
    assert together == {min(key, near)}
    set_aside(space, "image", image_id)
    assert {key, near}.isdisjoint(each.key for each in read(space).pictures)


def test_a_face_that_may_be_an_audit_character_takes_its_picture_out(
    space: Workspace,
) -> None:
    face_id = confirmed_face(space, 1)
    _, key = picture_of(space, face_id)
    columns = [each for each in schema.face.c if each.name != "id"]
    with space.catalogue.write() as connection:
        old = connection.execute(
            sa.select(*columns).where(schema.face.c.id == face_id)
        ).one()
        maybe = {**old._mapping, "character_id": 5, "x1": 80.0}
        added = connection.execute(sa.insert(schema.face).values(maybe))
    set_aside(space, "character", 5)
    assert key not in {each.key for each in read(space).pictures}
    assert added.inserted_primary_key is not None
    ask(space, int(added.inserted_primary_key[0]), 5, Label.DIFFERENT)
    assert key in {each.key for each in read(space).pictures}


def test_the_audit_follows_a_merge(space: Workspace) -> None:
    set_aside(space, "character", 2)
    run_id = space.begin_run("test")
    with space.catalogue.write() as connection:
        merges.merge(connection, run_id, 2, 1)
    assert "Album 1/Character 1-0" not in read(space).identities


def test_only_allowed_licences_are_trained_on(space: Workspace) -> None:
    assert WorkspaceReader(space.root).licence == "CC-BY-SA-4.0, CC0-1.0, unknown"
    config = space.root / "icf.toml"
    config.write_text('[harvest]\nonly_licence = ["CC0*"]\n')
    found = read(space)
    assert 0 < len(found.pictures) < 20
    assert any("harvest.only_licence" in each for each in found.reasons)


def test_the_fingerprint_changes_with_labels_alone(space: Workspace) -> None:
    reader = WorkspaceReader(space.root)
    seen = [reader.fingerprint()]
    space.begin_run("a command that changes no label")
    assert reader.fingerprint() == seen[0]
    face_id = confirmed_face(space, 1)
    ask(space, face_id, 3, Label.UNSURE)
    seen.append(reader.fingerprint())
    set_aside(space, "image", 3)
    seen.append(reader.fingerprint())
    gone = sa.update(schema.face).where(schema.face.c.id == face_id)
    change(space, gone.values(reason=FaceReason.TAKEN_DOWN.value))
    seen.append(reader.fingerprint())
    run_id = space.begin_run("test")
    with space.catalogue.write() as connection:
        merges.merge(connection, run_id, 2, 1)
    seen.append(reader.fingerprint())
    swapped = schema.question.c.face_id.in_(
        [confirmed_face(space, 3), confirmed_face(space, 3, 1)]
    )
    change(
        space,
        sa.update(schema.question).where(swapped).values(label=Label.UNSURE.value),
    )
    seen.append(reader.fingerprint())
    assert len(set(seen)) == len(seen)


@pytest.mark.slow
def test_postgresql_has_the_same_labels(
    space: Workspace,
    tmp_path: Path,
    postgres_catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_sqlite = read(space)
    monkeypatch.setenv("ICF_CATALOGUE_URL", postgres_catalogue.url)
    other = Drawing(tmp_path / "other", SIZE).draw()
    assert read(other) == on_sqlite
    before = WorkspaceReader(other.root).fingerprint()
    set_aside(other, "character", 2)
    assert WorkspaceReader(other.root).fingerprint() != before
    assert "Album 1/Character 1-1" not in read(other).identities
    other.catalogue.close()


def test_there_must_be_a_workspace(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="not in an icf workspace"):
        next(WorkspaceReader(tmp_path).pictures())


def test_it_is_the_data_that_is_called_workspace(space: Workspace) -> None:
    reader = open_reader(parse("workspace=0.5"), space)
    assert reader == WorkspaceReader(space.root)
    assert reader.name == "workspace"
