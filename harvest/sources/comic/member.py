"""Which members of an archive are pages, and what is wrong with the others."""

from __future__ import annotations

import re

from icf.codes import FetchStatus
from icf.own_files import is_made_by_machine

#: Names of files that readers put next to pages.
_METADATA = frozenset({"comicinfo.xml", "comicbookinfo.json", "mimetype"})
#: Texts and settings that come along with pages.
_NO_PICTURES = re.compile(
    r"\.(txt|nfo|diz|md|rtf|docx?|xml|acbf|json|ya?ml|csv|tsv|html?|xhtml|css|js|opf"
    r"|ncx|ttf|otf|woff2?|url|lnk|webloc|sfv|md5|sha1|sha256|par2|m3u8?|ini|db|log"
    r"|mp3|ogg|m4a|wav|exe|dll|bat|sh|py)$",
    re.IGNORECASE,
)
_ARCHIVES = re.compile(
    r"\.(zip|cbz|rar|cbr|7z|cb7|tar|cbt|gz|bz2|xz|zst|pdf|epub)$", re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:")


def is_metadata(name: str) -> bool:
    """Return whether a member is of a system or a reader, or a text: not a page.

    >>> is_metadata("__MACOSX/._p1.jpg"), is_metadata("a/b.TXT"), is_metadata("1.jpg")
    (True, True, False)
    """
    parts = name.replace("\\", "/").split("/")
    if ".." in parts:
        return False
    last = parts[-1].lower()
    if last in {"", *_METADATA} or _NO_PICTURES.search(last):
        return True
    return any(is_made_by_machine(part) for part in parts if part != ".")


def problem_of_name(name: str) -> tuple[FetchStatus, str] | None:
    """Return why a member of this name is not read, or None.

    >>> problem_of_name("../p1.jpg")
    (<FetchStatus.BAD_MEMBER: 'bad_member'>, 'its name leads out of the archive')
    """
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or _DRIVE.match(name) or "\0" in name:
        return FetchStatus.BAD_MEMBER, "its name leads out of the archive"
    if _ARCHIVES.search(name):
        return FetchStatus.UNSUPPORTED, "an archive in an archive is not opened"
    return None


def decoded(raw: bytes) -> str:
    """Decode a name of unknown encoding.

    ZIP promises cp437; Japanese programs write cp932, many others UTF-8.

    >>> decoded("ページ1.jpg".encode("cp932")), decoded("é.jpg".encode("cp437"))
    ('ページ1.jpg', 'é.jpg')
    """
    for encoding in ("utf-8", "cp932"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp437")
