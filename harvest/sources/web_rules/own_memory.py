"""End the Scrapy process where it takes too much memory."""

from __future__ import annotations

import re
from pathlib import Path

from scrapy.extensions.memusage import MemoryUsage

_STATUS = Path("/proc/self/status")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class OwnMemoryUsage(MemoryUsage):
    """Scrapy's extension, measuring this process alone.

    ``ru_maxrss``, which Scrapy reads, begins with the peak of the parent
    process: a run with much in memory would have its Scrapy process ended at once.
    """

    def get_virtual_size(self) -> int:
        """Return the peak memory of this process, in bytes."""
        try:
            found = _PEAK.search(_STATUS.read_text(encoding="ascii"))
        except OSError:
            found = None
        return int(found[1]) * 1024 if found else super().get_virtual_size()
