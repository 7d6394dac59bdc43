"""A person chooses references on the page, in a real browser, and imports them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import character
from icf.harvest.references.page import Order, write_page
from icf.workspace import Workspace, init
from tests.filter.rows import add_album
from tests.harvest.cli.test_main import call
from tests.harvest.references.test_page import HOSTILE, add_known, add_picture
from tests.integration.browser import CHROMIUM, Tab, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

#: The choice of each character that has one, by its heading.
CHOSEN = """Object.fromEntries([...document.querySelectorAll("section")]
  .filter((each) => each.querySelector(":checked"))
  .map((each) => [each.querySelector("h2").textContent,
                  each.querySelector(":checked").value]))"""


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return init(tmp_path / "space")


async def saved(tab: Tab, folder: Path) -> Path:
    """Press "Save choices"; return the file, once all of it is there."""
    await tab.look("document.getElementById('save').click()")
    file = folder / "saved" / "references.csv"
    while not file.is_file():
        await asyncio.sleep(0.05)
    return file


def chosen(made: Workspace) -> dict[str, tuple[int | None, str | None]]:
    query = sa.select(
        character.c.name, character.c.reference_face_id, character.c.reference_by
    )
    with made.catalogue.read() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def test_choices_by_mouse_and_keyboard_outlive_a_reload_and_are_imported(
    made: Workspace, tmp_path: Path
) -> None:
    tom, jerry, spike, _ = add_album(made.catalogue, "Jerry", "Nib", "Spike", "Tom")
    first = {who: add_known(made, who, 2 * who, x2=190.0) for who in (tom, jerry)}
    second = {who: add_known(made, who, 2 * who + 1) for who in (tom, jerry)}
    add_picture(made, spike, seed=90)
    page = tmp_path / "page.html"
    write_page(made, Order(page))

    async def choose() -> Path:
        async with browser(tmp_path) as tab:
            await tab.open(page.as_uri())
            assert await tab.look("document.getElementById('save').disabled")
            await tab.look("document.querySelectorAll('section img')[0].click()")
            for key in ("j", "2", "j", "0", "j", "0", "u"):
                await tab.press(key)
            await tab.reload()
            assert await tab.look(CHOSEN) == {
                "Jerry": f"face:{first[tom]}",
                "Nib": f"face:{second[jerry]}",
                "Spike": "none",
            }
            words = "document.getElementById('progress').textContent"
            assert await tab.look(words) == "3 of 4 chosen"
            await tab.look("document.getElementById('open').click()")
            seen = "[...document.querySelectorAll('section:not([hidden]) h2')]"
            assert await tab.look(f"{seen}.map((each) => each.textContent)") == ["Tom"]
            assert tab.complaints == []
            return await saved(tab, tmp_path)

    call(made.root, "reference", "import", str(asyncio.run(choose())))
    assert chosen(made) == {
        "Jerry": (first[tom], "hand"),
        "Nib": (second[jerry], "hand"),
        "Spike": (None, "hand"),
        "Tom": (None, None),
    }


def test_hostile_names_run_nothing_and_come_back_as_they_were(
    made: Workspace, tmp_path: Path
) -> None:
    names = [*HOSTILE, "=1+1", '"quoted", with\nlines', "\u202e rtl", "'apostrophe"]
    people = add_album(made.catalogue, *names)
    faces = {who: add_known(made, who, who) for who in people}
    page = tmp_path / "page.html"
    write_page(made, Order(page))

    async def choose() -> Path:
        async with browser(tmp_path) as tab:
            await tab.open(page.as_uri())
            await tab.look(
                "document.querySelectorAll('section img').forEach((i) => i.click())"
            )
            assert await tab.look("document.scripts.length") == 1
            assert await tab.look("document.querySelectorAll('[onload]').length") == 0
            assert tab.complaints == []
            return await saved(tab, tmp_path)

    done = call(made.root, "reference", "import", str(asyncio.run(choose())), "--json")
    assert json.loads(done.stdout)["bad"] == []
    by_name = dict(zip(names, people, strict=True))
    assert chosen(made) == {name: (faces[who], "hand") for name, who in by_name.items()}


def test_pictures_in_a_folder_beside_it_are_shown(
    made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icf.harvest.references.page.INLINE", 10)
    [tom] = add_album(made.catalogue, "Tom")
    add_known(made, tom, 1)
    page = tmp_path / "page.html"
    write_page(made, Order(page))

    async def width() -> object:
        async with browser(tmp_path) as tab:
            await tab.open(page.as_uri())
            found = await tab.look(
                "document.images[0].decode()"
                ".then(() => document.images[0].naturalWidth)"
            )
            assert tab.complaints == []
            return found

    assert asyncio.run(width()) == 240
