from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import character, decision, image_source, run
from icf.errors import BadInput, SomeFailed, WrongUse
from icf.workspace import Workspace, init
from tests.core.pictures import drawing, encoded
from tests.filter.rows import add_album, add_face, add_image, face_row
from tests.harvest.cli.test_main import call, said
from tests.harvest.rows import all_of


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return init(tmp_path / "space")


@pytest.fixture
def tom(made: Workspace) -> int:
    return add_album(made.catalogue, "Tom")[0]


def add_judged(made: Workspace, who: int, **columns: object) -> int:
    image_id = add_image(made.catalogue, who, awaits=None)
    kept = {"awaits": None, "verdict": "kept"}
    return add_face(made.catalogue, image_id, who, **{**kept, **columns})


def chosen(made: Workspace) -> tuple[int | None, str | None, int | None]:
    (row,) = all_of(made.catalogue, character)
    return row["reference_face_id"], row["reference_by"], row["reference_image_id"]


def test_the_list_says_how_each_was_chosen_and_how_many_are_missing(
    made: Workspace, tom: int
) -> None:
    add_album(made.catalogue, "Bugs")
    face_id = add_judged(made, tom)
    call(made.root, "reference", "set", "Tom", "--face", str(face_id))
    found = said(made.root, "reference")
    assert (found["characters"], found["missing"]) == (2, 1)
    shown = call(made.root, "reference")
    assert "1 of 2 characters have no reference" in shown.stderr
    assert "hand" in shown.stdout
    missing = said(made.root, "reference", "--missing")["references"]
    assert isinstance(missing, list)
    assert [each["character"] for each in missing] == ["Bugs"]
    assert missing[0]["missing"] is True


def test_a_face_set_by_hand_is_the_reference_at_once(made: Workspace, tom: int) -> None:
    face_id = add_judged(made, tom)
    found = said(made.root, "reference", "set", "Tom", "--face", str(face_id))
    assert found == {"character": tom, "face": face_id, "waits": False}
    assert chosen(made) == (face_id, "hand", None)
    assert face_row(made.catalogue, face_id)["awaits"] == "identity"
    (run_row,) = all_of(made.catalogue, run)
    assert run_row["finished_at"] is not None


def test_that_a_better_copy_stands_for_the_face_is_said(
    made: Workspace, tom: int
) -> None:
    better = add_judged(made, tom)
    copy = add_judged(
        made, tom, verdict="dropped", reason="near_duplicate", keeper_id=better
    )
    words = call(made.root, "reference", "set", "Tom", "--face", str(copy)).stdout
    assert f"face {better}, the better copy of face {copy}" in words


def test_a_file_of_one_s_own_becomes_an_image_and_waits_for_the_filter(
    made: Workspace, tom: int
) -> None:
    path = made.root / "mine.png"
    path.write_bytes(encoded(drawing(), "PNG"))
    words = ("reference", "set", "Tom", "--file", str(path))
    found = said(made.root, *words, "--licence", "CC0", "--author", "Me")
    assert found["waits"] is True
    (source,) = all_of(made.catalogue, image_source)
    assert (source["source"], source["licence"]) == ("hand", "CC0")
    assert chosen(made) == (None, None, source["image_id"])
    assert said(made.root, "reference")["missing"] == 0
    assert "takes the best face" in call(made.root, *words).stdout


def test_a_bad_file_changes_nothing(made: Workspace, tom: int) -> None:
    path = made.root / "mine.png"
    path.write_bytes(b"<html>")
    with pytest.raises(BadInput, match="not_image"):
        call(made.root, "reference", "set", "Tom", "--file", str(path))
    assert chosen(made) == (None, None, None)


def test_a_stored_picture_is_named_by_its_hash(made: Workspace, tom: int) -> None:
    image_id = add_image(made.catalogue, tom, sha256="ab" * 32)
    assert said(made.root, "reference", "set", "Tom", "--image", "ab" * 32)["waits"]
    assert chosen(made) == (None, None, image_id)


@pytest.mark.parametrize("named", ["--face", "--image"])
def test_a_picture_that_was_found_under_others_alone_is_said_to_be(
    made: Workspace, tom: int, named: str
) -> None:
    first, second, third = add_album(made.catalogue, "Bugs", "Daffy", "Elmer")
    with made.catalogue.write() as connection:
        gone = sa.update(character).where(character.c.id == third)
        connection.execute(gone.values(merged_into=tom))
    for who, said_of in (
        ((first, second), ["Bugs", "Daffy"]),
        ((first, tom), []),
        ((first, third), []),
    ):
        sha256 = f"{who[1]:064x}"
        image_id = add_image(made.catalogue, *who, sha256=sha256, awaits=None)
        kept = {"awaits": None, "verdict": "kept"}
        face_id = add_face(made.catalogue, image_id, who[0], **kept)
        word = str(face_id) if named == "--face" else sha256
        told = call(made.root, "reference", "set", "Tom", named, word).stderr
        assert ("found under other characters alone" in told) == bool(said_of)
        assert all(f"/{each}" in told for each in said_of)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["Tom"], "give one of"),
        (["Tom", "--face", "1", "--image", "x"], "give one of"),
        (["Tom", "--face", "1", "--licence", "CC0"], "given with --file"),
        (["Tim", "--face", "1"], "the nearest: 'Tom'"),
        (["Tom", "--face", "99"], "no face 99"),
    ],
)
def test_a_choice_that_means_nothing_is_wrong_use(
    made: Workspace, tom: int, words: list[str], why: str
) -> None:
    with pytest.raises(WrongUse, match=why):
        call(made.root, "reference", "set", *words)


def test_a_cleared_reference_is_forgotten_and_the_ledger_remembers(
    made: Workspace, tom: int
) -> None:
    face_id = add_judged(made, tom)
    call(made.root, "reference", "set", "Tom", "--face", str(face_id))
    call(made.root, "reference", "clear", "Tom")
    assert chosen(made) == (None, None, None)
    with made.catalogue.read() as connection:
        query = sa.select(decision.c.message).where(decision.c.subject == "character")
        told = list(connection.execute(query.order_by(decision.c.id)).scalars())
    assert told == [f"face {face_id}, by hand", "cleared; the filter chooses again"]


def test_the_page_and_the_rows_that_come_back_from_it(
    made: Workspace, tom: int
) -> None:
    face_id = add_judged(made, tom)
    page = made.root / "page.html"
    told = said(made.root, "reference", "page", str(page))
    assert (told["characters"], told["left_out"]) == (1, {"missing_blob": 1})
    assert page.is_file()
    path = made.root / "references.csv"
    path.write_text(f"id,choice\n{tom},face:{face_id}\n{tom},face:1\n9,none\n")
    with pytest.raises(SomeFailed, match=r"2 rows.*\nline 3: .*\nline 4: ") as caught:
        call(made.root, "reference", "import", str(path))
    assert caught.value.exit_code == 3
    assert chosen(made) == (face_id, "hand", None)


def test_an_import_says_what_it_took(made: Workspace, tom: int) -> None:
    path = made.root / "references.csv"
    path.write_text(f"id,choice\n{tom},none\n")
    found = json.loads(
        call(made.root, "reference", "import", str(path), "--json").stdout
    )
    assert found == {"faces": 0, "waiting": 0, "none": 1, "bad": []}


@pytest.mark.parametrize("name", ["", "set", "clear", "page", "import"])
def test_every_command_has_help_that_ends_with_an_example(
    made: Workspace, name: str
) -> None:
    words = ["reference", name] if name else ["reference"]
    text = " ".join(call(made.root, *words, "--help").stdout.split())
    assert f"Example: icf-harvest {' '.join(words)}" in text
