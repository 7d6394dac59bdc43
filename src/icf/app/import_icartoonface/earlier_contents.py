"""What ``contents.csv`` would say of a release of a version that wrote none.

Its lists say what they can: boxes in whole pixels. Names come from ``identities.csv``,
hashes from ``licences.csv``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from icf.app.import_icartoonface.release_tables import folder_of
from icf.dataset import contents, licences
from icf.dataset.contents import Contents, texts
from icf.errors import BadInput
from icf.icartoonface.detection import read_dettest_csv, read_dettrain_csv
from icf.icartoonface.recognition import read_rectest_info, read_rectrain_det
from icf.icartoonface.release_files import (
    ACCEPTED,
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTRAIN_BOXES,
    DETTRAIN_FOLDER,
    FOLLOWERS,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
    UNASKED,
)
from icf.spreadsheet import rows_of
from icf.stores.files import hash_file

_IDENTITY = "personai_icartoonface_rectrain_"
_NO_BOX = (np.nan,) * 4
_BY = {ACCEPTED: "model", FOLLOWERS: "track", UNASKED: "reference"}
Name = tuple[str, str]


@dataclass(frozen=True)
class _Row:
    part: str
    file: Path
    name: str
    corners: tuple[float, ...] = _NO_BOX
    label: int = -1
    who: Name = ("", "")


def earlier_contents(root: Path, summary: Mapping[str, Any]) -> Contents:
    """Put together what is known.

    Args:
        root: the folder of the release.
        summary: its ``release.json``.

    Raises:
        BadInput: it was not written in iCartoonFace's format, or a list is damaged.
    """
    above = root / folder_of(root, summary)
    rows = [*_faces(above), *_pictures(above)]
    by = {
        each["file"]: who
        for path, who in _BY.items()
        if (above / path).exists()
        for each in rows_of(above / path, "file")
    }
    known = {
        each["file"]: each["sha256"]
        for each in rows_of(root / licences.FILE, "file", "sha256")
    }

    def sha256(row: _Row) -> str:
        path = above / row.file
        found = known.get(path.relative_to(root).as_posix())
        # What no table has and nobody finds is refused by its name.
        return found or (hash_file(path) if path.is_file() else "0" * 64)

    hashes = np.array([sha256(row) for row in rows], "S64")
    none, nothing = np.zeros(len(rows), np.int64), texts([""] * len(rows))
    return Contents(
        part=texts([row.part for row in rows]),
        name=texts([row.name for row in rows]),
        sha256=hashes,
        pixel_hash=hashes,
        phash=none,
        dhash=none,
        corners=np.array([row.corners for row in rows], np.float64).reshape(-1, 4),
        face_pixel_hash=np.zeros(len(rows), "S64"),
        face_phash=none,
        face_dhash=none,
        label=np.array([row.label for row in rows], np.int64),
        character=texts([row.who[1] for row in rows]),
        album=texts([row.who[0] for row in rows]),
        confirmed_by=texts([by.get(row.file.as_posix(), "people") for row in rows]),
        track=nothing,
        shot=nothing,
        source_file=nothing,
        width=none,
        height=none,
        boxes=nothing,
    )


def _faces(above: Path) -> Iterator[_Row]:
    """The faces of the lists of recognition, with whom they show."""
    named, distractors = _owners(above)
    train = read_rectrain_det(above / RECTRAIN_LIST)
    for name, box in zip(train.paths, train.boxes.tolist(), strict=True):
        folder = name.partition("/")[0]
        label = folder.removeprefix(_IDENTITY)
        if not label.isdecimal() or int(label) not in named:
            raise BadInput(
                f"{above / RECTRAIN_LIST}: {name} is in no folder of an identity that "
                f"{IDENTITIES} names"
            )
        file, who = RECTRAIN_FOLDER / name, named[int(label)]
        yield _Row(contents.TRAIN, file, name, tuple(box), int(label), who)
    test = read_rectest_info(above / RECTEST_INFO)
    alone = iter(distractors)
    if len(distractors) != int((test.labels < 0).sum()):
        raise BadInput(
            f"{above / IDENTITIES}: it has {len(distractors)} distractors, and "
            f"{RECTEST_INFO} has {int((test.labels < 0).sum())}"
        )
    for name, box, label in zip(
        test.files, test.boxes.tolist(), test.labels.tolist(), strict=True
    ):
        part = contents.DISTRACTOR if label < 0 else contents.PROBE
        shown = next(alone) if label < 0 else named.get(label)
        if shown is None:
            raise BadInput(f"{above / IDENTITIES}: it has no label {label}")
        yield _Row(part, RECTEST_FOLDER / name, name, tuple(box), label, shown)


def _pictures(above: Path) -> Iterator[_Row]:
    """The pictures of the lists of detection."""
    for part, folder, listed in (
        (
            contents.DETECTION_TRAIN,
            DETTRAIN_FOLDER,
            read_dettrain_csv(above / DETTRAIN_BOXES),
        ),
        (
            contents.DETECTION_TEST,
            DETTEST_FOLDER,
            read_dettest_csv(above / DETTEST_BOXES),
        ),
    ):
        for name in listed.pictures:
            yield _Row(part, folder / name, name)


def _owners(above: Path) -> tuple[dict[int, Name], list[Name]]:
    """Whom each label shows, and the distractors in their order."""
    named: dict[int, Name] = {}
    others: list[Name] = []
    for row in rows_of(above / IDENTITIES, "label", "album", "character"):
        who = row["album"], row["character"]
        if row["label"].isdecimal():
            named[int(row["label"])] = who
        else:
            others.append(who)
    return named, others
