"""The report in a real browser: on a phone, in the dark, on paper, and its boxes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import BrowserContext

from icf.dataset.report.page import write_report
from icf.dataset.report.templates import environment
from tests.dataset.drawn import Drawing, Size
from tests.integration.page.conftest import PHONE
from tests.integration.page.waits import complaints_of

Contexts = Callable[..., BrowserContext]

WIDTH = "document.documentElement.scrollWidth"
PAPER = "getComputedStyle(document.documentElement).backgroundColor"
#: How many wide tables, which scroll on a phone, keys alone do not reach.
UNREACHED = "document.querySelectorAll('.wide:not([tabindex])').length"
#: Whether the whole picture of a face is shown, and how wide it is after a click.
OPENED = """(async () => {
  const face = document.querySelector("#out ~ .sheet .boxed");
  const picture = face.querySelector(".picture");
  const before = picture.checkVisibility();
  face.querySelector("summary").click();
  await picture.decode();
  return [before, picture.checkVisibility() ? picture.offsetWidth : 0];
})()"""


#: Rows as those of scores by album, and of settings that differ.
TABLES = f"""<!doctype html><title>Tables</title>%s
<div class="believed broad"><p></p><div class="wide" tabindex="0"><table><tbody><tr>
<th scope="row">album: {"x" * 120}</th><td class="n">722</td><td class="n">10</td>
</tr></tbody></table></div></div>
<table><tbody><tr><th scope="row"><code>harvest.allow_hosts</code></th>
<td>{"one.example.org, " * 30}</td><td>{"two.example.org, " * 30}</td>
</tr></tbody></table>"""
#: By how much the figures are out of sight, and how high the name of a setting is.
LAID_OUT = """(() => {
  const wide = document.querySelector(".wide");
  const name = document.querySelector("code").getBoundingClientRect();
  return [wide.scrollWidth - wide.clientWidth, name.height];
})()"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report")
    workspace = Drawing(root / "space", Size(albums=1)).draw()
    write_report(workspace, root / "report.html")
    workspace.catalogue.close()
    return root / "report.html"


def test_it_fits_a_phone_shows_boxes_on_a_click_and_prints_in_full(
    report: Path, contexts: Contexts
) -> None:
    page = contexts().new_page()
    complaints = [complaints_of(page)]
    page.goto(report.as_uri())
    assert page.evaluate(WIDTH) <= 1920
    assert page.evaluate(UNREACHED) == 0
    light = page.evaluate(PAPER)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(PAPER) != light
    printed = page.pdf(prefer_css_page_size=True)

    phone = contexts(viewport=PHONE, is_mobile=True).new_page()
    complaints.append(complaints_of(phone))
    phone.goto(report.as_uri())
    assert phone.evaluate(WIDTH) == PHONE["width"]
    shown, width = phone.evaluate(OPENED)
    assert not shown
    assert width > 100
    assert phone.evaluate(WIDTH) == PHONE["width"]
    # Nothing was blocked, nothing was asked for from elsewhere.
    assert complaints == [[], []]

    document = pypdfium2.PdfDocument(printed)
    pages = [page.get_textpage().get_text_bounded() for page in document]
    assert len(pages) > 3
    # No page is nearly empty but, perhaps, the last.
    assert min(map(len, pages[:-1])) > 100
    assert "Written by icf" in pages[-1]
    for part in ("Mean faces", "Reliability of the probabilities", "Models"):
        assert any(part in page for page in pages)


def test_a_long_word_leaves_figures_in_sight_and_the_name_of_a_setting_whole(
    tmp_path: Path, contexts: Contexts
) -> None:
    style = environment().get_template("style.html").render()
    (tmp_path / "tables.html").write_text(TABLES % style)
    page = contexts().new_page()
    page.goto((tmp_path / "tables.html").as_uri())
    hidden, height = page.evaluate(LAID_OUT)
    assert hidden == 0
    assert height < 30
