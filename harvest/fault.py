"""The error of a failed fetch."""

from __future__ import annotations

from icf.codes import FetchStatus
from icf.errors import BadInput
from icf.harvest.text import as_utf8

_LONGEST = 500


class Fault(BadInput):
    """One attempt at a URL failed.

    Args:
        fate: the URL's fate if there is no further attempt.
        message: what was requested and what went wrong.
        http_status: the status of the response, if there was one.
        again: whether another attempt may succeed.
        host: the host (``name`` or ``name:port``) that ``wait`` applies to.
        wait: seconds for which the host asked for no requests.
        names_down: the name service did not answer, so the URL is not at fault.
        proxy_down: nor did the proxy, through which all other requests go, too.
    """

    def __init__(
        self,
        fate: FetchStatus,
        message: str,
        *,
        http_status: int | None = None,
        again: bool = False,
        host: str | None = None,
        wait: float | None = None,
        names_down: bool = False,
        proxy_down: bool = False,
    ) -> None:
        super().__init__(_printable(message))
        self.fate = fate
        self.http_status = http_status
        self.again = again
        self.host = host
        self.wait = wait
        self.names_down = names_down
        self.proxy_down = proxy_down

    @property
    def is_silence(self) -> bool:
        """Whether no answer came, or one that only asks for time."""
        return self.again and (self.http_status is None or self.wait is not None)

    @property
    def has_name(self) -> bool:
        """Whether the name service answered: the host was reached, or has no name."""
        reached = self.fate in (FetchStatus.UNREACHABLE, FetchStatus.TRUNCATED)
        return not self.names_down and (reached or self.http_status is not None)


def _printable(message: str) -> str:
    """Limit the length and replace control characters: servers write messages too."""
    text = "".join(c if c.isprintable() else " " for c in message[:_LONGEST])
    return as_utf8(text)
