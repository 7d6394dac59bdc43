"""What a worker holds, by host: who may be asked now, and who is left alone."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from icf.harvest.frontier import Leased


@dataclass
class _Host:
    queue: deque[Leased] = field(default_factory=deque)
    asking: int = 0
    next_at: float = 0.0
    delay: float = 0.0
    refusals: int = 0


class Hosts:
    """Queues of leased URLs, one for each host, served in turn.

    Times are those of the caller's clock, in seconds.

    Args:
        per_host: fetches at a time from one host.
    """

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._hosts: dict[str, _Host] = {}
        self._turn: deque[str] = deque()
        self.queued = 0

    def add(self, leased: Iterable[Leased]) -> None:
        """Queue URLs behind those of their hosts."""
        for one in leased:
            host = self._hosts.setdefault(one.host, _Host())
            if not host.queue:
                self._turn.append(one.host)
            host.queue.append(one)
            self.queued += 1

    def take(self, now: float) -> Leased | None:
        """Return a URL whose host may be asked now; None where there is none."""
        for _ in range(len(self._turn)):
            name = self._turn.popleft()
            host = self._hosts[name]
            if host.asking < self._limit(name, host) and host.next_at <= now:
                one = host.queue.popleft()
                host.asking += 1
                host.next_at = max(host.next_at, now + host.delay)
                self.queued -= 1
                if host.queue:
                    self._turn.append(name)
                return one
            self._turn.append(name)
        return None

    def next_at(self) -> float:
        """Return when the next host that only waits for its time may be asked."""
        waiting = (self._hosts[name].next_at for name in self._turn)
        return min(waiting, default=math.inf)

    def finished(self, name: str, now: float) -> None:
        """Note that a fetch from a host came to its end."""
        host = self._hosts[name]
        host.asking -= 1
        idle = not host.queue and not host.asking
        if idle and host.next_at <= now and not host.refusals:
            del self._hosts[name]

    def set_delay(self, name: str, delay: float) -> None:
        """Keep a host's requests so many seconds apart, one at a time."""
        if delay > 0:
            self._hosts.setdefault(name, _Host()).delay = delay

    def leave_alone(self, name: str, until: float) -> None:
        """Ask a host nothing before a time."""
        host = self._hosts.setdefault(name, _Host())
        host.next_at = max(host.next_at, until)

    def drain(self, name: str) -> list[Leased]:
        """Take everything out of a host's queue."""
        host = self._hosts.get(name)
        if host is None or not host.queue:
            return []
        drained = list(host.queue)
        host.queue.clear()
        self._turn.remove(name)
        self.queued -= len(drained)
        return drained

    def fuller_than(self, count: int) -> set[str]:
        """Return the hosts with more than ``count`` URLs in their queues."""
        return {name for name in self._turn if len(self._hosts[name].queue) > count}

    def refused(self, name: str) -> int:
        """Count a refusal; return how many came in a row."""
        host = self._hosts.setdefault(name, _Host())
        host.refusals += 1
        return host.refusals

    def welcomed(self, name: str) -> None:
        """Forget earlier refusals of a host."""
        if (host := self._hosts.get(name)) is not None:
            host.refusals = 0

    def _limit(self, name: str, host: _Host) -> int:
        if not name:
            return 2 * self._per_host  # files of one's own
        return 1 if host.delay else self._per_host
