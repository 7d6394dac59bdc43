"""The release formats by name: our own, and those of the group `icf.release_formats`.

A format is a class that fulfils `icf.dataset.formats.base.ReleaseWriter` and is made
without arguments. Another package brings one by an entry point of its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from icf.entry_points import entry_points
from icf.errors import WrongUse

if TYPE_CHECKING:
    from icf.dataset.formats.base import ReleaseWriter

GROUP = "icf.release_formats"

#: Our own formats, as ``module:class``; imported when they are asked for.
OWN: Mapping[str, str] = {
    "icartoonface": "icf.dataset.formats.icartoonface.writer:ICartoonFaceWriter",
    "icartoonface-lists": (
        "icf.dataset.formats.icartoonface.writer:ICartoonFaceListsWriter"
    ),
    "relink": "icf.dataset.formats.relink:RelinkWriter",
    "webdataset": "icf.dataset.formats.webdataset.writer:WebDatasetWriter",
    "coco": "icf.dataset.formats.coco:CocoWriter",
    "yolo": "icf.dataset.formats.yolo:YoloWriter",
    "widerface": "icf.dataset.formats.widerface:WiderFaceWriter",
    "manga109": "icf.dataset.formats.manga109:Manga109Writer",
    "imagefolder": "icf.dataset.formats.imagefolder:ImageFolderWriter",
    "insightface": "icf.dataset.formats.insightface:InsightFaceWriter",
    "lfw": "icf.dataset.formats.lfw:LfwWriter",
    "parquet": "icf.dataset.formats.parquet.writer:ParquetWriter",
    "hf": "icf.dataset.formats.parquet.hub:HuggingFaceWriter",
}

#: What our own formats have pictures of; our others of both sets.
HOLDS: Mapping[str, tuple[str, ...]] = {
    "icartoonface-lists": (),
    "insightface": ("train",),
    "lfw": ("probe", "distractor"),
    **dict.fromkeys(
        ("coco", "yolo", "widerface", "manga109"), ("detection_train", "detection_test")
    ),
}

#: Those that have pictures of known characters alone.
OF_FACES = ("insightface", "lfw")

#: The format that is written where none is named.
DEFAULT = "icartoonface"
#: Its lists, where other formats have the pictures.
LISTS = "icartoonface-lists"
#: A release without pictures.
RELINK = "relink"
_WITH_LISTS = (DEFAULT, LISTS, RELINK)
#: Pictures from which on single files are a burden: copying them takes hours, and the
#: Hub of Hugging Face takes no more files.
MANY = 100_000


def default_formats(pictures: int) -> tuple[str, ...]:
    """The formats that are written where none is named.

    Above `MANY` pictures these are shards, and the lists by which ``icf-evaluate``
    and ``icf-report`` score a release.

    >>> default_formats(20_000), default_formats(400_000)
    (('icartoonface',), ('webdataset', 'icartoonface-lists'))
    """
    return ("webdataset", LISTS) if pictures > MANY else (DEFAULT,)


def lists_folder(summary: Mapping[str, Any]) -> str | None:
    """The folder with iCartoonFace's lists of a release; None where it has none."""
    folders = format_folders(summary)
    return next((folders[name] for name in _WITH_LISTS if name in folders), None)


def parts_held(summary: Mapping[str, Any], every: Sequence[str]) -> frozenset[str]:
    """The parts of ``contents.csv`` whose pictures a release has in some format.

    A format of another package may leave out what it has no use for: it promises none.

    Args:
        summary: its ``release.json``.
        every: all parts there are.

    >>> sorted(parts_held({"formats": {"lfw": "."}}, ("train", "probe")))
    ['distractor', 'probe']
    """
    held = (parts_of(name, every) for name in format_folders(summary))
    return frozenset(part for parts in held for part in parts)


def parts_of(name: str, every: Sequence[str]) -> Sequence[str]:
    """The parts whose pictures one format holds, as `parts_held` knows them.

    >>> parts_of("lfw", ("train", "probe")), parts_of("somebody-elses", ("train",))
    (('probe', 'distractor'), ())
    """
    return HOLDS.get(name, every) if name in OWN else ()


def format_names() -> list[str]:
    """The names of all formats that can be written here."""
    return sorted(_known())


def format_folders(summary: Mapping[str, Any]) -> Mapping[str, str]:
    """The folder of each format of a release, relative to the release's.

    Args:
        summary: its ``release.json``; before there were several formats it named none.

    >>> format_folders({"seed": 1})
    {'icartoonface': '.'}
    """
    return dict(summary.get("formats", {DEFAULT: "."}))


def make_writers(names: Iterable[str]) -> dict[str, ReleaseWriter]:
    """Make the writer of each format, in the order of the names.

    Raises:
        WrongUse: a name is unknown, or its package cannot be loaded.
    """
    return {name: _make_writer(name) for name in names}


def _make_writer(name: str) -> ReleaseWriter:
    known = _known()
    if name not in known:
        shown = ", ".join(sorted(known))
        raise WrongUse(f"unknown release format {name!r}; the known ones are: {shown}")
    point = known[name]
    try:
        writer: ReleaseWriter = point.load()()
    except Exception as error:  # another package may raise anything
        raise WrongUse(
            f"the release format {name!r} ({point.value}) cannot be loaded: "
            f"{type(error).__name__}: {error}; repair or uninstall its package"
        ) from error
    if getattr(writer, "name", None) != name or not callable(
        getattr(writer, "write", None)
    ):
        raise WrongUse(
            f"{point.value} is no writer of the release format {name!r}: its `name` "
            "must be equal to that of the entry point, and it needs a method `write`"
        )
    return writer


def _known() -> dict[str, EntryPoint]:
    """All formats; our own win over a package that takes one of their names."""
    installed = {point.name: point for point in entry_points(GROUP)}
    own = {name: EntryPoint(name, where, GROUP) for name, where in OWN.items()}
    return {**installed, **own}
