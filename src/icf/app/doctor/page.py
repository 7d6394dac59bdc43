"""Check what the annotation page stands on: its key, and answers that wait."""

from __future__ import annotations

from collections.abc import Iterator

from icf.annotate.people.tokens import KEY_FILE, read_key
from icf.app.doctor.check import Check
from icf.app.doctor.secret import check_secret
from icf.catalogue.annotation.waiting import count_waiting
from icf.workspace import Workspace


def check_page(workspace: Workspace) -> Iterator[Check]:
    """Check the page of a workspace; nothing where it was never served."""
    path = workspace.root / KEY_FILE
    if not path.exists():
        return
    yield check_secret("page key", path, lambda: read_key(workspace.root))
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
