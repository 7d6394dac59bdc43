"""How the cost of every command grows with the catalogue, from 10,000 to 100,000 faces.

Each command of the README and the tutorial that works on a catalogue, as a program of
its own, on workspaces that `benchmarks.large_workspace` makes: CPU seconds, wall
seconds, peak memory, and the exponent of the CPU seconds between the two largest sizes
(1: twice as many faces cost twice as much). What has nothing to do is measured once
more after it did what there was. `icf detect`, `icf embed` and `icf-evaluate` read
files only, and a harvest's and the filter's work on new pictures has benchmarks of its
own.

Run: python -m benchmarks.scale_growth [--json] [--faces 400000] [--only WORD]
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Result, report

SIZES = (10_000, 100_000)
MAX_EXPONENT, MAX_IDLE = 1.1, 2.0

#: A name where the same command is run again, and the command.
COMMANDS: tuple[tuple[str, str], ...] = (
    ("icf-harvest run, list read again", "icf-harvest run"),
    ("icf-harvest run, nothing to do", "icf-harvest run"),
    ("", "icf-harvest status"),
    ("", "icf-harvest licences"),
    ("icf-filter run, first", "icf-filter run"),
    ("icf-filter run, nothing to do", "icf-filter run"),
    ("", "icf-filter status"),
    ("", "icf-filter review"),
    ("", "icf-filter consistency"),
    ("", "icf-filter calibrate --dry-run"),
    (
        "rethreshold --dry-run, a threshold",
        "icf-filter rethreshold --dry-run --set filter.min_sharpness=300",
    ),
    ("rethreshold, settings as they were", "icf-filter rethreshold"),
    ("rethreshold, nothing changes", "icf-filter rethreshold"),
    ("rethreshold again, nothing to do", "icf-filter rethreshold"),
    ("", "icf-annotate status"),
    ("", "icf-annotate export --format csv batches/next"),
    ("icf-annotate export, nothing to do", "icf-annotate export batches/next"),
    ("icf-annotate import, all answers", "icf-annotate import answers.csv"),
    ("icf-annotate import, known answers", "icf-annotate import answers.csv"),
    ("icf-filter run, after the answers", "icf-filter run"),
    ("", "icf status"),
    ("", "icf why face:100"),
    ("", "icf why character:1"),
    ("", "icf-build-splits releases/first --seed 1"),
    ("", "icf-report reports/first.html"),
    ("", "icf doctor"),
)
IDLE = "nothing to do"

MAKE = """
import sys
from pathlib import Path
from benchmarks.large_workspace import make
make(Path(sys.argv[1]), int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Cost:
    """What a program took.

    Attributes:
        cpu: seconds of the processor, its children included.
        wall: seconds by the clock.
        mib: the most memory that it, or a child of it, held.
    """

    cpu: float
    wall: float
    mib: float


def run(command: str, root: Path) -> Cost:
    """Run a command in a workspace.

    Raises:
        RuntimeError: it failed; 3 means that it is done, but some items are bad.
    """
    name, *words = command.split()
    program = [str(Path(sys.executable).parent / name), *words, "--json"]
    output = root / "output.txt"
    begin = time.monotonic()
    with output.open("wb") as file:
        child = subprocess.Popen(program, cwd=root, stdout=file, stderr=file)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 3):
        raise RuntimeError(f"{command} failed:\n{output.read_text()[-2000:]}")
    wall = time.monotonic() - begin
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def write_answers(root: Path) -> None:
    """Answer every question that is open."""
    import sqlite3

    with sqlite3.connect(root / "catalogue.sqlite") as catalogue:
        rows = catalogue.execute("SELECT id FROM question WHERE label = 'open'")
        lines = [f"{row[0]},true,ann\n" for row in rows]
    answers = "question,answer,annotator\n" + "".join(lines)
    (root / "answers.csv").write_text(answers)


def measure(root: Path, faces: int, only: str) -> dict[str, Cost]:
    """Run every command on a new workspace."""
    begin = time.monotonic()
    # In a process of its own: what this one holds counts as memory of its children.
    subprocess.run([sys.executable, "-c", MAKE, root, str(faces)], check=True)
    say(f"{faces:,} faces made in {time.monotonic() - begin:.0f} s")
    costs = {}
    for name, command in COMMANDS:
        if only not in command:
            continue
        if "import" in command and "all" in name:
            write_answers(root)
        costs[name or command] = cost = run(command, root)
        say(f"  {cost.cpu:8.2f} CPU-s  {name or command}")
    return costs


def exponent(costs: Sequence[Cost], sizes: Sequence[int]) -> float:
    """How the CPU seconds grow between the two largest sizes."""
    small, large = costs[-2:]
    return math.log(large.cpu / small.cpu) / math.log(sizes[-1] / sizes[-2])


def say(line: str) -> None:
    """Print for whoever waits."""
    print(line, file=sys.stderr, flush=True)


def table(sizes: Sequence[int], found: dict[str, list[Cost]]) -> str:
    """The figures as a table in Markdown."""
    heads = [f"{size // 1000} k: CPU-s, wall s, MiB" for size in sizes]
    lines = [f"| command | {' | '.join(heads)} | exponent |"]
    lines.append("| --- |" + " ---: |" * (len(sizes) + 1))
    for name, costs in found.items():
        cells = [f"{c.cpu:.2f}, {c.wall:.2f}, {c.mib:.0f}" for c in costs]
        grown = exponent(costs, sizes)
        lines.append(f"| `{name}` | {' | '.join(cells)} | {grown:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--faces", type=int, action="append", help="one more size")
    parser.add_argument("--only", default="", help="commands with this word")
    chosen = parser.parse_args()
    sizes = sorted({*SIZES, *(chosen.faces or ())})
    with tempfile.TemporaryDirectory() as folder:
        by_size = [
            measure(Path(folder) / str(size), size, chosen.only) for size in sizes
        ]
    found = {name: [costs[name] for costs in by_size] for name in by_size[0]}
    grown = {name: exponent(costs, sizes) for name, costs in found.items()}
    idle = {name: costs[-1].cpu for name, costs in found.items() if IDLE in name}
    say(table(sizes, found))
    report(
        Result(
            name="scale_growth",
            unit="largest exponent of CPU seconds",
            ours=max(grown.values()),
            peer=None,
            peer_name=None,
            ratio=None,
            goal=f"<= {MAX_EXPONENT} for every command; with nothing to do "
            f"<= {MAX_IDLE:g} CPU-s at 400,000 faces",
            ok=max(grown.values()) <= MAX_EXPONENT and max(idle.values()) <= MAX_IDLE,
            also={
                name: {
                    "faces": sizes,
                    "cpu_s": [round(cost.cpu, 2) for cost in costs],
                    "wall_s": [round(cost.wall, 2) for cost in costs],
                    "peak_mib": [round(cost.mib) for cost in costs],
                    "exponent": round(grown[name], 2),
                }
                for name, costs in found.items()
            },
        )
    )


if __name__ == "__main__":
    main()
