"""`icf-harvest albums`, `characters` and `images`: one level of the hierarchy each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple

import click

from icf.command import (
    NAME,
    Invocation,
    example,
    pass_invocation,
    refuse_options,
    shared_options,
    table,
)
from icf.harvest.cli.work import (
    count_work,
    dry_run_option,
    fetch_and_report,
    left_out,
    only_licence_option,
    passed_over,
    raise_for_faults,
    refresh_option,
    run_with_progress,
    source_option,
)
from icf.harvest.listing.discover import Scope
from icf.harvest.report.known import (
    Choice,
    KnownAlbum,
    KnownCharacter,
    KnownImages,
    check_albums,
    count_unfiled,
    known_albums,
    known_characters,
    known_images,
)
from icf.harvest.run import Outcome, Work
from icf.harvest.sources.base import Level

_show_option = click.option(
    "--show", is_flag=True, help="Only print what is known, without requests."
)
_limit_option = click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="Maximum number of rows for --show.",
)
_album_option = click.option(
    "--album",
    "albums",
    type=NAME,
    metavar="NAME",
    multiple=True,
    help="Only this album; may be repeated.",
)


@click.command("albums")
@_show_option
@_limit_option
@source_option
@refresh_option
@dry_run_option
@shared_options
@pass_invocation
@example("icf-harvest albums --show")
def albums_command(
    invocation: Invocation,
    show: bool,
    limit: int,
    sources: tuple[str, ...],
    refresh: bool,
    dry_run: bool,
) -> None:
    """List the albums that the sources have.

    A list, a folder and a file have no separate list of albums: their albums are found
    together with their pictures.
    """
    _check_options(show)
    if show:
        with invocation.workspace.catalogue.read() as connection:
            found, total = known_albums(connection, Choice(sources, (), limit))
        shown = {"albums": [asdict(one) for one in found], "total": total}
        invocation.emit(shown, lambda: table(_ALBUM, [_album(one) for one in found]))
        _report_rest(invocation, len(found), total)
        return
    scope = Scope(frozenset({Level.ALBUMS}))
    _list(invocation, Work(scope, sources, refresh, fetch=False), dry_run=dry_run)


@click.command("characters")
@_show_option
@_limit_option
@_album_option
@source_option
@refresh_option
@dry_run_option
@shared_options
@pass_invocation
@example("icf-harvest characters --show")
def characters_command(
    invocation: Invocation,
    show: bool,
    limit: int,
    albums: tuple[str, ...],
    sources: tuple[str, ...],
    refresh: bool,
    dry_run: bool,
) -> None:
    """List the characters of the known albums."""
    _check_options(show)
    with invocation.workspace.catalogue.read() as connection:
        check_albums(connection, albums)
        if show:
            chosen = Choice(sources, albums, limit)
            found, total = known_characters(connection, chosen)
    if show:
        shown = {"characters": [asdict(one) for one in found], "total": total}
        cells = [_character(one) for one in found]
        invocation.emit(shown, lambda: table(_CHARACTER, cells))
        _report_rest(invocation, len(found), total)
        return
    scope = Scope(frozenset({Level.CHARACTERS}), frozenset(albums))
    _list(invocation, Work(scope, sources, refresh, fetch=False), dry_run=dry_run)


@click.command("images")
@_show_option
@_limit_option
@_album_option
@source_option
@refresh_option
@only_licence_option
@dry_run_option
@shared_options
@pass_invocation
@example("icf-harvest images --show")
def images_command(
    invocation: Invocation,
    show: bool,
    limit: int,
    albums: tuple[str, ...],
    sources: tuple[str, ...],
    refresh: bool,
    dry_run: bool,
) -> None:
    """List the pictures of the known characters, and fetch them."""
    _check_options(show)
    with invocation.workspace.catalogue.read() as connection:
        check_albums(connection, albums)
        if show:
            chosen = Choice(sources, albums, limit)
            found, total = known_images(connection, chosen)
            unfiled = count_unfiled(connection)
    if show:
        shown = {
            "images": [asdict(one) for one in found],
            "total": total,
            "of_nobody": unfiled,
        }
        invocation.emit(shown, lambda: table(_IMAGES, [_images(one) for one in found]))
        _report_rest(invocation, len(found), total)
        if unfiled:
            invocation.say(f"{unfiled} pictures are filed under no character")
        return
    work = Work(Scope(frozenset({Level.IMAGES}), frozenset(albums)), sources, refresh)
    fetch_and_report(invocation, work, dry_run=dry_run)


def _check_options(show: bool) -> None:
    """Refuse options that are for requests with --show, and the other way round."""
    if show:
        refuse_options("--show makes no requests", "refresh", "dry_run", "only_licence")
    else:
        refuse_options("it is for --show", "limit")


def _list(invocation: Invocation, work: Work, *, dry_run: bool) -> None:
    """Process the listings of a level and report what is known."""
    if dry_run:
        count_work(invocation, work)
        return
    outcome = run_with_progress(invocation, work)
    with invocation.workspace.catalogue.read() as connection:
        chosen = Choice(work.sources, tuple(sorted(work.scope.albums)))
        _, albums = known_albums(connection, chosen)
        _, characters = known_characters(connection, chosen)
    done = {
        "albums": albums,
        "characters": characters,
        "answers": outcome.listed.pages,
        "passed_over": outcome.listed.passed_over,
        "left_out": dict(outcome.listed.left_out.most_common()),
        "faults": outcome.listed.faults,
        "failed_listings": outcome.listed.failed,
    }
    invocation.emit(done, lambda: _level_text(outcome, albums, characters))
    raise_for_faults(outcome)


def _level_text(outcome: Outcome, albums: int, characters: int) -> str:
    lines = [
        f"{outcome.listed.pages} listing pages; {albums} albums and {characters} "
        "characters are known"
    ]
    if outcome.listed.passed_over:
        lines.append(passed_over(outcome))
    if outcome.listed.left_out:
        lines.append(left_out(outcome))
    return "\n".join(lines)


def _report_rest(invocation: Invocation, shown: int, total: int) -> None:
    if shown < total:
        invocation.say(f"and {total - shown:,} more; use --limit {total}")


# Page URLs are only in the JSON: they are too long for a terminal.
_ALBUM = (
    "album",
    "region",
    "style",
    "rank",
    "source",
    "characters",
    "stored",
    "pending",
    "failed",
)
_CHARACTER = ("album", "character", "gender", "source", "pictures", "reference")
_IMAGES = ("album", "character", "stored", "pending", "failed", "images")


def _album(one: KnownAlbum) -> Sequence[object]:
    rank = "" if one.rank is None else one.rank
    return (
        one.name,
        one.region or "",
        one.style or "",
        rank,
        one.source,
        one.characters,
        *astuple(one.pictures),
    )


def _character(one: KnownCharacter) -> Sequence[object]:
    fates = ", ".join(f"{count} {fate}" for fate, count in one.fates.items())
    return (
        one.album,
        one.name,
        one.gender or "",
        one.source,
        fates,
        one.reference or "",
    )


def _images(one: KnownImages) -> Sequence[object]:
    return (
        one.album,
        one.character,
        *astuple(one.pictures),
        one.images,
    )
