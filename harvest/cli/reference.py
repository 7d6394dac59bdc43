"""`icf-harvest reference`: the reference picture of each character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from icf.catalogue import references
from icf.catalogue.find_character import find_character
from icf.command import (
    NAME,
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    refuse_options,
    shared_options,
    table,
)
from icf.errors import SomeFailed, WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.references import csv_file
from icf.harvest.references.by_hand import (
    CharacterReference,
    find_image,
    found_elsewhere,
    list_references,
)
from icf.harvest.references.own_picture import store_file
from icf.spreadsheet import BadRow
from icf.stores.files import check_place_of_file
from icf.workspace import Workspace

_SHOWN = 20
_NEXT = "run `icf-filter run` to compare the album's faces with it"


@click.group("reference", invoke_without_command=True)
@click.option(
    "--album", type=NAME, metavar="NAME", help="Only characters of this album."
)
@click.option("--missing", is_flag=True, help="Only characters without a reference.")
@shared_options
@pass_invocation
@click.pass_context
@example("icf-harvest reference --missing")
def reference_command(
    context: click.Context, invocation: Invocation, album: str | None, missing: bool
) -> None:
    """Show each character's reference and how it was chosen.

    Every question about a character shows its reference. By default the filter takes
    the lead picture of the character's page ("lead"), else the most typical face
    ("medoid"). The choice of a person ("hand") has priority.
    """
    if context.invoked_subcommand is not None:
        refuse_options(
            f"write it behind {context.invoked_subcommand}", "album", "missing"
        )
        return
    with invocation.workspace.catalogue.read() as connection:
        listed = list_references(connection, album)
    shown = [one for one in listed if one.missing or not missing]
    result = {
        "characters": len(listed),
        "missing": sum(one.missing for one in listed),
        "references": [{**asdict(one), "missing": one.missing} for one in shown],
    }
    invocation.emit(result, lambda: _table(shown))
    invocation.say_if_empty()
    invocation.say(f"{result['missing']} of {len(listed)} characters have no reference")


@reference_command.command("set")
@click.argument("character")
@click.option(
    "--album", type=NAME, metavar="NAME", help="Needed if several have this name."
)
@click.option("--face", type=click.IntRange(1), metavar="N", help="A face's number.")
@click.option(
    "--image",
    metavar="SHA256|URL",
    help="A stored picture, of which the best face is taken.",
)
@click.option(
    "--file",
    type=GivenPath(),
    metavar="PICTURE",
    help="A picture of your own.",
)
@click.option("--licence", metavar="NAME", help="Of the picture given with --file.")
@click.option("--author", metavar="NAME", help="Of the picture given with --file.")
@shared_options
@pass_invocation
@example('icf-harvest reference set "Arun Vale" --face 1')
def set_command(
    invocation: Invocation,
    character: str,
    album: str | None,
    face: int | None,
    image: str | None,
    file: Path | None,
    licence: str | None,
    author: str | None,
) -> None:
    """Choose a character's reference by hand.

    If the faces of the picture are not known yet, the filter takes the best one when it
    has found them. Faces that were compared with another reference are compared again;
    earlier questions keep their reference.
    """
    if sum(each is not None for each in (face, image, file)) != 1:
        raise WrongUse("give one of --face N, --image SHA256|URL and --file PICTURE")
    if file is None and (licence or author):
        raise WrongUse("--licence and --author are of a picture given with --file")
    workspace = invocation.workspace
    if file is not None:
        workspace.check_blobs()
    elsewhere: list[str] = []
    run_id = workspace.begin_run("icf-harvest reference set")
    with workspace.catalogue.write() as connection:
        who = find_character(connection, character, album)
        if face is not None:
            elsewhere = found_elsewhere(connection, who, face_id=face)
            chosen: int | None = references.choose_face(connection, run_id, who, face)
        else:
            if file is not None:
                stated = Licence(
                    licence or UNKNOWN.name,
                    None,
                    references.HAND if licence else UNKNOWN.read_from,
                    author,
                )
                settings = workspace.settings.harvest
                image_id = store_file(
                    connection, workspace.blobs, file, stated, settings
                )
            else:
                image_id = find_image(connection, image or "")
                elsewhere = found_elsewhere(connection, who, image_id=image_id)
            chosen = references.choose_image(connection, run_id, who, image_id)
    workspace.end_run(run_id)
    result = {"character": who, "face": chosen, "waits": chosen is None}
    invocation.emit(result, lambda: _result_text(character, face, chosen))
    if elsewhere:
        names = ", ".join(elsewhere[:_SHOWN])
        invocation.say(
            f"this picture was found under other characters alone ({names}): if that "
            "is a mistake, set another one"
        )


@reference_command.command("clear")
@click.argument("character")
@click.option(
    "--album", type=NAME, metavar="NAME", help="Needed if several have this name."
)
@shared_options
@pass_invocation
@example('icf-harvest reference clear "Arun Vale"')
def clear_command(invocation: Invocation, character: str, album: str | None) -> None:
    """Remove a character's reference; the filter chooses one again."""
    workspace = invocation.workspace
    run_id = workspace.begin_run("icf-harvest reference clear")
    with workspace.catalogue.write() as connection:
        who = find_character(connection, character, album)
        references.clear(connection, run_id, who)
    workspace.end_run(run_id)
    invocation.emit(
        {"character": who},
        lambda: f"{character} has no reference; `icf-filter run` chooses one",
    )


@reference_command.command("page")
@click.argument("file", metavar="FILE.html", type=GivenPath())
@click.option(
    "--album", type=NAME, metavar="NAME", help="Only characters of this album."
)
@click.option("--missing", is_flag=True, help="Only characters without a reference.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=12,
    show_default=True,
    help="Maximum number of pictures of a character.",
)
@shared_options
@pass_invocation
@example("icf-harvest reference page references.html")
def page_command(
    invocation: Invocation, file: Path, album: str | None, missing: bool, limit: int
) -> None:
    """Write a page to choose references in a browser.

    It needs no server and no network. Thumbnails are in the page itself or, if there
    are many, in a folder next to it. "Save choices" saves `references.csv` for
    `icf-harvest reference import`.
    """
    # Cropping faces loads the models' runtimes, which no other command needs.
    from icf.harvest.references.page import Order, write_page

    check_place_of_file(file)
    order = Order(file, album, missing, limit)
    with invocation.progress("pictures", None) as advance:
        written = write_page(invocation.workspace, order, advance)
    lines = [f"{file}: {written.characters} characters, {written.pictures} pictures"]
    if written.folder is not None:
        lines.append(f"keep the folder {written.folder} next to it")
    if written.left_out:
        out = ", ".join(f"{n} {why}" for why, n in sorted(written.left_out.items()))
        lines.append(f"not shown because they cannot be read: {out}")
    result = {
        "characters": written.characters,
        "pictures": written.pictures,
        "folder": None if written.folder is None else str(written.folder),
        "left_out": dict(written.left_out),
    }
    invocation.emit(result, lambda: "\n".join(lines))


@reference_command.command("import")
@click.argument("file", metavar="FILE.csv", type=GivenPath())
@shared_options
@pass_invocation
@example("icf-harvest reference import references.csv")
def import_command(invocation: Invocation, file: Path) -> None:
    """Import the choices that the page saved.

    A row names a character, by id or by album and name, and a choice: face:N,
    image:SHA256 or none. Invalid rows are reported by line; the others are imported,
    and the exit code is 3.
    """
    workspace = invocation.workspace
    rows = csv_file.read_rows(file)
    imported = _import(workspace, rows)
    result = {
        "faces": imported.faces,
        "waiting": imported.waiting,
        "none": imported.none,
        "bad": [{"line": one.line, "why": one.why} for one in imported.bad],
    }
    invocation.emit(
        result,
        lambda: (
            f"{imported.faces} references, {imported.waiting} pictures whose faces "
            f"are not known yet, {imported.none} characters without one; {_NEXT}"
        ),
    )
    if imported.bad:
        raise SomeFailed(_report(file, imported.bad))


def _import(
    workspace: Workspace, rows: list[csv_file.Row | BadRow]
) -> csv_file.Imported:
    run_id = workspace.begin_run("icf-harvest reference import")
    with workspace.catalogue.write() as connection:
        imported = csv_file.import_rows(connection, run_id, rows)
    workspace.end_run(run_id)
    return imported


def _report(file: Path, bad: Sequence[BadRow]) -> str:
    lines = [str(one) for one in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        lines.append(f"and {len(bad) - _SHOWN} more")
    return f"{len(bad)} rows of {file} were not imported:\n" + "\n".join(lines)


def _result_text(name: str, asked: int | None, chosen: int | None) -> str:
    if chosen is None:
        return f"{name}: `icf-filter run` takes the best face of this picture"
    copy = asked is not None and asked != chosen
    better = f", the better copy of face {asked}" if copy else ""
    return f"{name}: face {chosen}{better}; {_NEXT}"


def _table(shown: Sequence[CharacterReference]) -> Table:
    rows = [
        (
            one.album,
            one.character,
            one.by or "-",
            "" if one.face_id is None else str(one.face_id),
            "; ".join(part for part in (one.note, one.picture_url) if part),
        )
        for one in shown
    ]
    return table(("album", "character", "by", "face", "picture"), rows)
