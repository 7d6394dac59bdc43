"""Pages and calls of the annotation page and of `icf browse`: a million questions.

The catalogue has 1,100,000 kept faces, 1,000,000 questions and 900,000 answers of ten
people, in SQLite. Each address is asked for once by an admin, within the server's own
process, without a network between; the next pair also by one of those people. One of a
thousand questions is a known pair. Then all once more. Reported is the slowest.

Run: python -m benchmarks.annotate_pages [--json] [--questions N]
"""

import argparse
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.annotate.page.clients import signed_in

from benchmarks.annotate_catalogue import make
from benchmarks.report import Result, report
from icf.annotate.page.app import make_app
from icf.annotate.page.desk import TASKS, open_desk
from icf.annotate.people.people import Role
from icf.app.browse.pages import PAGES, routes
from icf.workspace import Workspace

GOAL = 1.0

ADDRESSES = (
    *("/", "/me", "/admin", "/pairs", "/grid", "/boxes", "/attributes", "/review"),
    *("/browse", "/browse/album/3", "/browse/faces", "/browse/faces?character=7"),
    *("/browse/faces?album=9&sort=score", "/browse/faces?label=open"),
    *("/browse/faces?sort=probability&order=down", "/browse/faces?round=1"),
    *(f"/api/{task}/waiting" for task in TASKS),
)
NEXT = tuple(f"/api/{task}/next" for task in TASKS)

_KNOWN = """
INSERT INTO gold (face_id, character_id, reference_face_id, truth, made_by, made_at)
SELECT face_id, character_id, reference_face_id, 'true', 'confirmed', 0 FROM question
WHERE id % 1000 = 1 AND label = 'same'"""


def timed(client: TestClient, address: str) -> tuple[float, float]:
    """Wall and CPU seconds of one request."""
    wall, cpu = time.perf_counter(), time.process_time()
    if address in NEXT:
        response = client.post(address, json={"count": 4})
    else:
        response = client.get(address)
    assert response.status_code == 200, (address, response.text)
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(workspace: Workspace) -> list[tuple[str, float, float, float]]:
    """Each address: wall seconds, CPU seconds, wall seconds of the second time."""
    with workspace.catalogue.write() as connection:
        connection.execute(sa.text(_KNOWN))
    app = make_app(open_desk(workspace, TASKS, PAGES), more=routes(workspace))
    client, busy = signed_in(app, "Ada", Role.ADMIN), signed_in(app, "person 1")
    every = [(each, client, each) for each in (*ADDRESSES, *NEXT)]
    every.append(("/api/pairs/next of person 1", busy, "/api/pairs/next"))
    first = [timed(who, address) for _, who, address in every]
    again = [timed(who, address)[0] for _, who, address in every]
    return [
        (name, wall, cpu, second)
        for (name, _, _), (wall, cpu), second in zip(every, first, again, strict=True)
    ]


def main() -> None:
    """Run it by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--questions", type=int, default=1_000_000)
    questions = parser.parse_args().questions
    with tempfile.TemporaryDirectory() as folder:
        workspace = make(Path(folder) / "space", questions * 11 // 10, questions)
        found = measure(workspace)
        workspace.catalogue.close()
    address, slowest, _, _ = max(found, key=lambda each: each[1])
    result = Result(
        name="annotate_pages",
        unit="seconds of the slowest page or call, the first time",
        ours=slowest,
        peer=None,
        peer_name=None,
        ratio=None,
        goal=f"<= {GOAL:g}",
        ok=slowest <= GOAL,
        also={
            "slowest": address,
            "again": max(each[3] for each in found),
            "cpu": max(each[2] for each in found),
            "questions": questions,
            "all": {each[0]: [round(value, 3) for value in each[1:]] for each in found},
        },
    )
    report(result)


if __name__ == "__main__":
    main()
