import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from icf.codes import Gender, Region
from icf.errors import WrongUse
from icf.harvest.attributes.licence import Licence
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.sources.base import Album, Character, Corrects, ListingPage
from icf.harvest.sources.table.source import ListSource
from icf.settings import HarvestSettings


def source(folder: Path) -> ListSource:
    table = {"name": "mine", "kind": "list", "path": "urls.csv"}
    return ListSource(table, folder, HarvestSettings())


def answers(folder: Path, text: bytes) -> list[ListingPage]:
    (folder / "urls.csv").write_bytes(text)
    listed = source(folder)
    (task,) = listed.first_tasks()
    found: list[ListingPage] = []

    async def all_of_it() -> None:
        nonlocal task
        async with Web("icf/test", AllowList([])) as web:
            while not found or not found[-1].done:
                found.append(await listed.step(task, web))
                task = replace(task, cursor=found[-1].cursor)

    asyncio.run(all_of_it())
    return found


def test_a_row_names_a_picture_of_a_character(tmp_path: Path) -> None:
    (found,) = answers(
        tmp_path,
        b"album,character,url,page,licence,author\n"
        b"Moon,Luna,http://a.org/1.png,http://a.org/luna,CC0,Jane\n"
        b'Moon,"Sol, the 2nd",http://a.org/2.png,,,\n',
    )
    assert found.albums == (Album("Moon"),)
    assert found.characters == (
        Character("Moon", "Luna"),
        Character("Moon", "Sol, the 2nd"),
    )
    first, second = found.pictures
    assert (first.url, first.page_url) == ("http://a.org/1.png", "http://a.org/luna")
    assert first.licence == Licence("CC0", None, "list", "Jane")
    assert second.licence == Licence("unknown", None, "unknown", None)


def test_the_order_of_columns_and_a_byte_order_mark_do_not_matter(
    tmp_path: Path,
) -> None:
    text = "\ufeffURL, Album ,character\nhttp://a.org/1,月,ルナ\n".encode()
    (found,) = answers(tmp_path, text)
    assert found.characters == (Character("月", "ルナ"),)


def test_each_bad_row_is_told_by_its_line_and_the_others_are_taken(
    tmp_path: Path,
) -> None:
    (found,) = answers(
        tmp_path,
        b"album,character,url\n"
        b"Moon,Luna,http://a.org/1\n"
        b"Moon,Luna\n"
        b"Moon,,http://a.org/2\n"
        b"M\xff,Luna,http://a.org/3\n"
        b"\n"
        b"Moon,Lun\xc3\xa9,http://a.org/4\n"
        b"Moon,Luna,http://a.org/5,,more\n",
    )
    assert [p.url for p in found.pictures] == ["http://a.org/1", "http://a.org/4"]
    assert [fault.partition("line ")[2] for fault in found.faults] == [
        "3: bad_row: no url",
        "4: bad_row: no character",
        "5: bad_encoding: it is not UTF-8",
        "8: bad_row: 5 columns, where the header has 3",
    ]


def test_a_long_list_comes_in_steps_and_every_row_once(tmp_path: Path) -> None:
    rows = b"".join(b"A,B,http://a.org/%d\n" % n for n in range(10_000))
    found = answers(tmp_path, b"album,character,url\n" + rows)
    urls = [p.url for one in found for p in one.pictures]
    assert urls == [f"http://a.org/{n}" for n in range(10_000)]
    assert len(found) == 3


def test_a_list_goes_on_at_its_cursor_in_another_process(tmp_path: Path) -> None:
    rows = b"".join(b"A,B,http://a.org/%d\n" % n for n in range(4500))
    first, _ = answers(tmp_path, b"album,character,url\n" + rows)
    again = source(tmp_path)
    (task,) = again.first_tasks()

    async def rest() -> ListingPage:
        async with Web("icf/test", AllowList([])) as web:
            return await again.step(replace(task, cursor=first.cursor), web)

    pictures = asyncio.run(rest()).pictures
    assert (len(pictures), pictures[0].url) == (500, "http://a.org/4000")


def test_a_changed_list_is_another_task(tmp_path: Path) -> None:
    path = tmp_path / "urls.csv"
    path.write_text("album,character,url\n")
    before = list(source(tmp_path).first_tasks())
    assert list(source(tmp_path).first_tasks()) == before
    path.write_text("album,character,url\nA,B,http://a.org/\n")
    assert list(source(tmp_path).first_tasks()) != before


@pytest.mark.parametrize("text", ["", "album,character\n", "http://a.org/1.png\n"])
def test_a_list_without_its_columns_is_wrong_use(tmp_path: Path, text: str) -> None:
    (tmp_path / "urls.csv").write_text(text)
    with pytest.raises(WrongUse, match="album, character, url"):
        list(source(tmp_path).first_tasks())


def test_a_list_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="'mine'"):
        list(source(tmp_path).first_tasks())


def test_a_row_may_say_rank_region_style_gender_lead_and_sha1(tmp_path: Path) -> None:
    (found,) = answers(
        tmp_path,
        b"album,character,url,rank,region,gender,lead,sha1,style\n"
        b"Moon,Luna,http://a.org/1,,,,,\n"
        b"Moon,Luna,http://a.org/2,3,Japanese,woman,yes,%s,Flat  Vector\n"
        b"Moon,Sol,http://a.org/3,x,,,,\n"
        b"Moon,Sol,http://a.org/4,,,,,12ab\n"
        b"Moon,Sol,http://a.org/5,3.5,,,,\n"
        b"Sun,Sol,http://a.org/6,4.0,,,,\n" % (b"AB" * 20),
    )
    assert found.albums == (
        Album("Moon", rank=3, region=Region.JAPAN, style="flat vector"),
        Album("Sun", rank=4),
    )
    assert found.characters == (
        Character("Moon", "Luna", gender=Gender.FEMALE),
        Character("Sun", "Sol"),
    )
    first, second, _ = found.pictures
    assert (first.is_lead, first.sha1) == (False, None)
    assert (second.is_lead, second.sha1) == (True, "ab" * 20)
    assert [fault.partition("line ")[2] for fault in found.faults] == [
        "4: bad_row: rank 'x' is not a number",
        "5: bad_row: sha1 '12ab' is not 40 hexadecimal digits",
        "6: bad_row: rank '3.5' is not a number",
    ]


def test_the_same_list_in_json_lines_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "urls.jsonl").write_text(
        '{"album": "Moon", "character": "Luna", "url": "http://a.org/1", "rank": 3}\n'
    )
    table = {"name": "mine", "kind": "list", "path": "urls.jsonl"}
    listed = ListSource(table, tmp_path, HarvestSettings())
    (task,) = listed.first_tasks()

    async def step() -> ListingPage:
        async with Web("icf/test", AllowList([])) as web:
            return await listed.step(task, web)

    found = asyncio.run(step())
    assert found.albums == (Album("Moon", rank=3),)
    assert [p.url for p in found.pictures] == ["http://a.org/1"]


def test_another_kind_of_file_names_the_known_ones(tmp_path: Path) -> None:
    table = {"name": "mine", "kind": "list", "path": "urls.xlsx"}
    with pytest.raises(WrongUse, match=r"\.csv, \.jsonl"):
        ListSource(table, tmp_path, HarvestSettings())


EXCEL = "Album;CHARACTER; Url ;lead\r\nMoon;Luna;http://a.org/1;WAHR\r\n;;;\r\n"


@pytest.mark.parametrize(
    "text",
    [
        EXCEL.encode("utf-8-sig"),
        EXCEL.replace(";", "\t").encode("utf-16"),
        EXCEL.replace("\r\n", "\r").encode(),
        b"sep=;\r\n" + EXCEL.encode(),
    ],
)
def test_a_list_is_read_as_a_spreadsheet_saves_it(tmp_path: Path, text: bytes) -> None:
    (found,) = answers(tmp_path, text)
    assert found.faults == ()
    (one,) = found.pictures
    assert (one.url, one.character, one.is_lead) == ("http://a.org/1", "Luna", True)


def test_a_lead_that_is_neither_true_nor_false_and_an_endless_name_are_told(
    tmp_path: Path,
) -> None:
    rows = f"M,L,http://a.org/1,perhaps\n{'M' * 600},L,http://a.org/2,\n".encode()
    (found,) = answers(tmp_path, b"album,character,url,lead\n" + rows)
    first, second = found.faults
    assert "lead 'perhaps' is neither true nor false" in first
    assert "the album has over 500 characters" in second


def test_a_column_that_is_named_twice_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "urls.csv").write_text("album,character,URL,url\n")
    with pytest.raises(WrongUse, match="names the column url twice"):
        list(source(tmp_path).first_tasks())


@pytest.mark.parametrize("ours", ["licence", "License", "LICENSE"])
def test_the_licence_may_be_spelled_as_in_america(tmp_path: Path, ours: str) -> None:
    header = f"album,character,url,{ours},{ours} URL\n".encode()
    row = b"Moon,Luna,http://a.org/1,CC0,http://cc0\n"
    (found,) = answers(tmp_path, header + row)
    assert found.pictures[0].licence == Licence("CC0", "http://cc0", "list", None)


@pytest.mark.parametrize("both", ["licence,license", "License_URL,licence url"])
def test_a_column_in_both_spellings_is_wrong_use(tmp_path: Path, both: str) -> None:
    (tmp_path / "urls.csv").write_text(f"album,character,url,{both}\n")
    with pytest.raises(WrongUse, match=r"licen.e and licen.e|which are one"):
        list(source(tmp_path).first_tasks())


def test_the_url_of_a_licence_without_a_name_is_kept(tmp_path: Path) -> None:
    by = "https://creativecommons.org/licenses/by/4.0/"
    text = f"album,character,url,licence,licence_url\nMoon,Luna,http://a.org/1,,{by}\n"
    (found,) = answers(tmp_path, text.encode())
    assert found.pictures[0].licence == Licence("unknown", by, "list", None)


def test_a_row_that_contradicts_an_earlier_one_of_its_url_is_told(
    tmp_path: Path,
) -> None:
    (found,) = answers(
        tmp_path,
        b"album,character,url,licence,author\n"
        b"Moon,Luna,http://a.org/1,CC0,Jane\n"
        b"Moon,Sol,HTTP://A.org/1,,\n"
        b"Moon,Sol,http://a.org/1,CC0,Jane\n"
        b"Moon,Sol,HTTP://a.org:80/1,CC BY,Jane\n"
        b"Moon,Sol,http://a.org/1,CC0,Joe\n",
    )
    assert [fault.partition("line ")[2] for fault in found.faults] == [
        "5: bad_row: its licence 'CC BY' counts for nothing: an earlier row of its URL "
        "says 'CC0'",
        "6: bad_row: its author 'Joe' counts for nothing: an earlier row of its URL "
        "says 'Jane'",
    ]
    # Such a row names a character all the same.
    assert [one.character for one in found.pictures] == ["Luna", *["Sol"] * 4]


def test_what_is_contradicted_may_be_in_an_earlier_step_or_process(
    tmp_path: Path,
) -> None:
    rows = [b"A,B,http://a.org/%d,CC0\n" % n for n in range(4500)]
    again = b"A,C,http://a.org/0,CC BY\n"
    text = b"".join([b"album,character,url,licence\n", *rows, again])
    first, second = answers(tmp_path, text)
    fresh = source(tmp_path)
    (task,) = fresh.first_tasks()

    async def rest() -> ListingPage:
        async with Web("icf/test", AllowList([])) as web:
            return await fresh.step(replace(task, cursor=first.cursor), web)

    for page in (second, asyncio.run(rest())):
        (fault,) = page.faults
        assert "line 4502: bad_row: its licence 'CC BY' counts for nothing" in fault
        assert page.pictures[-1].corrects is Corrects.NOTHING
        assert page.pictures[-2].corrects is Corrects.SOURCE
