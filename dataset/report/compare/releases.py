"""A release as a side of a comparison, by its files alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from icf.dataset.contents import FACES, Contents, read_contents
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.formats.registry import lists_folder
from icf.dataset.release.earlier import contents_of_lists, has_contents
from icf.dataset.report.compare.side import Side, flat
from icf.errors import BadInput, WrongUse

SUMMARY = "release.json"


@dataclass(frozen=True, eq=False)
class Release:
    """A release.

    Attributes:
        side: what is shown of it.
        contents: what is in it.
        files: the folder of its iCartoonFace files, which may be missing.
        embedder: the hash of the model that its features are by.
        is_earlier: an earlier version wrote it, and its contents are what lists tell.
    """

    side: Side
    contents: Contents
    files: Path
    embedder: str
    is_earlier: bool = False


def is_release(path: Path) -> bool:
    """Whether a folder holds a release."""
    return (path / SUMMARY).is_file()


def read_release(path: Path) -> Release:
    """Read it.

    Raises:
        BadInput: a file is damaged.
        WrongUse: an earlier version wrote it, without any list of its contents.
    """
    summary = _summary(path)
    is_earlier = not has_contents(path)
    try:
        folder = lists_folder(summary)
        if not is_earlier:
            contents = read_contents(path / CONTENTS)
        elif folder is not None:
            contents = contents_of_lists(path, path / folder)
        else:
            raise WrongUse(
                f"{path} has neither {CONTENTS} nor iCartoonFace's lists, because an "
                "earlier version of icf wrote it; build it again into a new folder: "
                "icf-build-splits"
            )
        side = _side(path, summary, contents)
        embedder = str(summary["models"]["embedder"]["sha256"])
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path / SUMMARY} is not as icf writes it: {error!r}; name the folder of "
            "a whole release"
        ) from error
    files = path / (folder or ".")
    return Release(side, contents, files, embedder, is_earlier)


def in_whole_pixels(release: Release) -> Release:
    """The release with the corners that iCartoonFace's lists have, but for their clip.

    A list's corners end at the picture's edge; here they end at zero alone.
    """
    corners = np.maximum(np.rint(release.contents.corners), 0)
    return replace(release, contents=replace(release.contents, corners=corners))


def _summary(path: Path) -> Mapping[str, Any]:
    file = path / SUMMARY
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(
            f"{file} cannot be read: {error}; name the folder of a whole release"
        ) from error
    if not isinstance(found, dict):
        raise BadInput(f"{file}: expected a JSON object; name a release's folder")
    return found


def _side(path: Path, summary: Mapping[str, Any], contents: Contents) -> Side:
    faces = contents.take(contents.rows(*FACES))
    corners = faces.corners
    names = Counter(zip(faces.album.tolist(), faces.character.tolist(), strict=True))
    unused = {f"unused: {why}": n for why, n in summary.get("unused", {}).items()}
    checks = {f"check: {what}": n for what, n in summary["leaks"].items()}
    models = summary["models"]
    named = {"embedder": _named(models["embedder"])}
    for number, each in enumerate(models["detectors"], start=1):
        named["detector" if number == 1 else f"detector {number}"] = _named(each)
    return Side(
        name=path.name,
        about=f"release {path}, seed {summary['seed']}, icf {summary['version']}",
        counts=summary["counts"] | unused | checks,
        settings=flat({"seed": summary["seed"], **summary["settings"]}),
        models=named,
        sizes=np.minimum(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]),
        samples=np.array(sorted(names.values(), reverse=True), np.int64),
        albums=Counter(faces.album.tolist()),
    )


def _named(model: Mapping[str, Any]) -> str:
    return f"{model['name'] or ''} {model['sha256'][:12]}".strip()
