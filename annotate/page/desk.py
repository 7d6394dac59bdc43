"""What the page's server works with: the workspace, sources, tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from icf.annotate.people.tokens import SecretKey, read_key
from icf.annotate.tasks.base import Source, TaskKind
from icf.annotate.tasks.leases import Leasing
from icf.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Desk:
    """Everything that requests need; one a server.

    Attributes:
        workspace: whose questions are answered.
        key: of its page.
        sources: by name.
        tasks: by name, in the order of the menu.
    """

    workspace: Workspace
    key: SecretKey
    sources: Mapping[str, Source]
    tasks: Mapping[str, TaskKind]


def open_desk(workspace: Workspace, tasks: Iterable[str]) -> Desk:
    """Make the desk of a workspace.

    Args:
        workspace: whose questions are to be answered.
        tasks: names of the tasks to offer, see `TASKS`.
    """
    leasing = Leasing(workspace.settings.annotate.lease_minutes * 60)
    sources: dict[str, Source] = {}
    kinds: dict[str, TaskKind] = {}
    # Each kind of task adds itself here: see icf.annotate.tasks.base.
    del leasing
    offered = {name: kinds[name] for name in kinds if name in set(tasks)}
    return Desk(workspace, read_key(workspace.root), sources, offered)


#: Names of all tasks, in the order of the menu.
TASKS = ("pairs", "grid", "boxes", "attributes", "review")
