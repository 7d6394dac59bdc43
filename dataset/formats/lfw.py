"""LFW: the recognition set's test faces, and pairs of them to verify.

::

    lfw/identity_00012/identity_00012_0001.jpg
    lfw/distractor_00000/distractor_00000_0001.jpg
    pairs.txt
    identities.csv

``pairs.txt`` is that of Labeled Faces in the Wild (Huang et al. 2007): its first line
has the number of folds and of pairs; then, for each fold, so many pairs of one identity
(``NAME n1 n2``) and so many of two (``NAME1 n1 NAME2 n2``), separated by tabs. No
identity is in two folds. A distractor is an identity with one picture.

Pictures are crops around the box, which is enlarged by the rate of ``--crops``, or
doubled as in the paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.checks.lfw import check_lfw
from icf.dataset.formats.crops import ENLARGED
from icf.dataset.formats.identities import write_identities
from icf.dataset.formats.pairs import faces_of, pairs_file


class LfwWriter:
    """Test faces in folders by identity, and pairs.txt."""

    name: ClassVar[str] = "lfw"
    help: ClassVar[str] = "The test faces as LFW has them, with pairs.txt to verify."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the crops of the test faces, and the pairs.

        Raises:
            BrokenMachine: a picture's bytes are missing, or cannot be decoded.
        """
        crops = data.as_crops(ENLARGED)
        faces = list(faces_of(each.label for each in crops.plan.test))
        for each, face in zip(crops.plan.test, faces, strict=True):
            (folder / face.file).parent.mkdir(parents=True, exist_ok=True)
            yield crops.put(each, folder, face.file)
        lines = pairs_file(Counter(face.name for face in faces))
        (folder / "pairs.txt").write_text("".join(lines), encoding="ascii")
        write_identities(folder, data.plan)

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every crop and pair against the contents."""
        return check_lfw(files)
