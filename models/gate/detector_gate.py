"""The gate of detectors: from the catalogue to a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from icf.errors import BadModel
from icf.models.detection import Detector
from icf.models.gate import floors, verdict
from icf.models.gate.audit_pictures import AuditPicture, read_audit_pictures
from icf.models.gate.detectors import (
    FIGURE,
    Advance,
    compare_detectors,
    detect_audit,
    lacking,
    some_pictures,
)
from icf.models.gate.report import GateReport
from icf.models.gate.seen import seen_pictures
from icf.models.gate.soundness import TRIED, check_detector
from icf.models.gate.verdict import Pair
from icf.workspace import Workspace

_TRAINED_ON_THEM = (
    "the challenger, or a model before it, was trained on them or on copies of them"
)


def fingerprint(workspace: Workspace, connection: sa.Connection) -> str:
    """A hash of all that a comparison depends on but the models."""
    return _hash(workspace, read_audit_pictures(connection))


def compare(workspace: Workspace, pair: Pair, advance: Advance) -> GateReport:
    """Compare two detectors.

    Raises:
        BadModel: the champion cannot be opened.
    """
    settings, chosen = workspace.settings.gate, workspace.settings.filter
    with workspace.catalogue.read() as connection:
        audit = read_audit_pictures(connection)
    report = verdict.blank(workspace, "detector", pair, FIGURE, _hash(workspace, audit))
    try:
        ours = _sound(workspace, pair, audit)
    except BadModel as error:
        return replace(report, usable=False, reasons=(str(error),))
    if reasons := lacking(audit, settings):
        return report.refused(verdict.too_small(reasons))
    seen = seen_pictures(workspace, pair, [each.sha256 for each in audit])
    notes = list(seen.notes)
    if known := {*seen.challenger, *seen.before}:
        every = len(audit)
        groups = {each.group for each in audit if each.sha256 in known}
        audit = [each for each in audit if each.group not in groups]
        out = f"{every - len(audit):,} audit pictures are left out: {_TRAINED_ON_THEM}"
        if reasons := lacking(audit, settings):
            return report.refused(verdict.too_small([*reasons, out]))
        notes.append(out)
    if seen.champion:
        notes.append(
            f"the champion was trained on {len(seen.champion):,} of the audit "
            "pictures: it looks better here than it is"
        )
    theirs = Detector.open(pair.champion, runtime=chosen.runtime, device=chosen.device)
    faces, readable = detect_audit(workspace, audit, (theirs, ours), advance)
    if reasons := lacking(readable, settings):
        return report.refused(verdict.too_small(reasons))
    champion, challenger = faces
    found = compare_detectors(readable, champion, challenger, settings)
    notes += _whose_boxes(readable, pair)
    if lost := len(audit) - len(readable):
        notes.append(f"{lost:,} audit pictures were left out: they are lost")
    return replace(
        verdict.judged(report, found.difference, f"audit {found.drawn}"),
        floors=found.floors,
        compared={
            "audit pictures": len(readable),
            "faces": sum(len(each.faces.boxes) for each in readable),
            f"{found.drawn} to draw": found.difference.clusters,
        },
        figures={
            "champion": {"ap50": round(found.champion, 4)},
            "challenger": {"ap50": round(found.challenger, 4)},
        },
        notes=tuple(notes),
    ).refused(floors.reasons(found.floors))


def _sound(workspace: Workspace, pair: Pair, audit: Sequence[AuditPicture]) -> Detector:
    """Open the challenger, and try it.

    Raises:
        BadModel: it is damaged or gives nonsense.
    """
    chosen = workspace.settings.filter
    made = Detector.open(pair.challenger, runtime=chosen.runtime, device=chosen.device)
    if pictures := some_pictures(workspace, audit, TRIED):
        check_detector(made, pictures)
    return made


def _whose_boxes(audit: Sequence[AuditPicture], pair: Pair) -> list[str]:
    """Say whose boxes the truth is made of: they favour the model that found them."""
    notes = []
    verified = sum(not each.detectors for each in audit)
    if verified:
        notes.append(f"people verified the boxes of {verified:,} audit pictures")
    if verified < len(audit):
        champion, challenger = (card.sha256 for card in pair.cards)
        names = {champion: "the champion", challenger: "the challenger"}
        found = sorted({one for each in audit for one in each.detectors})
        shown = ", ".join(names.get(each, f"model {each[:12]}") for each in found)
        of = f" of the other {len(audit) - verified:,}" if verified else ""
        notes.append(
            f"the true boxes{of} were found by {shown} and confirmed by people: a face "
            "that only another detector finds counts as its error"
        )
    return notes


def _hash(workspace: Workspace, audit: Sequence[AuditPicture]) -> str:
    return verdict.fingerprint(
        workspace,
        [
            (
                each.sha256,
                each.faces.boxes.tolist(),
                each.faces.ignored.tolist(),
                each.album,
                each.group,
            )
            for each in audit
        ],
    )
