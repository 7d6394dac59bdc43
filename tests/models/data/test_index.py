from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from icf.errors import BadInput, WrongUse
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import UNKNOWN, Source, build_index
from icf.models.data.shares import resolved_shares
from tests.models.data.files import write_jpeg


@dataclass(frozen=True)
class Listed(Reader):
    """Gives what it was made with."""

    kind: ClassVar[str] = "listed"

    given: tuple[LabelledPicture | Skipped, ...] = ()

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        yield from self.given

    def read(self, key: str) -> bytes:
        return f"{self.path} {key}".encode()

    def fingerprint(self) -> str:
        return str(self.given)


def listed(name: str, *given: LabelledPicture | Skipped) -> Listed:
    return Listed(Path(name), given)


def picture(key: str, *faces: LabelledFace, group: str = "") -> LabelledPicture:
    return LabelledPicture(key, faces, group=group)


def crop(identity: str | None = None) -> LabelledFace:
    return LabelledFace(None, identity=identity)


ONE = listed(
    "one",
    picture("é", LabelledFace((1, 2, 3, 4), "human", "mia", ("tom", "ann"))),
    Skipped("line 7", "no such picture"),
    picture("b", crop("tom"), LabelledFace((5, 6, 7, 8), ignored=True), group="x"),
    picture("c", group="x"),
)
TWO = listed("two", picture("b", crop("mia")), picture("d", crop(), group="x"))


def test_pictures_and_faces_become_arrays() -> None:
    index = build_index([Source(ONE), Source(TWO)])
    assert [index.keys[i] for i in range(len(index))] == ["é", "b", "c", "b", "d"]
    assert index.source.tolist() == [0, 0, 0, 1, 1]
    assert index.first.tolist() == [0, 1, 3, 3, 4, 5]
    assert index.picture.tolist() == [0, 1, 1, 3, 4]
    assert index.human.tolist() == [True, False, False, False, False]
    assert index.ignored.tolist() == [False, False, True, False, False]
    boxes = [[1, 2, 3, 4], [np.nan] * 4, [5, 6, 7, 8], [np.nan] * 4, [np.nan] * 4]
    np.testing.assert_array_equal(index.boxes, boxes)
    assert [index.read(i) for i in (1, 3)] == [b"one b", b"two b"]


def test_identities_of_two_sources_are_never_one() -> None:
    index = build_index([Source(ONE), Source(TWO)])
    assert index.identities == (
        "listed:one/mia",
        "listed:one/tom",
        "listed:one/ann",
        "listed:two/mia",
    )
    assert index.identity.tolist() == [0, 1, UNKNOWN, 3, UNKNOWN]
    assert index.negatives.tolist() == [[0, 1], [0, 2]]


def test_groups_are_those_of_one_source() -> None:
    index = build_index([Source(ONE), Source(TWO)])
    assert index.group[1] == index.group[2]
    assert len(np.unique(index.group)) == 4


def test_what_is_left_out_is_counted_by_source_and_reason() -> None:
    lines = [Skipped(f"line {i}", "no such picture") for i in range(5)]
    index = build_index([Source(listed("x", *lines, picture("a"))), Source(ONE)])
    assert [str(each) for each in index.skipped] == [
        "listed:x: left out 5: no such picture (line 0, line 1, line 2, ...)",
        "listed:one: left out 1: no such picture (line 7)",
    ]


def test_many_that_are_left_out_at_once_are_all_counted() -> None:
    old = Skipped("", "too old", 1234)
    index = build_index([Source(listed("x", old, picture("a")))])
    assert [str(each) for each in index.skipped] == [
        "listed:x: left out 1,234: too old"
    ]


def test_some_pictures_are_an_index_too() -> None:
    index = build_index([Source(ONE), Source(TWO)])
    some = index.select(np.array([4, 1, 0]))
    assert [some.keys[i] for i in range(len(some))] == ["d", "b", "é"]
    assert some.first.tolist() == [0, 1, 3, 4]
    assert some.identity.tolist() == [UNKNOWN, 1, UNKNOWN, 0]
    assert some.negatives.tolist() == [[3, 1], [3, 2]]
    assert some.read(0) == b"two d"
    none = index.select(np.zeros(len(index), bool))
    assert len(none) == len(none.identity) == len(none.negatives) == 0


def test_the_digest_is_that_of_the_labels_and_of_no_place() -> None:
    moved = Listed(Path("elsewhere"), ONE.given)
    changed = Listed(Path("one"), (*ONE.given, picture("e")))
    renamed = listed("one", picture("é", crop("mia")))
    digests = [build_index([Source(r)]).digest() for r in (ONE, moved, changed)]
    assert digests[0] == digests[1] != digests[2]
    other = listed("one", picture("é", crop("mio")))
    assert (
        build_index([Source(renamed)]).digest() != build_index([Source(other)]).digest()
    )


def test_an_index_travels_to_other_processes(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a" / "1.jpg")
    index = build_index([Source(FoldersReader(tmp_path))])
    assert pickle.loads(pickle.dumps(index)).digest() == index.digest()


def test_no_picture_at_all_is_an_error_that_says_why() -> None:
    with pytest.raises(BadInput, match=r"listed:x: there is no picture.*line 1"):
        build_index([Source(listed("x", Skipped("line 1", "no such picture")))])
    with pytest.raises(BadInput, match="nothing is in it"):
        build_index([Source(listed("x"))])


def test_a_source_that_is_named_twice_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="names listed:one twice"):
        build_index([Source(ONE, 0.5), Source(ONE)])


def test_an_embedder_needs_two_identities() -> None:
    build_index([Source(ONE)]).check_identities()
    for faces, message in (
        ([crop("mia")], r"only 1 of at least 2 identities \('listed:x/mia'\)"),
        ([LabelledFace((0, 0, 9, 9))], "no face has an identity"),
        ([LabelledFace(None, identity="a", ignored=True)], "no face has an identity"),
    ):
        index = build_index([Source(listed("x", picture("a", *faces)))])
        with pytest.raises(BadInput, match=message):
            index.check_identities()


def test_a_detector_needs_boxes() -> None:
    build_index([Source(ONE)]).check_boxes()
    with pytest.raises(BadInput, match="no face has a box"):
        build_index([Source(TWO)]).check_boxes()


def test_shares_are_of_what_is_trained_on() -> None:
    index = build_index([Source(ONE, 0.25), Source(TWO)])
    assert index.shares().tolist() == [0.25, 0.75]
    assert index.shares(np.array([3])).tolist() == [0, 1]
    assert build_index([Source(ONE), Source(TWO)]).shares().tolist() == [0.6, 0.4]


@pytest.mark.parametrize(
    ("stated", "counts", "shares"),
    [
        ([None], [5], [1]),
        ([0.5, None], [1, 99], [0.5, 0.5]),
        ([0.2, 0.2], [1, 99], [0.5, 0.5]),
        ([0.5, None], [0, 5], [0, 1]),
        ([0.5, None], [5, 0], [1, 0]),
        ([1.0, None], [5, 0], [1, 0]),
        ([0.5, None], [0, 0], [0, 0]),
    ],
)
def test_shares_add_up(
    stated: list[float | None], counts: list[int], shares: list[float]
) -> None:
    np.testing.assert_allclose(resolved_shares(stated, counts), shares)


def test_shares_that_do_not_fit_are_wrong_use() -> None:
    with pytest.raises(WrongUse, match=r"add up to 1\.5"):
        resolved_shares([0.75, 0.75], [1, 1])
    with pytest.raises(WrongUse, match="nothing is left"):
        resolved_shares([0.5, 0.5, None], [1, 1, 1])


def test_a_picture_takes_a_hundred_bytes_or_so() -> None:
    @dataclass(frozen=True)
    class Many(Listed):
        def pictures(self) -> Iterator[LabelledPicture | Skipped]:
            for i in range(20_000):
                yield picture(f"{i // 50:06}/{i:08}.jpg", crop(f"{i // 50:06}"))

    tracemalloc.start()
    index = build_index([Source(Many(Path("x")))])
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(index) == 20_000
    assert kept < 150 * len(index)
    assert peak < 400 * len(index)
