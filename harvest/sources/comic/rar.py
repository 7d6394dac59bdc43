"""Pages out of RAR files: CBR, with the extra ``cbr``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.comic.member import is_metadata, problem_of_name
from icf.harvest.sources.comic.natural import natural_key
from icf.harvest.sources.comic.pages import (
    MOST_UNPACKED,
    REST,
    About,
    Page,
    Write,
    check_count,
    page_id,
    unique,
)

try:
    import rarfile
except ImportError:  # the extra is not installed
    rarfile = None

_PIECE = 1 << 16


class Rar:
    """An open RAR file; compressed members need an external program."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        if rarfile is None:
            raise Fault(
                FetchStatus.UNSUPPORTED,
                "RAR files need an extra: pip install 'icf-toolkit[cbr]', then "
                "`icf-harvest run --refresh`",
            )
        self._rar, whole = _opened(path)
        infos = [one for one in self._rar.infolist() if not one.is_dir()]
        if self._rar.needs_password() and not infos:
            raise Fault(FetchStatus.ENCRYPTED, "it asks for a password")
        if not whole and not infos:
            raise Fault(FetchStatus.CORRUPT, "its headers are damaged")
        check_count(len(infos))
        self._max_bytes = max_bytes
        self.about = About()
        named = dict(zip(unique(one.filename for one in infos), infos, strict=True))
        names = [name for name in named if not is_metadata(name)]
        self.passed_over = len(infos) - len(names)
        self._by_id = {page_id(name): named[name] for name in names}
        left, pages = MOST_UNPACKED, []
        for name in sorted(names, key=natural_key):
            info = named[name]
            left -= info.file_size
            problem = problem_of_name(name) or self._problem(info, left)
            fate, message = problem or (FetchStatus.PENDING, None)
            version = f"{info.CRC or 0:08x} {info.file_size}"
            pages.append(Page(page_id(name), version, info.file_size, fate, message))
        if not whole:
            text = "the headers behind the other pages are damaged"
            pages.append(Page(REST, fate=FetchStatus.CORRUPT, message=text))
        self.pages = tuple(pages)

    def _problem(self, info: Any, left: int) -> tuple[FetchStatus, str] | None:
        if info.is_symlink():
            return FetchStatus.BAD_MEMBER, "a link is not followed"
        if info.needs_password():
            return FetchStatus.ENCRYPTED, "it asks for a password"
        if info.file_size > self._max_bytes or left < 0:
            return FetchStatus.TOO_LARGE, f"it unpacks to {info.file_size} bytes"
        return None

    def read(self, page: Page, write: Write) -> None:
        """Write the bytes of a page; see `icf.harvest.sources.comic.pages.Book`."""
        size = 0
        try:
            with self._rar.open(self._by_id[page.id]) as member:
                while piece := member.read(_PIECE):
                    size += len(piece)
                    if size > self._max_bytes:
                        break
                    write(piece)
        except rarfile.RarCannotExec as error:
            raise Fault(
                FetchStatus.UNSUPPORTED,
                "packed members of RAR files need one of the programs unrar, unar or "
                "bsdtar; install one, then `icf-harvest retry --fate unsupported`",
            ) from error
        except (rarfile.Error, OSError, EOFError, ValueError) as error:
            raise Fault(FetchStatus.CORRUPT, str(error)) from error
        if size > self._max_bytes:
            text = f"it unpacks to more than {self._max_bytes} bytes"
            raise Fault(FetchStatus.TOO_LARGE, text)

    def close(self) -> None:
        """Close the file."""
        self._rar.close()


def _opened(path: Path) -> tuple[Any, bool]:
    """Return the open file, and whether all of its headers can be read."""
    try:
        return rarfile.RarFile(str(path), errors="strict"), True
    except (rarfile.Error, OSError, ValueError):
        pass
    try:
        return rarfile.RarFile(str(path), errors="stop"), False
    except (rarfile.Error, OSError, ValueError) as error:
        raise Fault(FetchStatus.CORRUPT, f"its headers are damaged: {error}") from error
