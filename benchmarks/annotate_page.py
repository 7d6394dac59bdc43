"""The annotation page under a person's hands, and under fifty people's.

First, in Chromium, with 100,000 questions queued: milliseconds from a key that answers
to the frame in which the next pair is painted; the answer is on the browser's disk by
then. Then fifty people at human pace, without browsers: they come within twenty
seconds, and each answers a pair every 1.2 seconds, with its pictures fetched;
milliseconds until the server answered each call after all had come.

Run: python -m benchmarks.annotate_page [--json] [--keys N] [--seconds S] [--people P]
"""

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright

from benchmarks.page_server import Server, headers_of, invite, make_workspace
from benchmarks.report import Result, report
from icf.catalogue.schema import answer

QUESTIONS = 100_000
#: Seconds between two answers of a person: in Chromium, and of each of the fifty.
QUICK, PACE = 0.4, 1.2
GOAL, SERVER_GOAL = 100.0, 100.0
#: Seconds in which the fifty come; calls are measured from then on.
ARRIVAL = 20.0

#: Notes when a key was pressed, and when the frame with the next pair was painted.
WATCH = """() => {
  window.painted = [];
  let pressed = null;
  addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
  new MutationObserver(() => {
    const from = pressed;
    if (from === null) return;
    pressed = null;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      // Comes after the frame that is being made.
      channel.port1.onmessage = () => window.painted.push(performance.now() - from);
      channel.port2.postMessage(null);
    });
  }).observe(document.getElementById("work"),
    { attributes: true, attributeFilter: ["data-seen"] });
}"""


def keystrokes(server: Server, keys: int) -> list[float]:
    """Answer by keys; milliseconds until each next pair was painted."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(invite(server, "Ann"))
        page.get_by_role("button", name="Begin").click()
        page.wait_for_url("**/")
        page.goto(f"{server.url}/pairs")
        page.wait_for_selector('#work[data-seen="1"]')
        page.evaluate(WATCH)
        for number in range(keys):
            page.wait_for_timeout(QUICK * 1000)
            page.keyboard.press("fj"[number % 2])
            page.wait_for_selector(f'#work[data-seen="{number + 2}"]')
        page.wait_for_selector('#banner[data-waiting="0"]', state="attached")
        painted = _painted(page)
        browser.close()
    return painted


def _painted(page: Page) -> list[float]:
    found: list[float] = page.evaluate("() => window.painted")
    return found


class Crowd:
    """People who answer at human pace, and how long each call took."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.calls: list[float] = []
        self.pictures: list[float] = []
        self.answers = 0
        self._from = 0.0

    async def work(self, people: int, seconds: float) -> None:
        """Let so many people answer for a while."""
        self._from = time.monotonic() + ARRIVAL
        until = self._from + seconds
        names = [f"person {number}" for number in range(people)]
        headers = [headers_of(self._server, name) for name in names]
        async with aiohttp.ClientSession(
            self._server.url, connector=aiohttp.TCPConnector(limit=0)
        ) as session:
            each = [self._person(session, one, until) for one in headers]
            await asyncio.gather(*each)

    async def _person(
        self, session: aiohttp.ClientSession, headers: dict[str, str], until: float
    ) -> None:
        await asyncio.sleep(random.uniform(0, ARRIVAL))
        tasks: list[dict[str, Any]] = []
        seen: set[str] = set()
        while time.monotonic() < until:
            if len(tasks) <= 6:
                count = {"count": 12 - len(tasks)}
                got = await self._call(session, headers, "/api/pairs/next", count)
                tasks += got["tasks"]
            begin = time.monotonic()
            for task in tasks[:6]:
                # As the page does it: the next five are there before they are shown.
                for url in (task["candidate"], *task["references"]):
                    if url not in seen:
                        seen.add(url)
                        await self._picture(session, headers, url)
            wait = PACE * random.uniform(0.7, 1.3) - (time.monotonic() - begin)
            await asyncio.sleep(max(0.0, wait))
            task = tasks.pop(0)
            given = {
                "id": task["id"],
                "client_id": uuid.uuid4().hex,
                "answer": {"choice": random.choice(("true", "false"))},
                "seconds": PACE,
                "at": time.time(),
            }
            said = await self._call(
                session, headers, "/api/answers", {"answers": [given]}
            )
            assert said["receipts"][0]["stored"], said
            self.answers += 1

    async def _call(
        self,
        session: aiohttp.ClientSession,
        headers: dict[str, str],
        url: str,
        body: object,
    ) -> Any:
        begin = time.monotonic()
        async with session.post(url, json=body, headers=headers) as response:
            response.raise_for_status()
            found = await response.json()
        if begin >= self._from:
            self.calls.append((time.monotonic() - begin) * 1000)
        return found

    async def _picture(
        self, session: aiohttp.ClientSession, headers: dict[str, str], url: str
    ) -> None:
        begin = time.monotonic()
        async with session.get(url, headers=headers) as response:
            response.raise_for_status()
            await response.read()
        if begin >= self._from:
            self.pictures.append((time.monotonic() - begin) * 1000)


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of all values is."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def run(keys: int, seconds: float, people: int) -> Result:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "space", QUESTIONS)
        server = Server(workspace)
        server.start()
        try:
            painted = keystrokes(server, keys)
            crowd = Crowd(server)
            before, began = server.cpu_seconds(), time.monotonic()
            asyncio.run(crowd.work(people, seconds))
            cores = (server.cpu_seconds() - before) / (time.monotonic() - began)
        finally:
            server.kill()
        with workspace.catalogue.read() as connection:
            count = sa.select(sa.func.count()).select_from(answer)
            stored = connection.execute(count).scalar_one()
        workspace.catalogue.close()
    assert stored == keys + crowd.answers
    p95, p99 = percentile(painted, 0.95), percentile(crowd.calls, 0.99)
    return Result(
        name="annotate_page",
        unit="milliseconds from a key to the next pair painted, p95",
        ours=p95,
        peer=None,
        peer_name=None,
        ratio=None,
        goal=f"<= {GOAL:g}; the server with {people} people, p99 < {SERVER_GOAL:g}",
        ok=p95 <= GOAL and p99 < SERVER_GOAL,
        also={
            "p50": statistics.median(painted),
            "answers": len(painted),
            "queued": QUESTIONS,
            "people": people,
            "server_answers": crowd.answers,
            "server_p50": statistics.median(crowd.calls),
            "server_p99": p99,
            "picture_p50": statistics.median(crowd.pictures),
            "picture_p99": percentile(crowd.pictures, 0.99),
            "server_cores": cores,
        },
    )


def main() -> None:
    """Run it by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--people", type=int, default=50)
    chosen = parser.parse_args()
    report(run(chosen.keys, chosen.seconds, chosen.people))


if __name__ == "__main__":
    main()
