"""WebDataset: tar shards of pictures with their labels, and an index beside each.

::

    recognition-train-000000.tar       NAME.jpg, NAME.json, NAME.jpg, ...
    recognition-train-000000.parquet   a row a picture, with its place in the shard
    recognition-test-000000.tar
    detection-train-000000.tar
    detection-test-000000.tar
    identities.csv

Training pictures are in an order that is shuffled once, by a hash of their names, so
that a reader that streams does not get one identity after the other. Test pictures are
in the order of the lists, so that features that are made in passing are in it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.identities import write_identities
from icf.dataset.formats.records import (
    SPLITS,
    TASKS,
    Record,
    Records,
    Split,
    in_shards,
)
from icf.dataset.formats.webdataset.tar import TarWriter
from icf.dataset.formats.webdataset.verify import check_shards
from icf.dataset.plan import Placed
from icf.stores.memory import Memory

#: A shard is closed at whichever comes first.
PICTURES, BYTES = 10_000, 1_000_000_000
_MEMORY = 1 << 19
_JSON = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False
)

_INDEX = pa.schema(
    [
        ("key", pa.string()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("boxes", pa.list_(pa.list_(pa.int32(), 4))),
        ("label", pa.int32()),
        ("role", pa.string()),
        ("identity", pa.string()),
    ]
)


class WebDatasetWriter:
    """Shards of at most 10,000 pictures or 1 GB."""

    name: ClassVar[str] = "webdataset"
    help: ClassVar[str] = "Tar shards for streaming, with a Parquet index beside each."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the shards of both sets.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        write_identities(folder, data.plan)
        records = Records(data)
        for task in TASKS:
            for split in SPLITS:
                placed = in_shards(data.plan, task, split)
                stem = f"{task}-{split}"
                yield from _write_shards(data, records, placed, split, folder, stem)

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture, label and box in the shards against the contents."""
        return check_shards(files)


def _write_shards(
    data: ReleaseData,
    records: Records,
    placed: Sequence[Placed],
    split: Split,
    folder: Path,
    stem: str,
) -> Iterator[WrittenPicture]:
    remaining = iter(placed)
    memory = Memory(_MEMORY)
    for number, first in enumerate(remaining):
        shard = _Shard(folder, f"{stem}-{number:06d}")
        with (
            (folder / shard.file).open("xb", buffering=0) as file,
            TarWriter(file, memory) as tar,
        ):
            for each in chain([first], remaining):
                yield shard.add(tar, records.record(each, split), data)
                if shard.is_full(tar):
                    break
        shard.write_index()


class _Shard:
    """One archive in the making, and its index."""

    def __init__(self, folder: Path, stem: str) -> None:
        self._folder = folder
        self._stem = stem
        self.file = Path(f"{stem}.tar")
        self._rows: list[tuple[Any, ...]] = []

    def add(self, tar: TarWriter, record: Record, data: ReleaseData) -> WrittenPicture:
        key = record.name.rpartition(".")[0]
        offset, size = tar.add_read(
            record.name, lambda memory: data.read_to(memory, record.placed)
        )
        tar.add(f"{key}.json", _described(record, key, data))
        who = record.who
        self._rows.append(
            (
                *(key, record.name, offset, size, record.sha256),
                *record.size,
                record.boxes,
                *((who.label, who.role, who.name) if who else (None, None, None)),
            )
        )
        return WrittenPicture(
            self.file, record.placed, record.name, data.crop(record.placed)
        )

    def is_full(self, tar: TarWriter) -> bool:
        return len(self._rows) >= PICTURES or tar.size >= BYTES

    def write_index(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(column, each.type)
            for column, each in zip(columns, _INDEX, strict=True)
        ]
        table = pa.Table.from_arrays(arrays, schema=_INDEX)
        pq.write_table(table, self._folder / f"{self._stem}.parquet")


def _described(record: Record, key: str, data: ReleaseData) -> bytes:
    """Return the JSON beside a picture."""
    width, height = record.size
    first = record.sources[0] if record.sources else None
    about: dict[str, Any] = {
        "key": key,
        "sha256": record.sha256,
        "width": width,
        "height": height,
        "boxes": record.boxes,
    }
    if record.who is not None:
        about |= {
            "label": record.who.label,
            "role": record.who.role,
            "album": record.who.album,
            "character": record.who.character,
        }
    about |= {
        "exif_orientation": data.turn_of(record.placed),
        "licences": record.licences,
        "url": first.url if first else "",
        "author": first.author if first else "",
    }
    return _JSON.encode(about).encode()
