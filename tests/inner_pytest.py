"""Run pytest, as these tests are run, on a file made by a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def inner_pytest(test: Path, *words: str, ci: bool = False) -> str:
    """Run it on a file; return what it printed."""
    plain = {name: value for name, value in os.environ.items() if name != "CI"}
    own = ["-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *own, "-p", "no:cacheprovider", *words, test],
        cwd=test.parent,
        env={**plain, "PYTHONPATH": str(ROOT), **({"CI": "true"} if ci else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.stdout
