"""`icf-filter consistency`: find characters that need a second look."""

from __future__ import annotations

import click
from rich.console import Group
from rich.text import Text

from icf import command
from icf.catalogue import calibrations
from icf.command import NAME, Invocation, example, pass_invocation, shared_options
from icf.filter import resources
from icf.filter.review.consistency import (
    Consistency,
    SimilarPair,
    Survey,
    Surveyor,
)


@click.command("consistency")
@click.option(
    "--album", "only", type=NAME, metavar="NAME", help="Only characters of this album."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Maximum number of characters and of pairs to show.",
)
@shared_options
@pass_invocation
@example("icf-filter consistency --limit 5")
def consistency_command(invocation: Invocation, only: str | None, limit: int) -> None:
    """Show the least consistent characters and the most similar pairs.

    The worst come first. For each character: the mean, standard deviation and minimum
    of the cosines between its faces and their centroid, and the share of faces below
    the cosine of even odds. For two characters of an album: the cosines of their
    centroids and of their references, and the probability of the greater cosine.
    """
    workspace = invocation.workspace
    embedder = resources.chosen_embedder(workspace)
    model = embedder.model_hash
    with workspace.catalogue.read() as connection:
        curve = calibrations.newest(connection, [model]).get(model, embedder.curve)
    surveyor = Surveyor(workspace.catalogue, workspace.vectors, model, curve)
    found = surveyor.survey(only, limit)
    result = {
        "model": model,
        "threshold": curve.even,
        "characters": found.characters,
        "least": [_consistency(each) for each in found.least_consistent],
        "alike": [_pair(each) for each in found.most_similar],
    }
    invocation.emit(result, lambda: _tables(found))
    invocation.say_if_empty()


def _consistency(each: Consistency) -> dict[str, object]:
    character = each.character
    numbers = {key: value for key, value in vars(each).items() if key != "character"}
    return {
        "character_id": character.id,
        "album": character.album,
        "name": character.name,
        **numbers,
    }


def _pair(each: SimilarPair) -> dict[str, object]:
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
        return "no character has kept faces yet; run `icf-filter run`"
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
            for each in found.least_consistent
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
            for each in found.most_similar
        ],
    )
    title = f"least consistent of {found.characters:,} characters"
    return Group(Text(title), least, Text("\nmost similar pairs of one album"), alike)
