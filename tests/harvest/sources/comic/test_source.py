import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from click.testing import CliRunner

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image_source, url
from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.cli.main import cli
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.sources.base import Album, Character, ListingPage
from icf.harvest.sources.comic.source import ComicSource
from icf.settings import HarvestSettings
from icf.workspace import find, init
from tests.harvest.rows import all_of, filed
from tests.harvest.sources.comic.books import (
    epub,
    flagged,
    jpeg_page,
    pdf,
    picture,
    rar5,
    zipped,
)
from tests.unreadable import unreadable

PNG, JPEG = picture(), picture("JPEG")


@pytest.fixture
def sources() -> Iterator[list[ComicSource]]:
    made: list[ComicSource] = []
    yield made
    for one in made:
        one.reader.close()


def source(root: Path, made: list[ComicSource], **keys: Any) -> ComicSource:
    table = {"name": "mine", "kind": "comic", "path": "comics", **keys}
    made.append(ComicSource(table, root, HarvestSettings()))
    return made[-1]


def listed(comics: ComicSource) -> list[ListingPage]:
    """Every answer to every task, in turn."""
    found: list[ListingPage] = []

    async def all_of_it() -> None:
        async with Web("icf/test", AllowList([])) as web:
            tasks = list(comics.first_tasks())
            while tasks:
                task = tasks.pop(0)
                found.append(await comics.step(task, web))
                tasks += found[-1].tasks
                if not found[-1].done:
                    tasks.insert(0, replace(task, cursor=found[-1].cursor))

    asyncio.run(all_of_it())
    return found


def test_folders_tell_album_and_character(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    zipped(tmp_path / "comics/Moon/1.cbz", {"p1.png": PNG})
    zipped(tmp_path / "comics/Moon/Luna/2.cbz", {"p1.png": PNG, "p 2#.png": PNG})
    books, *answers = listed(source(tmp_path, sources))
    assert books.albums == (Album("Moon"),)
    assert books.characters == (Character("Moon", "Luna"),)
    pictures = [one for answer in answers for one in answer.pictures]
    assert [(p.album, p.character) for p in pictures] == [
        ("Moon", None),
        ("Moon", "Luna"),
        ("Moon", "Luna"),
    ]
    file = (tmp_path / "comics/Moon/Luna/2.cbz").as_uri()
    assert pictures[1].url == f"{file}#page=p1.png"
    assert pictures[2].url == f"{file}#page=p%202%23.png"
    assert all(one.own and one.version for one in pictures)


def test_a_file_of_one_album_brings_its_cast(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    pdf(tmp_path / "comics/moon.pdf", jpeg_page(JPEG))
    keys = {"album": "Moon", "characters": ["Luna", "Sol"], "licence": "CC0"}
    books, pages = listed(source(tmp_path, sources, path="comics/moon.pdf", **keys))
    assert books.characters == (Character("Moon", "Luna"), Character("Moon", "Sol"))
    (page,) = pages.pictures
    assert (page.album, page.character) == ("Moon", None)
    assert (page.licence.name, page.licence.read_from) == ("CC0", "folder")


def test_a_changed_file_is_listed_again_and_only_its_changed_pages_differ(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    path = zipped(tmp_path / "comics/Moon/1.cbz", {"1.png": PNG, "2.png": PNG})
    comics = source(tmp_path, sources)
    before, first = list(comics.first_tasks()), listed(comics)
    assert list(comics.first_tasks()) == before
    zipped(path, {"1.png": PNG, "2.png": picture(shade=7) + b"longer"})
    assert list(comics.first_tasks()) != before
    second = listed(comics)
    assert first[0].tasks != second[0].tasks
    old, new = first[1].pictures, second[1].pictures
    assert [p.url for p in old] == [p.url for p in new]
    assert [a.version == b.version for a, b in zip(old, new, strict=True)] == [
        True,
        False,
    ]


def test_a_long_book_comes_in_steps_and_every_page_once(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    members = {f"{n}.png": b"" for n in range(2100)}
    zipped(tmp_path / "comics/Moon/1.cbz", members)
    _, *answers = listed(source(tmp_path, sources))
    urls = [p.url.rpartition("=")[2] for a in answers for p in a.pictures]
    assert len(answers) == 3
    assert urls == [f"{n}.png" for n in range(2100)]


def test_what_is_filed_under_nobody_is_told(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    zipped(tmp_path / "comics/1.cbz", {"1.png": PNG})
    zipped(tmp_path / "comics/Moon/2.cbz", {})
    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/comics/\xff"))
    zipped(bad / "3.cbz", {"1.png": PNG})
    faults = [
        fault for one in listed(source(tmp_path, sources)) for fault in one.faults
    ]
    assert [fault.partition(": ")[2] for fault in faults] == [
        "bad_row: not under ALBUM/; or set album in icf.toml",
        "bad_encoding: its folder's name is not UTF-8",
        "no pages in it",
    ]


def test_a_link_out_of_the_folder_is_not_followed(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    secret = zipped(tmp_path / "secret.cbz", {"1.png": PNG})
    (tmp_path / "comics/Moon").mkdir(parents=True)
    (tmp_path / "comics/Moon/1.cbz").symlink_to(secret)
    _, (page,) = (one.pictures for one in listed(source(tmp_path, sources)))
    assert page.fate is FetchStatus.FORBIDDEN_ADDRESS


def test_linked_and_unreadable_folders_are_told(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    zipped(tmp_path / "comics/Moon/1.cbz", {"1.png": PNG})
    zipped(tmp_path / "comics/Sun/2.cbz", {"1.png": PNG})
    (tmp_path / "comics/Star").symlink_to(tmp_path)
    with unreadable(tmp_path / "comics/Sun"):
        books, pages = listed(source(tmp_path, sources))
    assert len(pages.pictures) == 1
    assert [
        fault.rpartition("/comics/")[2].split(": ")[:2] for fault in books.faults
    ] == [
        ["Star", "bad_row"],
        ["Sun", "unreachable"],
    ]


def test_a_file_that_takes_longer_than_its_deadline_is_told(
    tmp_path: Path, sources: list[ComicSource]
) -> None:
    zipped(tmp_path / "comics/Moon/1.cbz", {"1.png": PNG})
    _, answer = listed(source(tmp_path, sources, deadline=1e-9))
    assert [page.fate for page in answer.pictures] == [FetchStatus.TIMEOUT]


def test_wrong_use_is_told(tmp_path: Path, sources: list[ComicSource]) -> None:
    with pytest.raises(WrongUse, match="no such file or folder"):
        list(source(tmp_path, sources).first_tasks())
    zipped(tmp_path / "comics/1.cbz", {"1.png": PNG})
    with pytest.raises(WrongUse, match="album ="):
        source(tmp_path, sources, path="comics/1.cbz")
    with pytest.raises(WrongUse, match="'characters'"):
        source(tmp_path, sources, caracters=["Luna"])
    with pytest.raises(WrongUse, match="album ="):
        source(tmp_path, sources, characters=["Luna"])


# --- the command ----------------------------------------------------------------------


def run(root: Path, *words: str) -> dict[str, str]:
    """Run the command; the fate of each URL, by its last parts."""
    logging.getLogger().handlers.clear()
    done = CliRunner().invoke(cli, ["-C", str(root), *words])
    if done.exception is not None:
        raise done.exception
    with opened(root) as catalogue:
        found = all_of(catalogue, url)
    return {row["url"].partition("/comics/")[2]: row["fate"] for row in found}


@contextmanager
def opened(root: Path) -> Iterator[Catalogue]:
    catalogue = find(root).catalogue
    yield catalogue
    catalogue.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a folder of comics."""
    init(tmp_path)
    table = '[[source]]\nname = "mine"\nkind = "comic"\npath = "comics"\n'
    (tmp_path / "icf.toml").write_text(table)
    (tmp_path / "comics").mkdir()
    return tmp_path


def test_a_folder_of_comics_gives_rows_with_their_fates(root: Path) -> None:
    moon = root / "comics/Moon"
    members = {"p10.png": PNG, "p2.png": JPEG, "../x.png": PNG, "a.zip": PNG}
    zipped(moon / "1.cbz", {**members, "words.jpg": b"words", "e.png": b""})
    flagged(zipped(moon / "2.cbz", {"1.png": PNG}), 1)
    bad = jpeg_page(b"", Filter=pikepdf.Name.FlateDecode) | {"data": b"no zlib"}
    pdf(moon / "Luna/3.pdf", jpeg_page(JPEG), bad)
    pdf(moon / "Luna/4.pdf", jpeg_page(JPEG), password="secret")
    epub(moon / "Sol/5.epub", {"1.png": PNG}, "")
    rar5(moon / "Sol/6.cbr", [("1.png", PNG)])
    (moon / "7.cbz").write_bytes(b"broken")
    fates = run(root, "run")
    assert fates == {
        "Moon/1.cbz#page=p10.png": "stored",
        "Moon/1.cbz#page=p2.png": "stored",
        "Moon/1.cbz#page=../x.png": "bad_member",
        "Moon/1.cbz#page=a.zip": "unsupported",
        "Moon/1.cbz#page=words.jpg": "not_image",
        "Moon/1.cbz#page=e.png": "empty",
        "Moon/2.cbz#page=1.png": "encrypted",
        "Moon/Luna/3.pdf#page=1": "stored",
        "Moon/Luna/3.pdf#page=2": "corrupt",
        "Moon/Luna/4.pdf": "encrypted",
        "Moon/Sol/5.epub#page=1.png": "stored",
        "Moon/Sol/6.cbr#page=1.png": "stored",
        "Moon/7.cbz": "corrupt",
    }
    assert run(root, "run") == fates
    with opened(root) as catalogue:
        names = filed(catalogue)
        shas = {row["image_id"] for row in all_of(catalogue, image_source)}
    assert len(shas) == 2  # one blob for the same bytes in many books
    whose = {(page, name) for page, name, _ in names}
    assert ("1.cbz#page=p2.png", "Luna") in whose  # of the whole cast
    assert ("1.cbz#page=p2.png", "Sol") in whose
    assert ("3.pdf#page=1", "Luna") in whose


def test_a_page_that_changed_is_read_again_and_the_old_one_is_kept(root: Path) -> None:
    path = zipped(root / "comics/Moon/Luna/1.cbz", {"1.png": PNG, "2.png": PNG})
    run(root, "run")
    zipped(path, {"1.png": PNG, "2.png": picture(shade=7)})
    assert set(run(root, "run").values()) == {"stored"}
    with opened(root) as catalogue:
        pages = [row["url"][-5:] for row in all_of(catalogue, image_source)]
    assert sorted(pages) == ["1.png", "2.png", "2.png"]


def test_a_file_that_is_mended_is_listed_page_by_page(root: Path) -> None:
    path = root / "comics/Moon/Luna/1.cbz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"broken")
    assert run(root, "run") == {"Moon/Luna/1.cbz": "corrupt"}
    zipped(path, {"1.png": PNG})
    assert run(root, "run")["Moon/Luna/1.cbz#page=1.png"] == "stored"
