"""The report in a real browser: on a phone, in the dark, on paper, and its boxes."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pypdfium2
import pytest

from icf.dataset.report.page import write_report
from tests.dataset.drawn import Drawing, Size
from tests.integration.browser import CHROMIUM, Tab, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
WIDTH = "document.documentElement.scrollWidth"
PAPER = "getComputedStyle(document.documentElement).backgroundColor"
#: Whether the whole picture of a face is shown, and how wide it is after a click.
OPENED = """(async () => {
  const face = document.querySelector("#out ~ .sheet .boxed");
  const picture = face.querySelector(".picture");
  const before = picture.checkVisibility();
  face.querySelector("summary").click();
  await picture.decode();
  return [before, picture.checkVisibility() ? picture.offsetWidth : 0];
})()"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report")
    workspace = Drawing(root / "space", Size(albums=1)).draw()
    write_report(workspace, root / "report.html")
    workspace.catalogue.close()
    return root / "report.html"


def test_it_fits_a_phone_shows_boxes_on_a_click_and_prints_in_full(
    report: Path, tmp_path: Path
) -> None:
    async def read(tab: Tab) -> bytes:
        await tab.open(report.as_uri())
        assert await tab.look(WIDTH) <= 1920
        light = await tab.look(PAPER)
        scheme = {"name": "prefers-color-scheme", "value": "dark"}
        await tab.call("Emulation.setEmulatedMedia", features=[scheme])
        assert await tab.look(PAPER) != light
        await tab.call("Emulation.setDeviceMetricsOverride", **PHONE)
        assert await tab.look(WIDTH) == PHONE["width"]
        shown, width = await tab.look(OPENED)
        assert not shown
        assert width > 100
        assert await tab.look(WIDTH) == PHONE["width"]
        printed = await tab.call("Page.printToPDF", preferCSSPageSize=True)
        # Nothing was blocked, nothing was asked for from elsewhere.
        assert tab.complaints == []
        return base64.b64decode(printed["data"])

    async def steps() -> bytes:
        async with browser(tmp_path) as tab:
            return await read(tab)

    document = pypdfium2.PdfDocument(asyncio.run(steps()))
    pages = [page.get_textpage().get_text_bounded() for page in document]
    assert len(pages) > 3
    # No page is nearly empty but, perhaps, the last.
    assert min(map(len, pages[:-1])) > 100
    assert "Written by icf" in pages[-1]
    for part in ("Mean faces", "Reliability of the probabilities", "Models"):
        assert any(part in page for page in pages)
