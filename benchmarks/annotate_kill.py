"""A server that is killed at random while people answer: is anything lost?

Eight people answer without a pause, as the page's outbox does: an answer whose
acknowledgement did not come is sent again, with the same id. Meanwhile the server is
killed as by ``kill -9``, at a random moment after a random number of answers, and
started again, so many times. At the end every acknowledged answer must be in the
catalogue, once, and have become a label.

Run: python -m benchmarks.annotate_kill [--json] [--kills N]
"""

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.page_server import ForkedServer, Server, headers_of, make_workspace
from benchmarks.report import Result, report
from icf.annotate.waiting import apply_waiting
from icf.catalogue.schema import answer, question

KILLS, PEOPLE = 1000, 8
#: Answers between two kills, at most; and seconds after that.
MOST, LATER = 30, 0.1
#: Questions between two kills: with those that are leased as the server dies.
PER_KILL = 200


class Answerer(threading.Thread):
    """Somebody who answers until he is told to stop."""

    def __init__(self, server: Server, name: str, stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self._server = server
        self._stop_asked = stop
        self._headers = headers_of(server, name) | {"Content-Type": "application/json"}
        self.acknowledged: list[str] = []
        self.again = 0

    def run(self) -> None:
        """Answer one after the other."""
        while not self._stop_asked.is_set():
            got = self._until("/api/pairs/next", {"count": 12})
            for task in got["tasks"] if got else ():
                given = {
                    "id": task["id"],
                    "client_id": uuid.uuid4().hex,
                    "answer": {"choice": "true"},
                    "seconds": 1.0,
                    "at": time.time(),
                }
                said = self._until("/api/answers", {"answers": [given]})
                if said is None:
                    return
                [receipt] = said["receipts"]
                if not receipt["stored"]:
                    raise RuntimeError(f"an answer was refused: {receipt}")
                self.acknowledged.append(receipt["client_id"])

    def _until(self, path: str, body: object) -> Any:
        """Send the same until there is an answer; None: it is over."""
        while not self._stop_asked.is_set():
            port = self._server.port
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                line.request("POST", path, json.dumps(body), self._headers)
                response = line.getresponse()
                text = response.read()
                if response.status == 200:
                    return json.loads(text)
            except (OSError, http.client.HTTPException, ValueError):
                pass
            finally:
                line.close()
            self.again += 1
            time.sleep(0.02)
        return None


def run(kills: int) -> Result:
    """Kill the server so many times."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        questions = max(10_000, kills * PER_KILL)
        workspace = make_workspace(Path(folder) / "space", questions)
        server, stop = ForkedServer(workspace), threading.Event()
        people = [Answerer(server, f"person {n}", stop) for n in range(PEOPLE)]
        server.start()
        for each in people:
            each.start()
        for number in range(kills):
            wanted = _acknowledged(people) + chance.randint(1, MOST)
            while _acknowledged(people) < wanted:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, LATER))
            server.kill()
            server.start()
            if number % 50 == 49:
                print(f"{number + 1} kills", file=sys.stderr)
        stop.set()
        for each in people:
            each.join()
        server.close()
        apply_waiting(workspace)
        said = [each for one in people for each in one.acknowledged]
        with workspace.catalogue.read() as connection:
            query = sa.select(answer.c.client_id)
            stored = set(connection.execute(query).scalars())
            labels = sa.select(sa.func.count()).where(question.c.label == "same")
            settled = connection.execute(labels).scalar_one()
        workspace.catalogue.close()
    lost = len(set(said) - stored)
    return Result(
        name="annotate_kill",
        unit="acknowledged answers",
        ours=len(said),
        peer=None,
        peer_name=None,
        ratio=None,
        goal="0 lost",
        ok=lost == 0 and settled == len(stored),
        also={
            "kills": kills,
            "lost": lost,
            "stored": len(stored),
            "labels": settled,
            "sent_again": sum(each.again for each in people),
        },
    )


def _acknowledged(people: Sequence[Answerer]) -> int:
    if not all(each.is_alive() for each in people):
        raise RuntimeError("somebody who answers had to stop")
    return sum(len(each.acknowledged) for each in people)


def main() -> None:
    """Run it by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=KILLS)
    report(run(parser.parse_args().kills))


if __name__ == "__main__":
    main()
