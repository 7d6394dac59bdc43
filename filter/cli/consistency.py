"""`icf-filter consistency`: the characters that want a second look."""

from __future__ import annotations

import click
from rich.console import Group
from rich.text import Text

from icf import command
from icf.catalogue import calibrations
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.filter import resources
from icf.filter.review.consistency import Alike, Consistency, Survey, Surveyor


@click.command("consistency")
@click.option("--album", "only", metavar="NAME", help="Of this album only.")
@click.option(
    "--limit",
    "most",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Characters, and pairs of them, to show.",
)
@shared_options
@pass_invocation
@example("icf-filter consistency --limit 5")
def consistency_command(invocation: Invocation, only: str | None, most: int) -> None:
    """Show whose kept faces are least alike, and which characters are most alike.

    The worst come first. Of each character: the mean, the spread and the lowest of the
    cosines between its faces and their centroid, and the share of faces that are nearer
    to being somebody else. Of two characters of an album: the cosines of their
    centroids and of their references, and what the nearer of both is worth.
    """
    workspace = invocation.workspace
    embedder = resources.chosen_embedder(workspace)
    model = embedder.model_hash
    with workspace.catalogue.read() as connection:
        curve = calibrations.newest(connection, [model]).get(model, embedder.curve)
    surveyor = Surveyor(workspace.catalogue, workspace.vectors, model, curve)
    found = surveyor.survey(only, most)
    result = {
        "model": model,
        "threshold": curve.even,
        "characters": found.characters,
        "least": [_consistency(each) for each in found.least],
        "alike": [_alike(each) for each in found.alike],
    }
    invocation.emit(result, lambda: _tables(found))


def _consistency(each: Consistency) -> dict[str, object]:
    who = each.character
    numbers = {key: value for key, value in vars(each).items() if key != "character"}
    return {"character_id": who.id, "album": who.album, "name": who.name, **numbers}


def _alike(each: Alike) -> dict[str, object]:
    return {
        "album": each.one.album,
        "character_id": each.one.id,
        "name": each.one.name,
        "other_id": each.other.id,
        "other": each.other.name,
        "centroids": each.cosine,
        "references": each.references,
        "probability": each.probability,
    }


def _tables(found: Survey) -> Group | str:
    if not found.characters:
        return "no character has kept faces yet; see `icf-filter run`"
    least = command.table(
        ("album", "character", "faces", "mean", "spread", "lowest", "under"),
        [
            (
                each.character.album,
                each.character.name,
                each.faces,
                f"{each.mean:.3f}",
                f"{each.spread:.3f}",
                f"{each.lowest:.3f}",
                f"{each.under:.0%}",
            )
            for each in found.least
        ],
    )
    alike = command.table(
        ("album", "character", "other", "centroids", "references", "same"),
        [
            (
                each.one.album,
                each.one.name,
                each.other.name,
                f"{each.cosine:.3f}",
                "" if each.references is None else f"{each.references:.3f}",
                f"{each.probability:.3f}",
            )
            for each in found.alike
        ],
    )
    title = f"least consistent of {found.characters:,} characters"
    return Group(Text(title), least, Text("\nmost alike of one album"), alike)
