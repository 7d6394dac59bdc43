"""Options and reports that the harvesting commands share."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.filesize import decimal

from icf.codes import FETCHED, FetchStatus
from icf.command import Invocation
from icf.errors import SomeFailed, WrongUse
from icf.harvest.cli.contact import advice
from icf.harvest.run import Outcome, Work, harvest, plan

#: Faults that are shown in full; the rest is counted.
_SHOWN = 20
#: Names of files and folders that are shown, the most frequent first.
_SHOWN_NAMES = 6

source_option = click.option(
    "--source",
    "sources",
    metavar="NAME",
    multiple=True,
    help="Only this source; may be repeated.",
)
refresh_option = click.option(
    "--refresh", is_flag=True, help="List again what was listed earlier."
)


def _only_licence(
    context: click.Context, _option: click.Parameter, patterns: tuple[str, ...]
) -> None:
    if not all(each.strip() for each in patterns):
        raise WrongUse("--only-licence: it is empty, and would allow no licence")
    if patterns:
        invocation = context.ensure_object(Invocation)
        flag = f"harvest.only_licence={','.join(patterns)}"
        invocation.settings = (*invocation.settings, flag)


only_licence_option = click.option(
    "--only-licence",
    metavar="PATTERN",
    multiple=True,
    expose_value=False,
    callback=_only_licence,
    help="Only pictures with such a licence, for example CC0 or 'CC BY-SA'; may be "
    "repeated  "
    "[default: the setting harvest.only_licence].",
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Only count what is pending."
)


def count_work(invocation: Invocation, work: Work) -> None:
    """Report what a run would do."""
    counts = plan(invocation.workspace, work)
    invocation.emit(
        asdict(counts),
        lambda: (
            f"{counts.sources} sources; {counts.listings} listings and "
            f"{counts.urls} URLs are pending"
        ),
    )


def run_with_progress(invocation: Invocation, work: Work) -> Outcome:
    """Harvest with a progress bar and a reminder of a missing contact."""
    workspace = invocation.workspace
    before = advice(workspace)
    if before:
        invocation.say(before)
    title = "fetching" if work.fetch else "listing"
    with invocation.progress(title, None) as advance:
        outcome = harvest(workspace, work, finished=advance)
    if not before and (after := advice(workspace)):
        invocation.say(after)
    return outcome


def fetch_and_report(invocation: Invocation, work: Work, *, dry_run: bool) -> None:
    """List and fetch, and report the result; or only report what a run would do.

    Raises:
        SomeFailed: something could not be read.
    """
    if dry_run:
        count_work(invocation, work)
        return
    outcome = run_with_progress(invocation, work)
    invocation.emit(_summary(outcome), lambda: _outcome_text(outcome))
    raise_for_faults(outcome)


def _summary(outcome: Outcome) -> dict[str, object]:
    """Return the result of a run for the JSON output."""
    fates = outcome.fates
    return {
        "listed": outcome.listed.pictures,
        "passed_over": outcome.listed.passed_over,
        "left_out": dict(outcome.listed.left_out.most_common()),
        "fates": {fate.value: fates[fate] for fate in FetchStatus if fates[fate]},
        "bytes": outcome.harvested.bytes,
        "pending": outcome.pending,
        "faults": outcome.listed.faults,
        "failed_listings": outcome.listed.failed,
    }


def _outcome_text(outcome: Outcome) -> str:
    """Return the result of a run as text."""
    harvested = outcome.harvested
    stored = harvested.fates[FetchStatus.STORED]
    lines = [
        f"{outcome.listed.pictures} pictures listed, {stored} fetched "
        f"({decimal(harvested.bytes)})"
    ]
    if outcome.listed.passed_over:
        lines.append(passed_over(outcome))
    if outcome.listed.left_out:
        lines.append(left_out(outcome))
    lost = {k: v for k, v in sorted(outcome.fates.items()) if k not in FETCHED}
    if lost:
        each = ", ".join(f"{count} {fate.value}" for fate, count in lost.items())
        lines.append(
            f"URLs without a picture: {sum(lost.values())} ({each}); "
            "`icf-harvest status` says what to do about each, `icf-harvest status "
            "--fate ...` lists them"
        )
    if outcome.pending:
        hosts = ", ".join(sorted(harvested.given_up)) or "their hosts"
        lines.append(
            f"{outcome.pending} are still pending: {hosts} refused too often, or gave "
            "no answer for too long"
        )
    return "\n".join(lines)


def passed_over(outcome: Outcome) -> str:
    """Return as text how much limits and filters excluded."""
    return (
        f"{outcome.listed.passed_over} passed over by limits and filters; "
        "`icf-harvest status` shows in which listings"
    )


def left_out(outcome: Outcome) -> str:
    """Return as text which files and folders of machines were no pictures."""
    found = outcome.listed.left_out.most_common()
    shown = [f"{count} {name.strip()}" for name, count in found[:_SHOWN_NAMES]]
    if len(found) > _SHOWN_NAMES:
        shown.append(f"{sum(n for _, n in found[_SHOWN_NAMES:])} others")
    return f"left out, hidden or made by a machine: {', '.join(shown)}"


def raise_for_faults(outcome: Outcome) -> None:
    """Raise `SomeFailed` if something could not be read."""
    listed = outcome.listed
    if not listed.faults and not listed.failed:
        return
    shown = listed.faults[:_SHOWN]
    if len(listed.faults) > len(shown):
        shown = [*shown, f"and {len(listed.faults) - len(shown)} more"]
    if listed.failed:
        shown = [
            *shown,
            f"{listed.failed} listings failed; try again with `icf-harvest retry` "
            "and `icf-harvest run`",
        ]
    raise SomeFailed(
        "not everything could be read (`icf-harvest status` shows it again):\n"
        + "\n".join(shown)
    )
