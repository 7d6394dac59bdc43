from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest

from icf.dataset.formats.layouts import NOBODY
from icf.dataset.formats.records import Split
from icf.models.data.base import LabelledPicture
from icf.models.data.spec import open_reader, parse
from tests.dataset.formats.conftest import Exported
from tests.dataset.formats.reading import read_all


@pytest.mark.parametrize("split", ["train", "test"])
def test_our_reader_finds_every_page_and_box(whole: Exported, split: Split) -> None:
    reader = open_reader(parse(f"manga109:{whole.of('manga109') / split}"))
    assert read_all(reader) == whole.boxes(split)


def test_a_book_is_an_album_and_names_nobody_who_is_held_out(whole: Exported) -> None:
    folder = whole.of("manga109")
    reader = open_reader(parse(f"manga109:{folder / 'train'}"))
    pages = [each for each in reader.pictures() if isinstance(each, LabelledPicture)]
    assert {each.group for each in pages} == {"Album 1", "Album 2", "Album 3"}
    trained = set()
    for record in whole.records["recognition", "train"]:
        assert record.who is not None
        trained.add(record.who.character)
    named = {
        character.get("name")
        for path in (folder / "train" / "annotations").glob("*.xml")
        for character in ElementTree.parse(path).iter("character")
    }
    assert len(named) > 2
    assert named <= trained | {NOBODY}


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_face_has_the_character_that_it_has_in_recognition(
    whole: Exported, split: Split
) -> None:
    """By the picture's bytes and the box."""
    expected = {
        (each.sha256, each.boxes[0]): each.who.character
        for each in whole.records["recognition", split]
        if each.who is not None and each.who.label >= 0
    }
    detected = {
        (each.sha256, box)
        for each in whole.records["detection", split]
        for box in each.boxes
    }
    shared = expected.keys() & detected
    folder = whole.of("manga109") / split
    hashes = {content: row for row, content in whole.bytes.items()}
    sha256 = whole.plan.selection.pictures.sha256
    found: dict[tuple[str, tuple[int, ...]], str] = {}
    for path in (folder / "annotations").glob("*.xml"):
        book = ElementTree.parse(path).getroot()
        names = {
            each.get("id", ""): each.get("name", "") for each in book.iter("character")
        }
        for page in book.iter("page"):
            name = f"{int(page.get('index', '')):03d}.jpg"
            content = (folder / "images" / path.stem / name).read_bytes()
            row = hashes[content]
            for face in page.iter("face"):
                sides = ("xmin", "ymin", "xmax", "ymax")
                box = tuple(int(face.get(side, "")) for side in sides)
                key = sha256[row].decode(), box
                found[key] = names[face.get("character", "")]
    for key, name in found.items():
        assert name == (expected[key] if key in shared else NOBODY)
    assert len(shared) > 5


def test_books_txt_lists_the_books_of_a_split(whole: Exported) -> None:
    folder = whole.of("manga109") / "test"
    listed = (folder / "books.txt").read_text().split()
    assert listed == sorted(path.stem for path in (folder / "annotations").iterdir())
    assert listed == sorted(path.name for path in (folder / "images").iterdir())


def test_its_own_library_reads_it(whole: Exported) -> None:
    api = pytest.importorskip("manga109api", reason="opt-in: pip install manga109api")
    books = api.Parser(str(whole.of("manga109") / "train"))
    boxes = Counter(
        tuple(face[f"@{side}"] for side in ("xmin", "ymin", "xmax", "ymax"))
        for book in books.books
        for page in books.get_annotation(book=book)["page"]
        for face in page["face"]
    )
    records = whole.records["detection", "train"]
    assert boxes == Counter(box for each in records for box in each.boxes)
