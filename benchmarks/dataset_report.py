"""What `icf-report` costs on a data set of the paper's size.

The command as a program of its own, on a workspace that `benchmarks.large_workspace`
makes, with a release of it: CPU seconds of the process and the most memory it held.
There is no peer: nothing else draws this report.

Run: python -m benchmarks.dataset_report [--json] [--faces 400000] [--root DIR]

With ``--root`` the workspace is kept there; one that is there already is used as it is.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.large_workspace import make
from benchmarks.report import Result, report

MOST_SECONDS, MOST_MIB = 20.0, 1024.0


def prepare(root: Path, faces: int) -> None:
    """Make the workspace and a release of it, where they are not there yet."""
    if not (root / "icf.toml").exists():
        make(root, faces).catalogue.close()
    if not (root / "releases" / "first").exists():
        run(root, "icf-build-splits", "releases/first", "--seed", "1", "--link")


def run(root: Path, *words: str) -> tuple[float, float]:
    """Run a command in the workspace; its CPU seconds and the MiB that it held."""
    line = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        line, cwd=root, env=quiet, stdout=sys.stderr, stderr=sys.stderr
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Measure it, and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--faces", type=int, default=400_000)
    parser.add_argument("--root", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="icf-report-") as scratch:
        root = given.root or Path(scratch) / "space"
        prepare(root, given.faces)
        seconds, mib = run(root, "icf-report", "reports/report.html")
        size = (root / "reports" / "report.html").stat().st_size
    report(
        Result(
            "dataset_report",
            "CPU seconds",
            seconds,
            None,
            None,
            None,
            f"at most {MOST_SECONDS:g} CPU-s and {MOST_MIB:g} MiB at 400,000 faces",
            seconds <= MOST_SECONDS and mib <= MOST_MIB,
            {"faces": given.faces, "peak_rss_mib": mib, "megabytes": size / 1e6},
        )
    )


if __name__ == "__main__":
    main()
