"""Download a video with yt-dlp, in a child process."""

from __future__ import annotations

import functools
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.proxy import Proxy
from icf.harvest.sources.process_names import guard_names

#: Runs a site's scripts for yt-dlp, which gives it no network.
_RUNTIME = "deno"


def answer(
    request: Mapping[str, Any], write: Callable[[bytes], object]
) -> dict[str, Any]:
    """Download a video to a file, in one piece.

    Args:
        request: ``url``; ``name``, of the file without its suffix; ``max_bytes``;
            ``allow``, hosts that may have private addresses; ``proxy``, for all others;
            ``agent``.
        write: not used.

    Raises:
        Fault: the video cannot be downloaded.
    """
    refusals: list[Fault] = []

    def refused(fault: Fault) -> OSError:
        refusals.append(fault)
        return socket.gaierror(socket.EAI_FAIL, str(fault))

    proxy = Proxy(request["proxy"], AllowList(request["allow"]))
    guard_names(proxy.reachable, refused)
    _leave_out_what_looks_up_names()
    from yt_dlp import YoutubeDL

    options = {
        # Whatever the environment names: it would look up names by itself.
        "proxy": proxy.of(request["url"]) or "",
        "outtmpl": {"default": request["name"] + ".%(ext)s"},
        # One file with pictures: merging two streams would need an external program.
        "format": "bestvideo*/best",
        "noplaylist": True,
        "playlist_items": "1",
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "cachedir": False,
        "hls_prefer_native": True,
        "external_downloader": {"default": "native"},
        "http_headers": {"User-Agent": request["agent"]},
        "progress_hooks": [
            functools.partial(_check_cap, request["max_bytes"], refusals)
        ],
        "retries": 3,
        "color": "never",
    }
    try:
        with YoutubeDL(options) as site:
            site.extract_info(request["url"], download=True)
    except Exception as error:
        # Extractors raise any exception; if we refused something, that is why.
        if refusals:
            raise refusals[0] from error
        raise Fault(FetchStatus.UNREACHABLE, str(error)) from error
    return {}


@functools.cache
def _leave_out_what_looks_up_names() -> None:
    """Keep yt-dlp from ffmpeg, rtmpdump and the like, and from libcurl.

    It would give them addresses of the page, and nobody checks what they connect to.
    """

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            name = Path(os.fsdecode(arguments[0])).name
            if name != _RUNTIME:
                raise PermissionError(f"{name} would ask for addresses unchecked")

    sys.addaudithook(check)
    sys.modules["curl_cffi"] = cast(Any, None)  # as if it were not installed


def _check_cap(most: int, refusals: list[Fault], progress: Mapping[str, Any]) -> None:
    came = max(progress.get("downloaded_bytes") or 0, progress.get("total_bytes") or 0)
    if came > most:
        fault = Fault(FetchStatus.TOO_LARGE, f"the video has more than {most} bytes")
        refusals.append(fault)
        raise fault
