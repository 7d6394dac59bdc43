"""An HTML page to choose references, without a server.

The page loads nothing but its own thumbnails; a content security policy enforces that.
The choices stay in the browser and are saved as `references.csv` for
`icf-harvest reference import`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.errors import BrokenMachine, WrongUse
from icf.harvest.references.by_hand import CharacterReference, list_references
from icf.harvest.references.choices import Choice, read_choices
from icf.harvest.references.csv_file import COLUMNS, one_line, row_start
from icf.harvest.references.thumbnails import Thumbnails, file_name
from icf.images import jpeg_url
from icf.pages.templates import html_templates
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: Bytes of thumbnails that are embedded in the page; more are put into a folder.
INLINE = 6_000_000
#: Characters whose choices one query reads.
_CHARACTERS = 200
#: Files of a thumbnail folder, which may be replaced.
_OURS = re.compile(r"(face-[0-9]+|image-[0-9a-f]{64})\.jpg")


@dataclass(frozen=True)
class Panel:
    """A character on the page.

    Attributes:
        row: the start of its row of the file, up to the choice.
        link: its page on the web, or None.
    """

    reference: CharacterReference
    row: str
    album: str
    name: str
    link: str | None
    choices: Sequence[Choice]


@dataclass(frozen=True)
class Written:
    """The result of writing a page.

    Attributes:
        folder: of its thumbnails; None if they are in the page.
        left_out: number of pictures that cannot be shown, by reason.
    """

    characters: int
    pictures: int
    folder: Path | None
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Order:
    """What the page shows.

    Attributes:
        target: the file to write.
        album: only this album's characters.
        missing: only characters without a reference.
        limit: maximum number of pictures of a character.
    """

    target: Path
    album: str | None = None
    missing: bool = False
    limit: int = 12


def write_page(
    workspace: Workspace,
    order: Order,
    done: Callable[[int], None] = lambda count: None,
) -> Written:
    """Write the page and, if there are many thumbnails, a folder next to it.

    Args:
        workspace: with the pictures.
        order: what to show.
        done: called with the number of new thumbnails.

    Raises:
        WrongUse: there is no character to show, or the folder has other files.
        BrokenMachine: it cannot be written, or the blob store has no picture of it.
    """
    workspace.check_blobs()
    panels = _panels(workspace, order)
    if not panels:
        raise WrongUse(
            "there is no character to show; `icf-harvest reference` lists all"
        )
    folder = order.target.with_name(f"{order.target.stem}_pictures")
    _check_ours(folder)
    settings = workspace.settings
    thumbnails = Thumbnails(
        workspace.blobs, settings.filter.crop_rate, settings.harvest.max_pixels
    )
    choices = [one for panel in panels for one in panel.choices]
    try:
        with tempfile.TemporaryDirectory(dir=order.target.resolve().parent) as place:
            made = Path(place) / folder.name
            made.mkdir()
            left_out = thumbnails.write(choices, made, done)
            sources, inside = _sources(made, folder.name)
            text = _render(workspace, panels, sources, left_out)
            if folder.exists():
                shutil.rmtree(folder)
            if not inside:
                made.rename(folder)
            replace_file(order.target, [text.encode()])
    except OSError as error:
        raise BrokenMachine(
            f"cannot write the page {order.target}: {error}; choose another place, or "
            "free some space"
        ) from error
    shown = sum(file_name(one) in sources for one in choices)
    return Written(len(panels), shown, None if inside else folder, dict(left_out))


def _panels(workspace: Workspace, order: Order) -> list[Panel]:
    with workspace.catalogue.read() as connection:
        listed = list_references(connection, order.album)
        wanted = [one for one in listed if one.missing or not order.missing]
        choices: dict[int, list[Choice]] = {}
        ids = [one.character_id for one in wanted]
        for start in range(0, len(ids), _CHARACTERS):
            part = ids[start : start + _CHARACTERS]
            choices.update(read_choices(connection, part, order.limit))
    return [
        Panel(
            one,
            row_start(one.character_id, one.album, one.character),
            one_line(one.album),
            one_line(one.character),
            one.page_url if _is_web(one.page_url) else None,
            choices[one.character_id],
        )
        for one in wanted
    ]


def _is_web(link: str | None) -> bool:
    """Only web URLs become links: ``javascript:`` would run code."""
    return link is not None and link.startswith(("http://", "https://"))


def _check_ours(folder: Path) -> None:
    if not folder.exists():
        return
    strange = not folder.is_dir() or any(
        not _OURS.fullmatch(each.name) for each in folder.iterdir()
    )
    if strange:
        raise WrongUse(
            f"{folder} has other files than the thumbnails of such a page; choose "
            "another name"
        )


def _sources(made: Path, name: str) -> tuple[dict[str, str], bool]:
    """Return the URL of each thumbnail, and whether they are in the page."""
    files = sorted(made.iterdir())
    inside = sum(file.stat().st_size for file in files) <= INLINE
    return {
        file.name: jpeg_url(file.read_bytes()) if inside else f"{name}/{file.name}"
        for file in files
    }, inside


def _render(
    workspace: Workspace,
    panels: Sequence[Panel],
    sources: Mapping[str, str],
    left_out: Counter[str],
) -> str:
    environment = html_templates(Path(__file__).parent)
    style = environment.get_template("style.html").render()
    script = environment.get_template("script.html").render()
    root = hashlib.sha256(str(workspace.root).encode()).hexdigest()[:16]
    return environment.get_template("page.html").render(
        panels=panels,
        albums=list(dict.fromkeys(panel.album for panel in panels)),
        sources=sources,
        file_name=file_name,
        left_out=left_out,
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        header=",".join(COLUMNS),
        key=f"icf-references-{root}",
    )


def _hash(code: str) -> str:
    """Return the hash of a text for a content security policy."""
    digest = hashlib.sha256(code.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
