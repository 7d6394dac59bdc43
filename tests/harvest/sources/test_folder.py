import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.sources import folder as folder_module
from icf.harvest.sources.base import Album, Character, ListingPage
from icf.harvest.sources.folder import FolderSource, open_inside
from icf.own_files import walk
from icf.settings import HarvestSettings
from tests.unreadable import unreadable


def source(root: Path, **keys: str) -> FolderSource:
    table = {"name": "mine", "kind": "folder", "path": "pictures", **keys}
    return FolderSource(table, root, HarvestSettings())


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes of " + name.encode())


def listed(folder: FolderSource) -> list[ListingPage]:
    """Every answer to every task."""
    found: list[ListingPage] = []

    async def all_of_it() -> None:
        async with Web("icf/test", AllowList([])) as web:
            for task in folder.first_tasks():
                done = False
                while not done:
                    found.append(await folder.step(task, web))
                    done = found[-1].done
                    task = replace(task, cursor=found[-1].cursor)

    asyncio.run(all_of_it())
    return found


def test_files_are_filed_by_the_folders_they_are_in(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/1.jpg", "Moon/Sol/2", "Moon/Luna/more/3.gif", "Sun/Ra/4")
    moon, sun = listed(source(tmp_path, licence="CC0", author="Jane"))
    assert moon.characters == (Character("Moon", "Luna"), Character("Moon", "Sol"))
    assert [p.url.rpartition("/")[2] for p in moon.pictures] == ["1.jpg", "3.gif", "2"]
    (last,) = sun.pictures
    assert last.url == (tmp_path / "pictures/Sun/Ra/4").as_uri()
    assert (last.licence.name, last.licence.read_from) == ("CC0", "folder")
    assert last.licence.author == "Jane"


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/.DS_Store", "Moon/.git/x/y", ".cache/a/b", "Moon/Luna/1")
    cache, moon = listed(source(tmp_path))
    assert cache == ListingPage(left_out={".cache": 1})
    assert len(moon.pictures) == 1
    assert moon.faults == ()
    assert moon.left_out == {".DS_Store": 1, ".git": 1}


def test_an_album_of_many_steps_is_walked_once_after_a_restart_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "Moon/@eaDir/1", *(f"Moon/Luna/{n}" for n in range(7)))
    monkeypatch.setattr(folder_module, "_FILES_A_STEP", 2)
    walks = []

    def counted(*given: Any, **more: Any) -> Iterator[Path]:
        walks.append(given)
        return walk(*given, **more)

    monkeypatch.setattr(folder_module, "walk", counted)
    pages = listed(source(tmp_path))
    assert [len(page.pictures) for page in pages] == [2, 2, 2, 1]
    assert [dict(page.left_out) for page in pages] == [{"@eaDir": 1}, {}, {}, {}]
    assert len(walks) == 2  # for its state, and for its files

    again = source(tmp_path)
    (task,) = again.first_tasks()
    last = asyncio.run(again.step(replace(task, cursor="6"), web=None))  # type: ignore[arg-type]
    assert (len(last.pictures), last.done, last.left_out) == (1, True, {})


def test_a_file_that_is_filed_under_nobody_is_told(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "Moon/2.jpg", "Moon/Luna/3.jpg")
    found = listed(source(tmp_path))
    assert sum(len(one.pictures) for one in found) == 1
    faults = [fault for one in found for fault in one.faults]
    assert [fault.partition("pictures/")[2] for fault in faults] == [
        "1.jpg: bad_row: not under album/character/",
        "Moon/2.jpg: bad_row: not under album/character/",
    ]


def test_the_folders_of_one_album_are_its_characters(tmp_path: Path) -> None:
    put(tmp_path, "Luna/1.jpg", "Luna/old/2.jpg", "Sol/3.jpg", "loose.jpg")
    put(tmp_path, "@eaDir/4", "Thumbs.db")
    found = listed(source(tmp_path, album="Moon"))
    assert [one.albums for one in found if one.pictures] == 3 * [(Album("Moon"),)]
    assert {
        (Path(picture.url).name, picture.album, picture.character)
        for one in found
        for picture in one.pictures
    } == {
        ("1.jpg", "Moon", "Luna"),
        ("2.jpg", "Moon", "Luna"),
        ("3.jpg", "Moon", "Sol"),
        ("loose.jpg", "Moon", None),  # of the whole cast
    }
    characters = [who for one in found for who in one.characters]
    assert characters == [Character("Moon", "Luna"), Character("Moon", "Sol")]
    left_out = [name for one in found for name in one.left_out]
    assert sorted(left_out) == ["@eaDir", "Thumbs.db"]
    assert not any(one.faults for one in found)


def test_an_album_that_is_named_later_lists_all_again(tmp_path: Path) -> None:
    put(tmp_path, "Luna/1.jpg", "Luna/2.jpg")
    (before,) = source(tmp_path).first_tasks()
    (after,) = source(tmp_path, album="Moon").first_tasks()
    assert before != after


def test_folders_of_characters_without_an_album_say_what_to_set(tmp_path: Path) -> None:
    put(tmp_path, "Luna/1.jpg", "Luna/2.jpg", "Luna/3.jpg", "4.jpg", "5.jpg")
    faults = [fault for one in listed(source(tmp_path)) for fault in one.faults]
    assert [fault.partition(": ")[0] for fault in faults] == [
        str(tmp_path / "pictures"),
        str(tmp_path / "pictures/Luna"),
    ]
    assert all('album = "..." in icf.toml' in fault for fault in faults)


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/1.jpg")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    luna = tmp_path / "pictures/Moon/Luna"
    (luna / "key.jpg").symlink_to(secret / "key")
    (luna / "all").symlink_to(secret)
    (luna / "own.jpg").symlink_to(luna / "1.jpg")
    (moon,) = listed(source(tmp_path))
    assert [Path(p.url).name for p in moon.pictures] == ["1.jpg", "own.jpg"]
    assert len(moon.faults) == 2
    with pytest.raises(Fault) as caught:
        open_inside((luna / "key.jpg").as_uri(), tmp_path / "pictures")
    assert caught.value.fate is FetchStatus.FORBIDDEN_ADDRESS


def test_linked_and_unreadable_folders_are_told_as_what_they_are(
    tmp_path: Path,
) -> None:
    put(tmp_path, "Moon/Luna/1.jpg", "Moon/Sol/2.jpg")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("Sun", "Star", "Moon/Ra"):
        (tmp_path / "pictures" / name).symlink_to(elsewhere)
    with unreadable(tmp_path / "pictures/Moon/Sol"):
        found = listed(source(tmp_path))
    assert [Path(p.url).name for one in found for p in one.pictures] == ["1.jpg"]
    said = [fault.partition("pictures/")[2] for one in found for fault in one.faults]
    link = "bad_row: a link to a folder, which is not followed"
    assert [one.partition(";")[0] for one in said] == [
        f"Star: {link}",
        f"Sun: {link}",
        f"Moon/Ra: {link}",
        "Moon/Sol: unreachable: a folder that cannot be read: Permission denied",
    ]


def test_a_folder_that_nobody_may_enter_is_told_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    put(tmp_path, "Moon/Luna/1.jpg", "Moon/Sol/2.jpg", "Moon/Sol/more/3.jpg")
    sol = tmp_path / "pictures/Moon/Sol"
    with unreadable(sol):
        sol.chmod(0o444)
        (moon,) = listed(source(tmp_path))
    assert [Path(p.url).name for p in moon.pictures] == ["1.jpg"]
    said = [fault.partition("Moon/Sol/")[2] for fault in moon.faults]
    unread = "unreachable: it cannot be looked at: Permission denied"
    assert said == [f"2.jpg: {unread}", f"more: {unread}"]


def test_a_source_whose_folder_nobody_may_enter_says_so(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/1.jpg")
    top = tmp_path / "pictures"
    with unreadable(top):
        top.chmod(0o444)
        (moon,) = listed(source(tmp_path))
    assert moon.pictures == ()
    assert ["Moon: unreachable: it cannot" in one for one in moon.faults] == [True]


def test_a_file_that_goes_away_while_it_is_listed_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "Moon/Luna/1.jpg", "Moon/Luna/2.jpg")
    look = FolderSource._problem

    def look_and_remove(folder: FolderSource, file: Path) -> str | None:
        found = look(folder, file)
        if file.name == "1.jpg":
            file.unlink()
        return found

    monkeypatch.setattr(FolderSource, "_problem", look_and_remove)
    (moon,) = listed(source(tmp_path))
    assert [Path(p.url).name for p in moon.pictures] == ["2.jpg"]
    assert ["1.jpg: bad_row: not a file" in fault for fault in moon.faults] == [True]


def test_a_file_whose_folder_was_closed_is_unreachable(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/1.jpg")
    luna = tmp_path / "pictures/Moon/Luna"
    with unreadable(luna), pytest.raises(Fault) as caught:
        open_inside((luna / "1.jpg").as_uri(), tmp_path / "pictures")
    assert caught.value.fate is FetchStatus.UNREACHABLE


def test_links_to_each_other_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/1.jpg")
    luna = tmp_path / "pictures/Moon/Luna"
    (luna / "a.jpg").symlink_to(luna / "b.jpg")
    (luna / "b.jpg").symlink_to(luna / "a.jpg")
    (moon,) = listed(source(tmp_path))
    assert [Path(p.url).name for p in moon.pictures] == ["1.jpg"]
    assert ["not a file that can be read" in fault for fault in moon.faults] == [
        True,
        True,
    ]


def test_a_name_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/1.jpg")
    folder = os.fsencode(tmp_path / "pictures/Moon/Luna")
    Path(os.fsdecode(folder + b"/\xff.jpg")).write_bytes(b"x")
    (moon,) = listed(source(tmp_path))
    assert len(moon.pictures) == 1
    (fault,) = moon.faults
    assert "not UTF-8" in fault
    assert fault.isprintable()


def test_a_strange_name_survives_being_a_url(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/100% #1? é東.jpg")
    (moon,) = listed(source(tmp_path))
    path = open_inside(moon.pictures[0].url, tmp_path / "pictures")
    assert path.read_bytes().startswith(b"bytes of")


def test_a_file_that_went_away_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(Fault) as caught:
        open_inside((tmp_path / "gone").as_uri(), tmp_path)
    assert caught.value.fate is FetchStatus.NOT_FOUND


def test_a_large_album_comes_in_steps_and_every_file_once(tmp_path: Path) -> None:
    names = [f"Moon/Luna/{n:04d}" for n in range(1100)]
    put(tmp_path, *names)
    found = listed(source(tmp_path))
    assert len(found) == 2
    urls = {p.url for one in found for p in one.pictures}
    assert len(urls) == 1100


def test_an_album_with_a_new_file_is_another_task(tmp_path: Path) -> None:
    put(tmp_path, "Moon/Luna/1", "Sun/Ra/1")
    before = list(source(tmp_path).first_tasks())
    assert list(source(tmp_path).first_tasks()) == before
    put(tmp_path, "Sun/Ra/2")
    moon, sun = source(tmp_path).first_tasks()
    assert moon == before[0]
    assert sun != before[1]


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="'mine'"):
        list(source(tmp_path).first_tasks())
