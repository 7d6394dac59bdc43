"""The whole filter, from stored pictures to faces worth asking about.

The demo pictures, each cropped and re-encoded for every copy of its character, so
that no file, no face and no character is there twice. Every step of the chain runs
through the real runner on the local engine with one worker, in a new workspace on
SQLite. CPU seconds are those of the process and its worker, start-up of the worker and
opening the models included, and are given by step. Memory is the peak of the process
and of its worker, at one and at four times as many pictures.

The same pictures once more with every step in threads of the one process, as if no
picture could crash a decoder: what that costs is the ratio of the two.

Run: python -m benchmarks.filter_end_to_end [--json]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import sqlalchemy as sa

from benchmarks.report import Result, report
from icf import workspace
from icf.app.demo.site.archive import SiteArchive, shipped_tar
from icf.app.demo.site.truth import Noise, TrueFile, load_truth
from icf.catalogue.schema import album, candidate, character, image
from icf.engine.engine import Engine
from icf.engine.local import LocalEngine
from icf.engine.runner import Progress
from icf.engine.step import ItemT, Outcome, Step, judge_each
from icf.filter.chain import filter_chain
from icf.filter.run import run_steps
from icf.filter.step_range import Chosen
from icf.filter.steps.detect import Detect
from icf.images import decode
from icf.models.runtime.network import choose
from icf.workspace import Workspace

PICTURES, TIMES = 250, 4
#: Four times as many pictures may take so much more memory.
FLAT = 1.2
TICKS = os.sysconf("SC_CLK_TCK")


class Threads:
    """An engine that judges everything in this process, one batch at a time."""

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each batch."""
        for batch in batches:
            yield judge_each(step, batch)

    def close(self) -> None:
        """Nothing was started."""


def fill(made: Workspace, pictures: int) -> None:
    """Store so many pictures, each character's in as many copies as it takes."""
    rng = np.random.default_rng(0)
    site = SiteArchive(shipped_tar())
    files = [f for f in load_truth().files if f.noise is Noise.CLEAN and f.filed_under]
    with made.catalogue.write() as connection:
        ids: dict[tuple[str, int], int] = {}
        for number in range(pictures):
            copy, place = divmod(number, len(files))
            file = files[place]
            image_id = _store(made, connection, _varied(site, file, rng))
            for name in file.filed_under:
                if (name, copy) not in ids:
                    ids[name, copy] = _character(connection, name, copy)
                filed = {"image_id": image_id, "character_id": ids[name, copy]}
                connection.execute(sa.insert(candidate), [{**filed, "is_lead": False}])


def _varied(site: SiteArchive, file: TrueFile, rng: np.random.Generator) -> bytes:
    pixels = decode(site.read(f"images/{file.name}")).pixels
    height, width = pixels.shape[:2]
    left, right = (int(rng.integers(0, max(1, width // 16))) for _ in range(2))
    top, bottom = (int(rng.integers(0, max(1, height // 16))) for _ in range(2))
    cut = pixels[top : height - bottom, left : width - right, ::-1]
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(80, 96))]
    return bytes(cv2.imencode(".jpg", cut, quality)[1].tobytes())


def _store(made: Workspace, connection: sa.Connection, data: bytes) -> int:
    row = sa.insert(image).values(
        sha256=made.blobs.put(data),
        bytes=len(data),
        awaits=Detect.name,
        verdict="pending",
        reason="ok",
        stored_at=0.0,
    )
    return int(connection.execute(row.returning(image.c.id)).scalar_one())


def _character(connection: sa.Connection, name: str, copy: int) -> int:
    """A character in an album of the copy's own."""
    called = {"name": f"album {copy}", "source": "benchmark"}
    query = sa.select(album.c.id).where(album.c.name == called["name"])
    album_id = connection.execute(query).scalar()
    if album_id is None:
        new = sa.insert(album).values(found_at=0.0, **called).returning(album.c.id)
        album_id = connection.execute(new).scalar_one()
    row = sa.insert(character).values(
        album_id=album_id, name=f"{name} {copy}", source="benchmark", found_at=0.0
    )
    return int(connection.execute(row.returning(character.c.id)).scalar_one())


def measure(folder: Path, in_threads: bool) -> dict[str, Any]:
    """Filter what a workspace holds; return CPU seconds by step, and peaks in MiB."""
    made = workspace.find(folder)
    engine: Engine = Threads() if in_threads else LocalEngine(1)
    seconds: dict[str, float] = {}
    with closing(engine):
        for step in filter_chain(made).steps:
            before = cpu_seconds()
            run_steps(made, Chosen((step.name,)), engine, _no_bar)
            seconds[step.name] = cpu_seconds() - before
        worker = max((peak_mib(child) for child in children()), default=0.0)
    made.catalogue.close()
    return {"seconds": seconds, "parent": peak_mib("self"), "worker": worker}


def children() -> list[int]:
    """The processes that this one has started and not yet seen end."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == os.getpid():
            found.append(int(stat.parent.name))
    return found


def cpu_seconds() -> float:
    """CPU seconds of this process and its children, ended or not."""
    used = sum(os.times()[:4])
    for child in children():
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def peak_mib(process: int | str) -> float:
    """The most memory that a process has held so far, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    [kilobytes] = re.findall(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(kilobytes) / 1024


@contextmanager
def _no_bar(title: str, total: int) -> Iterator[Progress]:
    yield lambda settled: None


def apart(pictures: int, in_threads: bool) -> dict[str, Any]:
    """Do `measure` in a new process, whose memory nothing else has touched."""
    with tempfile.TemporaryDirectory() as folder:
        made = workspace.init(Path(folder))
        fill(made, pictures)
        made.catalogue.close()
        words = [folder, "threads" if in_threads else "workers"]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.filter_end_to_end", *words],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            check=True,
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and report."""
    threads = apart(PICTURES, in_threads=True)
    once = apart(PICTURES, in_threads=False)
    more = apart(PICTURES * TIMES, in_threads=False)
    total = sum(more["seconds"].values())
    speed = PICTURES * TIMES / total
    growth = max(more[name] / once[name] for name in ("parent", "worker"))
    report(
        Result(
            name="filter_end_to_end",
            unit="pictures per CPU-second",
            ours=speed,
            peer=None,
            peer_name=None,
            ratio=None,
            goal=f"memory at {TIMES} times the pictures at most {FLAT} times",
            ok=growth <= FLAT,
            also={
                "pictures": PICTURES * TIMES,
                "device": choose("auto", "auto")[1],
                "per_step": {
                    name: round(value / total, 4)
                    for name, value in more["seconds"].items()
                },
                "peak_rss_mib": more["parent"] + more["worker"],
                "parent_mib": more["parent"],
                "worker_mib": more["worker"],
                "rss_growth": growth,
                "in_threads_seconds": sum(threads["seconds"].values()),
                "in_workers_seconds": sum(once["seconds"].values()),
                "in_threads_mib": threads["parent"],
            },
        )
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2] == "threads")))
    else:
        main()
