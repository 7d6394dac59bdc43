"""A label that was changed, a pair or record that was lost, in each format of faces."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dataset.formats.checks.copied import Copied
from tests.dataset.formats.conftest import Exported

Change = Callable[[str], str]
META, TRAIN = (f"recognition/{each}/metadata.jsonl" for each in ("test", "train"))


def sub(pattern: str, new: str) -> Change:
    return lambda text: re.sub(pattern, new, text, count=1, flags=re.MULTILINE)


CASES: list[tuple[str, str, Change, str]] = [
    ("imagefolder", META, sub(r'"label": (\d+)', r'"label": 9\1'), "has the label 9"),
    ("imagefolder", META, sub(r'"label": \d+', '"label": null'), "has the label None"),
    ("imagefolder", META, sub(r'"label": (\d+)', r'"label": "\1"'), "has the label '"),
    ("imagefolder", TRAIN, sub('"label": 1,', '"label": true,'), "has the label True"),
    ("imagefolder", META, sub(r'"label": (\d+)', r'"label": \1.0'), r".0, and not "),
    ("imagefolder", META, sub(r'"bbox": \[', '"bbox": [1'), "has the box"),
    ("imagefolder", META, sub(r'"role": "\w+"', '"role": "x"'), "has the role x"),
    ("imagefolder", META, sub(r"^.*\n", ""), "has nothing of"),
    ("imagefolder", META, sub(r"^\{", "[" * 100_000), "RecursionError"),
    ("imagefolder", META, sub(r"^\{", "{{"), "cannot be read to its end"),
    ("lfw", "pairs.txt", sub(r"\t1\t2$", "\t2\t1"), "has no line"),
    ("lfw", "pairs.txt", sub(r"^(.*)\n(.*)\n(.*)\n", r"\1\n\3\n\2\n"), "another order"),
    ("insightface", "property", sub("^.", "99"), "says something else"),
    ("insightface", "train.idx", sub(r"^2\t.*\n", ""), "has nothing of"),
    ("insightface", "train.idx", sub(r"^2\t(.*)$", r"2\t1\1"), "cannot be read"),
    ("insightface", "train.idx", sub(r"^2\t", "2000\t"), "has a record 2000"),
    ("insightface", "train.idx", sub(r"^2\t.*$", "x"), "is no list of records"),
]


@pytest.mark.parametrize(("name", "file", "change", "said"), CASES)
def test_an_edited_list_is_named(
    whole: Exported, name: str, file: str, change: Change, said: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    text = (copied.folder / file).read_text()
    assert change(text) != text
    (copied.folder / file).write_text(change(text))
    assert said in " ".join(copied.said())


@pytest.mark.parametrize("label", [12, 0.5, math.nan, math.inf])
def test_a_relabelled_record_is_named(
    whole: Exported, label: float, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "insightface", tmp_path)
    offset = int((copied.folder / "train.idx").read_text().splitlines()[1].split()[1])
    records = bytearray((copied.folder / "train.rec").read_bytes())
    records[offset + 12 : offset + 16] = struct.pack("<f", label)
    (copied.folder / "train.rec").write_bytes(records)
    [said] = copied.said()
    assert said.startswith("train.rec: record 1: ")
    assert f"has the label {label}, and not 0" in said


def test_a_face_in_the_folder_of_another_identity_is_named(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "imagefolder", tmp_path)
    first = copied.files("recognition/train/00000/*.jpg")[0]
    moved = first.replace("/00000/", "/00001/")
    (copied.folder / first).rename(copied.folder / moved)
    file = "recognition/train/metadata.jsonl"
    inside, there = (each.removeprefix("recognition/train/") for each in (first, moved))
    copied.edit(file, f'"{inside}"', f'"{there}"')
    assert copied.said() == [f"{moved}: is in another folder than that of 00000"]


def test_one_broken_line_is_named_and_the_others_are_read(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "imagefolder", tmp_path)
    path = copied.folder / META
    first, second, third, *rest = path.read_bytes().splitlines()
    broken = [b"\xff", second.replace(b'"bbox": [', b'"bbox": ["x", ')]
    last = third.replace(b'"role": "', b'"role": "x')
    path.write_bytes(b"\n".join([*broken, last, *rest, b""]))
    said = copied.said()
    name = json.loads(first)["file_name"]
    assert len(said) == 5
    assert f"{META}: line 1: cannot be read to its end: UnicodeDecodeError" in said[0]
    assert f"{META}: line 2: cannot be read: " in said[1]
    assert "line 3: " in said[2]
    assert "has the role x" in said[2]
    assert said[3].endswith(f"{name}: is in no row of {META}")
    assert said[4].endswith(f"has nothing of {name.rpartition('/')[2]}")


def test_a_broken_record_is_named_once(whole: Exported, tmp_path: Path) -> None:
    copied = Copied.of(whole, "insightface", tmp_path)
    (copied.folder / "train.rec").write_bytes(b"")
    said = copied.said()
    assert said
    assert all(re.search(r"record \d+: cannot be read: ", line) for line in said)


def test_a_repeated_line_of_an_index_is_named(whole: Exported, tmp_path: Path) -> None:
    copied = Copied.of(whole, "insightface", tmp_path)
    path = copied.folder / "train.idx"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[2]]))
    count = len(lines)
    assert copied.said() == [f"train.idx: has {count + 1} lines of {count} records"]


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("train.rec", lambda b: b + b"\n", "has 1 bytes behind its last record"),
        ("train.rec", lambda b: b + b[:40], "has 40 bytes behind its last record"),
        # The second id of record 0, which nothing reads, and its first.
        ("train.rec", lambda b: b[:24] + b"\1" + b[25:], "record 0: has other bytes"),
        ("train.rec", lambda b: b[:16] + b"\1" + b[17:], "record 0: has other bytes"),
        ("train.idx", lambda b: b[:-1], "is not a line for each record"),
        ("train.idx", lambda b: b.replace(b"\n", b"\r\n"), "is not a line for each"),
        ("train.idx", lambda b: b.replace(b"1\t", b"01\t", 1), "is not a line for"),
    ],
)
def test_bytes_that_no_reader_looks_at_are_named(
    whole: Exported,
    file: str,
    change: Callable[[bytes], bytes],
    said: str,
    tmp_path: Path,
) -> None:
    copied = Copied.of(whole, "insightface", tmp_path)
    path = copied.folder / file
    path.write_bytes(change(path.read_bytes()))
    [found] = copied.said()
    assert found.startswith(f"{file}: {said}")


def test_records_in_another_order_are_named(whole: Exported, tmp_path: Path) -> None:
    copied = Copied.of(whole, "insightface", tmp_path)
    index, records = copied.folder / "train.idx", copied.folder / "train.rec"
    places = [int(line.split()[1]) for line in index.read_text().splitlines()]
    data = records.read_bytes()
    # The last two ranges change places: each is where the index says, and whole.
    one, other = places[-2:]
    assert len(data) - other == other - one
    records.write_bytes(data[:one] + data[other:] + data[one:other])
    lines = index.read_text().splitlines()
    numbers = [line.split()[0] for line in lines]
    lines[-2:] = [f"{numbers[-2]}\t{other}", f"{numbers[-1]}\t{one}"]
    index.write_text("\n".join([*lines, ""]))
    said = " ".join(copied.said())
    assert f"train.idx: has the record {numbers[-1]} elsewhere than it is" in said
