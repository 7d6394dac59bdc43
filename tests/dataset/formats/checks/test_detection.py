"""A box that was moved, a line that was added or lost, in each detection format."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dataset.formats.checks.copied import Copied
from tests.dataset.formats.conftest import Exported

COCO = "annotations/instances_test.json"
WIDER = "wider_face_split/wider_face_val_bbx_gt.txt"


def sub(pattern: str, new: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, new, text, count=1, flags=re.MULTILINE)


def double(text: str) -> str:
    return text + text


#: Format, file (the first of a pattern), change, and what is said.
CASES: list[tuple[str, str, Callable[[str], str], str]] = [
    ("coco", COCO, sub(r'"bbox": \[', '"bbox": [1'), "has the box"),
    ("coco", COCO, sub(r'"width": ', '"width": 1'), "has the size"),
    (
        "coco",
        COCO,
        sub(r'"file_name": "', '"file_name": "x'),
        "which is not in this part",
    ),
    ("coco", COCO, sub(r'"sha256": "..', '"sha256": "zz'), "has the sha256 zz"),
    ("coco", COCO, sub(r'"iscrowd": 0', '"iscrowd": 1'), "is no face"),
    ("coco", COCO, sub(r'"image_id": 1,', '"image_id": 999,'), "picture 999"),
    ("coco", COCO, sub(r'"id": 1, "image_id"', '"id": 2, "image_id"'), "the id 2 a se"),
    ("coco", COCO, sub(r'"sha256"', '"sha257"'), "images[0]: cannot be read: KeyErr"),
    ("coco", COCO, sub(r'"bbox": \[', '"bbox": [1,'), "[0]: cannot be read: ValueErr"),
    ("coco", COCO, sub(r'"image_id": 1,', '"image_id": [1],'), "cannot be read: Type"),
    ("coco", COCO, sub(r'"name": "face"', '"name": "cat"'), "other categories"),
    ("coco", COCO, lambda _: "[" * 100_000, "cannot be read: RecursionError"),
    ("coco", COCO, sub(r"^\{$", "{{"), "cannot be read"),
    ("yolo", "labels/val/*.txt", sub(r"^0 0.", "0 0.01"), "has the box"),
    ("yolo", "labels/val/*.txt", sub(r"^0 ", "1 "), "no box of the class 0"),
    ("yolo", "labels/val/*.txt", sub(r"^0 \S+", "0 inf"), "a number is NaN or infin"),
    ("yolo", "labels/val/*.txt", sub(r"^0 \S+", "0 1e308"), "cannot be read: a number"),
    ("yolo", "labels/val/*.txt", double, "has the boxes"),
    ("yolo", "labels/val/*.txt", lambda _: "", "has no box"),
    ("yolo", "data.yaml", sub("nc: 1", "nc: 2"), "other folders or classes"),
    ("widerface", WIDER, sub(r"^(\d+) (\d+) ", r"1\1 \2 "), "has the box"),
    ("widerface", WIDER, sub(r"^.*\.jpg$", "0--Cartoon/x.jpg"), "x.jpg, which is not"),
    ("widerface", WIDER, sub(r"^1$", "2"), "number of faces that is not its rows'"),
    ("widerface", WIDER, sub(r" 0 0 0 0 0 0$", " 2 0 0 1 0 0"), "attributes other"),
    ("widerface", WIDER, double, "a second time"),
    ("manga109", "test/annotations/*.xml", sub('xmin="', 'xmin="1'), "has the box"),
    (
        "manga109",
        "test/annotations/*.xml",
        sub('title="', 'title="No '),
        "is no page of",
    ),
    (
        "manga109",
        "test/annotations/*.xml",
        sub('character="0000000.', 'character="0000000c'),
        "has faces of the labels",
    ),
    ("manga109", "test/annotations/*.xml", sub('name="C', 'name="D'), "calls the char"),
    ("manga109", "test/books.txt", double, "lists other books"),
]


@pytest.mark.parametrize(("name", "pattern", "change", "said"), CASES)
def test_an_edited_annotation_is_named(
    whole: Exported,
    name: str,
    pattern: str,
    change: Callable[[str], str],
    said: str,
    tmp_path: Path,
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    file = next(
        each
        for each in copied.files(pattern)
        if change(text := (copied.folder / each).read_text()) != text
    )
    text = (copied.folder / file).read_text()
    (copied.folder / file).write_text(change(text))
    found = copied.faults()
    assert said in " ".join(map(str, found))
    assert file in {each.file for each in found}


def test_pages_that_are_swapped_have_the_boxes_of_others(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "manga109", tmp_path)
    sizes = [
        (each, (copied.folder / each).stat().st_size)
        for each in copied.files("train/images/*/*.jpg")
    ]
    one, other = (
        min(sizes, key=lambda each: each[1]),
        max(sizes, key=lambda each: each[1]),
    )
    copied.swap(one[0], other[0])
    assert any("has the size" in line for line in copied.said())
    (copied.folder / one[0]).write_bytes(b"?")
    assert f"{one[0]}: is no picture of this part" in copied.said()


def test_labels_without_a_picture_and_the_other_way_round_are_named(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "yolo", tmp_path)
    first = copied.files("labels/val/*.txt")[0]
    (copied.folder / first).rename((copied.folder / first).with_name("x.txt"))
    assert copied.said() == [
        f"{first}: is missing",
        "labels/val/x.txt: is of no picture",
    ]
