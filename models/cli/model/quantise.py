"""`icf model quantise`: a smaller and faster file of a model."""

from __future__ import annotations

from collections.abc import Sequence

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cli.model.listed import figures_text, task_option
from icf.models.registry.aliases import this_user
from icf.models.registry.resolve import find_any
from icf.models.registry.tasks import Task


@click.command("quantise")
@click.argument("name")
@click.option(
    "--data",
    "specs",
    metavar="SPEC",
    multiple=True,
    default=("workspace",),
    show_default=True,
    help="Labelled faces, as for icf-train.",
)
@task_option
@click.option("--by", metavar="WHO", help="Who does it  [default: user@host].")
@shared_options
@pass_invocation
@example("icf model quantise embedder")
def quantise_command(
    invocation: Invocation,
    name: str,
    specs: Sequence[str],
    task: Task | None,
    by: str | None,
) -> None:
    """Write a model again with numbers of eight bits, a quarter of the size.

    Ranges are measured on some of the data's faces or pictures. On others, an embedder
    is judged by the cosine to what it gave before, rank-1 and the area under the ROC
    curve, a detector by AP50, with and without eight bits; its card has the figures. It
    is a model of its own, which `icf model promote` compares like any.

    With --json: {"sha256", "name", "task", "parent", "file", "bytes", "figures"}.
    """
    # Networks are imported where one is opened.
    from icf.models.data.spec import open_reader, parse
    from icf.models.export.quantise import quantise

    workspace = invocation.workspace
    task, path = find_any(workspace, name, task)
    readers = [open_reader(parse(each), workspace) for each in specs]
    card = quantise(workspace, path, readers, " ".join(specs), by or this_user())
    figures = dict(card.figures["eight bits"])
    result = {
        "sha256": card.sha256,
        "name": card.name,
        "task": task,
        "parent": card.parent,
        "file": card.file,
        "bytes": card.bytes,
        "figures": figures,
    }
    invocation.emit(
        result,
        lambda: f"{card.name}: {card.bytes:,} bytes; {figures_text(figures)}",
    )
    invocation.say(f"next: `icf model promote {card.name}` compares it and uses it")
