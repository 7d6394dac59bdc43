"""A whole release: `icf-build-splits`, from the catalogue to files that are checked.

The workspace is that of `benchmarks.large_workspace`, the program runs as one of its
own, and writes loose pictures (`--format icartoonface`). Its CPU seconds are ours; its
wall seconds are held against those of copying what it wrote, with `cp -a` and flushed
by `sync -f`, and of linking it, with `cp -al`. All three are of one disk, one after the
other. `icf release verify --quick` of it is measured, too.

Run: python -m benchmarks.dataset_release [--json] [--faces 400000] [--at DIR]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Result, report
from benchmarks.scale_growth import MAKE, run

FACES = 100_000
#: At 400,000 faces; less at fewer.
GOAL_SECONDS, GOAL_MIB, GOAL_RATIO = 60.0, 1024.0, 3.0


def timed(*words: str) -> float:
    """Run a program; return its wall seconds."""
    begin = time.monotonic()
    subprocess.run(words, check=True)
    return time.monotonic() - begin


def measure(root: Path, faces: int) -> Result:
    """Make a workspace and a release of it, and copy that."""
    space = root / "space"
    subprocess.run([sys.executable, "-c", MAKE, str(space), str(faces)], check=True)
    out = space / "releases" / "first"
    cost = run(f"icf-build-splits {out} --seed 1 --format icartoonface", space)
    copied = timed("cp", "-a", str(out), str(root / "copied"))
    copied += timed("sync", "-f", str(root / "copied"))
    linked = timed("cp", "-al", str(out), str(root / "linked"))
    verified = run(f"icf release verify --quick {out}", space)
    goal = GOAL_SECONDS * faces / 400_000
    ratio = cost.wall / copied
    return Result(
        name="dataset_release",
        unit="CPU seconds",
        ours=cost.cpu,
        peer=linked,
        peer_name="cp -al, wall seconds",
        ratio=cost.wall / linked,
        goal=f"<= {goal:.0f} CPU seconds, < 1 GiB, wall <= {GOAL_RATIO:.0f}x copying",
        ok=cost.cpu <= goal and cost.mib < GOAL_MIB and ratio <= GOAL_RATIO,
        also={
            "faces": faces,
            "files": sum(path.is_file() for path in out.rglob("*")),
            "peak_rss_mib": cost.mib,
            "wall_seconds": cost.wall,
            "copy_seconds": copied,
            "copy_ratio": ratio,
            "verify_seconds": verified.cpu,
            "verify_mib": verified.mib,
        },
    )


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--faces", type=int, default=FACES)
    parser.add_argument("--at", type=Path, help="a folder on the disk to measure")
    asked = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="dataset-release-", dir=asked.at))
    try:
        report(measure(root, asked.faces))
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
