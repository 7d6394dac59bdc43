"""Walk the user's own folders, without what machines put into them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

#: Folders and files that a NAS, a system or a sync tool makes by itself, in lower case.
#: Those with a dot in front are hidden, and left out whatever they are called.
_MADE_BY_MACHINES = frozenset(
    {
        # Synology
        *("@eadir", "#recycle", "#snapshot", "@tmp", "@sharebin", "@synodrive"),
        *("@synologydrive", "@cloudsync", "@sharesnap", "@s2s", "@synofinder-log"),
        "@synofinder-etc-volume",
        # QNAP, NetApp, Buffalo
        *("@recycle", "@recently-snapshot", "@transcode", "@__thumb", "~snapshot"),
        *("#snap", "trashbox"),
        # Windows
        *("$recycle.bin", "recycler", "recycled", "system volume information"),
        *("msdownld.tmp", "$winreagent", "$sysreset", "found.000", "found.001"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
        # macOS, and archives that were packed there
        *("__macosx", "icon\r", "network trash folder", "temporary items"),
        *("thevolumesettingsfolder", "thefindbycontentfolder", "backups.backupdb"),
        *("desktop db", "desktop df"),
        # Linux, tar
        *("lost+found", "paxheader", "paxheaders", "aquota.user", "aquota.group"),
        # GoodSync, OneDrive, Picasa, Paint Shop Pro, ZoomBrowser
        *("_gsdata_", "onedrivetemp", "picasa.ini", "pspbrwse.jbf"),
        "zbthumbnail.info",
    }
)
_BEGINNINGS = (".", "@gmt-", "~syncthing~", "~$", "pax_global_header")
_ENDINGS = ("@synoeastream", "@synoresource", ".lrdata")


def is_made_by_machine(name: str) -> bool:
    """Return whether a file or folder of this name is hidden, or no person made it.

    >>> is_made_by_machine("@eaDir"), is_made_by_machine(".git")
    (True, True)
    >>> is_made_by_machine("Luna")
    False
    """
    lower = name.lower()
    return (
        lower in _MADE_BY_MACHINES
        or lower.startswith(_BEGINNINGS)
        or lower.endswith(_ENDINGS)
    )


def is_text(name: str) -> bool:
    """Return whether the bytes of a file's name are text in the disk's encoding."""
    return name.encode("utf-8", errors="replace") == os.fsencode(name)


def readable(url: str) -> str:
    """Return the path of a file's URL, which `icf why` takes too; others as they are.

    >>> readable("file:///scans/M%C3%BCller/1.pdf")
    '/scans/Müller/1.pdf'
    """
    whole_file = url.startswith("file:///") and "#" not in url
    return unquote(url.removeprefix("file://")) if whole_file else url


def leads_inside(path: Path, folder: Path) -> bool:
    """Whether a file is below a folder, and what it leads to where it is a link.

    Links that lead to each other lead nowhere else.

    Args:
        path: the file.
        folder: without links.
    """
    # `Path.resolve` raises RuntimeError for these before Python 3.13.
    return Path(os.path.realpath(path)).is_relative_to(folder)


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder; False where nobody may look at it."""
    try:
        return path.is_dir()
    except OSError:
        return False


def why_closed(path: Path) -> str | None:
    """Return why what `walk` yields is no file to read; None for what may be one."""
    try:
        if not path.is_dir():
            return None
    except OSError as error:  # its folder may be listed, and not be entered
        return f"unreachable: it cannot be looked at: {error.strerror}"
    if path.is_symlink():
        return (
            "bad_row: a link to a folder, which is not followed; name where it leads "
            "as the path of a source of its own"
        )
    try:
        os.scandir(path).close()
    except OSError as error:
        return f"unreachable: a folder that cannot be read: {error.strerror}"
    return "unreachable: a folder that could not be read; try again"


def walk(
    top: Path,
    left_out: Counter[str] | None = None,
    *,
    closed: bool = False,
    deep: bool = True,
) -> Iterator[Path]:
    """Yield the files below a folder in a fixed order.

    Args:
        top: the folder.
        left_out: gets the number of folders and files that were left out, by name.
        closed: yield the folders that are not gone into as well, which are links and
            those that cannot be read; `why_closed` says which.
        deep: go into its folders; otherwise they are not counted either.
    """
    counted: Counter[str] = Counter() if left_out is None else left_out
    failed: list[OSError] = []
    for place, folders, names in os.walk(top, onerror=failed.append):
        if closed:
            yield from _unread(failed)
        links = [name for name in folders if _is_link(Path(place, name))]
        files = [*names, *links] if closed else names
        folders[:] = sorted(_kept(folders, counted, links)) if deep else []
        for name in sorted(_kept(files, counted)):
            yield Path(place, name)
    if closed:
        yield from _unread(failed)


def _is_link(path: Path) -> bool:
    """Return whether a path is a link; False where nobody may look at it."""
    try:
        return path.is_symlink()
    except OSError:
        return False


def _unread(failed: list[OSError]) -> Iterator[Path]:
    """Yield the folders whose errors these are, once; what is gone is no folder."""
    while failed:
        error = failed.pop(0)
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            yield Path(error.filename)


def _kept(
    names: list[str], counted: Counter[str], without: list[str] | None = None
) -> Iterator[str]:
    for name in names:
        if without and name in without:
            continue
        if is_made_by_machine(name):
            counted[_called(name)] += 1
        else:
            yield name


def _called(name: str) -> str:
    """Return what to count a name as: those that come with every file are one."""
    lower = name.lower()
    for beginning in ("._", *_BEGINNINGS):
        if beginning != "." and lower.startswith(beginning):
            return f"{name[: len(beginning)]}*"
    for ending in _ENDINGS:
        if lower.endswith(ending):
            return f"*{name[-len(ending) :]}"
    return name
