"""Run pytest, with a plugin of these tests, on a file made by a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def inner_pytest(plugin: str, test: Path, *words: str, ci: bool = False) -> str:
    """Run it on a file, with one of this folder's plugins; return what it printed.

    Not by `tests.conftest`, which registers the plugins: that takes seconds to load.
    """
    outer = {"CI", "PYTEST_ADDOPTS"}
    plain = {name: value for name, value in os.environ.items() if name not in outer}
    own = ["-c", str(ROOT / "pyproject.toml"), "-p", plugin, "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *own, *words, test],
        cwd=test.parent,
        env={
            **plain,
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **({"CI": "true"} if ci else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.stdout
