"""What is left of takedowns that were cut short, and the key that signs their lists."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sqlalchemy as sa

from icf.app.doctor.check import Check
from icf.app.doctor.secret import check_secret
from icf.catalogue import tombstones
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face, image
from icf.codes import FaceReason, ImageReason
from icf.dataset.release.keys import SECRET, signing_key
from icf.errors import IcfError
from icf.workspace import Workspace


def check_takedowns(workspace: Workspace) -> Iterator[Check]:
    """Look for what was withdrawn, where anything was."""
    key = workspace.root / SECRET
    if key.exists():
        yield check_secret("signing key", key, lambda: signing_key(workspace.root))
    with workspace.catalogue.read() as connection:
        if not tombstones.newest(connection):
            return
    try:
        pictures, faces = pictures_left(workspace), faces_left(workspace)
    except (IcfError, OSError) as error:
        yield Check("takedowns", "broken", str(error))
        return
    counts = (len(pictures), "pictures"), (faces, "embeddings")
    left = " and ".join(f"{n:,} {what}" for n, what in counts if n)
    if not left:
        yield Check("takedowns", "ok", "complete")
        return
    found = (
        f"{left} of what was withdrawn are still here, as a takedown was cut short: "
        "run the same `icf takedown` again (`icf takedown --list`)"
    )
    yield Check("takedowns", "broken", found)


def pictures_left(workspace: Workspace) -> frozenset[str]:
    """The SHA-256 of withdrawn pictures that are in use, or whose bytes are stored."""
    query = sa.select(image.c.sha256, image.c.reason)
    with workspace.catalogue.read() as connection:
        hashes = tombstones.all_of_kind(connection, tombstones.SHA256)
        rows = list(by_ids(connection, query, image.c.sha256, sorted(hashes)))
    used = {row.sha256 for row in rows if row.reason != ImageReason.TAKEN_DOWN.value}
    return frozenset(used | {each for each in hashes if workspace.blobs.has(each)})


def faces_left(workspace: Workspace) -> int:
    """How many withdrawn faces have an embedding, by whichever model."""
    gone = sa.select(face.c.id).where(face.c.reason == FaceReason.TAKEN_DOWN.value)
    models = sa.select(face.c.embedder).where(face.c.embedder.is_not(None)).distinct()
    with workspace.catalogue.read() as connection:
        ids = np.array(sorted(connection.execute(gone).scalars()), np.int64)
        names = sorted(connection.execute(models).scalars())
    found = np.zeros(len(ids), np.bool_)
    for name in names:
        found |= workspace.vectors.has(name, ids)
    return int(found.sum())
