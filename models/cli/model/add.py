"""`icf model add`: take a model that another program made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import WrongUse
from icf.models.card_numbers import COLOURS
from icf.models.cards import ModelCard
from icf.models.gate.licences import licence_warnings
from icf.models.registry.aliases import this_user
from icf.models.registry.tasks import IN_WORDS

_MEGABYTE = 1_000_000


@click.command("add")
@click.argument("source", metavar="FILE_OR_URL")
@click.option(
    "--as",
    "form",
    metavar="FORMAT",
    required=True,
    help="centerface, yolov8, scrfd, retinaface, detector (any other); arcface, ccip, "
    "embedder (any other); torchvision-retinanet, dinov2, timm:NAME, or one of your "
    "own package.",
)
@click.option("--name", metavar="NAME", help="What it is called  [default: the file].")
@click.option(
    "--licence", metavar="NAME", help="Of the weights, such as MIT or CC-BY-NC-4.0."
)
@click.option(
    "--parameter",
    "parameters",
    metavar="NAME=NUMBER",
    multiple=True,
    help="A number of its card, such as side=1024, or three of them, of red, green "
    "and blue, as mean=0.5,0.4,0.4; `icf model show` lists them.",
)
@click.option("--member", metavar="FILE", help="The file of a folder or ZIP file.")
@click.option("--sha256", metavar="HASH", help="Refuse a file with another SHA-256.")
@click.option("--by", metavar="WHO", help="Who adds it  [default: user@host].")
@shared_options
@pass_invocation
@example("icf model add yolo/model.onnx --as yolov8 --licence MIT")
def add_command(
    invocation: Invocation,
    source: str,
    form: str,
    name: str | None,
    licence: str | None,
    parameters: Sequence[str],
    member: str | None,
    sha256: str | None,
    by: str | None,
) -> None:
    """Add a model that another program made, in the form in which it is published.

    FILE_OR_URL is a file, a pack (a folder or a ZIP file), or an https address. It is
    opened, tried on pictures without a face, and kept in the workspace with a card. A
    file that is damaged, something else, or gives no sensible numbers is refused.
    Nothing else changes: `icf model promote` uses it, if it passes the gate.

    With --json: {"sha256", "name", "task", "format", "file", "licence", "calibrated",
    "source_sha256", "parameters", "warnings"}.
    """
    # Opening a model imports what runs it, which takes a while.
    from icf.models.outside.adding import Wish, add

    if not source.strip():
        raise WrongUse("FILE_OR_URL is empty")
    if sha256 is not None and not sha256.strip():
        raise WrongUse("--sha256: it is empty, and would refuse no file")
    wish = Wish(
        source,
        form,
        name or "",
        licence or "",
        dict(pair for each in parameters for pair in _numbers(each)),
        member or "",
        sha256 or "",
    )
    with _fetching(invocation) as begin:
        added = add(invocation.workspace, wish, by or this_user(), begin)
    card = added.card
    warnings = _warnings(card, added.calibrated)
    result: dict[str, Any] = {
        key: value
        for key, value in asdict(card).items()
        if key in ("sha256", "name", "format", "file", "licence", "parameters")
    }
    result |= {
        "task": IN_WORDS[card.task],
        "calibrated": added.calibrated,
        "source_sha256": added.source_sha256,
        "warnings": warnings,
    }
    invocation.emit(result, lambda: _text(card, added.source_sha256))
    for each in (*card.limits, *warnings):
        invocation.say(f"note: {each}")
    # Another model may have the same name, none the same file.
    stem = card.file.rpartition(".")[0]
    invocation.say(f"next: `icf model promote {stem}` compares it and uses it")


@contextmanager
def _fetching(
    invocation: Invocation,
) -> Iterator[Callable[[int | None], Callable[[int], None]]]:
    """A bar in megabytes, from the moment at which something is fetched."""
    with ExitStack() as bars:

        def begin(size: int | None) -> Callable[[int], None]:
            total = None if size is None else -(-size // _MEGABYTE)
            bar = invocation.progress("fetching, MB", total)
            advance: Callable[[int], None] = bars.enter_context(bar)
            counted = 0

            def advance_bytes(more: int) -> None:
                nonlocal counted
                advance((counted + more) // _MEGABYTE - counted // _MEGABYTE)
                counted += more

            return advance_bytes

        yield begin


def _numbers(text: str) -> list[tuple[str, float]]:
    """Read NAME=NUMBER, or NAME=NUMBER,NUMBER,NUMBER of red, green and blue.

    >>> _numbers("side=640")
    [('side', 640.0)]
    >>> _numbers("std=0.2,0.3,0.4")
    [('std_red', 0.2), ('std_green', 0.3), ('std_blue', 0.4)]
    """
    name, _, value = text.partition("=")
    name = name.strip()
    names = [f"{name}_{each}" for each in COLOURS] if "," in value else [name]
    try:
        numbers = [float(each) for each in value.split(",")]
        if not all(map(math.isfinite, numbers)):
            raise ValueError
        return list(zip(names, numbers, strict=True))
    except ValueError:
        raise WrongUse(
            f"--parameter {text!r}: expected NAME=NUMBER, as in side=640, or three "
            "numbers, of red, green and blue, as in mean=0.5,0.4,0.4"
        ) from None


def _warnings(card: ModelCard, calibrated: bool) -> list[str]:
    found = list(licence_warnings(card))
    if not card.licence:
        found.append("give the licence of the weights with --licence, to record it")
    if not calibrated:
        found.append(
            "its cosines are not calibrated: until `icf-filter calibrate` has enough "
            "answers, no face counts as sure, whatever the cosine"
        )
    return found


def _text(card: ModelCard, source_sha256: str) -> str:
    numbers = ", ".join(f"{name} {value:g}" for name, value in card.parameters.items())
    return (
        f"added the {IN_WORDS[card.task]} {card.name} as models/{card.file}\n"
        f"SHA-256 of the source {source_sha256}\n"
        f"licence {card.licence or 'not stated'}\n{numbers}"
    )
