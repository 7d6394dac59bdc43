"""One release in every format, with a turned picture and one that is no JPEG."""

from __future__ import annotations

import io
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from icf.catalogue import schema
from icf.dataset.formats.base import ReleaseData, Task
from icf.dataset.formats.records import SPLITS, TASKS, Record, Records, Split, placed_in
from icf.dataset.formats.registry import OWN, RELINK
from icf.dataset.plan import Plan
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.workspace import Workspace, find
from tests.dataset.formats.reading import Boxes

#: All our own but the one that has no pictures on disk.
FORMATS = tuple(name for name in OWN if name != RELINK)


PARTS = [(task, split) for task in TASKS for split in SPLITS]


@dataclass(frozen=True)
class Exported:
    """A release on disk, and what it was to be.

    Attributes:
        folder: of the release.
        plan: what is in it.
        records: what each of its pictures should say.
        bytes: of each picture as fetched, by its row.
        turned: the rows of the pictures that EXIF turns.
    """

    folder: Path
    plan: Plan
    records: dict[tuple[Task, Split], list[Record]]
    bytes: dict[int, bytes]
    turned: frozenset[int]

    def boxes(self, split: Split) -> Counter[Boxes]:
        """The detection set as `read_all` finds it."""
        return Counter(
            (each.sha256, tuple(sorted(each.boxes)))
            for each in self.records["detection", split]
        )

    def of(self, name: str) -> Path:
        """The folder of a format."""
        return self.folder / name


def exported(workspace: Workspace, folder: Path, crops: float | None) -> Exported:
    turned = _turn_and_convert(workspace)
    prepared = prepare(workspace, 1, FORMATS, crops=crops)
    assert write(workspace, prepared, folder, 1)
    plan = prepared.plan
    data = ReleaseData(
        plan, prepared.sources, workspace.blobs, lambda _: pytest.fail("not needed")
    )
    records = Records(data)
    every = {
        (task, split): list(records.of(task, split))
        for task in TASKS
        for split in SPLITS
    }
    rows = {each.picture for key in every for each in placed_in(plan, *key)}
    content = {row: workspace.blobs.get(data.sha256(row)) for row in rows}
    image = plan.selection.pictures.image.tolist()
    return Exported(folder, plan, every, content, frozenset(map(image.index, turned)))


def _turn_and_convert(workspace: Workspace) -> set[int]:
    """Store some pictures turned by EXIF, and one as PNG; return those turned.

    What is seen, and so its size, boxes and hashes, stays as it is.
    """
    with workspace.catalogue.write() as connection:
        first, *others = connection.execute(
            sa.select(schema.image.c.id, schema.image.c.sha256)
            .where(schema.image.c.width != schema.image.c.height)
            .order_by(schema.image.c.id)
        )
        for row, how in ((first, _png), *((each, _turned) for each in others)):
            data, name = how(Image.open(io.BytesIO(workspace.blobs.get(row.sha256))))
            values = {"sha256": workspace.blobs.put(data), "bytes": len(data)}
            change = sa.update(schema.image).where(schema.image.c.id == row.id)
            connection.execute(change.values(**values, format=name))
        return {int(each.id) for each in others}


def _turned(picture: Image.Image) -> tuple[bytes, str]:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    picture.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", exif=exif)
    return out.getvalue(), "jpeg"


def _png(picture: Image.Image) -> tuple[bytes, str]:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue(), "png"


def _made(drawn: Path, folder: Path, crops: float | None = None) -> Iterator[Exported]:
    shutil.copytree(drawn, folder / "space")
    workspace = find(folder / "space")
    yield exported(workspace, folder / "out", crops)
    workspace.catalogue.close()


@pytest.fixture(scope="session")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    """Whole pictures, as fetched."""
    yield from _made(drawn, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def cropped(
    drawn: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exported]:
    """``--crops 0.5``."""
    yield from _made(drawn, tmp_path_factory.mktemp("cropped"), 0.5)
