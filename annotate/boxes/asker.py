"""Asks about more pictures when a person gets fewer than wanted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from icf.annotate.boxes.choose import Asking, insert, is_left, pick
from icf.annotate.boxes.page_run import PageRun
from icf.catalogue.catalogue import Catalogue

#: Seconds until it is looked again for what was not found.
AGAIN = 60.0


@dataclass(eq=False)
class Asker:
    """Asks about a page of pictures at a time, one thread after the other.

    Attributes:
        catalogue: of the workspace.
        asking: which pictures.
        run: what decisions are charged to.
    """

    catalogue: Catalogue
    asking: Asking
    run: PageRun
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pages: int = 0
    _confirmed_at: float = 0.0
    _again_at: float = 0.0

    def ask(self) -> bool:
        """Ask about more pictures; return whether there are more now.

        Nobody who answers waits for the choice, which takes a second of a million
        pictures.
        """
        before = self._pages
        with self._lock:
            if self._pages != before:
                return True
            now = time.monotonic()
            if now < self._again_at:
                return False
            with self.catalogue.read() as connection:
                looks = now >= self._confirmed_at
                picked = pick(connection, self.asking, confirmed=looks)
            if (
                looks
                and len(picked.confirmed) < self.asking.page - self.asking.at_random
            ):
                self._confirmed_at = now + AGAIN
            if not picked.confirmed and not picked.at_random:
                self._again_at = now + AGAIN
                return False
            with self.catalogue.write() as connection:
                insert(connection, self.run.id(connection), picked, self.asking)
            self._pages += 1
            return True

    def is_left(self) -> bool:
        """Whether there are pictures that people were not asked about yet."""
        if time.monotonic() < self._again_at:
            return False
        with self.catalogue.read() as connection:
            found = is_left(connection)
        if not found:
            self._again_at = time.monotonic() + AGAIN
        return found
