"""A person chooses references on the page, in a real browser, and imports them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from icf.catalogue.schema import character
from icf.harvest.references.page import Order, write_page
from icf.workspace import Workspace, init
from tests.filter.rows import add_album
from tests.harvest.cli.test_main import call
from tests.harvest.references.test_page import HOSTILE, add_known, add_picture
from tests.integration.page.waits import complaints_of, seen

Contexts = Callable[..., BrowserContext]

#: The choice of each character that has one, by its heading.
CHOSEN = """Object.fromEntries([...document.querySelectorAll("section")]
  .filter((each) => each.querySelector(":checked"))
  .map((each) => [each.querySelector("h2").textContent,
                  each.querySelector(":checked").value]))"""


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return init(tmp_path / "space")


def saved(page: Page, folder: Path) -> Path:
    """Press "Save choices"; return the file."""
    file = folder / "references.csv"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save choices").click()
    download.value.save_as(file)
    return file


def chosen(made: Workspace) -> dict[str, tuple[int | None, str | None]]:
    query = sa.select(
        character.c.name, character.c.reference_face_id, character.c.reference_by
    )
    with made.catalogue.read() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def test_choices_by_mouse_and_keyboard_outlive_a_reload_and_are_imported(
    made: Workspace, tmp_path: Path, contexts: Contexts
) -> None:
    tom, jerry, spike, _ = add_album(made.catalogue, "Jerry", "Nib", "Spike", "Tom")
    first = {who: add_known(made, who, 2 * who, x2=190.0) for who in (tom, jerry)}
    second = {who: add_known(made, who, 2 * who + 1) for who in (tom, jerry)}
    add_picture(made, spike, seed=90)
    write_page(made, Order(tmp_path / "page.html"))

    context = contexts()
    page, other = context.new_page(), context.new_page()
    complaints = complaints_of(page)
    for each in (other, page):
        each.goto((tmp_path / "page.html").as_uri())
    expect(page.get_by_role("button", name="Save choices")).to_be_disabled()
    page.locator("section img").first.click()
    for key in ("j", "2", "j", "0", "j", "0", "u"):
        page.keyboard.press(key)
    # Another tab shows what is kept as soon as it is.
    expect(other.locator("#progress")).to_have_text("3 of 4 chosen")
    page.reload()
    assert page.evaluate(CHOSEN) == {
        "Jerry": f"face:{first[tom]}",
        "Nib": f"face:{second[jerry]}",
        "Spike": "none",
    }
    expect(page.locator("#progress")).to_have_text("3 of 4 chosen")
    page.locator("#open").click()
    expect(page.locator("section:not([hidden]) h2")).to_have_text(["Tom"])
    assert complaints == []
    call(made.root, "reference", "import", str(saved(page, tmp_path)))
    assert chosen(made) == {
        "Jerry": (first[tom], "hand"),
        "Nib": (second[jerry], "hand"),
        "Spike": (None, "hand"),
        "Tom": (None, None),
    }


def test_two_tabs_keep_the_choices_of_both(
    made: Workspace, tmp_path: Path, contexts: Contexts
) -> None:
    people = add_album(made.catalogue, "Jerry", "Tom")
    for who in people:
        add_known(made, who, who)
    write_page(made, Order(tmp_path / "page.html"))

    context = contexts()
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto((tmp_path / "page.html").as_uri())
    # Smaller letters make a phone of Apple enlarge the page.
    size = (
        tabs[0].locator("#album").evaluate("(each) => getComputedStyle(each).fontSize")
    )
    assert size == "16px"
    for number, tab in enumerate(tabs):
        tab.locator("section").nth(number).locator("img").click()
    for tab in tabs:
        expect(tab.locator("#progress")).to_have_text("2 of 2 chosen")
        expect(tab.get_by_role("alert")).to_be_hidden()


def test_choices_that_an_earlier_version_kept_are_there_and_can_be_taken_back(
    made: Workspace, tmp_path: Path, contexts: Contexts
) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    add_known(made, tom, 1)
    write_page(made, Order(tmp_path / "page.html"))

    page = contexts().new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.evaluate(
        "localStorage.setItem(body.dataset.key,"
        " JSON.stringify({[sections[0].dataset.row]: inputs(sections[0])[0].value}))"
    )
    page.reload()
    expect(page.locator("#progress")).to_have_text("1 of 1 chosen")
    page.keyboard.press("j")
    page.keyboard.press("u")
    expect(page.locator("#progress")).to_have_text("0 of 1 chosen")
    page.reload()
    expect(page.locator("#progress")).to_have_text("0 of 1 chosen")


def test_what_a_tab_keeps_leaves_the_choices_of_others_alone(
    made: Workspace, tmp_path: Path, contexts: Contexts
) -> None:
    for who in add_album(made.catalogue, "Jerry", "Tom"):
        add_known(made, who, who)
    write_page(made, Order(tmp_path / "page.html"))

    page = contexts().new_page()
    # A browser shows a tab what another one stored a moment later.
    page.add_init_script("Storage.prototype.getItem = () => null")
    page.goto((tmp_path / "page.html").as_uri())
    for picture in page.locator("section img").all():
        picture.click()
    kept = page.evaluate("JSON.stringify(Object.values({...localStorage}))")
    assert kept.count("face:") == 2


def test_a_browser_that_keeps_nothing_says_so_and_asks_before_it_leaves(
    made: Workspace, tmp_path: Path, contexts: Contexts
) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    add_known(made, tom, 1)
    write_page(made, Order(tmp_path / "page.html"))

    page = contexts().new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {"
        "get: () => { throw new DOMException('denied', 'SecurityError'); }})"
    )
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.get_by_role("alert")).to_be_hidden()
    page.locator("section img").click()
    expect(page.get_by_role("alert")).to_contain_text("does not keep your choices")
    with page.expect_event("dialog") as asked:
        page.evaluate("void setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    assert saved(page, tmp_path).read_text(encoding="utf-8-sig").count("face:") == 1
    expect(page.get_by_role("alert")).to_be_hidden()


def test_hostile_names_run_nothing_and_come_back_as_they_were(
    made: Workspace, tmp_path: Path, contexts: Contexts
) -> None:
    names = [*HOSTILE, "=1+1", '"quoted", with\nlines', "\u202e rtl", "'apostrophe"]
    people = add_album(made.catalogue, *names)
    faces = {who: add_known(made, who, who) for who in people}
    write_page(made, Order(tmp_path / "page.html"))

    page = contexts().new_page()
    complaints = complaints_of(page)
    page.goto((tmp_path / "page.html").as_uri())
    for picture in page.locator("section img").all():
        picture.click()
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("[onload]").count() == 0
    assert complaints == []
    file = saved(page, tmp_path)
    done = call(made.root, "reference", "import", str(file), "--json")
    assert json.loads(done.stdout)["bad"] == []
    by_name = dict(zip(names, people, strict=True))
    assert chosen(made) == {name: (faces[who], "hand") for name, who in by_name.items()}


def test_pictures_in_a_folder_beside_it_are_shown(
    made: Workspace,
    tmp_path: Path,
    contexts: Contexts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("icf.harvest.references.page.INLINE", 10)
    [tom] = add_album(made.catalogue, "Tom")
    add_known(made, tom, 1)
    write_page(made, Order(tmp_path / "page.html"))

    page = contexts().new_page()
    complaints = complaints_of(page)
    page.goto((tmp_path / "page.html").as_uri())
    seen(page, "img")
    assert page.evaluate("document.images[0].naturalWidth") == 240
    assert complaints == []
