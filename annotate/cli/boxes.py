"""What `icf-annotate export` and `import` do with boxes."""

from __future__ import annotations

from pathlib import Path

from icf.annotate.boxes.exchange.export_boxes import (
    BoxExport,
    ExportedBoxes,
    export_boxes,
)
from icf.annotate.boxes.exchange.import_boxes import BoxImporter, ImportedBoxes
from icf.annotate.boxes.exchange.rows import BoxFile
from icf.annotate.boxes.task import rule_of
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.command import Invocation, table
from icf.errors import SomeFailed

#: Refused rows, and pictures left out, that a message shows.
_SHOWN = 5


def export_and_report(invocation: Invocation, request: BoxExport) -> None:
    """Export boxes, and say what was written.

    Raises:
        SomeFailed: pictures are missing.
    """
    with invocation.progress("writing pictures", None) as advance:
        exported = export_boxes(invocation.workspace, request, advance)
    result = {
        "format": request.format,
        "path": str(request.folder),
        "pictures": exported.pictures,
        "left_out": {str(key): why for key, why in exported.left_out.items()},
    }
    pictures = "picture" if exported.pictures == 1 else "pictures"
    message = f"{exported.pictures} {pictures} in {request.folder}"
    if not exported.pictures and not exported.left_out:
        message = f"no pictures to export; {request.folder} was not created"
    invocation.emit(result, lambda: message)
    if exported.left_out:
        raise SomeFailed(_left_out(request, exported))


def _left_out(request: BoxExport, exported: ExportedBoxes) -> str:
    listed = list(exported.left_out.items())
    lines = [f"image:{key}: {why}" for key, why in listed[:_SHOWN]]
    lines += [f"and {len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
    return (
        f"left out because the picture is missing or broken: {len(listed)}\n"
        + "\n".join(lines)
        + f"\nFix this, remove {request.folder} and run the same command again"
    )


def import_and_report(
    invocation: Invocation,
    path: Path,
    file: BoxFile,
    names: AnnotatorNames,
    *,
    dry_run: bool,
) -> None:
    """Import boxes, and say what became of each row.

    Raises:
        SomeFailed: rows were refused, or there was no answer at all.
    """
    workspace = invocation.workspace
    importer = BoxImporter(workspace, rule_of(workspace), names)
    if dry_run:
        imported = importer.preview(file)
    else:
        with invocation.progress("importing boxes", None) as advance:
            imported = importer.store(file, advance)
    invocation.emit(_as_json(imported), lambda: _as_table(imported))
    _fail_on_faults(path, imported)


def _as_json(imported: ImportedBoxes) -> dict[str, object]:
    return {
        "format": imported.file.format,
        "rows": imported.rows,
        "taken": imported.taken,
        "revised": imported.revised,
        "known": imported.known,
        "unanswered": imported.unanswered,
        "refused": {str(each): number for each, number in imported.refused.items()},
        "faults": [
            {
                "line": each.line,
                "reason": each.reason.value,
                "item": each.item,
                "message": each.message,
            }
            for each in imported.faults.kept()
        ],
    }


def _as_table(imported: ImportedBoxes) -> object:
    rows = [
        ("pictures boxed", imported.taken),
        ("earlier answers changed", imported.revised),
        ("already known", imported.known),
        ("without an answer", imported.unanswered),
        *((f"refused: {why}", number) for why, number in imported.refused.items()),
    ]
    return table((imported.file.name, "count"), rows)


def _fail_on_faults(path: Path, imported: ImportedBoxes) -> None:
    faults = imported.faults.kept()
    if not faults:
        if imported.unanswered == imported.rows:
            raise SomeFailed(
                f"{path} has no boxes in {imported.rows} rows; is it the file in which "
                "they were drawn?"
            )
        return
    refused = sum(imported.refused.values())
    lines = [f"{refused} of {imported.rows} rows of {path} refused:"]
    for each in faults[:_SHOWN]:
        item = f" (id {each.item})" if each.item else ""
        place = f"{imported.file.unit} {each.line}{item}"
        lines.append(f"  {place}: {each.message} [{each.reason}]")
    lines += [f"  and {refused - _SHOWN} more"] if refused > _SHOWN else []
    raise SomeFailed("\n".join([*lines, "Correct these and import the file again"]))
