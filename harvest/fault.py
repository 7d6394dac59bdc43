"""Why a fetch gave no picture."""

from __future__ import annotations

from icf.codes import FetchStatus
from icf.errors import BadInput
from icf.harvest.text import as_utf8

_LONGEST = 500


class Fault(BadInput):
    """One attempt at a URL failed.

    Args:
        fate: what the URL's fate is if no further attempt is made.
        message: what was asked and what came back.
        http_status: the status that the server answered with, if it answered.
        again: whether another attempt may end better.
        host: the host (``name`` or ``name:port``) that ``wait`` is about.
        wait: seconds for which the host asked to be left alone.
        names_down: the name service itself did not answer, so the fault is not the
            URL's.
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
    ) -> None:
        super().__init__(_printable(message))
        self.fate = fate
        self.http_status = http_status
        self.again = again
        self.host = host
        self.wait = wait
        self.names_down = names_down


def _printable(message: str) -> str:
    """Servers write into messages too: bound the length, and drop control bytes."""
    text = "".join(c if c.isprintable() else " " for c in message[:_LONGEST])
    return as_utf8(text)
