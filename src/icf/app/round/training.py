"""The training of a round: a program of its own, so that memory and threads are clean.

Killed in the middle, the same command goes on from its checkpoint. The folder has the
number of the round and what the labels were: after more answers, or a takedown, it is
another training, and what was begun is removed.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf.app.die_with_parent import die_with_parent
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.labels.confirmed import is_there, read_confirmed
from icf.catalogue.labels.fingerprint import label_fingerprint
from icf.catalogue.rounds.audit_set import set_aside
from icf.catalogue.rounds.log import Round, read_rounds
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import answer, face, tombstone
from icf.errors import IcfError
from icf.models.cards import ModelCard, load_card, save_card, weights_path
from icf.models.registry import resolve
from icf.workspace import Workspace

#: Digits of the labels' hash in the name of a folder.
_DIGITS = 8
#: What `filter.embedder` must name, so that a promotion changes what runs.
CHAMPION = "champion"


class LostData(IcfError):
    """Something was withdrawn since the model of a round was trained."""


def refusal(workspace: Workspace) -> str | None:
    """Why a round trains nothing, if so."""
    settings = workspace.settings.round
    if not settings.train:
        return "round.train is false"
    if workspace.settings.filter.embedder != CHAMPION:
        return (
            f"filter.embedder is {workspace.settings.filter.embedder!r}, so a promoted "
            f"model would not be used: set it to {CHAMPION!r}"
        )
    champion = _champion(workspace)
    if not champion.network:
        return (
            f"the champion {champion.name} is from outside, and only runs: icf-train "
            "cannot train it further. `icf model promote` of one that can, such as "
            "bundled, changes that"
        )
    with workspace.catalogue.read() as connection:
        per_identity = _trainable(connection)
        answers = _count_answers(connection)
        earlier = [each.summary.get("training", {}) for each in read_rounds(connection)]
    trained = [each for each in earlier if "answers" in each]
    # Those of earlier versions do not say how many counted.
    if trained and answers == {
        key: trained[-1].get(key, answers[key]) for key in answers
    }:
        return "nothing was answered since the last training"
    faces = sum(per_identity.values())
    pairs = sum(number >= 2 for number in per_identity.values())
    if faces < settings.min_faces or pairs < settings.min_identities:
        return (
            f"too few answers: there are {faces} confirmed faces to train on, and "
            f"{pairs} characters with two of them; a training takes "
            f"{settings.min_faces} and {settings.min_identities} (round.min_faces, "
            "round.min_identities)"
        )
    return None


def train(
    workspace: Workspace,
    found: Round,
    flags: Sequence[str],
    say: Callable[[str], object],
    *,
    quiet: bool,
) -> dict[str, Any]:
    """Train the embedder from the champion on the workspace's labels.

    Where something is withdrawn meanwhile that it learns from, it is trained again
    without that, and what was made is removed.

    Args:
        workspace: whose answers it learns from.
        found: the round.
        flags: settings of this call, as ``--set`` takes them.
        say: receives a line for people.
        quiet: print nothing but errors.

    Returns:
        What ``icf-train`` says of the model, its path as the catalogue stores paths,
        how many tombstones and answers there were, and how many of these counted.

    Raises:
        IcfError: the training failed; its own message is on stderr.
    """
    folder = workspace.root / "models" / "training"
    while True:
        with workspace.catalogue.read() as connection:
            labels, answers = label_fingerprint(connection), _count_answers(connection)
            withdrawn = count_rows(connection, tombstone)
        out = folder / f"round-{found.number}-{labels[:_DIGITS]}"
        for left in folder.glob(f"round-{found.number}-*"):
            if left != out:  # of labels that are others now, or gone
                shutil.rmtree(left)
        made = _run(workspace, found, out, flags, quiet=quiet)
        with workspace.catalogue.read() as connection:
            if count_rows(connection, tombstone) == withdrawn:
                break
        say(
            f"round {found.number}: pictures were withdrawn while it was trained: "
            "what was trained on them is removed, and trained again"
        )
    _name(workspace.root / made["path"], f"round-{found.number}")
    path = workspace.stored_path(Path(made["path"]))
    return {**made, "path": path, "withdrawn": withdrawn, **answers}


def check_data(workspace: Workspace, found: Round) -> None:
    """Check that what the model of a round was trained on is still there.

    Raises:
        LostData: something was withdrawn since.
    """
    withdrawn: int | None = found.summary["training"].get("withdrawn")
    if withdrawn is None:  # a round of an earlier version
        return
    with workspace.catalogue.read() as connection:
        if count_rows(connection, tombstone) != withdrawn:
            raise LostData("something was withdrawn since, so it is trained again")


def _run(
    workspace: Workspace, found: Round, out: Path, flags: Sequence[str], *, quiet: bool
) -> dict[str, Any]:
    """Run ``icf-train`` into a folder; return what it says of the model."""
    settings = workspace.settings.round
    words = ["embedder", "--data", "workspace", "--from", "champion", "--out", str(out)]
    # Any seed draws an audit set; trainings take those from 0 to 2**63 - 1.
    words += ["--seed", str(settings.seed % 2**63), "--json"]
    if settings.steps:
        words += ["--steps", str(settings.steps)]
    if settings.config:
        words += ["--config", str(workspace.root / settings.config)]
    for flag in flags:
        words += ["--set", flag]
    if quiet:
        words.append("--quiet")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("icf-train")), *words],
        cwd=workspace.root,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),
        check=False,
    )
    if done.returncode:
        raise IcfError(
            f"the training of round {found.number} ended with exit code "
            f"{done.returncode}; its message is above. Fix what it says and run "
            "`icf round run` again, or skip it: --set round.train=false"
        )
    made: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return made


def _champion(workspace: Workspace) -> ModelCard:
    weights = weights_path(resolve.find(workspace, CHAMPION, "embedder"))
    return load_card(weights.with_suffix(".json"))


def _count_answers(connection: sa.Connection) -> dict[str, int]:
    """All answers that were ever given, and those that count.

    An answer that is taken back is a new one; of somebody who is discounted none count.
    """
    return {
        "answers": count_rows(connection, answer),
        "counted": count_rows(connection, answer, counts()),
    }


def _name(weights: Path, name: str) -> None:
    """Call the model by its round: all embedders that are trained have one name."""
    path = weights.with_suffix(".json")
    save_card(dataclasses.replace(load_card(path), name=name), path)


def _trainable(connection: sa.Connection) -> Counter[int]:
    """The confirmed faces of each character that nothing sets aside."""
    owners = read_confirmed(connection).owners
    audit = set(connection.execute(set_aside("character")).scalars())
    query = sa.select(face.c.id).where(
        is_there(), face.c.image_id.not_in(set_aside("image"))
    )
    return Counter(
        owners[row.id]
        for row in by_ids(connection, query, face.c.id, sorted(owners))
        if owners[row.id] not in audit
    )
