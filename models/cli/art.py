"""What a machine needs to make the bundled models again."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from icf.errors import BrokenMachine, WrongUse

#: The package of the ``train`` extra, which draws.
DRAW = "resvg_py"
#: Programs that fetch and draw the training pictures.
PROGRAMS = ("npm", "node", "apt-get", "dpkg-deb")


def check_machine() -> None:
    """Check that this machine can fetch and draw the pictures to train on.

    Raises:
        WrongUse: the ``train`` extra is not installed, or this is no clone of the
            repository.
        BrokenMachine: a program that fetches or draws the pictures is missing.
    """
    if not importlib.util.find_spec("icf.tools"):
        raise WrongUse(
            "the bundled models are trained on pictures drawn by icf.tools, which only "
            "a clone of the repository has: clone it, run "
            "pip install -e '.[train]' there, and give this command again"
        )
    if not importlib.util.find_spec(DRAW):
        raise WrongUse(
            f"drawing the training pictures needs {DRAW}: install the train extra: "
            "pip install -e '.[train]'"
        )
    folder = cached("drawn")
    if (folder / "sculpted").is_dir():
        return  # drawn last: everything else is there
    if lacking := [name for name in PROGRAMS if not shutil.which(name)]:
        raise BrokenMachine(
            f"the training pictures are not in {folder}; to fetch and draw them, "
            f"this machine lacks {', '.join(lacking)}; Debian's npm brings npm and node"
        )


def cached(name: str) -> Path:
    """A folder of the cache: ``drawn`` has the pictures, the others runs."""
    root = os.environ.get("ICF_ART_CACHE") or Path.home() / ".cache/icf-art"
    return Path(root) / name
