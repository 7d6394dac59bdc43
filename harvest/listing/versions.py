"""First tasks that name a version of a file: which of them are of earlier ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among
from icf.catalogue.schema import discovery
from icf.harvest.sources.base import Task

#: Where the subject of a first task names a version of files.
_VERSION = re.compile(r"(?:^| )[0-9a-f]{16}$")


@dataclass(frozen=True)
class Versions:
    """Ids of the first tasks of a source that name a version of a file.

    Attributes:
        earlier: of versions that others have replaced.
        restored: of present versions of files that had another one meanwhile.
        gone: of files that are not there.
    """

    earlier: Sequence[int]
    restored: Sequence[int]
    gone: Sequence[int]


def versions_of(
    connection: sa.Connection, source: str, tasks: Sequence[Task]
) -> Versions:
    """Compare the first tasks of a source with those that are known.

    Other tasks without an album may have been found by first tasks.
    """
    now = {(task.kind, task.subject) for task in tasks}
    query = sa.select(
        discovery.c.id, discovery.c.task, discovery.c.subject, discovery.c.changed_at
    ).where(
        discovery.c.source == source,
        discovery.c.task.in_(sorted({kind for kind, _ in now})),
        discovery.c.album_id.is_(None),
    )
    rows = [row for row in connection.execute(query) if _VERSION.search(row.subject)]
    present = {_file(r.task, r.subject): r for r in rows if (r.task, r.subject) in now}
    earlier, gone, restored = [], [], set()
    for row in rows:
        if (row.task, row.subject) in now:
            continue
        newer = present.get(_file(row.task, row.subject))
        if newer is None:
            gone.append(row.id)
            continue
        earlier.append(row.id)
        if row.changed_at > newer.changed_at:
            restored.add(newer.id)
    return Versions(earlier, sorted(restored), gone)


def close_earlier(connection: sa.Connection, versions: Versions) -> None:
    """End the tasks of earlier versions, and clear faults of what is not there now."""
    earlier = among(connection, discovery.c.id, versions.earlier)
    closed = {"status": "done", "message": None}
    connection.execute(sa.update(discovery).where(earlier).values(closed))
    gone = among(connection, discovery.c.id, versions.gone)
    done = discovery.c.status == "done"
    connection.execute(sa.update(discovery).where(gone, done).values(message=None))


def _file(kind: str, subject: str) -> tuple[str, str]:
    """Return what the subjects of all versions of a file have in common."""
    return kind, _VERSION.sub("", subject)
