import contextlib
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.comic.archive import Archive
from icf.harvest.sources.comic.epub import Epub
from icf.harvest.sources.comic.rar import Rar
from tests.harvest.sources.comic.books import epub, picture, rar5, zipped

MOST = 1_000_000
Books = Archive | Epub | Rar
MADE = {
    "cbz": lambda path: zipped(path, {"1.png": picture(), "a/2.jpg": picture("JPEG")}),
    "epub": lambda path: epub(path, {"1.png": picture()}, ""),
    "cbr": lambda path: rar5(path, [("1.png", picture()), ("2.png", picture())]),
}
OPENERS: dict[str, Callable[[Path, int], Books]] = {
    "cbz": Archive,
    "epub": Epub,
    "cbr": Rar,
}


@functools.cache
def whole(kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return MADE[kind](Path(folder) / "a").read_bytes()


@pytest.mark.parametrize("kind", list(MADE))
@given(data=st.data())
def test_whatever_is_damaged_a_page_is_read_or_is_a_fault(
    kind: str, data: st.DataObject
) -> None:
    good = bytearray(whole(kind))
    places = st.integers(0, len(good) - 1)
    changes = data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8))
    for place, byte in changes:
        good[place] = byte
    kept = data.draw(st.one_of(st.just(len(good)), places))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(good[:kept])
        with contextlib.suppress(Fault):
            read_all(OPENERS[kind](path, MOST))


def read_all(book: Books) -> None:
    ids = [page.id for page in book.pages]
    assert len(set(ids)) == len(ids)
    for page in book.pages:
        got = bytearray()
        if page.fate is FetchStatus.PENDING:
            with contextlib.suppress(Fault):
                book.read(page, got.extend)
        assert len(got) <= MOST
    book.close()
