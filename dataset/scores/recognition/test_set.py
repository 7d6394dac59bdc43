"""A recognition test on disk: its labels, what its pictures are grouped by, its folder.

A release says more of its test than the published lists do: which identities are in
train, their albums, and what people said of the faces. Where these files are, scores
are given for each group too.
"""

from __future__ import annotations

import filecmp
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from icf.dataset.formats.registry import DEFAULT, lists_folder
from icf.dataset.own_models import OWN_EMBEDDER
from icf.dataset.release.files import ATTRIBUTES
from icf.dataset.scores.recognition.groups import Grouping, by_size
from icf.dataset.scores.recognition.release_groups import (
    attribute_groups,
    identity_groups,
)
from icf.dataset.scores.summary import read_summary
from icf.errors import BadInput
from icf.icartoonface.recognition import RecognitionTest, read_rectest_info
from icf.icartoonface.release_files import (
    FEATURES,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
)


@dataclass(frozen=True, eq=False)
class TestSet:
    """A recognition test and what is known of its pictures.

    Attributes:
        info: Pictures, boxes, labels, perhaps pairs.
        path: The info file.
        groups: Of its pictures, by what they are grouped by: ``role`` (seen or unseen
            in train), ``album``, ``region``, ``style``, ``gender``, ``pose``,
            ``occlusion`` and ``size``; those that the test's files give.
        root: The folder of the release's iCartoonFace files; None: it is of none.
        embedder: SHA-256 of the model that filtered the faces; "": not known.
    """

    # pytest collects classes that are called Test...
    __test__ = False

    info: RecognitionTest
    path: Path
    groups: Mapping[str, Grouping] = field(default_factory=dict)
    root: Path | None = None
    embedder: str = ""

    @property
    def pictures(self) -> Path:
        """The folder of the pictures, if it is where a release has it."""
        return (self.root or self.path.parent.parent) / RECTEST_FOLDER

    def unfair(self, features: Path | None = None, model: str = "") -> str | None:
        """Why a score says little of a recogniser; None: nothing is known against it.

        Args:
            features: The file whose features are scored.
            model: SHA-256 of the model that is scored.
        """
        if self.root is None:
            return None
        own = features is not None and _same_file(features, self.root / FEATURES)
        return OWN_EMBEDDER if own or (model and model == self.embedder) else None


def open_test(info: Path | None, release: Path | None) -> TestSet:
    """Read a test by its info file, or by the folder of its release.

    Args:
        info: The info file; None: the release's.
        release: The release; None: the one that the info file is in, if any.

    Raises:
        BadInput: A file is missing or is not what it should be.
    """
    root = _files_of(release) if release is not None else _root_above(info)
    path = info or (root or Path()) / RECTEST_INFO
    test = read_rectest_info(path)
    groups: dict[str, Grouping] = {}
    if root is not None and (root / IDENTITIES).is_file():
        groups |= identity_groups(root / IDENTITIES, test)
    for folder in _release_folders(root):
        if (folder / ATTRIBUTES).is_file():
            groups |= attribute_groups(folder / ATTRIBUTES, test)
    groups["size"] = by_size(test.boxes)
    return TestSet(test, path, groups, root, _embedder(root))


def _files_of(release: Path) -> Path:
    """The folder of a release's iCartoonFace files."""
    folder = lists_folder(read_summary(release) or {})
    root = release if folder is None else release / folder
    if not (root / RECTEST_INFO).is_file():
        raise BadInput(
            f"{release} has no {RECTEST_INFO}: name the folder of a release that was "
            f"built with --format {DEFAULT}, of confirmed faces, or name the list with "
            "--info"
        )
    return root


def _root_above(info: Path | None) -> Path | None:
    """The folder of a release's iCartoonFace files that an info file is in."""
    if info is None:
        return None
    place = info.resolve()
    root = place.parent.parent
    found = place == root / RECTEST_INFO and (root / IDENTITIES).is_file()
    return root if found else None


def _release_folders(root: Path | None) -> list[Path]:
    """Where a release may be whose iCartoonFace files are in a folder."""
    return [] if root is None else [root, root.parent]


def _embedder(root: Path | None) -> str:
    for folder in _release_folders(root):
        models = (read_summary(folder) or {}).get("models")
        if isinstance(models, dict):
            return str((models.get("embedder") or {}).get("sha256") or "")
    return ""


def _same_file(one: Path, other: Path) -> bool:
    """Whether two files are one, or copies."""
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
