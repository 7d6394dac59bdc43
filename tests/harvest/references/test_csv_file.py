from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, character
from icf.errors import BadInput, WrongUse
from icf.harvest.references.csv_file import (
    COLUMNS,
    Imported,
    Row,
    import_rows,
    read_rows,
    row_start,
)
from icf.spreadsheet import BadRow
from tests.filter.rows import add_album, add_face, add_image

HEADER = ",".join(COLUMNS)
SHA = "ab" * 32


@pytest.fixture
def tom(sqlite_catalogue: Catalogue) -> int:
    return add_album(sqlite_catalogue, "Tom")[0]


def take(catalogue: Catalogue, path: Path, text: str | bytes) -> Imported:
    path = path / "references.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rows = read_rows(path)
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
        return import_rows(connection, run_id, rows)


def chosen(catalogue: Catalogue, who: int) -> tuple[int | None, str | None]:
    query = sa.select(character.c.reference_face_id, character.c.reference_by)
    with catalogue.read() as connection:
        row = connection.execute(query.where(character.c.id == who)).one()
    return row.reference_face_id, row.reference_by


def add_judged(catalogue: Catalogue, who: int) -> int:
    image_id = add_image(catalogue, who, awaits=None)
    return add_face(catalogue, image_id, who, awaits=None, verdict="kept")


names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
)


@given(album_name=names, name=names)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_the_row_of_any_name_is_read_back_as_that_character(
    sqlite_catalogue: Catalogue, tmp_path: Path, album_name: str, name: str
) -> None:
    with sqlite_catalogue.write() as connection:
        connection.execute(sa.delete(character))
        connection.execute(sa.delete(album))
        album_id = connection.execute(
            sa.insert(album)
            .values(name=album_name, source="t", found_at=0.0)
            .returning(album.c.id)
        ).scalar_one()
        who = connection.execute(
            sa.insert(character)
            .values(album_id=album_id, name=name, source="t", found_at=0.0)
            .returning(character.c.id)
        ).scalar_one()
    line = row_start(who, album_name, name) + "none"
    done = take(sqlite_catalogue, tmp_path, f"\ufeff{HEADER}\r\n{line}\r\n")
    assert (done.none, done.bad) == (1, ())
    assert chosen(sqlite_catalogue, who) == (None, "hand")


@given(album_name=names, name=names)
def test_no_cell_of_a_row_is_a_formula_and_a_row_is_one_line(
    album_name: str, name: str
) -> None:
    line = row_start(7, album_name, name)
    assert len(line.splitlines()) == 1
    cells = next(csv.reader(io.StringIO(line)))
    assert len(cells) == 4
    assert not any(cell.startswith(tuple("=+-@\t\r\n")) for cell in cells)


def test_good_rows_are_taken_and_each_bad_one_is_reported_by_line_and_reason(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    tom, jerry, spike, nib = add_album(sqlite_catalogue, "Tom", "Jerry", "Spike", "Nib")
    face_id = add_judged(sqlite_catalogue, tom)
    add_image(sqlite_catalogue, jerry, sha256=SHA)
    lines = [
        HEADER,
        f"{tom},,Tom,face:{face_id}",
        f"{jerry},,Jerry,image:{SHA}",
        "",
        f"{spike},,Spike,none",
        f"{tom},,Tom,none",
        f"{spike},,Butch,none",
        "999,,Tom,none",
        "x,,Tom,none",
        f"{nib},,Nib",
        f'{tom},,"Tom,none',
        f"{nib},,Nib,face:0x1",
        f"{nib},,Nib,face:999",
        f"{nib},,Nib,image:{'cd' * 32}",
        ",,,none",
    ]
    text = "\n".join(lines).encode() + b"\n%d,,\xff,none\n" % tom
    done = take(sqlite_catalogue, tmp_path, text)
    assert (done.faces, done.waiting, done.none) == (1, 1, 1)
    assert chosen(sqlite_catalogue, tom) == (face_id, "hand")
    reasons = {one.line: one.why for one in done.bad}
    assert list(reasons) == [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    for line, words in [
        (6, "line 2 has chosen"),
        (7, "from another workspace"),
        (8, "no character 999"),
        (9, "'x' is no number"),
        (10, "none of face:N"),
        (11, "it is not CSV"),
        (12, "none of face:N, image:SHA256, none"),
        (13, "no face 999"),
        (14, "no image cdcd"),
        (15, "names no character"),
        (16, "from another workspace"),
    ]:
        assert words in reasons[line]


def test_rows_written_by_hand_may_name_characters_without_ids(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    face_id = add_judged(sqlite_catalogue, tom)
    text = f"character;choice\nTom;face:{face_id}\nTim;none\n"
    done = take(sqlite_catalogue, tmp_path, text)
    assert done.faces == 1
    assert "the nearest: 'Tom'" in done.bad[0].why


def test_a_name_that_a_spreadsheet_keeps_behind_an_apostrophe_is_found(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    add_album(sqlite_catalogue, "=Tom")
    done = take(sqlite_catalogue, tmp_path, "character,choice\n'=Tom,none\n")
    assert done.none == 1


@pytest.mark.parametrize(("line", "why"), [("face:x", "none of"), ("", "none of")])
def test_an_unknown_choice_is_a_bad_row(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int, line: str, why: str
) -> None:
    done = take(sqlite_catalogue, tmp_path, f"{HEADER}\n{tom},,Tom,{line}\n")
    (bad,) = done.bad
    assert bad.line == 2
    assert why in bad.why


@pytest.mark.parametrize("text", ["", "\n\n", "album,character\n", "<html>"])
def test_a_file_that_is_no_such_table_is_refused_whole(
    sqlite_catalogue: Catalogue, tmp_path: Path, text: str
) -> None:
    with pytest.raises(BadInput):
        take(sqlite_catalogue, tmp_path, text)


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"cannot read .*nothing\.csv"):
        read_rows(tmp_path / "nothing.csv")


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"id,choice\n" + data)
    assert all(isinstance(row, Row | BadRow) for row in read_rows(path))
