from pathlib import Path

import pytest

from icf.dataset.licences import COLUMNS, Source, rows, shown
from icf.spreadsheet import rows_of, write_csv


@pytest.mark.parametrize("scheme", ["http", "HTTPS", "ftp"])
def test_a_release_shows_no_login_of_an_address(scheme: str) -> None:
    page = f"{scheme}://ann:m@on@a.example/p?to=bob@b.example"
    plain = Source("https://a.example/@ann/1.png", "", "CC0", "", "list", "")
    secret = Source("https://ann@a.example/1.png", page, "CC0", "", "list", "")
    first, second = shown({1: [plain, secret]})[1]
    assert first == plain
    assert second.url == "https://a.example/1.png"
    assert second.page == f"{scheme}://a.example/p?to=bob@b.example"


#: A line end, NUL, an escape sequence of a terminal in seven and in eight bits, a line
#: separator, and a mark that turns what follows around.
HOSTILE = "Ann\r\nB\0ob\x1b[2J\x9b2J\u2028Cleo \u202eevil"
HARMLESS = "Ann Bob[2J2J Cleo evil"


def test_what_sites_say_is_one_line_that_commands_no_terminal(tmp_path: Path) -> None:
    url = "https://a.example/\x1b1\n.png"
    said = Source(url, "p\x9b", HOSTILE, "l\0", "l", HOSTILE)
    (found,) = shown({1: [said]})[1]
    assert found == Source(
        "https://a.example/%1B1%0A.png", "p%C2%9B", HARMLESS, "l%00", "l", HARMLESS
    )
    write_csv(tmp_path / "licences.csv", COLUMNS, rows("1.png", "0" * 64, [found]))
    (read,) = rows_of(tmp_path / "licences.csv", *COLUMNS)
    assert (read["author"], read["licence"]) == (HARMLESS, HARMLESS)
    assert len((tmp_path / "licences.csv").read_text().splitlines()) == 2
    # What is imported of a release is released again as it is.
    assert shown({1: [found]})[1] == (found,)


@pytest.mark.parametrize("author", ["=Ann  Lee", "Zoë 李 🦊", 'O\'Neil, "Al"; =1'])
def test_what_can_be_printed_stays_to_the_character(author: str) -> None:
    said = Source("https://a.example/é 1.png", "", "CC0", "", "list", author)
    assert shown({1: [said]})[1] == (said,)
