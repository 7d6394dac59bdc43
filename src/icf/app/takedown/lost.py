"""Pictures that are lost for good, as what one takedown removes."""

from __future__ import annotations

from icf.app.doctor.damage import lost_pictures
from icf.app.doctor.origins import not_asked_again
from icf.app.takedown.target import LOST, Target, with_faces_and_urls
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import image
from icf.codes import ImageReason
from icf.errors import WrongUse
from icf.redact import redact
from icf.workspace import Workspace


def find_lost(workspace: Workspace) -> Target:
    """Find all pictures whose bytes are missing or have changed; reads every byte.

    Unlike one that somebody asks to withdraw, a picture does not take others with the
    same pixels along: these are whole.

    Raises:
        WrongUse: all are lost, so their disk may be missing, or some may come back.
        BrokenMachine: the blob store or the catalogue does not answer.
    """
    lost = lost_pictures(workspace, full=True)
    there = image.c.reason != ImageReason.TAKEN_DOWN.value
    with workspace.catalogue.read() as connection:
        every = count_rows(connection, image, there)
    if lost and len(lost) == every:
        raise WrongUse(
            f"all {every:,} pictures are lost: nothing was removed. The blob store is "
            f"{redact(workspace.blobs_url)}: is the disk there?"
        )
    if waiting := not_asked_again(workspace, lost):
        raise WrongUse(
            f"{len(waiting):,} of the {len(lost):,} lost pictures may come back: "
            "nothing was removed. Run `icf doctor --repair` first, which fetches them "
            "again"
        )
    target = Target(LOST, "", lost=sorted(lost.values()))
    with workspace.catalogue.read() as connection:
        return with_faces_and_urls(connection, target, sorted(lost), ())
