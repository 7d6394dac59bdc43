"""When each host may be asked next."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict


class Turns:
    """When each host may be asked; times are those of `time.monotonic`."""

    def __init__(self) -> None:
        self._from: defaultdict[str, float] = defaultdict(float)
        self.spacing: dict[str, float] = {}

    async def wait(self, host: str) -> None:
        """Return when it is a host's turn, and keep others from it for its delay."""
        while (left := self._from[host] - time.monotonic()) > 0:
            await asyncio.sleep(left)
        self._from[host] = time.monotonic() + self.spacing.get(host, 0.0)

    def leave_alone(self, host: str, seconds: float) -> None:
        """Ask a host nothing for some time."""
        self._from[host] = max(self._from[host], time.monotonic() + seconds)
