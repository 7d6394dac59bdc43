from __future__ import annotations

from pathlib import Path

import pytest

from icf.app.relink.listed import Wanted, read_wanted
from icf.errors import BadInput, IcfError, WrongUse

ONE, TWO = "1" * 64, "2" * 64
HEAD = "file,sha256,url,page\n"


def table(folder: Path, text: str | bytes) -> Path:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "licences.csv").write_bytes(data)
    return folder


def test_files_and_addresses_of_a_picture_are_gathered_in_order(tmp_path: Path) -> None:
    rows = [
        f"a/1.jpg,{ONE},http://b.test/1,",
        f"a/1.jpg,{ONE},http://a.test/1,",
        f"b/1.jpg,{ONE},http://b.test/1,",
        f"a/2.jpg,{TWO},,",
    ]
    assert read_wanted(table(tmp_path, HEAD + "\n".join(rows))) == [
        Wanted(ONE, ("a/1.jpg", "b/1.jpg"), ("http://b.test/1", "http://a.test/1")),
        Wanted(TWO, ("a/2.jpg",), ()),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"../a.jpg,{ONE},http://a.test/1,", r"line 2: expected a file inside"),
        (f"/etc/a.jpg,{ONE},http://a.test/1,", "a file inside"),
        (f"a/../../b,{ONE},http://a.test/1,", "a file inside"),
        (f"C:\\a.jpg,{ONE},http://a.test/1,", "a file inside"),
        (f",{ONE},http://a.test/1,", "a file inside"),
        ("a.jpg,1234,http://a.test/1,", "a SHA-256"),
        (f"a.jpg,{ONE}", "the columns file, sha256, url"),
        (f"a.jpg,{ONE},u,\na.jpg,{TWO},u,", "line 3: expected one picture"),
    ],
)
def test_a_row_that_is_none_or_leads_out_is_named(
    tmp_path: Path, row: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        read_wanted(table(tmp_path, HEAD + row))


@pytest.mark.parametrize(
    "text", [b"file,sha256,url\n\xff\xfe,1,2\n", HEAD + f"a,{ONE},{'x' * 200_000},\n"]
)
def test_a_table_that_cannot_be_read_is_an_error_with_its_line(
    tmp_path: Path, text: str | bytes
) -> None:
    with pytest.raises(BadInput, match=r"licences\.csv: line"):
        read_wanted(table(tmp_path, text))


def test_shards_and_folders_without_a_release_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no release"):
        read_wanted(tmp_path)
    text = f"file,sha256,url,member\na.tar,{ONE},http://a.test/1,1.jpg\n"
    with pytest.raises(IcfError, match="in shards"):
        read_wanted(table(tmp_path, text))
