"""List files with gallery-dl, in a process of its own that can be killed.

Started by `icf.harvest.sources.gallery_dl.listing`, which sends JSON objects: first the
options, then each URL to list; it gets JSON objects back. This process downloads no
file and reads and writes none of gallery-dl's own: no configuration, no cache, no
archive.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from icf.engine.child_process import Channel
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.proxy import Proxy
from icf.harvest.sources.gallery_dl.metadata import read_metadata
from icf.harvest.sources.process_names import guard_names

#: Switches off what gallery-dl would write besides the files.
_WRITES_NOTHING = {
    "cookies-update": False,
    "write-pages": False,
    "archive": None,
    "postprocessors": None,
}
#: Listings that lead to listings that lead to listings: a circle ends here.
_DEPTH = 8
_MOST_FALLBACKS = 4

Emit = Callable[[Mapping[str, Any]], None]


def main(channel: Channel) -> None:
    """List each URL that comes through the channel, one after another."""
    options = json.loads(channel.receive()[1])
    proxy = Proxy(options["proxy"], AllowList(options["allow_hosts"]))
    guard_names(proxy.reachable)
    _configure(options)
    for _, body in channel:
        _list(
            json.loads(body),
            lambda line: channel.send(b"L", json.dumps(line).encode()),
        )


def _configure(options: Mapping[str, Any]) -> None:
    """Set gallery-dl's options, before it loads the sites that they may declare."""
    from gallery_dl import config

    config.set((), "extractor", {**options["options"], **_WRITES_NOTHING})
    config.set(("cache",), "file", ":memory:")
    config.setdefault(("extractor",), "user-agent", options["agent"])
    config.setdefault(("extractor",), "proxy-env", False)
    if options["proxy"]:
        config.setdefault(("extractor",), "proxy", options["proxy"])


def _list(url: str, emit: Emit) -> None:
    from gallery_dl import exception, job
    from gallery_dl.extractor import find

    class Lister(job.Job):  # type: ignore[misc,unused-ignore]
        """Emits files instead of downloading them."""

        def __init__(self, source: Any, parent: Any = None, depth: int = 0) -> None:
            super().__init__(source, parent)
            self._depth = depth

        def dispatch(self, messages: Iterator[Any]) -> Any:
            try:
                return super().dispatch(messages)
            except Fault as fault:
                raise exception.AbortExtraction(str(fault)) from fault

        def handle_url(self, url: str, kwdict: Mapping[str, Any]) -> None:
            others = _fallbacks(self.extractor, kwdict)
            known = read_metadata(kwdict, self.extractor.url)
            emit({"url": url, "fallbacks": others, **known})

        def handle_queue(self, url: str, kwdict: Mapping[str, Any]) -> None:
            known = kwdict.get("_extractor")
            child = known.from_url(url) if known else find(url)
            if child is None:
                emit({"fault": f"gallery-dl knows no such site: {url}"})
            elif self._depth >= _DEPTH:
                emit({"fault": f"too deep below the first listing: {url}"})
            else:
                self.status |= Lister(child, self, self._depth + 1).run()

    log = _Log(emit)
    logging.getLogger().addHandler(log)
    extractor = find(url)
    if extractor is None:
        emit({"unsupported": True})
    else:
        status = Lister(extractor).run()
        emit({"end": True, "status": status, "message": log.last_error})
    logging.getLogger().removeHandler(log)


def _fallbacks(extractor: Any, fields: Mapping[str, Any]) -> list[str]:
    """Return a file's other URLs, as far as they are known without a request."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise LookupError("asked for only when the first URL is gone")

    found: list[str] = []
    extractor.request = refuse
    try:
        for url in islice(fields.get("_fallback") or (), _MOST_FALLBACKS):
            found.append(str(url))
    except Exception:
        # Some sites generate them with requests, others fail in their own way.
        return found
    finally:
        del extractor.request
    return found


class _Log(logging.Handler):
    """Sends warnings, such as of a post without a file; keeps the last error."""

    def __init__(self, out: Emit) -> None:
        super().__init__(logging.WARNING)
        self._out = out
        self.last_error = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Send a warning, or keep an error."""
        if record.levelno >= logging.ERROR:
            self.last_error = record.getMessage()
        elif record.name != "urllib3.connectionpool":
            self._out({"fault": record.getMessage()})
