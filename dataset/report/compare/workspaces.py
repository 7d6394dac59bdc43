"""A workspace as a side of a comparison."""

from __future__ import annotations

from collections import Counter

import numpy as np
import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.report.compare.side import Side, flat
from icf.dataset.report.process.figures import read_figures
from icf.dataset.report.process.funnel import read_funnel
from icf.dataset.report.scored.models import read_models
from icf.dataset.report.statistics.faces import Faces, read_faces
from icf.workspace import Workspace


def read_workspace(workspace: Workspace) -> Side:
    """Read it, in one transaction."""
    with workspace.catalogue.read() as connection:
        figures = read_figures(connection)
        faces = read_faces(connection)
        counts = dict(figures.headline)
        counts |= {each.name: each.count for each in read_funnel(connection, None)}
        kind = "confirmed faces" if faces.confirmed else "kept faces"
        counts[kind] = len(faces)
        for what, bars in (
            ("URLs lost", figures.lost_urls),
            ("pictures dropped", figures.lost_images),
            ("faces dropped", figures.lost_faces),
        ):
            counts |= {
                f"{what}: {each.name.replace('_', ' ')}": each.count for each in bars
            }
        return Side(
            name=workspace.root.name,
            about=f"workspace {workspace.root}",
            counts=counts,
            settings=flat(workspace.settings.model_dump(mode="json")),
            models={
                f"{each.task}: {each.name}": each.sha256[:12]
                for each in read_models(connection)
            },
            sizes=faces.side,
            samples=faces.per_identity(),
            albums=_albums(connection, faces),
        )


def last_release_path(workspace: Workspace) -> str | None:
    """The folder of the newest release, as the catalogue has it; None without one."""
    with workspace.catalogue.read() as connection:
        release = schema.release.c
        query = sa.select(release.path).order_by(release.id.desc()).limit(1)
        found = connection.execute(query).scalar_one_or_none()
    return None if found is None else str(workspace.root / found)


def _albums(connection: sa.Connection, faces: Faces) -> Counter[str]:
    character, album = schema.character, schema.album
    query = sa.select(character.c.id, album.c.name).select_from(character.join(album))
    names = {identity: name for identity, name in connection.execute(query)}
    owners, counts = np.unique(faces.identity, return_counts=True)
    found: Counter[str] = Counter()
    for owner, count in zip(owners.tolist(), counts.tolist(), strict=True):
        found[names[owner]] += count
    return found
