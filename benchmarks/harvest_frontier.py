"""A million queued URLs: how fast they are queued, how soon a run goes on, how flat.

The URLs come from a list of one's own, as `icf-harvest run` reads it: rows checked,
URLs normalised, filed under 5,000 characters of 1,300 albums, a transaction for each
1,000 rows. "Resume" is a new process, from its start to the first URLs it holds and the
time when the next are due, imports and the check of the list included. Memory is that
process's peak with 10 thousand, a million and ten million URLs queued; the ten million
are copies made by the database. CPU seconds of the processes concerned.

Run: python -m benchmarks.harvest_frontier [--json]
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from benchmarks.report import Result, report
from icf.catalogue.schema import url
from icf.workspace import Workspace, find, init

FEW, MANY, MOST = 10_000, 1_000_000, 10_000_000
CHARACTERS, HOSTS, LEASED = 5_013, 1_000, 128

ENQUEUE = """
import asyncio, json, sys, time
from pathlib import Path
from icf.harvest.http.addresses import AllowList
from icf.harvest.listing.discover import Discovery, begin
from icf.harvest.run import declared_sources
from icf.harvest.http.session import Web
from icf.workspace import find

async def list_all(workspace, sources):
    async with Web("icf/benchmark", AllowList([])) as web:
        await Discovery(workspace.catalogue, sources, web).run()

workspace = find(Path(sys.argv[1]))
sources = declared_sources(workspace)
begin(workspace.catalogue, sources[0], refresh=False)
cpu, wall = time.process_time(), time.monotonic()
asyncio.run(list_all(workspace, sources))
print(json.dumps([time.process_time() - cpu, time.monotonic() - wall]))
"""

RESUME = """
import sys
from pathlib import Path
from icf.harvest.cli.main import cli
from icf.harvest.listing.discover import begin
from icf.harvest.download.frontier import Frontier
from icf.harvest.run import declared_sources
from icf.workspace import find

workspace = find(Path(sys.argv[1]))
begin(workspace.catalogue, declared_sources(workspace)[0], refresh=False)
frontier = Frontier(workspace.catalogue, workspace.settings.harvest.lease)
frontier.release_dead_workers()
leased = frontier.lease(int(sys.argv[2]))
assert len(leased) == int(sys.argv[2])
frontier.next_due()
frontier.release([one.id for one in leased])
"""


def make_workspace(root: Path, rows: int) -> Workspace:
    """A workspace with a list of this many URLs."""
    init(root)
    (root / "icf.toml").write_text(
        '[[source]]\nname = "mine"\nkind = "list"\npath = "urls.csv"\n'
    )
    with (root / "urls.csv").open("w", encoding="utf-8") as file:
        file.write("album,character,url,page,licence\n")
        for row in range(rows):
            who = row * CHARACTERS // rows
            host = f"http://host-{row % HOSTS}.example"
            file.write(
                f"Album {who // 4},Character {who},{host}/pictures/{row:09d}.jpg,"
                f"{host}/pages/{who},CC-BY-SA-4.0\n"
            )
    return find(root)


def run_child(code: str, *words: object) -> tuple[float, float, float, str]:
    """CPU seconds, wall seconds and peak MiB of a new Python, and what it printed."""
    measured = (
        "import resource, subprocess, sys, json\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([done.returncode, used.ru_utime + used.ru_stime,"
        " used.ru_maxrss / 1024, done.stdout]))"
    )
    command = [sys.executable, "-c", measured, sys.executable, "-c", code]
    begin = time.monotonic()
    out = subprocess.run(
        [*command, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True
    )
    wall = time.monotonic() - begin
    code_, cpu, peak, said = json.loads(out.stdout)
    if code_ != 0:
        raise RuntimeError("the measured process failed")
    return cpu, wall, peak, said


def enqueue(root: Path) -> tuple[float, float]:
    """List everything; return CPU seconds and wall seconds."""
    cpu, wall = json.loads(run_child(ENQUEUE, root)[3])
    return float(cpu), float(wall)


def resume(root: Path) -> tuple[float, float, float]:
    """Start again; return CPU seconds, wall seconds and peak MiB."""
    cpu, wall, peak, _ = run_child(RESUME, root, LEASED)
    return cpu, wall, peak


def grow(workspace: Workspace, rows: int) -> None:
    """Let the database copy the URLs that are there until there are this many."""
    copied = [column for column in url.columns if column.name not in ("id", "url")]
    with workspace.catalogue.write() as connection:
        have = connection.execute(sa.select(sa.func.count(url.c.id))).scalar_one()
        for number in range(1, rows // have):
            copies = sa.select(url.c.url + f"?copy={number}", *copied).where(
                url.c.id <= have
            )
            connection.execute(
                sa.insert(url).from_select(["url", *(c.name for c in copied)], copies)
            )


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        few = make_workspace(Path(folder) / "few", FEW)
        enqueue(few.root)
        _, _, few_peak = resume(few.root)
        many = make_workspace(Path(folder) / "many", MANY)
        cpu, wall = enqueue(many.root)
        seconds, resume_wall, many_peak = resume(many.root)
        grow(many, MOST)
        most_seconds, _, most_peak = resume(many.root)
    rate, growth = MANY / cpu, most_peak / few_peak
    report(
        Result(
            name="harvest_frontier",
            unit="CPU seconds to resume a million URLs",
            ours=seconds,
            peer=None,
            peer_name=None,
            ratio=None,
            goal="< 5 s; >= 20,000 URLs queued per CPU-s; memory within 20% "
            "from 10 thousand to 10 million",
            ok=max(seconds, resume_wall) < 5 and rate >= 20_000 and growth <= 1.2,
            also={
                "resume_wall_seconds": resume_wall,
                "enqueue_per_s": rate,
                "enqueue_per_wall_s": MANY / wall,
                "rss_growth": growth,
                "rss_mib_10k": few_peak,
                "rss_mib_1m": many_peak,
                "rss_mib_10m": most_peak,
                "resume_10m_seconds": most_seconds,
            },
        )
    )


if __name__ == "__main__":
    main()
