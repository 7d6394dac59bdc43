"""A worker's leased URLs by host: which host may get a request, and when."""

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
    active: int = 0
    last_at: float = -math.inf
    paused_until: float = 0.0
    refusals: int = 0


class Hosts:
    """Queues of leased URLs, one for each host, served round robin.

    Times are seconds of the caller's clock.

    Args:
        per_host: concurrent fetches from one host.
        delay_of: returns the seconds between requests to a URL's host; None if not
            known yet.
        gap: minimum seconds between the starts of two requests to one host.
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
        """Append URLs to the queues of their hosts."""
        for one in leased:
            host = self._host(one.host)
            if not host.queue:
                self._turn.append(one.host)
            host.queue.append(one)
            self.queued += 1

    def take(self, now: float) -> Leased | None:
        """Return a URL whose host may get a request now; None if there is none."""
        for _ in range(len(self._turn)):
            name = self._turn.popleft()
            host = self._hosts[name]
            delay = self._delay_of(host.queue[0])
            if host.active < self._limit(delay) and self._free_at(host, delay) <= now:
                one = host.queue.popleft()
                host.active += 1
                host.last_at = now
                self.queued -= 1
                if host.queue:
                    self._turn.append(name)
                return one
            self._turn.append(name)
        return None

    def next_at(self) -> float:
        """Return when the next host that waits for its time may get a request."""
        waiting = (self._hosts[name] for name in self._turn)
        return min(
            (self._free_at(host, self._delay_of(host.queue[0])) for host in waiting),
            default=math.inf,
        )

    def finished(self, leased: Leased, now: float) -> None:
        """Record that the fetch of a URL has ended."""
        host = self._hosts[leased.host]
        host.active -= 1
        idle = not host.queue and not host.active and not host.refusals
        if idle and self._free_at(host, self._delay_of(leased)) <= now:
            del self._hosts[leased.host]

    def pause(self, name: str, until: float) -> None:
        """Send a host no request before a time."""
        host = self._host(name)
        host.paused_until = max(host.paused_until, until)

    def drain(self, name: str) -> list[Leased]:
        """Remove and return everything in a host's queue."""
        host = self._hosts.get(name)
        if host is None or not host.queue:
            return []
        drained = list(host.queue)
        host.queue.clear()
        self._turn.remove(name)
        self.queued -= len(drained)
        return drained

    def fuller_than(self, count: int) -> set[str]:
        """Return the hosts that have more than ``count`` URLs queued."""
        return {name for name in self._turn if len(self._hosts[name].queue) > count}

    def refused(self, name: str) -> int:
        """Count a refusal; return the number of consecutive ones."""
        host = self._host(name)
        host.refusals += 1
        return host.refusals

    def accepted(self, name: str) -> None:
        """Reset the count of refusals of a host."""
        if (host := self._hosts.get(name)) is not None:
            host.refusals = 0

    def _host(self, name: str) -> _Host:
        # A source's own files have no host and need no gap.
        return self._hosts.setdefault(name, _Host(self._gap if name else 0.0))

    def _limit(self, delay: float | None) -> int:
        # Until robots.txt is known, one request at a time.
        return self._per_host if delay == 0.0 else 1

    def _free_at(self, host: _Host, delay: float | None) -> float:
        return max(host.paused_until, host.last_at + max(delay or 0.0, host.gap))
