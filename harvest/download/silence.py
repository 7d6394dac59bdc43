"""Hosts that give no answer: they get pauses, and are given up after a while.

Otherwise each of their URLs would wait for its own deadline, attempt after attempt: a
hundred thousand of one dead host would take months.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Failures in a row after which they are the host's, and not those of its URLs.
ENOUGH = 20
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
#: Seconds without an answer after which a host gets no more requests in a run.
PATIENCE = 300.0


@dataclass
class _Silence:
    since: float
    failures: int = 0
    pause: float = 0.0
    paused_until: float = 0.0


class SilentHosts:
    """The hosts whose last attempts all failed; times are of the worker's clock.

    An attempt fails so where no HTTP status came, or one that only asks for time.
    """

    def __init__(self) -> None:
        self._silences: dict[str, _Silence] = {}

    def answered(self, host: str) -> None:
        """Record an answer of a host."""
        self._silences.pop(host, None)

    def failed(self, host: str, now: float) -> float | None:
        """Record a failure; return the seconds of a pause that begins with it."""
        silence = self._silences.setdefault(host, _Silence(now))
        silence.failures += 1
        if silence.failures < ENOUGH or now < silence.paused_until:
            return None
        silence.pause = min(2 * silence.pause or FIRST_PAUSE, LONGEST_PAUSE)
        silence.paused_until = now + silence.pause
        return silence.pause

    def is_silent(self, host: str) -> bool:
        """Return whether a failure says nothing about the URL."""
        silence = self._silences.get(host)
        return silence is not None and silence.failures >= ENOUGH

    def is_lost(self, host: str, now: float, longer: float = 0.0) -> bool:
        """Return whether a host was silent for longer than `PATIENCE`.

        Args:
            host: that failed.
            now: the time.
            longer: seconds that it gets in addition.
        """
        silence = self._silences.get(host)
        if silence is None or silence.failures < ENOUGH:
            return False
        return now - silence.since > PATIENCE + longer
