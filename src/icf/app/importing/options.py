"""The options that the commands of `icf import` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

import click

from icf.app.importing.held_out import HeldOut

F = TypeVar("F", bound=Callable[..., Any])

name = click.option(
    "--name",
    metavar="NAME",
    help="What the data set is called [default: as DIR]; the annotator of its labels, "
    "and the album of characters without one.",
)
dry_run = click.option(
    "--dry-run", is_flag=True, help="Only count what would be imported."
)


def identity(text: str, known: Sequence[str]) -> Callable[[F], F]:
    """The field that names the character.

    Args:
        text: whose field it is.
        known: the fields that are looked at by default.
    """
    shown = f"{text} [default: {', '.join(known)}]."
    return click.option("--identity", metavar="FIELD", help=shown)


def album(text: str, known: Sequence[str]) -> Callable[[F], F]:
    """The field that names the album; as `identity`."""
    shown = f"{text} [default: {', '.join(known)}]."
    return click.option("--album", metavar="FIELD", help=shown)


def held_out(called: str) -> Callable[[F], F]:
    """Which pictures are never trained on.

    Args:
        called: what is called test or val.
    """
    return click.option(
        "--held-out",
        type=click.Choice(get_args(HeldOut)),
        default="test",
        show_default=True,
        help=f"Pictures that are never trained on: those of {called} called test or "
        "val, all, or none.",
    )


def licence(text: str) -> Callable[[F], F]:
    """The licence of pictures whose source says none."""
    return click.option(
        "--licence", metavar="TEXT", default="unknown", show_default=True, help=text
    )
