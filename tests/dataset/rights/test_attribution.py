from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from icf.dataset.licences import Source
from icf.dataset.rights.attribution import (
    COLUMNS,
    Attribution,
    attributions,
    title_of,
    write_attribution,
)

SOURCE = Source(
    "https://toons.test/img/a.png",
    "https://toons.test/wiki/File:Ann_%26_Bob.png",
    "CC BY 4.0",
    "https://creativecommons.org/licenses/by/4.0/",
    "extmetadata",
    "=Ann",
)


def one(**changed: str) -> Attribution:
    values = dict.fromkeys(COLUMNS, "") | {"sha256": "0" * 64} | changed
    return Attribution(**values)


def page(rows: list[Attribution]) -> str:
    """The page that is written of some rows."""
    with TemporaryDirectory() as folder:
        write_attribution(Path(folder), rows)
        return (Path(folder) / "ATTRIBUTION.md").read_text()


def test_each_source_has_title_author_source_licence_and_changes(
    tmp_path: Path,
) -> None:
    rows = list(attributions([("1" * 64, [SOURCE, SOURCE])]))
    write_attribution(tmp_path, rows)
    with (tmp_path / "attribution.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 2
    assert table[0] == {
        "sha256": "1" * 64,
        "title": "Ann & Bob.png",
        "author": "'=Ann",
        "page": SOURCE.page,
        "licence": "CC BY 4.0",
        "spdx": "CC-BY-4.0",
        "licence_url": SOURCE.licence_url,
        "url": SOURCE.url,
        "changes": "none: the bytes are as they were fetched",
    }
    text = (tmp_path / "ATTRIBUTION.md").read_text()
    assert "of 1 pictures" in text
    assert f"| [Ann & Bob.png](<{SOURCE.page}>) | =Ann | [CC BY 4.0](<" in text


@pytest.mark.parametrize("code", ["%00", "%0A", "%0D%0A", "%1B", "%C2%9B", "%E2%80%A8"])
def test_a_title_is_one_line_that_commands_no_terminal(code: str) -> None:
    assert title_of(f"https://toons.test/Ann{code}__B.png").isprintable()


def test_what_sites_write_cannot_become_markdown_or_html() -> None:
    row = one(
        title="a|b](javascript:x)",
        author="<script>alert(1)</script>\n| evil |",
        page="javascript:alert(1)",
        licence="`x`",
        licence_url="https://a.test/<b> c",
    )
    lines = page([row]).splitlines()
    assert lines[-1] == (
        r"| a\|b\](javascript:x) | \<script\>alert(1)\</script\> \| evil \| | "
        r"[\`x\`](<https://a.test/%3Cb%3E%20c>) |"
    )


def test_invisible_characters_and_bars_do_not_change_the_page() -> None:
    row = one(title="a", page="https://a.test/\x1b|é\u202e", author="\u202eevil\x1b[2J")
    assert page([row]).splitlines()[-1] == (
        r"| [a](<https://a.test/%1B%7Cé%E2%80%AE>) | evil\[2J |  |"
    )


def test_of_very_many_pictures_authors_are_named_with_a_count() -> None:
    rows = [
        one(sha256=f"{number:064}", author=f"Author {number % 2}", spdx="CC0-1.0")
        for number in range(2_001)
    ]
    assert page(rows).splitlines()[-2:] == [
        "| CC0-1.0 | Author 0 | 1,001 |",
        "| CC0-1.0 | Author 1 | 1,000 |",
    ]


def test_a_title_is_the_last_part_of_an_address() -> None:
    assert title_of("https://a.test/wiki/The_Ann/") == "The Ann"
    assert title_of("file:///home/x/ann%20b.png") == "ann b.png"
    assert title_of("") == ""
