"""Videos by the URLs of their pages, through yt-dlp where it is installed."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.child import Child
from icf.harvest.fault import Fault
from icf.harvest.http.urls import normalise
from icf.version import __version__

_MODULE = "icf.harvest.sources.video.download"
_UNFINISHED = (".part", ".ytdl")


def check_installed(name: str) -> None:
    """Check that yt-dlp is installed.

    Raises:
        WrongUse: it is not.
    """
    if importlib.util.find_spec("yt_dlp") is None:
        raise WrongUse(
            f"[[source]] {name!r}: urls need yt-dlp; install it with "
            "`pip install 'icf-toolkit[video-sites]'`"
        )


class Sites:
    """Downloads videos into a folder, each once.

    Args:
        folder: where they are kept.
        max_bytes: of one video.
        allow: hosts that may have private addresses.
        deadline: seconds for one video.
        proxy: for all other hosts; empty: none.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        allow: Sequence[str],
        deadline: float,
        proxy: str = "",
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._allow = tuple(allow)
        self._deadline = deadline
        self._proxy = proxy
        self._child = Child(_MODULE)

    def bring(self, url: str) -> Path:
        """Return the file of a page's video; download it if necessary.

        Raises:
            Fault: it cannot be downloaded.
        """
        address = normalise(url).url
        name = self._folder / hashlib.sha256(address.encode()).hexdigest()[:16]
        if (here := _downloaded(name)) is not None:
            return here
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Fault(FetchStatus.UNREACHABLE, f"{self._folder}: {error}") from error
        request = {
            "url": address,
            "name": str(name),
            "max_bytes": self._max_bytes,
            "allow": self._allow,
            "proxy": self._proxy,
            "agent": f"icf/{__version__}",
        }
        try:
            self._child.ask(request, deadline=self._deadline)
        except Fault as fault:
            raise Fault(fault.fate, f"{url}: {fault}") from fault
        here = _downloaded(name)
        if here is None:
            raise Fault(FetchStatus.NOT_FOUND, f"{url}: yt-dlp found no video there")
        return here

    def close(self) -> None:
        """End the process that downloads."""
        self._child.close()


def _downloaded(name: Path) -> Path | None:
    """Return the file of a finished download; None if there is none."""
    found = sorted(name.parent.glob(f"{name.name}.*"))
    return next((path for path in found if path.suffix not in _UNFINISHED), None)
