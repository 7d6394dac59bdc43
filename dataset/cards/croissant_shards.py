"""The pictures in Parquet files and tar shards, as sets of files and of records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_SHARD = re.compile(
    r"(?P<folder>(?:[^/]+/)?)(?P<task>recognition|detection)/"
    r"(?P<split>train|test)-\d+-of-\d+\.parquet"
)
#: Of a shard: name, type, meaning, column and the part of it.
_FIELDS = (
    (
        "member",
        "sc:Text",
        "the picture's name, as the records have it",
        "image",
        "path",
    ),
    ("image", "sc:ImageObject", "the pixels", "image", "bytes"),
    ("sha256", "sc:Text", "SHA-256 of the picture as it was fetched", "sha256", ""),
)


@dataclass(frozen=True)
class Shards:
    """The Parquet files of a task and a split.

    Attributes:
        pattern: a glob of them, relative to the release.
    """

    task: str
    split: str
    pattern: str

    @property
    def name(self) -> str:
        """What the set of their records is called."""
        return f"{self.task}_{self.split}_pictures"


def shards_among(files: Iterable[str]) -> Sequence[Shards]:
    """Find the Parquet files with pictures; of two formats, those of the first.

    >>> shards_among(["hf/detection/test-00000-of-00001.parquet", "a.csv"])
    [Shards(task='detection', split='test', pattern='hf/detection/test-*.parquet')]
    """
    found: dict[tuple[str, str], Shards] = {}
    for name in files:
        if parts := _SHARD.fullmatch(name):
            task, split = parts["task"], parts["split"]
            pattern = f"{parts['folder']}{task}/{split}-*.parquet"
            found.setdefault((task, split), Shards(task, split, pattern))
    return list(found.values())


def shard_set(shards: Shards) -> dict[str, Any]:
    """The files as a ``FileSet``."""
    return {
        "@type": "cr:FileSet",
        "@id": f"{shards.name}_files",
        "name": f"{shards.name}_files",
        "description": "Parquet files with pictures.",
        "encodingFormat": "application/x-parquet",
        "includes": shards.pattern,
    }


def shard_records(shards: Shards) -> dict[str, Any]:
    """Their rows as a ``RecordSet``."""
    return {
        "@type": "cr:RecordSet",
        "@id": shards.name,
        "name": shards.name,
        "description": f"The pictures of the {shards.task} {shards.split} set.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{shards.name}/{name}",
                "name": name,
                "description": meaning,
                "dataType": kind,
                "source": {
                    "fileSet": {"@id": f"{shards.name}_files"},
                    "extract": {"column": column},
                    **({"transform": {"jsonPath": part}} if part else {}),
                },
            }
            for name, kind, meaning, column, part in _FIELDS
        ],
    }


_TAR = re.compile(
    r"(?:[^/]+/)?(?P<task>recognition|detection)-(?P<split>train|test)-\d{6}\.tar"
)
#: What pictures in shards may be.
_PICTURES = {
    "*.jpg": "image/jpeg",
    "*.png": "image/png",
    "*.webp": "image/webp",
    "*.gif": "image/gif",
    "*.avif": "image/avif",
    "*.bmp": "image/bmp",
}


@dataclass(frozen=True)
class Tars:
    """The shards of WebDataset of a task and a split.

    Attributes:
        files: the shards, relative to the release.
    """

    task: str
    split: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the set of their records is called."""
        return f"{self.task}_{self.split}_shards"


def tars_among(files: Iterable[str]) -> Sequence[Tars]:
    """Find the shards of WebDataset.

    >>> tars_among(["detection-test-000000.tar", "a.tar"])
    [Tars(task='detection', split='test', files=('detection-test-000000.tar',))]
    """
    found: dict[tuple[str, str], list[str]] = {}
    for name in files:
        if parts := _TAR.fullmatch(name):
            found.setdefault((parts["task"], parts["split"]), []).append(name)
    return [Tars(*key, tuple(some)) for key, some in found.items()]


def tar_set(tars: Tars) -> dict[str, Any]:
    """The pictures in the shards as a ``FileSet`` that is contained in them."""
    return {
        "@type": "cr:FileSet",
        "@id": f"{tars.name}_members",
        "name": f"{tars.name}_members",
        "description": "The pictures in the shards; a JSON file of each is beside it.",
        "containedIn": [{"@id": each} for each in tars.files],
        "encodingFormat": list(_PICTURES.values()),
        "includes": list(_PICTURES),
    }


def tar_records(tars: Tars) -> dict[str, Any]:
    """A record for each picture in the shards: its name, and its pixels."""
    fields = (
        ("member", "sc:Text", "the picture's name, as the records have it", "fullpath"),
        ("image", "sc:ImageObject", "the pixels", "content"),
    )
    return {
        "@type": "cr:RecordSet",
        "@id": tars.name,
        "name": tars.name,
        "description": f"The pictures of the {tars.task} {tars.split} set in shards.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{tars.name}/{name}",
                "name": name,
                "description": meaning,
                "dataType": kind,
                "source": {
                    "fileSet": {"@id": f"{tars.name}_members"},
                    "extract": {"fileProperty": part},
                },
            }
            for name, kind, meaning, part in fields
        ],
    }
