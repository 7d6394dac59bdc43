from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.why import explain
from icf.catalogue import ledger
from icf.catalogue.ledger import Decision
from icf.catalogue.schema import face, image, image_source, question, url
from icf.codes import FaceReason, FetchStatus, Label
from icf.errors import WrongUse
from icf.workspace import Workspace, find
from tests.app.program import call, said

MODEL = "d" * 64


@pytest.fixture(scope="module")
def space(
    drawn_space: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """Faces and questions, and a ledger about one blurred face."""
    root = tmp_path_factory.mktemp("why") / "space"
    shutil.copytree(drawn_space, root)
    made = find(root)
    with made.catalogue.write() as connection:
        key, image_id = _blurred(connection)
        ledger.append(
            connection,
            1,
            [
                Decision("image", image_id, "detect", "kept", "ok", 0.9, 0.5, MODEL),
                Decision("face", key, "size", "pending", "ok", 100.0, 100.0),
                Decision("face", key, "sharpness", "dropped", "blurred", 42.5, 100.0),
            ],
        )
    yield made
    made.catalogue.close()


def _blurred(connection: sa.Connection) -> tuple[int, int]:
    where = face.c.reason == FaceReason.BLURRED.value
    row = connection.execute(sa.select(face.c.id, face.c.image_id).where(where)).one()
    return row.id, row.image_id


def ask(space: Workspace, subject: str) -> dict[str, Any]:
    with space.catalogue.read() as connection:
        return explain(connection, subject, space.root)


@pytest.fixture
def blurred(space: Workspace) -> int:
    with space.catalogue.read() as connection:
        return _blurred(connection)[0]


@pytest.mark.parametrize("form", ["{}", "face:{}"])
def test_a_face_says_its_reason_and_every_step_with_value_and_threshold(
    space: Workspace, blurred: int, form: str
) -> None:
    found = ask(space, form.format(blurred))
    assert found["subject"] == f"face:{blurred}"
    assert (found["verdict"], found["reason"]) == ("dropped", "blurred")
    assert found["meaning"] == FaceReason.BLURRED.meaning
    size, sharpness = found["decisions"]
    assert size["step"] == "size"
    assert sharpness["reason"] == "blurred"
    assert (sharpness["value"], sharpness["threshold"]) == (42.5, 100.0)
    assert sharpness["run"] == 1
    assert sharpness["at"].endswith("+00:00")


def test_a_face_brings_its_picture_and_where_that_came_from(
    space: Workspace, blurred: int
) -> None:
    found = ask(space, str(blurred))["image"]
    [source] = found["sources"]
    assert source["url"].startswith("http://toons.test/noise-")
    assert source["licence"]
    assert source["licence_from"] == "extmetadata"
    assert found["filed_under"] == [
        {"album": "Album 1", "character": "Character 1-0"},
    ]
    [detected] = found["decisions"]
    assert (detected["step"], detected["model"]) == ("detect", MODEL)


def test_a_face_that_people_were_asked_about_brings_question_and_answers(
    space: Workspace,
) -> None:
    with space.catalogue.read() as connection:
        asked = sa.select(question.c.id, question.c.face_id).order_by(question.c.id)
        key, face_id = connection.execute(asked).first() or (0, 0)
    [found] = ask(space, f"face:{face_id}")["questions"]
    assert found == ask(space, f"question:{key}")
    assert found["label"] == Label.SAME.value
    assert [each["annotator"] for each in found["answers"]] == ["ann", "bob"]
    assert found["answers"][0]["file"] == "answers.csv"


def test_a_character_shows_its_name_and_the_states_of_its_faces(
    space: Workspace,
) -> None:
    found = ask(space, "Album 1/Character 1-0")
    assert found == ask(space, "character:1")
    assert (found["name"], found["album"]) == ("Character 1-0", "Album 1")
    assert found["reference_by"] == "lead"
    assert ask(space, str(found["reference_face"]))["character"] == found["name"]
    assert found["faces"]["blurred"] == 1
    assert found["faces"]["ok"] > 1


def test_an_image_goes_by_its_number_and_by_its_hash(space: Workspace) -> None:
    with space.catalogue.read() as connection:
        rows = sa.select(image.c.id, image.c.sha256).order_by(image.c.id)
        key, sha256 = connection.execute(rows).first() or (0, "")
    found = ask(space, f"image:{key}")
    assert found["sha256"] == sha256
    assert ask(space, sha256) == found


def test_a_stored_url_brings_its_image(space: Workspace) -> None:
    with space.catalogue.read() as connection:
        stored = sa.select(url.c.url, url.c.image_id).where(url.c.fate == "stored")
        text, image_id = connection.execute(stored).first() or ("", 0)
    found = ask(space, text)
    assert found["fate"] == "stored"
    assert found["image"]["subject"] == f"image:{image_id}"


def test_the_login_of_a_page_is_not_shown(space: Workspace) -> None:
    with space.catalogue.write() as connection:
        row = connection.execute(
            sa.select(url.c.url, url.c.image_id, url.c.page_url).where(
                url.c.fate == FetchStatus.STORED.value
            )
        ).first()
        assert row is not None
        page = "http://ann:moon@a.org/p"
        of_url, of_image = url.c.url == row.url, image_source.c.image_id == row.image_id
        connection.execute(sa.update(url).where(of_url).values(page_url=page))
        connection.execute(
            sa.update(image_source).where(of_image).values(page_url=page)
        )
    found = ask(space, row.url)
    assert found["page_url"] == "http://a.org/p"
    assert {each["page_url"] for each in found["image"]["sources"]} == {
        "http://a.org/p"
    }


def test_a_failed_url_shows_its_status(space: Workspace) -> None:
    found = ask(space, "http://toons.test/dead-0.jpg")
    assert found["meaning"] == FetchStatus.NOT_FOUND.meaning
    assert "image" not in found


def test_an_own_file_goes_by_its_path(space: Workspace, tmp_path: Path) -> None:
    own = tmp_path / "Müller" / "1.pdf"
    own.parent.mkdir()
    own.touch()
    dead = "http://toons.test/dead-0.jpg"
    with space.catalogue.write() as connection:
        change = sa.update(url).where(url.c.url == dead)
        connection.execute(change.values(url=own.as_uri()))
    try:
        assert ask(space, str(own))["meaning"] == FetchStatus.NOT_FOUND.meaning
    finally:
        with space.catalogue.write() as connection:
            back = sa.update(url).where(url.c.url == own.as_uri())
            connection.execute(back.values(url=dead))


OTHERS = (
    "for others than characters give a face's number, image:N, question:N, "
    "an image's SHA-256 or a URL"
)


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("face:999999", "the catalogue has no face 999999"),
        ("image:999999", "the catalogue has no image:999999"),
        ("question:999999", "the catalogue has no question 999999"),
        ("0" * 64, f"the catalogue has no {'0' * 64}"),
        ("character:999999", "the catalogue has no character 999999"),
        ("http://a.test/1.jpg", "the catalogue has no URL http://a.test/1.jpg"),
        (
            "Album 9/Character 1-0",
            "the catalogue has no character 'Album 9/Character 1-0'; the nearest: "
            "'Album 1/Character 1-0', 'Album 2/Character 2-0', "
            f"'Album 1/Character 1-1'; {OTHERS}",
        ),
    ],
)
def test_what_is_not_there_is_wrong_use_and_says_what_would_be_right(
    space: Workspace, subject: str, message: str
) -> None:
    with pytest.raises(WrongUse) as caught:
        ask(space, subject)
    assert str(caught.value) == message


@pytest.mark.parametrize("subject", ["9" * 30, "image:" + "9" * 30])
def test_a_number_beyond_all_ids_is_wrong_use(space: Workspace, subject: str) -> None:
    with pytest.raises(WrongUse, match="the catalogue has no"):
        ask(space, subject)


def test_text_and_json_have_the_same_content(space: Workspace, blurred: int) -> None:
    shown = call("-C", space.root, "why", blurred).stdout
    assert "reason: blurred" in shown
    assert "- step sharpness, verdict dropped, reason blurred, value 42.5" in shown
    assert "licence_from extmetadata" in shown
    assert said("-C", space.root, "why", blurred) == ask(space, str(blurred))
