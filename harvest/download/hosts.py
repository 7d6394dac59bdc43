"""What a worker holds, by host: who may be asked now, and who is left alone."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from icf.harvest.download.frontier import Leased


@dataclass
class _Host:
    gap: float
    queue: deque[Leased] = field(default_factory=deque)
    asking: int = 0
    last_at: float = -math.inf
    alone_until: float = 0.0
    refusals: int = 0


class Hosts:
    """Queues of leased URLs, one for each host, served in turn.

    Times are those of the caller's clock, in seconds.

    Args:
        per_host: fetches at a time from one host.
        delay_of: tells how far apart requests to a URL's host must be, in seconds;
            None while that is not known.
        gap: seconds between the starts of two requests to one host, whatever it asks
            for.
    """

    def __init__(
        self,
        per_host: int,
        delay_of: Callable[[Leased], float | None],
        gap: float = 0.0,
    ) -> None:
        self._per_host = per_host
        self._gap = gap
        self._delay_of = delay_of
        self._hosts: dict[str, _Host] = {}
        self._turn: deque[str] = deque()
        self.queued = 0

    def add(self, leased: Iterable[Leased]) -> None:
        """Queue URLs behind those of their hosts."""
        for one in leased:
            host = self._host(one.host)
            if not host.queue:
                self._turn.append(one.host)
            host.queue.append(one)
            self.queued += 1

    def take(self, now: float) -> Leased | None:
        """Return a URL whose host may be asked now; None where there is none."""
        for _ in range(len(self._turn)):
            name = self._turn.popleft()
            host = self._hosts[name]
            delay = self._delay_of(host.queue[0])
            if host.asking < self._limit(delay) and self._from(host, delay) <= now:
                one = host.queue.popleft()
                host.asking += 1
                host.last_at = now
                self.queued -= 1
                if host.queue:
                    self._turn.append(name)
                return one
            self._turn.append(name)
        return None

    def next_at(self) -> float:
        """Return when the next host that only waits for its time may be asked."""
        waiting = (self._hosts[name] for name in self._turn)
        return min(
            (self._from(host, self._delay_of(host.queue[0])) for host in waiting),
            default=math.inf,
        )

    def finished(self, leased: Leased, now: float) -> None:
        """Note that a fetch of a URL came to its end."""
        host = self._hosts[leased.host]
        host.asking -= 1
        idle = not host.queue and not host.asking and not host.refusals
        if idle and self._from(host, self._delay_of(leased)) <= now:
            del self._hosts[leased.host]

    def leave_alone(self, name: str, until: float) -> None:
        """Ask a host nothing before a time."""
        host = self._host(name)
        host.alone_until = max(host.alone_until, until)

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
        host = self._host(name)
        host.refusals += 1
        return host.refusals

    def welcomed(self, name: str) -> None:
        """Forget earlier refusals of a host."""
        if (host := self._hosts.get(name)) is not None:
            host.refusals = 0

    def _host(self, name: str) -> _Host:
        # Files of one's own have no host, and need no rest.
        return self._hosts.setdefault(name, _Host(self._gap if name else 0.0))

    def _limit(self, delay: float | None) -> int:
        # What a host asks for is not known before its first answer: one at a time.
        return self._per_host if delay == 0.0 else 1

    def _from(self, host: _Host, delay: float | None) -> float:
        return max(host.alone_until, host.last_at + max(delay or 0.0, host.gap))
