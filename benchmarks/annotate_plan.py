"""`icf-annotate plan` for a million faces that nobody was asked about.

CPU seconds and peak memory of the whole process, with tracks and a risk set, so that
every part of the plan has something to count. The catalogue is made by
`benchmarks.annotate_catalogue`.

Run: python -m benchmarks.annotate_plan [--json]
"""

import json
import tempfile
from pathlib import Path

from benchmarks.annotate_catalogue import make
from benchmarks.harvest_frontier import run_child
from benchmarks.report import Result, report

FACES = 1_000_000
MOST_SECONDS, MOST_MIB = 60.0, 1024.0

PLAN = """
import sys
from icf.annotate.cli.main import cli
cli(["plan", "--json", "-C", sys.argv[1], *sys.argv[2:]])
"""
SETTINGS = ("annotate.tracks=follow", "annotate.risk=0.02")


def measure(root: Path) -> tuple[float, float, dict[str, object]]:
    """Plan; return CPU seconds, peak MiB and what was printed."""
    flags = [word for each in SETTINGS for word in ("--set", each)]
    cpu, _, peak, said = run_child(PLAN, root, *flags)
    return cpu, peak, json.loads(said)


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "space"
        make(root, FACES).catalogue.close()
        cpu, peak, made = measure(root)
    report(
        Result(
            name="annotate_plan",
            unit=f"CPU seconds for {FACES:,} faces",
            ours=cpu,
            peer=None,
            peer_name=None,
            ratio=None,
            goal=f"<= {MOST_SECONDS:.0f} CPU seconds and {MOST_MIB:.0f} MiB",
            ok=cpu <= MOST_SECONDS and peak <= MOST_MIB,
            also={
                "peak_rss_mib": peak,
                **{
                    name: made[name]
                    for name in ("questions", "grids", "followers", "accepted")
                },
            },
        )
    )


if __name__ == "__main__":
    main()
