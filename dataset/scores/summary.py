"""What ``release.json`` says of a release that is scored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icf.dataset.release.files import SUMMARY
from icf.errors import BadInput


def read_summary(folder: Path) -> Mapping[str, Any] | None:
    """Read the ``release.json`` of a folder; None where there is none.

    Raises:
        BadInput: It cannot be read, or what scores take from it (``formats`` and
            ``models``) is not as it was written.
    """
    path = folder / SUMMARY
    if not path.is_file():
        return None
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if not isinstance(made, dict):
        raise BadInput(f"{path}: expected an object")
    formats, models = made.get("formats", {}), made.get("models")
    if not isinstance(formats, dict) or not _are(str, formats.values()):
        raise BadInput(f"{path}: expected folders as formats")
    if isinstance(models, dict):
        detectors, embedder = models.get("detectors", []), models.get("embedder")
        if not isinstance(detectors, list) or not _are(
            dict, [*detectors, embedder or {}]
        ):
            raise BadInput(f"{path}: expected detectors and an embedder as models")
    return made


def _are(kind: type, values: Any) -> bool:
    return all(isinstance(each, kind) for each in values)
