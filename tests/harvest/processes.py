"""`icf-harvest run` as a process of its own, which a test can kill."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from icf.workspace import Workspace


def running(made: Workspace) -> subprocess.Popen[bytes]:
    """Start `icf-harvest run`."""
    program = Path(sys.executable).with_name("icf-harvest")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ICF_")}
    return subprocess.Popen(
        [program, "run", "-C", made.root],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for(happened: Callable[[], bool], child: subprocess.Popen[bytes]) -> None:
    """Wait for an effect of a process, for as long as the process lives."""
    while not happened():
        assert child.poll() is None, child.communicate()[1]
        time.sleep(0.01)
