"""When each host may be requested next."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict


class HostSlots:
    """When each host may be requested; times are those of `time.monotonic`."""

    def __init__(self) -> None:
        self._from: defaultdict[str, float] = defaultdict(float)
        self.spacing: dict[str, float] = {}

    async def wait(self, host: str) -> None:
        """Reserve the next slot of a host; return when it begins."""
        while (left := self._from[host] - time.monotonic()) > 0:
            await asyncio.sleep(left)
        self._from[host] = time.monotonic() + self.spacing.get(host, 0.0)

    def leave_alone(self, host: str, seconds: float) -> None:
        """Send nothing to a host for some time."""
        self._from[host] = max(self._from[host], time.monotonic() + seconds)
