"""Names and numbers that what writes a format shares with what checks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from icf.dataset.formats.records import FACE, Split

#: What YOLO and WIDER FACE call the test: they must have a ``val``, and score on that.
CALLED: Mapping[Split, str] = {"train": "train", "test": "val"}

#: YOLO's file that says where pictures are, and its content.
DATA_YAML = "data.yaml"
CONFIG = f"""\
train: images/train
val: images/val
test: images/val
nc: 1
names:
  0: {FACE}
"""

#: Of ImageFolder: the file that says what is in a folder.
METADATA = "metadata.jsonl"

#: Of Manga109: whoever is not named, and pages whose album is not known.
NOBODY, NOBODY_ID = "Other", "ffffffff"
NO_ALBUM = "Without an album"

#: Of insightface: the side of its crops, in pixels.
SIDE = 112


def identity_folder(label: int) -> str:
    """Return the folder of an identity's pictures in ImageFolder.

    >>> identity_folder(12), identity_folder(-1)
    ('00012', 'distractor')
    """
    return "distractor" if label < 0 else f"{label:05d}"


def plain(text: str) -> str:
    """Leave out control characters, which XML cannot say."""
    return "".join(each for each in text if each.isprintable())


def ranges_of(labels: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first record of each label, and the one after its last.

    >>> ranges_of([0, 0, 1])
    [(1, 3), (3, 4)]
    """
    found: dict[int, tuple[int, int]] = {}
    for number, label in enumerate(labels, 1):
        first, _ = found.get(label, (number, number))
        found[label] = first, number + 1
    return list(found.values())
