"""The settings that a release depends on, as ``release.json`` and its hash have them.

What came after the first releases is named only where it is no default: so a release
of an earlier version is the same release still.
"""

from __future__ import annotations

from typing import Any

from icf.dataset.formats.crops import QUALITY
from icf.dataset.inputs import ADDED, LOCAL
from icf.settings import AnnotateSettings, DatasetSettings, ReleaseSettings, Settings


def chosen_settings(
    settings: Settings, dataset: DatasetSettings, crops: float | None
) -> dict[str, Any]:
    """Return them by section.

    Args:
        settings: of the workspace.
        dataset: those of this section, as the command changed them.
        crops: how far the boxes of crops are enlarged; None: whole files.
    """
    out = {"unasked_references"} if dataset.unasked_references else None
    return {
        "dataset": dataset.model_dump(mode="json", exclude=out),
        "filter": settings.filter.model_dump(mode="json", exclude=LOCAL),
        "harvest": {"only_licence": list(settings.harvest.only_licence)},
        **_annotate(settings.annotate),
        **({} if crops is None else {"crops": _crops(crops)}),
        **_stated(settings.release),
    }


def _annotate(settings: AnnotateSettings) -> dict[str, Any]:
    """The settings that say whose labels a release has."""
    names = ("risk", "look", "tracks")
    chosen = {f"annotate.{name}": getattr(settings, name) for name in names}
    changed = {
        name.removeprefix("annotate."): value
        for name, value in chosen.items()
        if value != ADDED[name]
    }
    return {"annotate": changed} if changed else {}


def _crops(rate: float) -> dict[str, Any]:
    """How the pictures of the recognition set were cut out."""
    return {"rate": rate, "format": "jpeg", "quality": QUALITY}


def _stated(settings: ReleaseSettings) -> dict[str, Any]:
    """What a person stated of the release."""
    default = ReleaseSettings().model_dump()
    changed = {
        name: value
        for name, value in settings.model_dump().items()
        if value != default[name]
    }
    return {"release": changed} if changed else {}
