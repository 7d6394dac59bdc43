from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import BadInput
from icf.models.data.base import LabelledFace
from icf.models.data.formats.rec import RecReader
from icf.models.data.formats.record_io import read_header, read_picture
from tests.core.pictures import drawing, encoded
from tests.models.data.files import reasons, split
from tests.models.data.formats.rec_files import MAGIC, header, record, write_rec

PICTURES = [[encoded(drawing(112, 112, seed), "JPEG")] * 2 for seed in range(3)]
IDX, REC = "train.idx", "train.rec"


def lines(folder: Path) -> list[str]:
    return (folder / IDX).read_text().splitlines()


def rewrite(folder: Path, rows: list[str]) -> None:
    (folder / IDX).write_text("".join(f"{row}\n" for row in rows))


def test_the_published_three_files_are_read(tmp_path: Path) -> None:
    write_rec(tmp_path, PICTURES)
    reader = RecReader(tmp_path)
    pictures, skipped = split(reader)
    assert not skipped
    assert [picture.faces for picture in pictures] == [
        (LabelledFace(None, "human", str(i // 2)),) for i in range(6)
    ]
    assert [reader.read(p.key) for p in pictures] == [
        p for two in PICTURES for p in two
    ]


def test_without_record_0_every_record_is_a_picture(tmp_path: Path) -> None:
    write_rec(tmp_path, PICTURES)
    rewrite(tmp_path, lines(tmp_path)[1:7])
    (tmp_path / "property").unlink()
    pictures, skipped = split(RecReader(tmp_path, "cartoon"))
    assert not skipped
    assert len(pictures) == 6
    assert pictures[0].faces[0].kind == "cartoon"


def test_several_labels_may_follow_the_header(tmp_path: Path) -> None:
    data = record(header([5, 0.25], 1) + b"picture")
    (tmp_path / REC).write_bytes(data)
    (tmp_path / IDX).write_text("1\t0\n")
    reader = RecReader(tmp_path)
    pictures, _ = split(reader)
    assert pictures[0].faces[0].identity == "5"
    assert reader.read(pictures[0].key) == b"picture"


def test_damaged_records_are_left_out_by_number(tmp_path: Path) -> None:
    write_rec(tmp_path, PICTURES)
    data = bytearray((tmp_path / REC).read_bytes())
    offsets = [int(line.split("\t")[1]) for line in lines(tmp_path)]
    data[offsets[1]] ^= 0xFF  # no mark
    data[offsets[2] + 12 : offsets[2] + 16] = header([0.5])[4:8]
    data[offsets[3] + 12 : offsets[3] + 16] = header([7])[4:8]
    (tmp_path / REC).write_bytes(data[: offsets[5] + 500])
    rows = lines(tmp_path)
    rows[4:5] = [rows[4], rows[4], "4 x", "4"]
    rewrite(tmp_path, rows)
    pictures, skipped = split(RecReader(tmp_path))
    assert [picture.key for picture in pictures] == [f"4@{offsets[4]}"]
    assert [(each.where, each.reason) for each in skipped[:8]] == [
        ("train.rec, record 1", "no record where one should begin"),
        ("train.rec, record 2", "a label that is no identity's number"),
        ("train.rec, record 3", "a label above the 3 of property"),
        ("train.idx, line 6", "the same record again"),
        ("train.idx, line 7", "not NUMBER<TAB>OFFSET"),
        ("train.idx, line 8", "not NUMBER<TAB>OFFSET"),
        ("train.rec, record 5", "a truncated record"),
        ("train.rec, record 6", "a truncated record"),
    ]


def test_a_record_without_a_picture_is_left_out(tmp_path: Path) -> None:
    (tmp_path / REC).write_bytes(record(header([5], 1)))
    (tmp_path / IDX).write_text("1\t0\n")
    assert reasons(split(RecReader(tmp_path))[1]) == ["no picture in the record"]


@pytest.mark.parametrize("missing", [REC, IDX])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    write_rec(tmp_path, PICTURES)
    (tmp_path / missing).unlink()
    with pytest.raises(BadInput, match=f"{missing} cannot be read"):
        split(RecReader(tmp_path))


def test_files_that_are_something_else_are_refused(tmp_path: Path) -> None:
    write_rec(tmp_path, PICTURES)
    (tmp_path / "property").write_text("many\n")
    with pytest.raises(BadInput, match="expected IDENTITIES,HEIGHT,WIDTH"):
        split(RecReader(tmp_path))
    (tmp_path / "property").unlink()
    (tmp_path / IDX).write_bytes(b"\x00\x01\x02")
    with pytest.raises(BadInput, match=r"train\.idx has no row"):
        split(RecReader(tmp_path))


@pytest.mark.parametrize("key", ["1", "1@x", "1@-5", "1@3", f"1@{10**30}"])
def test_a_key_that_is_none_is_bad_input(tmp_path: Path, key: str) -> None:
    write_rec(tmp_path, PICTURES)
    with pytest.raises(BadInput):
        RecReader(tmp_path).read(key)


@given(
    labels=st.lists(st.integers(0, 1 << 24).map(float), min_size=1, max_size=3),
    number=st.integers(0, (1 << 64) - 1),
    # Words of four bytes, the mark often among them.
    words=st.lists(st.sampled_from([MAGIC, b"abcd", bytes(4)]), min_size=1, max_size=8),
    rest=st.binary(max_size=3),
    before=st.integers(0, 3),
)
def test_what_is_written_is_read(
    labels: list[float], number: int, words: list[bytes], rest: bytes, before: int
) -> None:
    picture = b"".join(words) + rest
    start = record(b"x" * before)
    file = io.BytesIO(start + record(header(labels, number) + picture) + record(b"y"))
    found = read_header(file, len(start))
    assert found.labels == tuple(labels)
    assert found.id == number
    assert read_picture(file, len(start)) == picture


@given(st.binary(max_size=64), st.integers(0, 64))
def test_any_bytes_are_a_picture_or_bad_input(data: bytes, cut: int) -> None:
    content = (record(header([1, 2, 3]) + MAGIC * 3) + data)[cut:]
    for read in (read_header, read_picture):
        with suppress(BadInput):
            read(io.BytesIO(content), 0)
