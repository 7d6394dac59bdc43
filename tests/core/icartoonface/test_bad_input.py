"""What each reader of lists makes of damage: the same as the whole file, or an error.

An error names file and line. No damage gives other numbers in silence.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icf.dataset.formats.icartoonface.detected import read_detections
from icf.errors import BadInput
from icf.icartoonface.detection import (
    read_dettest_csv,
    read_dettrain_csv,
    read_submission_csv,
)
from icf.icartoonface.recognition import read_rectest_info, read_rectrain_det


@dataclass(frozen=True)
class Kind:
    """A reader, a whole file of three pictures or more, and what parts its fields."""

    read: Callable[[Path], Any]
    lines: tuple[str, ...]
    sep: str

    def with_field(self, column: int, value: str) -> bytes:
        """The file with another field in its second line."""
        row = self.lines[1].split(self.sep)
        row[column] = value
        return self.with_line(self.sep.join(row))

    def with_line(self, line: str) -> bytes:
        """The file with another second line."""
        return text([self.lines[0], line, *self.lines[2:]])


def text(lines: list[str] | tuple[str, ...], end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode()


def found(path: str, box: str = "1, 2, 30, 40", more: str = "") -> str:
    return f'{{"path": "{path}", "faces": [{{"box": [{box}], "score": 0.5{more}}}]}}'


RECTRAIN = Kind(
    read_rectrain_det,
    ("a/1.jpg\t1\t2\t30\t40", "a/2.jpg\t1\t2\t30\t40", "b/é.jpg\t1\t2\t30\t40"),
    "\t",
)
RECTEST = Kind(
    read_rectest_info,
    (
        *("1.jpg 1 2 30 40 0", "2.jpg 1 2 30 40 0", "é.jpg 1 2 30 40 -1"),
        *("1.jpg 2.jpg", "2.jpg 1.jpg"),
    ),
    " ",
)
DETTRAIN = Kind(
    read_dettrain_csv, ("1.jpg,1,2,30,40", "1.jpg,5,6,30,40", "é.jpg,1,2,30,40"), ","
)
DETTEST = Kind(read_dettest_csv, tuple(f"{line},face" for line in DETTRAIN.lines), ",")
SUBMISSION = Kind(
    read_submission_csv, tuple(f"{line},0.25" for line in DETTEST.lines), ","
)
PRINTED = Kind(
    lambda path: read_detections(path, ["1.jpg", "2.jpg", "é.jpg"]),
    (found("1.jpg"), found("x/2.jpg"), found("é.jpg")),
    "|",
)
KINDS = {
    "rectrain": RECTRAIN,
    "rectest": RECTEST,
    "dettrain": DETTRAIN,
    "dettest": DETTEST,
    "submission": SUBMISSION,
    "printed": PRINTED,
}
LISTS = {name: kind for name, kind in KINDS.items() if name != "printed"}
TABLES = {name: LISTS[name] for name in ("dettrain", "dettest", "submission")}

every = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_list = pytest.mark.parametrize("kind", LISTS.values(), ids=LISTS)
each_table = pytest.mark.parametrize("kind", TABLES.values(), ids=TABLES)


def values(of: object) -> list[Any]:
    """What a reader gave, but for the line ends, and the lines it was read from."""
    names = [each.name for each in fields(of)]  # type: ignore[arg-type]
    given = [getattr(of, name) for name in names if name not in ("style", "lines")]
    return [each.tolist() if isinstance(each, np.ndarray) else each for each in given]


def read(kind: Kind, data: bytes, path: Path) -> list[Any]:
    path.write_bytes(data)
    return values(kind.read(path))


def refused(kind: Kind, data: bytes, path: Path) -> str:
    """The message, which begins with file and line."""
    path.write_bytes(data)
    with pytest.raises(BadInput) as error:
        kind.read(path)
    assert str(error.value).startswith(str(path))
    return str(error.value).removeprefix(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


@every
@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(lambda lines: text(lines)[:-1], id="no last line end"),
        pytest.param(lambda lines: text(lines, "\r\n"), id="CRLF"),
        pytest.param(lambda lines: text(lines, "\r"), id="CR"),
        pytest.param(lambda lines: text(lines[:1], "\r\n") + text(lines[1:]), id="mix"),
        pytest.param(lambda lines: text(lines[:1]) + text(lines[1:], "\r\n"), id="xim"),
        pytest.param(lambda lines: b"\xef\xbb\xbf" + text(lines), id="UTF-8 with BOM"),
        pytest.param(lambda lines: text(lines).decode().encode("utf-16"), id="UTF-16"),
        pytest.param(
            lambda lines: b"\xfe\xff" + text(lines).decode().encode("utf-16-be"),
            id="UTF-16 BE",
        ),
        pytest.param(
            lambda lines: text(lines).decode().encode("utf-16-be"),
            id="UTF-16 BE without BOM",
        ),
        pytest.param(
            lambda lines: text(lines).decode().encode("utf-16-le"),
            id="UTF-16 LE without BOM",
        ),
        pytest.param(lambda lines: text(lines).decode().encode("utf-32"), id="UTF-32"),
    ],
)
def test_every_way_to_save_a_text_says_the_same(
    saved: Callable[[tuple[str, ...]], bytes], kind: Kind, path: Path
) -> None:
    assert read(kind, saved(kind.lines), path) == read(kind, text(kind.lines), path)


@every
def test_a_lone_cr_among_other_line_ends_is_refused(kind: Kind, path: Path) -> None:
    one, other, third, *_ = kind.lines
    data = text([one, f"{other}\r{third}"])
    assert refused(kind, data, path) == (
        ", line 2: expected LF or CRLF at the end of each line, found a lone CR in "
        "this one"
    )


@every
@pytest.mark.parametrize(
    ("at", "line"), [(3, 2), (None, 4)], ids=["in a name", "after the last line"]
)
def test_a_zero_byte_is_refused(
    at: int | None, line: int, kind: Kind, path: Path
) -> None:
    lines = [*kind.lines[:3]]
    if at is None:
        data = text(lines) + b"\0" * 512
    else:
        data = text([lines[0], f"{lines[1][:at]}\0{lines[1][at:]}", lines[2]])
    expected = f", line {line}: expected text, found a zero byte at column"
    assert refused(kind, data, path).startswith(expected)


@every
@pytest.mark.parametrize(
    ("packed", "by"),
    [
        (gzip.compress, "compressed by gzip; unpack it first: gunzip does it"),
        (bz2.compress, "compressed by bzip2"),
        (lzma.compress, "compressed by xz"),
        (lambda data: b"\x28\xb5\x2f\xfd" + data, "compressed by zstd"),
        (lambda data: b"PK\3\4" + data, "a spreadsheet program's own file"),
    ],
)
def test_what_is_packed_is_named(
    packed: Callable[[bytes], bytes], by: str, kind: Kind, path: Path
) -> None:
    assert by in refused(kind, packed(text(kind.lines)), path)


@every
@pytest.mark.parametrize("gone", [8, 11])
def test_a_truncated_last_line_is_refused(gone: int, kind: Kind, path: Path) -> None:
    data = text(kind.lines[:3])[:-gone]
    assert refused(kind, data, path).startswith(", line 3: expected")


@each_list
@pytest.mark.parametrize(
    "number",
    [
        *("nan", "inf", "-inf", "1e400", "1_0", "abc", "0x10", "\uff11", "1,5"),
        *("--1", "1 0", "9" * 5000, "1.2.3", "\u2212" + "1"),
    ],
)
def test_a_corner_that_is_no_number_is_refused(
    number: str, kind: Kind, path: Path
) -> None:
    assert refused(kind, kind.with_field(1, number), path).startswith(
        ", line 2: expected"
    )


@each_list
@pytest.mark.parametrize("name", ["/etc/x.jpg", "../x.jpg", "a/../../x.jpg", ".."])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    name: str, kind: Kind, path: Path
) -> None:
    data = text([kind.lines[0], kind.with_field(0, name).decode().splitlines()[1]])
    assert refused(kind, data, path) == (
        f", line 2: expected a picture below the folder of the pictures, found {name!r}"
    )


@each_list
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda line, sep: line.rpartition(sep)[0], id="a field less"),
        pytest.param(lambda line, sep: line + (sep + "1") * 5000, id="thousands more"),
        pytest.param(lambda line, sep: sep + line.partition(sep)[2], id="no name"),
        pytest.param(lambda line, sep: line.replace(sep, "|"), id="other signs"),
    ],
)
def test_a_row_of_another_form_is_refused(
    change: Callable[[str, str], str], kind: Kind, path: Path
) -> None:
    data = text([kind.lines[0], change(kind.lines[1], kind.sep)])
    message = refused(kind, data, path)
    assert message.startswith(", line 2: expected")
    assert len(message) < 400


@each_table
@pytest.mark.parametrize("sign", [";", "\t"])
def test_what_a_spreadsheet_saves_says_the_same(
    sign: str, kind: Kind, path: Path
) -> None:
    same = read(kind, text(kind.lines), path)
    header = ["Picture", "a", "b", "c", "d", "class", "score"][
        : kind.lines[0].count(",") + 1
    ]
    lines = [line.replace(",", sign).replace("0.25", "0,25") for line in kind.lines]
    assert read(kind, text([sign.join(header), "", *lines, sign * 4]), path) == same
    quoted = ['"' + line.replace(sign, f'"{sign}"') + '"' for line in lines]
    assert read(kind, text(quoted), path) == same


@each_table
def test_a_decimal_comma_and_a_decimal_point_in_one_file_are_refused(
    kind: Kind, path: Path
) -> None:
    lines = [line.replace(",", ";") for line in kind.lines]
    lines[0] = lines[0].replace(";1;", ";1,5;").replace("0.25", "0,25")
    # Is it one and a bit, or a thousand?
    lines[2] = lines[2].replace(";30;", ";1.234;")
    message = refused(kind, text([*lines[:1], *lines[2:]]), path)
    assert message.startswith(
        ", line 2: expected decimals with a comma or with a point in the whole file"
    )


@pytest.mark.parametrize("kind", [DETTEST, SUBMISSION], ids=["test", "submission"])
@pytest.mark.parametrize("name", ["cat", "", "1", "faces"])
def test_another_class_than_face_is_refused(name: str, kind: Kind, path: Path) -> None:
    assert refused(kind, kind.with_field(5, name), path) == (
        f", line 2: expected the class 'face', found {name!r}"
    )


@pytest.mark.parametrize("score", ["nan", "inf", "90%", "", "1_0"])
def test_a_score_that_is_no_number_is_refused(score: str, path: Path) -> None:
    data = SUBMISSION.with_field(6, score)
    assert refused(SUBMISSION, data, path).startswith(", line 2: expected")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({1: "2.jpg 1 2 30 40 -2"}, ", line 2: expected a label of -1"),
        ({1: "2.jpg 1 2 30 40 1.0"}, ", line 2: expected integers"),
        ({1: "2.jpg 1 2 30 40 x"}, ", line 2: expected integers"),
        ({1: f"2.jpg 1 2 30 40 {'9' * 19}"}, ", line 2: expected integers"),
        ({1: "1.jpg 1 2 30 40 0"}, ", line 2: expected each picture once"),
        ({4: "1.jpg 1 2 30 40 0"}, ", line 5: expected 2 fields"),
        ({4: "2.jpg 9.jpg"}, ", line 5: expected a picture listed above"),
        ({4: "2.jpg 2.jpg"}, ", line 5: expected two different pictures"),
        ({4: "2.jpg é.jpg"}, ", line 5: expected two pictures of one identity"),
        ({4: "1.jpg 2.jpg"}, ", line 5: expected each pair once"),
        ({0: "2.jpg 1.jpg"}, ", line 1: expected a picture listed above"),
    ],
)
def test_labels_and_pairs_that_contradict_each_other_are_refused(
    lines: dict[int, str], why: str, path: Path
) -> None:
    changed = [lines.get(n, line) for n, line in enumerate(RECTEST.lines)]
    assert refused(RECTEST, text(changed), path).startswith(why)


@pytest.mark.parametrize(
    "line",
    [
        *("[1]", '"x"', "3", "null", "{}", '{"path": "1.jpg"}', '{"faces": []}'),
        *('{"path": 3, "faces": []}', '{"path": "", "faces": []}'),
        *('{"path": "2.jpg", "faces": {"box": 1}}', '{"path": "2.jpg", "faces": [1]}'),
        *(found("2.jpg", box) for box in ("1, 2, 3", "1, 2, 3, 4, 5", '1, 2, "3", 4')),
        *(found("2.jpg", f"1, 2, {x}, 4") for x in ("NaN", "Infinity", "true", "null")),
        *(found("2.jpg", f"1, 2, {x}, 4") for x in ("[3]", "9" * 400)),
        found("2.jpg", more=', "kind": "dog"'),
        '{"path": "2.jpg", "faces": [{"box": [1, 2, 3, 4], "score": null}]}',
        "[" * 100_000,
    ],
)
def test_a_printed_line_of_another_form_is_refused(line: str, path: Path) -> None:
    message = refused(PRINTED, PRINTED.with_line(line), path)
    assert message.startswith(", line 2: expected a line of `icf detect --json`")
    assert len(message) < 400


def test_two_printed_lines_of_one_picture_are_refused(path: Path) -> None:
    data = PRINTED.with_line(found("other/1.jpg"))
    message = refused(PRINTED, data, path)
    assert message == ", line 2: expected each picture once, found '1.jpg' again"


def test_photographed_faces_are_passed_over(path: Path) -> None:
    data = PRINTED.with_line(found("2.jpg", more=', "kind": "human"'))
    pictures, picture, *_ = read(PRINTED, data, path)
    assert pictures == ("1.jpg", "2.jpg", "é.jpg")
    assert picture == [0, 2]


@every
def test_a_folder_and_a_missing_file_are_refused(kind: Kind, tmp_path: Path) -> None:
    for place, why in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none", "No such file"),
    ):
        with pytest.raises(BadInput, match=f"cannot be read: {why}"):
            kind.read(place)


@each_table
def test_boxes_without_area_and_boxes_again_are_kept_and_counted(
    kind: Kind, path: Path
) -> None:
    path.write_bytes(text([kind.lines[0], *kind.lines]))
    assert kind.read(path).repeated == 1
    path.write_bytes(kind.with_field(1, "90"))
    assert kind.read(path).degenerate.tolist() == [False, True, False]
