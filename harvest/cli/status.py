"""`icf-harvest status`: fates of all URLs, rates, and time left."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Group
from rich.filesize import decimal

from icf.codes import FetchStatus
from icf.command import (
    Invocation,
    example,
    pass_invocation,
    refuse_options,
    shared_options,
    table,
)
from icf.harvest.fates import REMEDIES
from icf.harvest.report import progress
from icf.harvest.report.progress import Lease, Listings, Progress
from icf.harvest.report.status import (
    ListingRow,
    UrlRow,
    count_images,
    listings_with_messages,
    urls_of,
)
from icf.own_files import readable

_SHOWN = 20


@dataclass(frozen=True)
class Status:
    """Everything that the command reports."""

    now: float
    urls: dict[str, int]
    images: int
    bytes: int
    all: Progress
    sources: list[Progress]
    hosts: list[Progress]
    listings: list[Listings]
    leases: list[Lease]
    messages: Sequence[ListingRow]

    @property
    def postponed(self) -> list[Progress]:
        """The hosts without requests before a later time."""
        return [host for host in self.hosts if host.postponed_until is not None]

    @property
    def failures(self) -> list[FetchStatus]:
        """The fates of failure that occur, in the order of the codes."""
        return [fate for fate in REMEDIES if self.urls.get(fate.value)]


@click.command("status")
@click.option(
    "--by",
    type=click.Choice(["fate", "source", "host"]),
    help="Only the table by fate, by source or by host  [default: fate and source].",
)
@click.option(
    "--fate",
    type=click.Choice([fate.value for fate in FetchStatus]),
    help="List the URLs with this fate and the reason.",
)
@click.option(
    "--limit",
    default=_SHOWN,
    show_default=True,
    type=click.IntRange(min=1),
    help="Maximum number of URLs or hosts.",
)
@shared_options
@pass_invocation
@example("icf-harvest status --json")
def status_command(
    invocation: Invocation, by: str | None, fate: str | None, limit: int
) -> None:
    """Report the fates of all URLs, the rates, and the time left.

    Rates are measured over the last five minutes; the time left is unknown if too
    little was fetched in them.
    """
    if fate is not None:
        refuse_options("--fate lists URLs, and no table", "by")
    elif by != "host":
        refuse_options("it is for --fate and --by host", "limit")
    if fate is not None:
        _list_urls(invocation, FetchStatus[fate.upper()], limit)
        return
    found = read_status(invocation, time.time())
    invocation.emit(_as_json(found, by, limit), lambda: _tables(found, by, limit))
    invocation.say_if_empty()
    for one in found.messages:
        invocation.say(f"{one.source}: {one.subject}: {one.message}")


def read_status(invocation: Invocation, now: float) -> Status:
    """Read everything in one transaction."""
    with invocation.workspace.catalogue.read() as connection:
        parts = progress.parts(connection, now)
        overall = progress.overall(parts, now)
        images, size = count_images(connection)
        return Status(
            now,
            {"total": sum(overall.fates.values()), **overall.fates},
            images,
            size,
            overall,
            progress.by_source(parts, now),
            progress.by_host(parts, now),
            progress.listings(connection),
            progress.leases(connection),
            listings_with_messages(connection, _SHOWN),
        )


def _list_urls(invocation: Invocation, fate: FetchStatus, limit: int) -> None:
    with invocation.workspace.catalogue.read() as connection:
        rows = urls_of(connection, fate, limit)
    # A URL is a line of its own, which a terminal does not break in two.
    lines = [f"{readable(row.url)}\n    {_why(row, fate)}" for row in rows]
    invocation.emit({"urls": [asdict(row) for row in rows]}, lambda: "\n".join(lines))
    advice = REMEDIES.get(fate)
    invocation.say(
        f"{fate.value}: {fate.meaning}" + (f"; what to do: {advice}" if advice else "")
    )


def _why(row: UrlRow, fate: FetchStatus) -> str:
    return (row.message or fate.meaning).removeprefix(f"{row.url}: ")


def _as_json(found: Status, by: str | None, limit: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "urls": found.urls,
        "images": found.images,
        "bytes": found.bytes,
        "passed_over": sum(one.passed_over for one in found.listings),
        "urls_per_second": found.all.urls_per_second,
        "bytes_per_second": found.all.bytes_per_second,
        "seconds_left": found.all.seconds_left,
        "sources": [asdict(one) for one in found.sources],
        "listings": [asdict(one) for one in found.listings],
        "leases": [asdict(one) for one in found.leases],
        "postponed": [
            {"host": one.name, "until": one.postponed_until} for one in found.postponed
        ],
        "failures": [
            {
                "fate": fate.value,
                "urls": found.urls[fate.value],
                "meaning": fate.meaning,
                "advice": REMEDIES[fate],
            }
            for fate in found.failures
        ],
    }
    if by == "host":
        shown["hosts"] = [asdict(one) for one in found.hosts[:limit]]
    return shown


def _tables(found: Status, by: str | None, limit: int) -> Group:
    parts: list[Any] = []
    if by in (None, "fate"):
        parts.append(_fates(found))
    if by in (None, "source") and found.sources:
        parts += ["", _progress("source", found.sources)]
    if by == "host":
        parts.append(_progress("host", found.hosts[:limit]))
        if len(found.hosts) > limit:
            parts.append(f"and {len(found.hosts) - limit} more hosts; see --limit")
    if found.listings:
        parts += ["", _listings(found.listings)]
    return Group(*parts, "", *_summary(found))


def _fates(found: Status) -> object:
    rows = []
    for fate, count in found.urls.items():
        if fate == "total":
            rows.append((fate, count, "", ""))
        else:
            code = FetchStatus[fate.upper()]
            rows.append((fate, count, code.meaning, REMEDIES.get(code, "")))
    return table(("URLs", "count", "meaning", "what to do"), rows)


def _progress(title: str, found: Iterable[Progress]) -> object:
    rows = [
        (
            one.name or "(own files)",
            *astuple(one.counts),
            _failed_as(one),
            _rate(one),
            _left(one),
        )
        for one in found
    ]
    columns = (title, "stored", "pending", "failed", "as", "rate", "time left")
    return table(columns, rows)


def _failed_as(one: Progress) -> str:
    known = {fate.value for fate in REMEDIES}
    return ", ".join(f"{n} {fate}" for fate, n in one.fates.items() if fate in known)


def _listings(found: Iterable[Listings]) -> object:
    rows = [
        (
            one.source,
            one.level,
            one.pending,
            one.done,
            one.limited,
            one.failed,
            one.passed_over,
        )
        for one in found
    ]
    columns = (
        "listings of",
        "level",
        "pending",
        "done",
        "at a limit",
        "failed",
        "passed over",
    )
    return table(columns, rows)


def _summary(found: Status) -> list[str]:
    lines = [f"{found.images} images, {decimal(found.bytes)}"]
    if found.all.counts.pending:
        lines.append(f"rate {_rate(found.all)}; time left {_left(found.all)}")
    for host in found.postponed[:_SHOWN]:
        until = _clock(host.postponed_until or 0.0)
        pending = host.counts.pending
        lines.append(f"{host.name}: {pending} URLs are postponed until {until}")
    if len(found.postponed) > _SHOWN:
        lines.append(f"and {len(found.postponed) - _SHOWN} more hosts are postponed")
    for lease in found.leases:
        ended = "; its lease has expired" if lease.until < found.now else ""
        lines.append(f"{lease.worker} has leased {lease.urls} URLs{ended}")
    return lines


def _rate(one: Progress) -> str:
    if one.urls_per_second is None or one.bytes_per_second is None:
        return "unknown"
    return f"{one.urls_per_second:.1f} URLs/s, {one.bytes_per_second / 1e6:.2f} MB/s"


def _left(one: Progress) -> str:
    if one.seconds_left is None:
        return "unknown"
    return str(timedelta(seconds=round(one.seconds_left)))


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
