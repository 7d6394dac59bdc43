"""The gate of embedders: from the catalogue to a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from icf.errors import BadModel
from icf.models.embedding import Embedder
from icf.models.gate import floors, verdict
from icf.models.gate.audit_faces import AuditFaces, read_audit_faces
from icf.models.gate.embedders import (
    FIGURE,
    Advance,
    compare_embedders,
    embed_audit,
    lacking,
    some_crops,
)
from icf.models.gate.report import GateReport
from icf.models.gate.seen import (
    Seen,
    audit_names,
    seen_characters,
    trained_on_characters,
)
from icf.models.gate.soundness import TRIED, check_embedder
from icf.models.gate.verdict import Pair
from icf.workspace import Workspace

_KNOWS = ", so it knows what it is compared on: train another"
_LEFT_OUT = "; `icf-train embedder --data workspace` leaves them out"
_FROM = ", from a model that was not, such as `--from bundled`"


def fingerprint(workspace: Workspace, connection: sa.Connection) -> str:
    """A hash of all that a comparison depends on but the models."""
    return _hash(workspace, read_audit_faces(connection))


def compare(workspace: Workspace, pair: Pair, advance: Advance) -> GateReport:
    """Compare two embedders.

    Raises:
        BadModel: the champion cannot be opened.
    """
    settings, chosen = workspace.settings.gate, workspace.settings.filter
    with workspace.catalogue.read() as connection:
        audit = read_audit_faces(connection)
        names = audit_names(connection)
    report = verdict.blank(workspace, "embedder", pair, FIGURE, _hash(workspace, audit))
    try:
        ours = _sound(workspace, pair, audit)
    except BadModel as error:
        return replace(report, usable=False, reasons=(str(error),))
    if reasons := lacking(audit, settings):
        return report.refused(verdict.too_small(reasons))
    theirs = Embedder.open(pair.champion, runtime=chosen.runtime, device=chosen.device)
    vectors, usable = embed_audit(workspace, audit, (theirs, ours), advance)
    if not np.isfinite(vectors[1]).all():
        bad = "it gives no numbers (NaN or infinite) for some of the audit faces"
        return replace(report, usable=False, reasons=(bad,))
    audit = audit.only(usable)
    if reasons := lacking(audit, settings):
        return report.refused(verdict.too_small(reasons))
    champion, challenger = (each[usable] for each in vectors)
    found = compare_embedders(audit, champion, challenger, settings)
    seen = seen_characters(workspace, pair, names)
    reasons = []
    if seen.challenger:
        knows = trained_on_characters(seen.challenger)
        reasons.append(f"it {knows}{_KNOWS}{_LEFT_OUT}")
    if seen.before:
        knows = trained_on_characters(seen.before)
        reasons.append(f"a model that it was trained from {knows}{_KNOWS}{_FROM}")
    return replace(
        verdict.judged(report, found.difference, "audit characters"),
        floors=found.floors,
        compared={
            "audit characters": found.identities,
            "faces looked up": len(found.challenger.precision),
            "faces among which": len(audit.boxes),
        },
        figures={
            "champion": found.champion.figures(),
            "challenger": found.challenger.figures(),
        },
        notes=tuple(_notes(seen, int((~usable).sum()))),
    ).refused([*reasons, *floors.reasons(found.floors)])


def _notes(seen: Seen, lost: int) -> Iterator[str]:
    if lost:
        yield f"{lost:,} audit faces were left out: their pictures are lost"
    if seen.champion:
        knows = trained_on_characters(seen.champion)
        yield f"the champion {knows}: it looks better here than it is"
    yield from seen.notes


def _sound(workspace: Workspace, pair: Pair, audit: AuditFaces) -> Embedder:
    """Open the challenger, and try it.

    Raises:
        BadModel: it is damaged or gives nonsense.
    """
    chosen = workspace.settings.filter
    made = Embedder.open(pair.challenger, runtime=chosen.runtime, device=chosen.device)
    crops = some_crops(workspace, audit, made.crop_rate, TRIED)
    if len(crops) > 1:
        check_embedder(made, pair.challenger, crops)
    return made


def _hash(workspace: Workspace, audit: AuditFaces) -> str:
    return verdict.fingerprint(
        workspace,
        [
            [(each.id, each.sha256, each.box) for each in audit.boxes],
            audit.labels.identity.tolist(),
            audit.labels.group.tolist(),
            audit.labels.not_of.tolist(),
            audit.album.tolist(),
        ],
    )
