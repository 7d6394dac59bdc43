"""`icf-harvest run` as a process of its own, which a test can kill."""

import os
import time
from collections.abc import Callable

from icf.workspace import Workspace
from tests.app.forked import Forked


def running(made: Workspace, *flags: str) -> Forked:
    """Start `icf-harvest run`.

    Args:
        made: the workspace.
        flags: settings, as ``--set`` takes them.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ICF_")}
    settings = [word for flag in flags for word in ("--set", flag)]
    words = "run", "-C", made.root, *settings
    return Forked("icf-harvest", *words, folder=made.root, environment=environment)


def wait_for(happened: Callable[[], bool], child: Forked) -> None:
    """Wait for an effect of a process, for as long as the process lives."""
    while not happened():
        assert child.poll() is None, child.communicate()[1]
        time.sleep(0.01)
