"""`icf release list`: the releases of a workspace."""

from __future__ import annotations

import click

from icf.command import Invocation, example, pass_invocation, shared_options, table


@click.command("list")
@shared_options
@pass_invocation
@example("icf release list")
def cli(invocation: Invocation) -> None:
    """List every release that this workspace made, the oldest first.

    A release is known by the hash of what it was made from: its id.
    """
    from icf.dataset.release.known import Known, known_releases

    found = known_releases(invocation.workspace)

    def row(each: Known) -> tuple[object, ...]:
        said = each.as_json
        counts = said["counts"]
        faces = sum(counts.get(name, 0) for name in _FACES)
        state = "" if each.is_there else "not there"
        if each.revoked_at is not None:
            state = f"revoked: {each.revoked_because}"
        name = str(said["id"])[:12]
        formats = ", ".join(said["formats"])
        return said["created"], name, said["seed"], formats, faces, said["path"], state

    invocation.emit(
        [each.as_json for each in found],
        lambda: table(_COLUMNS, [row(each) for each in found]),
    )


_FACES = ("train_faces", "probes", "distractors")
_COLUMNS = ("created", "id", "seed", "formats", "faces", "path", "")
