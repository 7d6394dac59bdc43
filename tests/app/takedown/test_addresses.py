"""A picture is found by its address as people write it, and by its page."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.takedown.target import find_target
from icf.catalogue.schema import image_source, tombstone, url
from icf.catalogue.tombstones import spelled
from icf.errors import WrongUse
from icf.workspace import Workspace
from tests.app.program import call, said

REASON = ("--reason", "asked by mail", "--yes")


def rename(space: Workspace, old: str, **values: str) -> None:
    """Let a URL, and the picture from it, have other values."""
    with space.catalogue.write() as connection:
        for table in (image_source, url):
            connection.execute(
                sa.update(table).where(table.c.url == old).values(values)
            )


def find_in(space: Workspace, subject: str) -> Any:
    with space.catalogue.read() as connection:
        return find_target(connection, subject)


STORED = "http://toons.test/Am%C3%A9lie_1.jpg"
OF_FOLDER = "folder://my pictures/Ann/1 (2).jpg"


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        (STORED, "http://toons.test/Am%c3%a9lie_1.jpg"),
        (STORED, "http://toons.test/Am%C3%A9lie%5F1.jpg"),
        (STORED, "http://toons.test/%41mélie_1.jpg"),
        (STORED, "https://toons.test/Am%C3%A9lie_1.jpg"),
        (STORED, f"  {STORED}#top "),
        ("https://toons.test/a.jpg", "http://toons.test/a.jpg"),
        (OF_FOLDER, f" {OF_FOLDER}\n"),
        (OF_FOLDER, "folder://my pictures/Ann/1%20(2).jpg"),
    ],
)
def test_other_spellings_of_an_address_are_the_same(
    space: Workspace, stored: str, given: str
) -> None:
    rename(space, "http://toons.test/1-1.jpg", url=stored)
    found = find_in(space, given)
    assert found.subject == stored
    assert (len(found.images), len(found.urls)) == (1, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.test/a%2Fb.png", "http://a.test/a/b.png"),
        ("http://a.test/A.png", "http://a.test/a.png"),
        ("file:///1.mkv#t=1", "file:///1.mkv#t=2"),
        ("http://a.test/1.mp4#t=1", "http://a.test/1.mp4#t=2"),
    ],
)
def test_addresses_that_may_be_others_are_not_the_same(one: str, other: str) -> None:
    assert spelled(one) != spelled(other)


def test_a_frame_is_found_without_the_others_of_its_video(space: Workspace) -> None:
    for number in (1, 2):
        frame = f"http://toons.test/1.mp4#t={number}"
        rename(space, f"http://toons.test/1-{number}.jpg", url=frame)
    found = find_in(space, "https://toons.test/1.mp4#t=2")
    assert (found.subject, len(found.images)) == ("http://toons.test/1.mp4#t=2", 1)


PAGE = "https://toons.test/wiki/File:Am%C3%A9lie_1.jpg"


def test_the_page_of_one_picture_means_that_picture(space: Workspace) -> None:
    rename(space, "http://toons.test/1-1.jpg", page_url=PAGE)
    given = "http://toons.test/wiki/File:Amélie_1.jpg"
    shown = call("-C", space.root, "takedown", given, *REASON, "--dry-run").stdout
    wanted = "http://toons.test/1-1.jpg (the only picture of http://toons.test/wiki"
    assert wanted in shown
    found = said("-C", space.root, "takedown", given, *REASON)
    assert (found["subject"], found["images"]) == ("http://toons.test/1-1.jpg", 1)
    assert found["page"] == "http://toons.test/wiki/File:Am%C3%A9lie_1.jpg"


def test_of_a_page_of_several_nothing_is_removed_and_they_are_named(
    space: Workspace,
) -> None:
    for number in (1, 2):
        rename(space, f"http://toons.test/1-{number}.jpg", page_url=PAGE)
    message = r"page of 2 pictures; nothing was removed(?s:.*)/1-1.jpg\n .*/1-2.jpg"
    with pytest.raises(WrongUse, match=message):
        call("-C", space.root, "takedown", PAGE, *REASON)
    with space.catalogue.read() as connection:
        assert connection.execute(sa.select(tombstone)).all() == []


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("http://toons.test/never.png", "nothing here has this address; it {} fetched"),
        ("f" * 64, "nothing here has these bytes; they {} stored from now on"),
    ],
)
def test_what_nothing_here_has_is_said_to_be_so(
    space: Workspace, subject: str, says: str
) -> None:
    words = ("-C", space.root, "takedown", subject, *REASON)
    dry = call(*words, "--dry-run").stdout
    assert says.format("would not be") in dry
    shown = call(*words).stdout
    assert says.format("will not be") in shown
    assert "removed permanently" not in shown
