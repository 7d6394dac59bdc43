from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from icf.annotate.answers import EmptyRow, parse_choice
from icf.annotate.batch import Question
from icf.annotate.formats import label_studio
from icf.annotate.formats.label_studio_answers import read_json
from icf.codes import Choice
from tests.annotate.formats.files import file_of

ASKED = [Question(1, "b1", "A", "Ann", 11, 10), Question(2, "b1", "A", "Ann", 12, 10)]


def test_the_tasks_have_this_shape_to_the_byte() -> None:
    data = label_studio.write(ASKED, "/data/local-files/?d=b1/")
    assert data == (
        b"[\n"
        b'{"data": {"ref_url": "/data/local-files/?d=b1/pictures/face-10.jpg", '
        b'"cand_url": "/data/local-files/?d=b1/pictures/face-11.jpg", '
        b'"question_id": "q000001", "batch_id": "b1"}},\n'
        b'{"data": {"ref_url": "/data/local-files/?d=b1/pictures/face-10.jpg", '
        b'"cand_url": "/data/local-files/?d=b1/pictures/face-12.jpg", '
        b'"question_id": "q000002", "batch_id": "b1"}}\n'
        b"]\n"
    )
    assert json.loads(label_studio.write([], "")) == []


def test_tasks_have_no_predictions() -> None:
    tasks = json.loads(label_studio.write(ASKED, ""))
    assert all(set(each) == {"data"} for each in tasks)
    assert b"predictions" not in label_studio.write(ASKED, "")


@pytest.mark.parametrize("text", [label_studio.CONFIG, label_studio.REFERENCES_CONFIG])
def test_every_picture_has_the_width_of_its_column_and_a_maximum(text: str) -> None:
    config = ElementTree.fromstring(text)
    columns = [each for each in config.iter("View") if each.find("Image") is not None]
    assert columns
    for column in columns:
        assert "flex: 1;" in (column.get("style") or "")
        picture = column.find("Image")
        assert picture is not None
        assert picture.get("maxWidth") == "320px"
        assert (picture.get("zoom"), picture.get("zoomControl")) == ("false",) * 2


def test_exported_tasks_have_no_answers() -> None:
    found = list(read_json(file_of(label_studio.write(ASKED, "").decode())))
    assert found == [
        EmptyRow(1, "q000001"),
        EmptyRow(2, "q000002"),
    ]


def test_the_interface_asks_with_the_choices_that_are_read() -> None:
    config = ElementTree.fromstring(label_studio.CONFIG)
    images = {each.get("name"): each.get("value") for each in config.iter("Image")}
    assert images == {"ref": "$ref_url", "cand": "$cand_url"}
    [choices] = config.iter("Choices")
    assert dict(choices.items()) == {
        "name": "same",
        "toName": "cand",
        "choice": "single-radio",
        "required": "true",
        "showInline": "true",
    }
    stored = [each.get("alias") or each.get("value") for each in choices]
    assert [parse_choice(each or "") for each in stored] == [
        Choice.TRUE,
        Choice.FALSE,
        Choice.UNSURE,
        Choice.WRONG_REFERENCE,
        Choice.NOT_A_FACE,
    ]
