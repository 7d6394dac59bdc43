"""A release, or the published iCartoonFace, as training data and as a test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.errors import BadInput
from icf.icartoonface.recognition import (
    RecognitionTest,
    pairs_to_score,
    read_rectest_info,
)
from icf.icartoonface.release_files import RECTEST_FOLDER, RECTEST_INFO
from icf.models.data.base import Reader
from icf.models.data.formats.icartoonface import ICartoonFaceReader
from icf.models.data.formats.places import DEPTH, places_of
from icf.models.data.index import Source
from icf.models.data.release import ReleaseReader

_SUMMARY = "release.json"


@dataclass(frozen=True)
class TestPart:
    """The recognition test.

    Attributes:
        info: labels, boxes and pairs.
        folder: of its pictures.
        digest: of its list.
    """

    #: It is no test of pytest's.
    __test__ = False

    info: RecognitionTest
    folder: Path
    digest: str

    @property
    def described(self) -> str:
        """Return how large it is, for people."""
        labels = self.info.labels
        identities = len({int(each) for each in labels if each >= 0})
        pairs = len(pairs_to_score(self.info))
        return (
            f"{len(labels):,} test pictures of {identities:,} identities and "
            f"{int((labels < 0).sum()):,} distractors, {pairs:,} pairs"
        )


@dataclass(frozen=True)
class BenchData:
    """What models are trained on and scored on.

    Attributes:
        release: the training part.
        human: photographed faces, for trainings on two domains; None: none.
        test: the test part.
    """

    release: Source
    human: Source | None
    test: TestPart

    @property
    def both(self) -> Sequence[Source]:
        """The sources of a training on two domains; the cartoons come first."""
        assert self.human is not None
        return [self.release, self.human]


def open_release(folder: Path) -> tuple[Reader, TestPart]:
    """Open a folder of `icf-build-splits`, or one of the published files.

    Raises:
        BadInput: it has no recognition test, or its test has nothing to score.
    """
    reader: Reader
    if (folder / _SUMMARY).is_file():
        reader = ReleaseReader(folder)
    else:
        reader = ICartoonFaceReader(folder)
    names = (RECTEST_INFO.name, RECTEST_FOLDER.name)
    found = places_of(folder, names, str(folder))
    if missing := [name for name in names if name not in found]:
        raise BadInput(
            f"{folder}: {' and '.join(missing)} is not there or {DEPTH} folders below; "
            "the tables need the recognition test of a release in the format "
            "icartoonface, or of the published files"
        )
    path = found[RECTEST_INFO.name]
    info = read_rectest_info(path)
    if not len(pairs_to_score(info)) or not (info.labels < 0).any():
        raise BadInput(
            f"{path}: a test needs two pictures of an identity and a distractor at "
            "least; make a larger release"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return reader, TestPart(info, found[RECTEST_FOLDER.name], digest)
