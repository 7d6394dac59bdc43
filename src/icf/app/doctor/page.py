"""Check what the annotation page stands on: its key, and answers that wait."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from icf.annotate.people.tokens import KEY_FILE, read_key
from icf.app.doctor.check import Check, attempt
from icf.catalogue.annotation.waiting import count_waiting
from icf.workspace import Workspace

#: Permissions of a file that others than its owner have.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_page(workspace: Workspace) -> Iterator[Check]:
    """Check the page of a workspace; nothing where it was never served."""
    path = workspace.root / KEY_FILE
    if not path.exists():
        return
    key = attempt("page key", lambda: "as stored" if read_key(workspace.root) else "")
    if key.state == "ok" and path.stat().st_mode & _OTHERS:
        found = f"others on this machine may read it: chmod 600 {path}"
        key = Check("page key", "warning", found)
    yield key
    with workspace.catalogue.read() as connection:
        waiting = count_waiting(connection)
    if waiting:
        found = (
            f"{waiting:,} of them wait to become labels: the running page applies them "
            "within a second, and so does `icf-annotate status`"
        )
        yield Check("answers", "warning", found)
    else:
        yield Check("answers", "ok", "all labels follow them")
