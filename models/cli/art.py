"""What a machine needs to train, and to make the bundled models again."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from icf.errors import BrokenMachine, WrongUse

#: Packages of the ``train`` extra that export models, and that draw.
EXPORT, DRAW = ("onnx", "onnxscript"), ("resvg_py",)
#: Programs that fetch and draw the training pictures.
PROGRAMS = ("npm", "node", "apt-get", "dpkg-deb")


def check_machine(*, drawn: bool) -> None:
    """Check that this machine can train.

    Args:
        drawn: whether it is to fetch and draw the pictures of the bundled models.

    Raises:
        WrongUse: the ``train`` extra is not installed, or drawn pictures are needed
            and this is no clone of the repository.
        BrokenMachine: a program that fetches or draws the pictures is missing.
    """
    if drawn and not importlib.util.find_spec("icf.tools"):
        raise WrongUse(
            "the bundled models are trained on pictures drawn by icf.tools, which only "
            "a clone of the repository has: clone it, run "
            "pip install -e '.[train]' there, and give this command again"
        )
    needed = (*EXPORT, *DRAW) if drawn else EXPORT
    if lacking := [name for name in needed if not importlib.util.find_spec(name)]:
        raise WrongUse(
            f"training needs {', '.join(lacking)}: install the train extra: "
            "pip install 'icf-toolkit[train]', in a clone pip install -e '.[train]'"
        )
    folder = cached("drawn")
    if not drawn or (folder / "sculpted").is_dir():
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
