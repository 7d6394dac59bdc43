"""Boxes by `icf-annotate export`, `import` and `status`, and what `icf why` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from icf.annotate.cli.main import cli
from icf.app.cli import cli as icf
from icf.errors import IcfError, WrongUse
from tests.annotate.boxes.pictures import A, B, Pictures


@pytest.fixture
def here(plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> Pictures:
    """A workspace, which is the current folder."""
    monkeypatch.chdir(plain_pictures.place.workspace.root)
    return plain_pictures


def run(*words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """Run a command; return its result, and the message of its error."""
    done = CliRunner().invoke(cli, [*words, "--json"])
    message = ""
    if isinstance(done.exception, IcfError):
        message = str(done.exception)
        assert done.exception.exit_code == code
    else:
        assert done.exit_code == code, done.output
    return json.loads(done.stdout) if done.stdout else {}, message


def draw(path: Path, image_id: int) -> None:
    """Somebody draws `B` in a file of COCO."""
    content = json.loads(path.read_text())
    x1, y1, x2, y2 = B
    box = {"id": 1, "image_id": image_id, "category_id": 1}
    content["annotations"] = [box | {"bbox": [x1, y1, x2 - x1, y2 - y1]}]
    path.write_text(json.dumps(content))


def test_boxes_go_out_come_back_and_are_counted(here: Pictures) -> None:
    key = here.add(A)
    made, _ = run("export", "--what", "boxes", "--format", "coco", "out")
    assert made == {"format": "coco", "path": "out", "pictures": 1, "left_out": {}}
    draw(Path("out/boxes.json"), key)
    dry, _ = run("import", "out/boxes.json", "--annotator", "ann", "--dry-run")
    assert (dry["taken"], here.status(key)) == (1, "open")
    for name in ("ann", "bob"):
        found, _ = run("import", "out/boxes.json", "--annotator", name)
        assert (found["format"], found["taken"], found["known"]) == ("coco", 1, 0)
    again, _ = run("import", "out/boxes.json", "--annotator", "bob")
    assert (again["taken"], again["known"]) == (0, 1)
    status, _ = run("status")
    assert (status["boxes"]["verified"], status["boxes"]["faces"]) == (1, 1)
    verified, _ = run("export", "--what", "verified-boxes", "verified")
    assert verified["pictures"] == 1
    assert json.loads(Path("verified/boxes.json").read_text())["annotations"]
    yolo, _ = run("export", "--what", "verified-boxes", "--format", "yolo", "yolo")
    assert yolo["pictures"] == 1
    [labels] = Path("yolo/pictures").glob("*.txt")
    assert labels.read_text().startswith("0 ")


@pytest.mark.parametrize("what", ["boxes", "questions"])
def test_yolo_has_what_people_verified_and_nothing_else(
    here: Pictures, what: str
) -> None:
    here.add(A)
    words = ["export", "--what", what, "--format", "yolo", "out"]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, WrongUse)
    assert "--what verified-boxes" in str(done.exception)
    assert not Path("out").exists()


def test_tables_are_for_people(here: Pictures) -> None:
    key = here.add(A)
    shown = CliRunner().invoke(cli, ["export", "--what", "boxes", "out"]).stdout
    assert "1 picture in out" in shown
    draw(Path("out/boxes.json"), key)
    words = ["import", "out/boxes.json", "--annotator", "ann"]
    assert "pictures boxed" in CliRunner().invoke(cli, words).stdout
    assert "pictures to box" in CliRunner().invoke(cli, ["status"]).stdout


def test_refused_rows_end_with_exit_code_3_and_their_place(here: Pictures) -> None:
    key = here.add(A)
    run("export", "--what", "boxes", "out")
    path = Path("out/boxes.json")
    draw(path, key)
    path.write_text(path.read_text().replace("160", "320"))
    found, message = run("import", str(path), "--annotator", "ann", code=3)
    assert found["refused"] == {"bad_boxes": 1}
    assert "picture 1: its boxes are for a picture of 320 x 320 pixels" in message


def test_a_file_in_which_nothing_was_drawn_ends_with_exit_code_3(
    here: Pictures,
) -> None:
    here.add(A)
    run("export", "--what", "boxes", "out")
    _, message = run("import", "out/boxes.json", "--annotator", "ann", code=3)
    assert "has no boxes in 1 rows" in message


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--what", "boxes", "--format", "csv"), "boxes are not written as csv"),
        (("--format", "coco"), "COCO is a format of boxes"),
        (("--what", "boxes", "--dry-run"), "icf-annotate status"),
    ],
)
def test_formats_that_do_not_go_together_are_refused(
    here: Pictures, words: tuple[str, ...], why: str
) -> None:
    here.add(A)
    _, message = run("export", "out", *words, code=2)
    assert why in message
    assert not Path("out").exists()


def test_icf_why_says_what_people_say_of_a_picture(here: Pictures) -> None:
    key = here.add(A)
    run("export", "--what", "boxes", "out")
    draw(Path("out/boxes.json"), key)
    for name in ("ann", "bob"):
        run("import", "out/boxes.json", "--annotator", name)
    shown = CliRunner().invoke(icf, ["why", f"image:{key}"])
    assert shown.exit_code == 0, shown.output
    assert "1 face, 2 people agree" in shown.stdout
    assert "drawn at random" in shown.stdout
