"""Change many files of a folder at once, safe from being killed at any moment.

New versions are written into a folder aside, with a plan of what to delete. When that
is complete it gets its name, and from then on the change is made, however often it is
started.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from icf.dataset.release.files import CLEANING
from icf.dataset.release.sums import is_below
from icf.errors import BadInput
from icf.stores.files import flush

#: Of a change that is complete and not made yet; and of one that is being prepared.
FOLDER, PREPARED = CLEANING, f"{CLEANING}.partial"
_PLAN = "plan.json"
_NEW = "new"


def prepare(folder: Path, write: Callable[[Path], Iterable[str]]) -> None:
    """Write the new versions of files aside, and promise the change.

    Args:
        folder: whose files are to be changed.
        write: writes the new versions below a folder, under the names they will have;
            returns the files to delete, relative to the folder.
    """
    aside = folder / PREPARED
    shutil.rmtree(aside, ignore_errors=True)
    (aside / _NEW).mkdir(parents=True)
    try:
        delete = write(aside / _NEW)
    except (Exception, KeyboardInterrupt):
        shutil.rmtree(aside, ignore_errors=True)
        raise
    (aside / _PLAN).write_text(json.dumps({"delete": sorted(delete)}))
    for place, _, names in os.walk(aside):
        for name in names:
            flush(Path(place, name))
        flush(Path(place))
    aside.rename(folder / FOLDER)
    flush(folder)


def complete(folder: Path) -> bool:
    """Make the change that was promised; return whether there was one.

    Args:
        folder: which may be somebody else's, with the promise in it; it has no links.

    Raises:
        BadInput: the plan cannot be read, or reaches out of the folder.
    """
    shutil.rmtree(folder / PREPARED, ignore_errors=True)
    promised = folder / FOLDER
    if not promised.is_dir():
        return False
    plan = promised / _PLAN
    if plan.exists():
        for name in _planned(plan):
            (folder / name).unlink(missing_ok=True)
        new = promised / _NEW
        for place, _, names in os.walk(new):
            for name in names:
                file = Path(place, name)
                target = folder / file.relative_to(new)
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
        for place, _, _ in os.walk(folder):
            flush(Path(place))
        plan.unlink()
    shutil.rmtree(promised)
    return True


def _planned(plan: Path) -> list[str]:
    """Read the files to delete."""
    try:
        names = list(map(str, json.loads(plan.read_text())["delete"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(
            f"{plan} is no plan of a cleaning: {error}; get another copy of the release"
        ) from error
    if outside := [name for name in names if not is_below(name)]:
        raise BadInput(
            f"{plan} would delete {outside[0]!r}, which is outside of the release: do "
            "not trust this copy, and get another"
        )
    return names
