"""Take a round as far as it goes without people.

Each state has a function here that does its work and says what comes next. The work can
be done twice without harm, and the state moves in a transaction of its own when it is
done: killed anywhere, the next call goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from icf.annotate.waiting import apply_waiting
from icf.app.round import batches, gating, training
from icf.app.round.batches import Bar, count_answered
from icf.app.round.measure import changes, measure
from icf.catalogue.rounds import audit_set, log
from icf.catalogue.rounds.log import Round
from icf.codes import RoundState
from icf.engine.engine import open_engine
from icf.filter.identify.recalibrate import recalibrate
from icf.filter.review import merges
from icf.filter.run import ALL, run_steps
from icf.workspace import Workspace

#: In a workspace's folder: held while a round is taken further.
LOCK = "round.lock"


@dataclass(frozen=True)
class Drive:
    """What a round is driven with.

    Attributes:
        workspace: whose round it is.
        bar: opens a progress bar.
        say: receives lines for people.
        flags: settings of this call, as ``--set`` takes them.
        quiet: print nothing but errors.
        go_on: with the answers that there are, though some are lacking.
    """

    workspace: Workspace
    bar: Bar
    say: Callable[[str], None] = field(default=lambda line: None)
    flags: tuple[str, ...] = ()
    quiet: bool = False
    go_on: bool = False


@dataclass(frozen=True)
class Next:
    """What follows from a state.

    Attributes:
        state: the next one; None: the round waits for people.
        found: for the summary.
    """

    state: RoundState | None
    found: Mapping[str, Any] = field(default_factory=dict)


def run_round(drive: Drive) -> Round:
    """Go on with the open round, or begin one, until people are needed or it is done.

    With one catalogue one call at a time; a second one waits.

    Returns:
        The round as it is then.

    Raises:
        IcfError: a part failed; the same call goes on there.
    """
    catalogue = drive.workspace.catalogue
    with drive.workspace.one_at_a_time(LOCK, "icf round run"):
        with catalogue.write() as connection:
            found = log.open_or_begin(connection)
        while found.is_open:
            drive.say(f"round {found.number}: {found.state.meaning}")
            # A page that was killed leaves some whose labels do not follow yet.
            apply_waiting(drive.workspace)
            follows = _WORK[found.state](drive, found)
            if follows.state is None:
                break
            with catalogue.write() as connection:
                log.move(connection, found.id, follows.state, follows.found)
            found = _newest(drive.workspace)
    return found


def _newest(workspace: Workspace) -> Round:
    with workspace.catalogue.read() as connection:
        found = log.newest(connection)
    assert found is not None
    return found


def _filter(drive: Drive, found: Round) -> Next:
    _run_filter(drive)
    return Next(RoundState.ASK)


def _run_filter(drive: Drive) -> None:
    settings = drive.workspace.settings.filter
    opened = open_engine("local", settings.workers, deadline=settings.deadline)
    with closing(opened) as engine:
        run_steps(drive.workspace, ALL, engine, drive.bar)


def _ask(drive: Drive, found: Round) -> Next:
    made = batches.ask_batch(drive.workspace, found, drive.bar)
    with drive.workspace.catalogue.read() as connection:
        audit = audit_set.count(connection)
    about = {"audit": {"characters": audit.characters, "images": audit.images}}
    if made is None:
        return Next(RoundState.TRAIN, about)
    known = [*batches.batches_of(found), made]
    return Next(RoundState.ANSWERS, {"batches": known, **about})


def _answers(drive: Drive, found: Round) -> Next:
    """Go on once all is answered; faces are asked about after references."""
    votes = drive.workspace.settings.annotate.enough
    with drive.workspace.catalogue.read() as connection:
        answered = count_answered(connection, found, votes)
    if not answered.complete and not drive.go_on:
        batches.write_again(drive.workspace, found, drive.bar)
        return Next(None)
    if batches.next_batch(found):
        return Next(RoundState.FILTER)
    return Next(RoundState.TRAIN)


def _train(drive: Drive, found: Round) -> Next:
    merges.apply(drive.workspace)
    # What people answered counts in the decisions that the next ones are compared with.
    _run_filter(drive)
    before = measure(drive.workspace).as_json()
    if why := training.refusal(drive.workspace):
        drive.say(f"round {found.number} trains nothing: {why}")
        skipped = {"before": before, "training": {"skipped": why}}
        return Next(RoundState.DECIDE, skipped)
    made = training.train(
        drive.workspace, found, drive.flags, drive.say, quiet=drive.quiet
    )
    return Next(RoundState.GATE, {"before": before, "training": made})


def _gate(drive: Drive, found: Round) -> Next:
    try:
        report = gating.compare_and_promote(drive.workspace, found)
    except training.LostData as why:
        drive.say(f"round {found.number}: {why}")
        return Next(RoundState.TRAIN, {"training": {"skipped": str(why)}})
    drive.say(f"round {found.number}: {report['reason']}")
    return Next(RoundState.DECIDE, {"gate": report})


def _decide(drive: Drive, found: Round) -> Next:
    _run_filter(drive)
    fitted = recalibrate(drive.workspace, judge_again=True)
    _run_filter(drive)
    before = found.summary["before"]
    after = measure(drive.workspace, fitted).as_json()
    seconds = drive.workspace.settings.round.seconds
    changed = changes(before, after, seconds)
    return Next(RoundState.DONE, {"after": after, "changes": changed})


_WORK: Mapping[RoundState, Callable[[Drive, Round], Next]] = {
    RoundState.FILTER: _filter,
    RoundState.ASK: _ask,
    RoundState.ANSWERS: _answers,
    RoundState.TRAIN: _train,
    RoundState.GATE: _gate,
    RoundState.DECIDE: _decide,
}
