"""From `icf demo --serve` to a release with a certificate, as one person does it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Locator, Page, expect

from icf.annotate.tasks import leases
from icf.app.demo.people import Asked
from icf.app.demo.site import Truth, load_truth
from icf.catalogue.annotation.schema import gold, label_audit_item
from icf.catalogue.schema import answer, character, face, image, question
from icf.codes import BoxStatus
from icf.workspace import Workspace, find
from tests.app.program import within
from tests.integration.page.conftest import join
from tests.integration.page.waits import everything_is_sent, sent
from tests.integration.tethered import tethered

#: Tables of the pairs that the page shows, by the source of a lease.
_TABLES = {
    "question": question,
    "gold": gold,
    "audit": label_audit_item,
    "audit_decision": label_audit_item,
}
_HANDLE = re.compile(r"/picture/([0-9a-f]+)/")
ROOT = Path(__file__).parents[3]
#: The demo; all commands but the server run within it, where nothing is imported again.
_PROGRAM = """
from icf.app.cli import main
from icf.app.demo.shell import Shell
from tests.app.demo_runs import run_within

Shell.run = run_within
main()
"""


class Knower:
    """Knows what the demo's pictures show, and answers so."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.truth: Truth = load_truth()

    def key(self, picture: Locator) -> str:
        """The key for the pair whose candidate this is."""
        source = picture.get_attribute("src")
        found = _HANDLE.search(source or "")
        assert found is not None, source
        asked = self._asked(found[1])
        if not self.truth.shows_face(asked.sha256, asked.box):
            return "n"
        return "f" if asked.answer(self.truth) else "j"

    def boxes(self, page: Page) -> list[tuple[int, int, int, int]]:
        """The drawn faces of the picture that the page of boxes shows."""
        source = page.locator("#picture img").first.get_attribute("src")
        found = _HANDLE.search(source or "")
        assert found is not None, source
        with self.workspace.catalogue.read() as connection:
            lease = leases.find(connection, found[1])
            assert lease is not None
            query = sa.select(image.c.sha256).where(image.c.id == lease.subject_id)
            sha256 = connection.execute(query).scalar_one()
        faces = self.truth.by_sha256[sha256][0].faces
        return [each.box for each in faces if each.character]

    def _asked(self, handle: str) -> Asked:
        with self.workspace.catalogue.read() as connection:
            lease = leases.find(connection, handle)
            assert lease is not None
            table = _TABLES[lease.source]
            query = (
                sa.select(
                    table.c.id,
                    image.c.sha256,
                    face.c.x1,
                    face.c.y1,
                    face.c.x2,
                    face.c.y2,
                    character.c.name,
                )
                .join(face, face.c.id == table.c.face_id)
                .join(image, image.c.id == face.c.image_id)
                .join(character, character.c.id == table.c.character_id)
                .where(table.c.id == lease.subject_id)
            )
            row = connection.execute(query).one()
        return Asked(row[0], row[1], (row[2], row[3], row[4], row[5]), row[6])


@contextmanager
def demo(root: Path) -> Iterator[str]:
    """Run `icf demo --serve`, and give the link that it prints."""
    log = root.with_suffix(".log")
    words = [sys.executable, "-c", _PROGRAM]
    words += ["demo", root.name, "--serve", "--port", "0"]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    env["PYTHONPATH"] = str(ROOT)
    with (
        log.open("wb") as out,
        tethered(words, cwd=root.parent, env=env, log=out) as process,
    ):
        link = None
        while link is None:
            assert process.poll() is None, log.read_text()
            link = re.search(r"http://127\.0\.0\.1:\d+/join/\S+", log.read_text())
            with_pause(process)
        yield link[0]
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
    text = log.read_text()
    assert re.search(r"[1-9]\d* questions are left to you", text)
    assert "icf-build-splits releases/mine" in text


def with_pause(process: subprocess.Popen[bytes]) -> None:
    """Wait a moment, or until the process ends."""
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        return


def icf(root: Path, name: str, *words: str, codes: tuple[int, ...] = (0,)) -> Any:
    """What a command prints as JSON."""
    done = within(name, *words, "--json", folder=root, code=None)
    assert done.returncode in codes, done.stderr
    return json.loads(done.stdout)


def answer_pairs(page: Page, knower: Knower, most: int | None = None) -> int:
    """Answer pairs rightly, so many or until nothing is left; return how many."""
    nothing, given = page.get_by_text("Nothing left for now"), 0
    while given != most:
        now = f'#work[data-shown="{given + 1}"][data-state="asking"]'
        expect(page.locator(now).or_(nothing)).to_be_visible()
        if nothing.is_visible():
            break
        page.keyboard.press(knower.key(page.locator("#candidate img").first))
        given += 1
    if given:
        sent(page, given)
    return given


def answer_grids(page: Page, knower: Knower, count: int) -> None:
    for number in range(1, count + 1):
        expect(page.locator("#work")).to_have_attribute("data-shown", str(number))
        for tile in page.locator("[data-handle]").all():
            if knower.key(tile.locator("img").first) != "f":
                tile.click()
        page.keyboard.press("Enter")
    sent(page, count)


def box_pictures(page: Page, knower: Knower, count: int) -> None:
    work = page.locator("#work")
    for number in range(1, count + 1):
        expect(work).to_have_attribute("data-shown", str(number))
        if not json.loads(work.get_attribute("data-boxes") or "[]"):
            draw(page, knower.boxes(page))
        page.keyboard.press("Enter")
    expect(work).not_to_have_attribute("data-shown", str(count))
    everything_is_sent(page)


def draw(page: Page, boxes: list[tuple[int, int, int, int]]) -> None:
    """Draw each box by two clicks."""
    area = page.locator(".picture").bounding_box()
    width = page.locator("#picture img").first.evaluate(
        "async (each) => (await each.decode(), each.naturalWidth)"
    )
    assert area is not None
    scale = area["width"] / width
    for x1, y1, x2, y2 in boxes:
        page.keyboard.press("d")
        for x, y in ((x1, y1), (x2, y2)):
            page.mouse.click(area["x"] + x * scale, area["y"] + y * scale)


@pytest.mark.slow
def test_a_person_answers_and_a_release_says_what_that_proves(
    contexts: Callable[..., BrowserContext], filtered_demo: Path, tmp_path: Path
) -> None:
    root = tmp_path / "demo-page"
    shutil.copytree(filtered_demo, root)
    with demo(root) as link:
        address = link.partition("/join/")[0]
        workspace = find(root)
        knower = Knower(workspace)
        page = contexts().new_page()
        join(page, link)
        page.goto(f"{address}/pairs")
        assert answer_pairs(page, knower, 50) == 50
        page.goto(f"{address}/grid")
        answer_grids(page, knower, 3)
        page.goto(f"{address}/boxes")
        box_pictures(page, knower, 10)

        words = ("--max-error", "0.2", "--confidence", "0.9", "--allowed-errors", "3")
        plan = icf(root, "icf-annotate", "audit", "plan", *words, "--seed", "1")
        page.goto(f"{address}/pairs")
        assert answer_pairs(page, knower) > 50
        # Nobody checks what he said himself.
        friend = join_as(root, contexts().new_page(), "friend", "annotator")
        friend.goto(f"{address}/pairs")
        answer_pairs(friend, knower)
        judge = join_as(root, contexts().new_page(), "judge", "reviewer")
        decide(judge, address, knower)
        result = icf(root, "icf-annotate", "audit", "result")
        assert result["certified"]
        assert result["n"] == plan["n"]
        boxes = icf(root, "icf-annotate", "status")["boxes"]
        assert boxes[str(BoxStatus.VERIFIED)] >= 8
        people = answers_by(workspace)
        workspace.catalogue.close()
    assert people["simulated"] > 300
    mine = max(count for name, count in people.items() if name != "simulated")
    assert mine >= 50 + 3 * 4
    within("icf-build-splits", "releases/mine", folder=root)
    made = root / "releases" / "mine"
    certificate = json.loads((made / "certificate.json").read_text())
    proved = certificate["certificate"]
    assert proved["labels_sha256"] == plan["labels_sha256"]
    assert proved["certified"]
    assert proved["checkers"] == len(proved["checked_by"]) == 2
    page_of_it = (made / "certificate.html").read_text()
    assert all(each in page_of_it for each in proved["checked_by"])
    summary = json.loads((made / "release.json").read_text())
    assert summary["detection_boxes"] == "verified"
    assert summary["counts"]["detection_train_pictures"] > 0


def join_as(root: Path, page: Page, name: str, role: str) -> Page:
    """Invite somebody, who comes."""
    link = icf(root, "icf-annotate", "invite", name, "--role", role)["url"]
    join(page, link)
    return page


def decide(page: Page, address: str, knower: Knower) -> None:
    """Settle all that people differ about in the audit."""
    page.goto(f"{address}/review")
    nothing, number = page.get_by_text("Nothing to settle"), 0
    while True:
        now = page.locator(f'#work[data-shown="{number + 1}"][data-state="asking"]')
        expect(now.or_(nothing).filter(visible=True).first).to_be_visible()
        if nothing.is_visible():
            everything_is_sent(page)
            root = knower.workspace.root
            found = icf(root, "icf-annotate", "audit", "result", codes=(0, 1, 3))
            if not found["to_decide"]:
                break
            # What was found out a moment ago comes to the page within seconds.
            expect(now).to_be_visible()
        page.keyboard.press(knower.key(page.locator("#candidate img").first))
        number += 1


def answers_by(workspace: Workspace) -> dict[str, int]:
    query = sa.select(answer.c.annotator, sa.func.count()).group_by(answer.c.annotator)
    with workspace.catalogue.read() as connection:
        return {name: count for name, count in connection.execute(query)}
