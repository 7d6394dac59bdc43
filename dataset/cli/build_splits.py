"""`icf-build-splits`: write a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from icf import command
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.dataset.cli.revoked import say_if_revoked
from icf.dataset.formats.registry import DEFAULT, MANY, OWN, default_formats
from icf.version import __version__

if TYPE_CHECKING:
    from icf.dataset.after import Followed
    from icf.dataset.protocol_file import ProtocolFile
    from icf.dataset.release.prepare import Prepared
    from icf.engine.stale import Stale


@click.command("icf-build-splits", context_settings={"max_content_width": 88})
@click.version_option(__version__, prog_name="icf-build-splits")
@click.argument("out", metavar="OUT", type=GivenPath(file_okay=False))
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Random seed of the splits.",
)
@click.option(
    "--format",
    "formats",
    metavar="NAMES",
    multiple=True,
    help=f"File formats of the release, separated by commas: {', '.join(OWN)}, or one "
    f"of another package; several get a folder each  [default: {DEFAULT}; above "
    f"{MANY:,} pictures {','.join(default_formats(MANY + 1))}].",
)
@click.option(
    "--crops",
    metavar="RATE",
    type=click.FloatRange(0, 10),
    help="Cut the pictures of the recognition set out around their faces, with the box "
    "enlarged by RATE; 1.0 doubles its sides  [default: whole files, as fetched].",
)
@click.option(
    "--link",
    is_flag=True,
    help="Hard-link pictures to the blob store instead of copying them: they take no "
    "space, but whoever edits one changes the store.",
)
@click.option(
    "--boxes",
    type=click.Choice(["verified", "proposed"]),
    help="The detection set: pictures whose boxes people verified, or the detector's "
    "boxes in pictures whose faces are all confirmed  [default: dataset.boxes].",
)
@click.option(
    "--detection-only",
    is_flag=True,
    help="Leave out the recognition set, whatever faces are confirmed.",
)
@click.option(
    "--after",
    metavar="RELEASE",
    type=GivenPath(file_okay=False, exists=True),
    help="An earlier release: its faces stay where they were, its identities keep "
    "their roles and numbers, and new faces are placed around them.",
)
@click.option(
    "--protocol",
    metavar="FILE",
    type=GivenPath(dir_okay=False, exists=True),
    help="A protocol in TOML: other numbers, k-fold, albums left out, a balanced test  "
    "[default: the paper's, as dataset.* says].",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Fail if a part has less than its count, and say how much is missing.",
)
@click.option("--dry-run", is_flag=True, help="Only count what each split would hold.")
@shared_options
@pass_invocation
@example("icf-build-splits releases/first --seed 1")
def cli(
    invocation: Invocation,
    out: Path,
    seed: int,
    formats: tuple[str, ...],
    crops: float | None,
    link: bool,
    boxes: Literal["verified", "proposed"] | None,
    detection_only: bool,
    after: Path | None,
    protocol: Path | None,
    strict: bool,
    dry_run: bool,
) -> None:
    """Write a release into the folder OUT, in iCartoonFace's file formats or others.

    People's answers label the faces. Identities are divided into those to train on,
    those to test with (some of them trained on, some not) and distractors, which
    appear nowhere else; pictures whose boxes people verified into a detection train and
    test set. Train and test are checked for anything they share, and OUT is written
    only if they share nothing. Where no face is confirmed, or with --detection-only, it
    is a release of detection alone. The same catalogue and seed give the same files.
    Pictures are copied, and checked against the hash of what was fetched. Formats of
    single files share them on the disk by hard links.
    """
    # Imported here, so that help and wrong use do not wait for faiss and numpy.
    from icf.dataset.protocol_file import read_protocol
    from icf.dataset.release.prepare import prepare
    from icf.dataset.release.write import write
    from icf.engine.stale import find_stale

    if detection_only:
        command.refuse_options(
            "it is for the recognition set, which --detection-only leaves out", "crops"
        )
    workspace = invocation.workspace
    say_if_revoked(invocation, after)
    with workspace.catalogue.read() as connection:
        stale = find_stale(connection, workspace.settings.filter)
    for each in stale:
        invocation.say(each.message)
    chosen = None if protocol is None else read_protocol(protocol)
    plan = partial(
        prepare,
        workspace,
        seed,
        _names(formats),
        boxes,
        crops=crops,
        after=after,
        protocol=chosen,
        strict=strict,
        detection_only=detection_only,
    )
    show = partial(
        _show, invocation, out, stale, protocol=chosen, detection_only=detection_only
    )
    if dry_run:
        planned = plan()
        show(planned, written=False)
        return
    run_id = workspace.begin_run("icf-build-splits")
    prepared = plan()
    written = write(workspace, prepared, out, seed, link=link)
    workspace.end_run(run_id)
    if not written:
        invocation.say(f"{out} is this release already; nothing was written")
    show(prepared, written=written)


def _names(formats: tuple[str, ...]) -> list[str]:
    """The named formats, each once.

    >>> _names(("coco, yolo", "coco"))
    ['coco', 'yolo']
    """
    names = [name.strip() for each in formats for name in each.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def _show(
    invocation: Invocation,
    out: Path,
    stale: Sequence[Stale],
    prepared: Prepared,
    *,
    protocol: ProtocolFile | None,
    detection_only: bool,
    written: bool,
) -> None:
    from icf.dataset.after import GONE
    from icf.dataset.plan import BEYOND, NEAR_TEST
    from icf.dataset.unused import unused_meaning

    counts = prepared.plan.counts
    result = {
        "path": str(out),
        "written": written,
        "formats": list(prepared.folders),
        "inputs": prepared.inputs,
        "counts": counts,
        "held_back": dict(prepared.plan.held_back),
        "detection_beyond": prepared.plan.splits.beyond_detection,
        "unused": prepared.plan.unused,
        "left_out": dict(prepared.plan.selection.left_out),
        "leaks": {check.name: check.count for check in prepared.leaks.checks},
        "stale": [asdict(each) for each in stale],
    }
    rows = [(name.replace("_", " "), value) for name, value in counts.items()]
    for name, value in prepared.plan.unused.items():
        rows.append((f"confirmed faces not used: {unused_meaning(name)}", value))
    pictures = prepared.plan.held_back["detection_pictures"]
    rows.append((f"detection pictures not used: {NEAR_TEST}", pictures))
    beyond = prepared.plan.splits.beyond_detection
    rows.append((f"detection pictures not used: {BEYOND}", beyond))
    followed = prepared.plan.followed
    if followed is not None:
        result["after"] = followed.as_json()
        rows.append(("of the earlier release, kept", followed.kept))
        if followed.now_probes:
            moved = (
                "of the earlier release, distractors of merged characters, now probes"
            )
            rows.append((moved, followed.now_probes))
        for why, number in followed.left_out.items():
            reason = "no longer there" if why == GONE else unused_meaning(why)
            rows.append((f"of the earlier release, left out: {reason}", number))
        lost = "of the earlier release, detection pictures left out"
        rows.append((lost, followed.pictures_left_out))
        _say_what_is_doubted(invocation, followed)
    if not prepared.plan.has_faces and not detection_only:
        invocation.say(
            "no face is confirmed as a character: the release has detection alone, and "
            "no recognition set"
        )
    _say_if_without_boxes(invocation, prepared)
    _say_if_unbalanced(invocation, prepared, protocol)
    _say_what_cards_lack(invocation, prepared)
    rows.append(("leaks", sum(check.count for check in prepared.leaks.leaks)))
    invocation.emit(result, lambda: command.table(("", "count"), rows))


def _say_what_is_doubted(invocation: Invocation, followed: Followed) -> None:
    """Say which characters stay apart against a suspicion of the filter."""
    if not followed.doubted:
        return
    (one, other), *more = followed.doubted
    also = f" ({len(more):,} more such pairs)" if more else ""
    invocation.say(
        f"the filter suspects that {one} and {other} are one character{also}. The data "
        "set that they were imported from names them as two, so they stay where the "
        "earlier release has them. Once people are asked (`icf-annotate export`), they "
        "are on one side until it is settled; `icf-filter review merges` lists them"
    )


def _say_if_without_boxes(invocation: Invocation, prepared: Prepared) -> None:
    """Say why the detection set is empty, and what fills it."""
    plan = prepared.plan
    if plan.selection.verified == 0 and not plan.selection.given:
        invocation.say(
            "the detection set is empty: people have verified the boxes of no picture. "
            "Let them (`icf-annotate serve --tasks boxes`), or take what the detector "
            "proposed (--boxes proposed), against which its own score means nothing"
        )


def _say_if_unbalanced(
    invocation: Invocation, prepared: Prepared, protocol: ProtocolFile | None
) -> None:
    """Say of how many identities nobody knows what the test is balanced by."""
    if protocol is None or protocol.balance is None:
        return
    selection = prepared.plan.selection
    unknown = protocol.unbalanced(selection.identities, selection.natures)
    if unknown:
        invocation.say(
            f"{protocol.called}: nobody says the {protocol.balance.by} of {unknown:,} "
            f"of {len(selection.identities):,} identities; the test is balanced as if "
            "these were one of their own"
        )


def _say_what_cards_lack(invocation: Invocation, prepared: Prepared) -> None:
    """Say what is to know of the licences, and what nobody stated of the release."""
    for warning in prepared.about.licences.warnings:
        invocation.say(f"licences: {warning}")
    if unstated := prepared.about.unstated:
        invocation.say(
            "croissant.json lacks what its standard requires and only you know: set "
            f"{' and '.join(unstated)} in icf.toml"
        )


def main() -> None:
    """Run `icf-build-splits`."""
    command.run(cli)
