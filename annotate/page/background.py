"""What the server does between requests: labels, new questions, old leases.

Answers are acknowledged when they are on the disk; here their labels follow, within
about a second. What a killed server left is done first.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from icf.annotate.gold.make import retire_unfounded
from icf.annotate.gold.pauses import pause_low
from icf.annotate.pairs.more import Asker
from icf.annotate.tasks import leases
from icf.annotate.waiting import Applier, follower_of
from icf.annotate.weighing import weigh_again
from icf.catalogue.annotation.waiting import count_waiting
from icf.errors import IcfError
from icf.workspace import Workspace

_log = logging.getLogger(__name__)

#: Seconds between two looks, unless something happens.
INTERVAL = 1.0
#: Seconds until it is tried again after what nobody foresaw.
FAILED = 10.0
#: Seconds until the same trouble is said again, while it lasts.
SAY = 60.0
#: Seconds for which answers gather: twenty at once cost little more than one.
GATHER = 0.4
#: Seconds between two sweeps of leases that ran out.
SWEEP = 30.0
#: Seconds until it is tried again to ask, where nothing was left.
NOTHING_LEFT = 60.0
#: Seconds between two looks at everybody's answers to known pairs.
SCORE = 5.0
#: Seconds between two fits of how far people can be trusted, at least; and the share
#: of the time that they may take.
WEIGH, WEIGH_SHARE = 60.0, 0.05
#: Answers a transaction: whoever sends answers meanwhile waits for it.
PART = 10


@dataclass(eq=False)
class Background:
    """A thread that does so; use it as a context.

    Attributes:
        workspace: of the server.
        asks: whether more is asked when few questions are left.
    """

    workspace: Workspace
    asks: bool = True
    _woken: threading.Event = field(default_factory=threading.Event)
    _ends: threading.Event = field(default_factory=threading.Event)
    _starved: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _chores: _Chores | None = None
    #: When each trouble that lasts was said.
    _said: dict[str, float] = field(default_factory=dict)

    def answered(self) -> None:
        """Say that answers were stored."""
        self._woken.set()

    def starved(self) -> None:
        """Say that a person got less than was asked for."""
        self._starved.set()
        self._woken.set()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(
            target=self._run, name="icf-annotate background", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Finish what is begun, and end the thread."""
        self._ends.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            ends = self._ends.is_set()
            self._woken.clear()
            # What fails each time must not keep the other from being done.
            done = self._tried(self._follow)
            if ends:
                break
            done = self._tried(self._do_chores) and done
            if done and self._said:
                _log.warning("what follows from answers goes on")
                self._said.clear()
            if self._woken.wait(INTERVAL):
                self._ends.wait(GATHER)
        if self._chores is not None:
            self._end(self._chores.run_id)

    def _tried(self, work: Callable[[], None]) -> bool:
        """Do some work; return whether it succeeded."""
        try:
            work()
        except IcfError as error:
            # Another command may hold the catalogue; answers are taken meanwhile.
            self._say(str(error))
            return False
        except Exception:
            _log.exception("what follows from answers failed, and is tried again")
            self._ends.wait(FAILED)
            return False
        return True

    def _say(self, trouble: str) -> None:
        """Warn of what must wait; of the same trouble now and then."""
        now = time.monotonic()
        said = self._said.get(trouble)
        if said is None or now >= said + SAY:
            _log.warning("what follows from answers must wait: %s", trouble)
            self._said[trouble] = now

    def _follow(self) -> None:
        if self._chores is None:
            self._chores = self._begin()
        if self._apply(self._chores.run_id):
            self._chores.changed()

    def _do_chores(self) -> None:
        if self._chores is not None:
            self._chores.do(starved=self._starved.is_set())
            self._starved.clear()

    def _begin(self) -> _Chores:
        run_id = self.workspace.begin_run("icf-annotate serve")
        asker = Asker(self.workspace, run_id) if self.asks else None
        return _Chores(self.workspace, asker, run_id)

    def _end(self, run_id: int) -> None:
        try:
            self.workspace.end_run(run_id)
        except IcfError as error:
            _log.warning("when the server ended is not noted: %s", error)

    def _apply(self, run_id: int) -> int:
        """Let labels follow all answers that wait; return how many there were."""
        catalogue = self.workspace.catalogue
        with catalogue.read() as connection:
            if not count_waiting(connection):
                return 0
        # What is known of people may have changed, and with it the rule.
        applier = Applier(catalogue, follower_of(self.workspace, run_id))
        total = 0
        while some := applier.apply_some(PART).answers:
            total += some
            catalogue.stand_by()
        return total


@dataclass
class _Chores:
    """What is done now and then."""

    workspace: Workspace
    asker: Asker | None
    run_id: int
    swept_at: float = 0.0
    ask_again_at: float = 0.0
    scored_at: float = 0.0
    weigh_at: float = 0.0
    is_new: bool = False

    def changed(self) -> None:
        """Labels changed: there may be more to ask, and more is known of people."""
        self.is_new = True
        self.ask_again_at = min(self.ask_again_at, time.monotonic() + INTERVAL)

    def do(self, *, starved: bool) -> None:
        """Do what is due."""
        now = time.monotonic()
        if now >= self.swept_at + SWEEP:
            with self.workspace.catalogue.write() as connection:
                leases.sweep(connection)
            self.swept_at = now
        if now >= self.scored_at + SCORE:
            retire_unfounded(self.workspace.catalogue)
            floor = self.workspace.settings.annotate.gold_floor
            pause_low(self.workspace.catalogue, floor)
            self.scored_at = now
        if self.is_new and now >= self.weigh_at:
            self.weigh_at = now + WEIGH
            weigh_again(self.workspace, self.run_id)
            took = time.monotonic() - now
            self.weigh_at = time.monotonic() + max(WEIGH, took / WEIGH_SHARE)
            self.is_new = False
        if self.asker is not None and now >= self.ask_again_at:
            self._ask_more(self.asker, starved=starved)

    def _ask_more(self, asker: Asker, *, starved: bool) -> None:
        if starved or asker.are_few():
            asked = asker.ask()
            self.ask_again_at = 0.0 if asked else time.monotonic() + NOTHING_LEFT
