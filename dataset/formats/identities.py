"""`identities.csv`: the character of each label."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from icf.dataset.plan import Plan
from icf.icartoonface.release_files import IDENTITIES
from icf.spreadsheet import harmless, write_csv

COLUMNS = ("label", "role", "character", "album", "character_id")


def write_identities(folder: Path, plan: Plan) -> None:
    """Write the table into a folder."""
    write_csv(folder / IDENTITIES.name, COLUMNS, _identities(plan))


def _identities(plan: Plan) -> Iterator[tuple[object, ...]]:
    """The rows of ``identities.csv``: numbered identities, then distractors."""
    owner = plan.selection.faces.identity
    train = set(owner[plan.splits.train].tolist())
    probes = set(owner[plan.splits.probes].tolist())
    rows = [
        (label, _role(each in train, each in probes), each)
        for each, label in plan.labels.items()
    ]
    rows += [
        (-1, "distractor", int(owner[each.face]))
        for each in plan.test
        if each.label < 0
    ]
    for label, role, each in rows:
        identity = plan.selection.identities[each]
        names = harmless(identity.character), harmless(identity.album)
        yield label, role, *names, each


def _role(in_train: bool, gives_probes: bool) -> str:
    if not in_train:
        return "unseen"
    return "seen" if gives_probes else "train"
