"""The tables and the summary of a release that is imported."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from sys import intern
from typing import Any

from icf.app.importing.given import Place, Publisher
from icf.dataset.inputs import LOCAL
from icf.errors import BadInput
from icf.settings import Settings
from icf.spreadsheet import rows_of

SUMMARY = "release.json"
_FORMAT = "icartoonface"
#: A release without pictures has the same layout, once they are downloaded.
_RELINK = "relink"
_LAYOUTS = {_FORMAT, _RELINK}
#: The settings that say what a release contains.
_SECTIONS = ("filter", "dataset", "harvest")


def read_summary(root: Path) -> Mapping[str, Any]:
    """Read ``release.json``.

    Raises:
        BadInput: it cannot be read, is no summary, or a part that is read is damaged.
    """
    path = root / SUMMARY
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("inputs"), str):
        raise BadInput(f"{path} is damaged: it is no summary of a release")
    for name, is_whole in _WHOLE.items():
        if name in found and not is_whole(found[name]):
            raise BadInput(f"{path} is damaged: its {name} are not those of a release")
    return found


def _are_settings(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    crops = value.get("crops", {"rate": 0})
    return (
        all(isinstance(value.get(each, {}), dict) for each in _SECTIONS)
        and isinstance(crops, dict)
        and isinstance(crops.get("rate"), (int, float))
    )


def _are_formats(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


def _are_models(value: Any) -> bool:
    detectors = value.get("detectors", []) if isinstance(value, dict) else None
    return isinstance(detectors, list) and all(isinstance(v, dict) for v in detectors)


#: What has parts that are read, and whether it is of the shape that it must have.
_WHOLE = {
    "settings": _are_settings,
    "formats": _are_formats,
    "models": _are_models,
}


def folder_of(root: Path, summary: Mapping[str, Any]) -> Path:
    """Return the folder of iCartoonFace's files, below that of the release.

    Raises:
        BadInput: it was not written in that format.
    """
    # Releases of earlier versions name no formats, as there was this one only.
    formats = summary.get("formats", {_FORMAT: "."})
    if not isinstance(formats, dict) or not _LAYOUTS & set(formats):
        written = ", ".join(sorted(map(str, formats)))
        raise BadInput(
            f"{root}: this release was written as {written} alone; name the folder of "
            f"one of these to `icf import` of its kind, or write it with --format "
            f"{_FORMAT}"
        )
    if "crops" in summary.get("settings", {}):
        raise BadInput(
            f"{root}: this release has crops, and not the pictures as fetched, so that "
            "its boxes are in no picture of it; import one without --crops"
        )
    return inside(root, str(formats.get(_FORMAT, formats.get(_RELINK))))


def inside(root: Path, name: str) -> Path:
    """Return the folder of a format, below that of the release.

    Raises:
        BadInput: it leads elsewhere.
    """
    folder = Path(name)
    if folder.is_absolute() or ".." in folder.parts:
        raise BadInput(f"{root / SUMMARY}: {folder} is no folder below the release")
    return folder


def key_of(summary: Mapping[str, Any]) -> str:
    """Return what tells a release from all others."""
    return str(summary["inputs"])[:16]


def publisher_of(summary: Mapping[str, Any]) -> Publisher:
    """Return who its labels are by: the people who made that very release."""
    name = f"release {key_of(summary)}"
    return Publisher(name, "import icartoonface", _FORMAT, f"{name}, not named")


def other_settings(summary: Mapping[str, Any], here: Settings) -> list[str]:
    """Return the settings that a release was made with and that are others here.

    Returns:
        Lines such as ``filter.min_face = 40``, as ``--set`` takes them.
    """
    made = summary.get("settings", {})
    now = here.model_dump(mode="json")
    return [
        f"{section}.{name} = {json.dumps(value)}"
        for section in _SECTIONS
        for name, value in made.get(section, {}).items()
        if name not in LOCAL and now[section].get(name, value) != value
    ]


def places_by_content(path: Path) -> dict[str, list[Place]]:
    """Read where each content was found, by SHA-256: the rows of its first file.

    Raises:
        BadInput: the table cannot be read, or lacks a column.
    """
    first: dict[str, str] = {}
    found: dict[str, list[Place]] = defaultdict(list)
    names = [each.name for each in fields(Place)]
    for row in rows_of(path, "file", "sha256", *names):
        sha256, file = row["sha256"], row["file"]
        # A picture without a source has a row that says nothing.
        if first.setdefault(sha256, file) == file and row["url"]:
            # Pages, licences and authors come again and again.
            place = Place(*(intern(row[name]) for name in names))
            # A shard may have a picture twice.
            if place not in found[sha256]:
                found[sha256].append(place)
    return found
