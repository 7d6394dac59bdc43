"""What a machine needs to draw: to make the bundled models again, or the ruler."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from icf.errors import BrokenMachine, WrongUse

#: The package of the ``train`` extra, which draws.
_DRAW = "resvg_py"
#: Programs that fetch and draw the training pictures.
PROGRAMS = ("npm", "node", "apt-get", "dpkg-deb")


def check_machine() -> None:
    """Check that this machine can fetch and draw the pictures to train on.

    Raises:
        WrongUse: the ``train`` extra is not installed, or this is no clone of the
            repository.
        BrokenMachine: a program that fetches or draws the pictures is missing.
    """
    check_clone(
        "the bundled models are trained on pictures drawn by", "the training pictures"
    )
    folder = cached("drawn")
    if (folder / "sculpted").is_dir():
        return  # drawn last: everything else is there
    if lacking := [name for name in PROGRAMS if not shutil.which(name)]:
        raise BrokenMachine(
            f"the training pictures are not in {folder}; to fetch and draw them, "
            f"this machine lacks {', '.join(lacking)}; Debian's npm brings npm and node"
        )


def check_clone(tools: str, drawn: str) -> None:
    """Check that `icf.tools` is there, and what it draws with.

    Args:
        tools: what they are needed for, up to their name.
        drawn: what is drawn.

    Raises:
        WrongUse: this is no clone of the repository, or the ``train`` extra is not
            installed.
    """
    if not importlib.util.find_spec("icf.tools"):
        raise WrongUse(
            f"{tools} icf.tools, which only a clone of the repository has: clone it, "
            "run pip install -e '.[train]' there, and give this command again"
        )
    if not importlib.util.find_spec(_DRAW):
        raise WrongUse(
            f"drawing {drawn} needs {_DRAW}: install the train extra: "
            "pip install -e '.[train]'"
        )


def cached(name: str) -> Path:
    """A folder of the cache: ``drawn`` has the pictures, the others runs."""
    root = os.environ.get("ICF_ART_CACHE") or Path.home() / ".cache/icf-art"
    return Path(root) / name
