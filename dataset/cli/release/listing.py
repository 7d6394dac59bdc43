"""`icf release list`: the releases of a workspace."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.errors import IcfError

if TYPE_CHECKING:
    from icf.dataset.release.known import Known
    from icf.workspace import Workspace


@click.command("list")
@shared_options
@pass_invocation
@example("icf release list")
def cli(invocation: Invocation) -> None:
    """List every release that this workspace made, the oldest first.

    A release is known by the hash of what it was made from: its id. What is said of
    it beside that: whether it was revoked, and how many of its pictures show what was
    withdrawn since, as "withdrawn" with --json.
    """
    from icf.dataset.release.known import known_releases

    found = known_releases(invocation.workspace)
    withdrawn = _withdrawn(invocation.workspace, found)

    def row(each: Known) -> tuple[object, ...]:
        said = each.as_json
        counts = said["counts"]
        faces = sum(counts.get(name, 0) for name in _FACES)
        state = "" if each.is_there else "not there"
        if each.revoked_at is not None:
            state = f"revoked: {each.revoked_because}"
        if withdrawn[each.path]:
            shown = f"{withdrawn[each.path]:,} withdrawn pictures"
            state = f"{state}; {shown}" if state else shown
        name = str(said["id"])[:12]
        formats = ", ".join(said["formats"])
        return said["created"], name, said["seed"], formats, faces, said["path"], state

    invocation.emit(
        [{**each.as_json, "withdrawn": withdrawn[each.path]} for each in found],
        lambda: table(_COLUMNS, [row(each) for each in found]),
    )
    if any(withdrawn.values()):
        invocation.say(
            "`icf-build-splits` makes a release without what was withdrawn; the same "
            "`icf takedown` again with --releases deletes it from these"
        )


def _withdrawn(workspace: Workspace, found: list[Known]) -> dict[Path, int]:
    """How many pictures of each release were withdrawn since it was made."""
    from icf.dataset.takedowns.clean import count_withdrawn
    from icf.dataset.takedowns.signed import withdrawn_from

    gone = withdrawn_from(workspace)
    counts = dict.fromkeys((each.path for each in found), 0)
    for each in found:
        if each.is_there and (gone.count or gone.face_pixel_hash):
            with suppress(IcfError, OSError):  # `icf release verify` says what it is
                counts[each.path] = count_withdrawn(each.path, gone)
    return counts


_FACES = ("train_faces", "probes", "distractors")
_COLUMNS = ("created", "id", "seed", "formats", "faces", "path", "")
