"""``croissant.json``: a release as Croissant 1.1 with the fields of Croissant RAI 1.0.

The sources of names and forms are the specifications of MLCommons:
http://mlcommons.org/croissant/1.1 and http://mlcommons.org/croissant/RAI/1.0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from icf.dataset.cards.about import About
from icf.dataset.cards.croissant_shards import (
    shard_records,
    shard_set,
    shards_among,
    tar_records,
    tar_set,
    tars_among,
)
from icf.dataset.cards.records import COLUMNS, MEANINGS, SCHEMAS, file_of
from icf.spdx import NOASSERTION, spdx_url

FILE = "croissant.json"
CONFORMS_TO = (
    "http://mlcommons.org/croissant/1.1",
    "http://mlcommons.org/croissant/RAI/1.0",
)
PARQUET = "application/x-parquet"

_TAGGED = {"@container": "@language"}
#: The context of the specification, appendix 1; every name in it as there.
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty"),
            *("extract", "field", "fileObject", "fileProperty", "fileSet", "format"),
            *("includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
            *("parentField", "path", "recordSet", "references", "regex", "repeated"),
            *("replace", "samplingRate", "separator", "source", "subField"),
            "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": _TAGGED,
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": _TAGGED,
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
_TYPES = {pa.int32(): "cr:Int32", pa.string(): "sc:Text"}
_MIME = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".html": "text/html",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
    ".parquet": PARQUET,
    ".tar": "application/x-tar",
    ".xml": "application/xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
}
_PICTURES = "pictures"
#: Files of a folder that are described one by one, of one suffix.
_MOST_ALIKE = 50


@dataclass(frozen=True)
class File:
    """A file of the release that is no single picture."""

    name: str
    sha256: str
    size: int


def croissant(
    about: About,
    files: Sequence[File],
    pictures: Sequence[str],
    tables: Mapping[str, int],
) -> dict[str, Any]:
    """Describe a release.

    Args:
        about: what there is to say.
        files: its files but single pictures, `FILE` itself not among them.
        pictures: names of the files that are single pictures, relative to the release.
        tables: number of rows of each table that is there (`records.write_records`).

    Returns:
        The JSON-LD; the same arguments give the same.
    """
    described = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": about.stated.name,
        "description": about.description,
        "version": about.stated.version,
        "license": list(_licences(about)),
        "url": about.stated.url,
        "creator": [{"@type": "sc:Person", "name": each} for each in about.creators],
        "datePublished": about.date,
        "dateCreated": about.facts.last_day,
        "citeAs": about.citation,
        "keywords": ["cartoon", "face recognition", "face detection", "benchmark"],
        **_rai(about),
        **parts(files, pictures, tables),
    }
    return {
        key: value for key, value in described.items() if value not in ("", [], None)
    }


def parts(
    files: Sequence[File], pictures: Collection[str], tables: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """Describe the files of a release, and the records in them; as `croissant`."""
    shards = shards_among(each.name for each in files)
    tars = tars_among(each.name for each in files)
    return {
        "distribution": [
            *_distribution(files),
            *([_picture_set(pictures)] if pictures else []),
            *(shard_set(each) for each in shards),
            *(tar_set(each) for each in tars),
        ],
        "recordSet": [
            *(_record_set(name) for name in SCHEMAS if name in tables),
            *([_picture_records()] if pictures else []),
            *(shard_records(each) for each in shards),
            *(tar_records(each) for each in tars),
        ],
    }


def _licences(about: About) -> Iterator[Any]:
    """URLs of the SPDX list; of other licences their identifier."""
    for each in about.licences.by_licence:
        if url := spdx_url(each):
            yield url
        else:
            text = (
                "nobody states a licence" if each == NOASSERTION else "see licences.csv"
            )
            yield {"@type": "sc:CreativeWork", "name": each, "description": text}
    if about.stated.licence:
        yield {
            "@type": "sc:CreativeWork",
            "name": about.stated.licence,
            "description": "labels and boxes",
        }


def _rai(about: About) -> dict[str, Any]:
    fields = {
        "dataCollection": about.collection,
        "dataCollectionType": list(about.collection_types),
        "dataCollectionMissingData": about.missing,
        "dataCollectionRawData": f"Changes made to pictures: {about.changes}.",
        "dataCollectionTimeFrame": list(about.facts.collected or ()),
        "dataPreprocessingProtocol": list(about.preprocessing),
        "dataAnnotationProtocol": list(about.annotation),
        "dataAnnotationPlatform": [about.platform],
        "dataAnnotationAnalysis": list(about.analysis),
        "annotationsPerItem": about.per_item,
        "annotatorDemographics": [about.annotators],
        "machineAnnotationTools": list(about.machine_tools),
        "dataBiases": list(about.biases),
        "dataLimitations": list(about.limitations),
        "dataUseCases": list(about.uses),
        "dataSocialImpact": about.social_impact,
        "personalSensitiveInformation": list(about.personal),
        "dataReleaseMaintenancePlan": about.maintenance,
    }
    return {f"rai:{name}": value for name, value in fields.items() if value}


def _distribution(files: Sequence[File]) -> Iterator[dict[str, Any]]:
    """Each file; as one set those of a folder that are alike and many."""
    alike: dict[tuple[str, str], list[File]] = {}
    for each in files:
        path = PurePosixPath(each.name)
        alike.setdefault((path.parent.as_posix(), path.suffix), []).append(each)
    for (parent, suffix), some in alike.items():
        # Pictures are contained in shards, which need a name each.
        if len(some) <= _MOST_ALIKE or suffix == ".tar":
            yield from map(_file_object, some)
        else:
            above = "" if parent == "." else f"{parent}/"
            yield {
                "@type": "cr:FileSet",
                "@id": f"{above}*{suffix}",
                "name": f"{above}*{suffix}",
                "description": "Their hashes are in SHA256SUMS.",
                "encodingFormat": _mime(suffix),
                "includes": f"{above}*{suffix}",
            }


def _file_object(file: File) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": _mime(file.name),
        "sha256": file.sha256,
    }


def _picture_set(pictures: Collection[str]) -> dict[str, Any]:
    patterns = sorted({_pattern(name) for name in pictures})
    return {
        "@type": "cr:FileSet",
        "@id": _PICTURES,
        "name": _PICTURES,
        "description": "Each picture; its hash is in the records and in licences.csv.",
        "encodingFormat": sorted({_mime(pattern) for pattern in patterns}),
        "includes": patterns,
    }


def _pattern(name: str) -> str:
    """The glob of a picture and those beside it; below two folders any folder.

    >>> _pattern("recognition/train/00001/7.jpg"), _pattern("train/7.jpg")
    ('recognition/train/*/*.jpg', 'train/*.jpg')
    """
    *folders, last = name.split("/")
    shown = [*folders[:2], *("*" for _ in folders[2:])]
    return "/".join([*shown, f"*{PurePosixPath(last).suffix}"])


def _record_set(table: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": MEANINGS[table],
        "field": [_field(table, column) for column in SCHEMAS[table]],
    }


def _field(table: str, column: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "description": COLUMNS[column.name],
        "dataType": _TYPES[column.type],
        "source": {
            "fileObject": {"@id": file_of(table)},
            "extract": {"column": column.name},
        },
    }


def _picture_records() -> dict[str, Any]:
    """A record for each picture: its name, as the other records have it, and pixels."""
    source = {"fileSet": {"@id": _PICTURES}}
    fields = [("file", "sc:Text", "fullpath"), ("image", "sc:ImageObject", "content")]
    return {
        "@type": "cr:RecordSet",
        "@id": "picture_files",
        "name": "picture_files",
        "description": "A picture, under the name that the other records have.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"picture_files/{name}",
                "name": name,
                "description": COLUMNS.get(name, "the pixels"),
                "dataType": kind,
                "source": {**source, "extract": {"fileProperty": part}},
            }
            for name, kind, part in fields
        ],
    }


def _mime(name: str) -> str:
    suffix = name if name.startswith(".") else PurePosixPath(name).suffix
    return _MIME.get(suffix.lower(), "application/octet-stream")
