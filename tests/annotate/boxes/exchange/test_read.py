from __future__ import annotations

import json
from pathlib import Path

import pytest

from icf.annotate.boxes.exchange.read import read_boxes_file
from icf.errors import BadInput

COCO = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "face"}]}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (json.dumps(COCO), "coco"),
        (json.dumps(COCO, indent=2), "coco"),
        ("\n  " + json.dumps(COCO, indent=2), "coco"),
        ('[{"data": {"picture": "i000001-00000000"}}]', "label-studio-boxes"),
        ('[{"data": {"question_id": "q1", "ref_url": "x"}}]', None),
        ("[]", None),
        ('{"question": 1, "answer": "true"}\n{"question": 2}\n', None),
        ("question,answer\n1,true\n", None),
        ("", None),
    ],
)
def test_the_format_is_known_by_the_content(
    tmp_path: Path, text: str, form: str | None
) -> None:
    path = tmp_path / "answers"
    path.write_text(text)
    found = read_boxes_file(path)
    assert (found and found.format) == form


def test_an_object_that_is_broken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    path.write_text('{"images": [')
    with pytest.raises(BadInput, match="is not JSON"):
        read_boxes_file(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_boxes_are_known_in_every_encoding_of_unicode(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(COCO), encoding=encoding)
    found = read_boxes_file(path)
    assert found is not None
    assert found.format == "coco"


def test_nothing_is_said_of_the_encoding_of_what_is_no_json(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("question,answer,annotator\n1,true,Zoë\n", encoding="cp1252")
    assert read_boxes_file(path) is None
    # Who reads the answers says it, once.
    assert not caplog.records
