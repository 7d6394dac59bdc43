"""`icf-annotate labels`: let all labels follow the answers again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from icf.annotate.boxes.settle_again import preview_again, settle_again
from icf.annotate.current_rule import current_rule, posterior_rule
from icf.annotate.posterior.refit import (
    Change,
    answered,
    fit_skills,
    preview,
    relabel,
)
from icf.annotate.posterior.skills import Skill, read_skills
from icf.annotate.rule import Rule
from icf.annotate.waiting import apply_waiting
from icf.annotate.weighing import doubt, weigh_again
from icf.catalogue.labels.doubtful import DoubtfulFace, read_doubtful
from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.workspace import Workspace

if TYPE_CHECKING:
    from icf.annotate.posterior.doubtful import Doubted


@click.command("labels")
@click.option("--dry-run", is_flag=True, help="Only count what would change.")
@click.option(
    "--ask-again",
    is_flag=True,
    help="Open suspects again, for people who have not answered them.",
)
@click.option(
    "--doubtful",
    "file",
    metavar="FILE",
    type=GivenPath(exists=True, dir_okay=False),
    help="Open questions again whose face a training doubts: its doubtful.csv.",
)
@shared_options
@pass_invocation
@example("icf-annotate labels --dry-run")
def labels_command(
    invocation: Invocation, dry_run: bool, ask_again: bool, file: Path | None
) -> None:
    """Let all labels follow the answers again, by the settings as they are now.

    With annotate.decide = "posterior" it first fits how often each person is right, to
    the answers of all and to known pairs. With "votes" it applies annotate.votes to the
    answers that are known. What it says of changes is about the questions' own answers;
    a reference that is refused by that takes others with it.

    Suspects are settled questions that a calibrated model contradicts with confidence.
    With "posterior" they are asked about again, with "votes" only by --ask-again; at
    most 2% of all settled questions ever are. With --doubtful so are questions with the
    label "same" whose face and character FILE names, before the suspects.

    Pictures whose boxes people drew follow annotate.box_people and annotate.box_iou.
    """
    workspace = invocation.workspace
    faces = None if file is None else read_doubtful(file)
    if not dry_run:
        apply_waiting(workspace)
    skills: Mapping[str, Skill] = {}
    with workspace.catalogue.read() as connection:
        if weighs := workspace.settings.annotate.decide == "posterior":
            skills = fit_skills(connection).of
        rule = _rule(workspace, connection, skills)
        changes = preview(connection, rule)
        questions = len(answered(connection))
    suspects = _suspects(workspace, skills)
    doubted = None if faces is None else _doubted(workspace, faces)
    pictures = preview_again(workspace) if dry_run else settle_again(workspace)
    if not dry_run:
        _relabel(invocation, weighs, questions, ask_again, doubted)
        with workspace.catalogue.read() as connection:
            skills = read_skills(connection) if weighs else {}
    changed = changes.total()
    result = {
        "decide": workspace.settings.annotate.decide,
        "questions": questions,
        "changed": changed,
        "changes": [
            {"before": before.value, "after": after.value, "questions": number}
            for (before, after), number in sorted(changes.items())
        ],
        "people": [
            {
                "annotator": name,
                "sensitivity": round(each.sensitivity, 4),
                "specificity": round(each.specificity, 4),
            }
            for name, each in sorted(skills.items())
        ],
        "suspects": suspects,
        "doubtful": None if doubted is None else doubted.as_json(),
        "pictures": pictures,
        "dry_run": dry_run,
    }
    invocation.emit(
        result, lambda: _table(questions, suspects, doubted, changes, skills)
    )


def _rule(
    workspace: Workspace, connection: sa.Connection, skills: Mapping[str, Skill]
) -> Rule:
    settings = workspace.settings.annotate
    if settings.decide == "votes":
        return current_rule(workspace)
    return posterior_rule(connection, settings, skills)


def _suspects(workspace: Workspace, skills: Mapping[str, Skill]) -> int:
    """Count them, before labels follow."""
    from icf.annotate.posterior.suspects import find_suspects

    with workspace.catalogue.read() as connection:
        certainty = workspace.settings.annotate.certainty
        return len(find_suspects(connection, skills, certainty))


def _doubted(workspace: Workspace, faces: Sequence[DoubtfulFace]) -> Doubted:
    from icf.annotate.posterior.doubtful import find_doubted

    with workspace.catalogue.read() as connection:
        return find_doubted(connection, faces)


def _relabel(
    invocation: Invocation,
    weighs: bool,
    questions: int,
    ask_again: bool,
    doubted: Doubted | None,
) -> None:
    workspace = invocation.workspace
    run_id = workspace.begin_run("icf-annotate labels")
    if doubted is not None:
        from icf.annotate.posterior import suspects

        rule = current_rule(workspace)
        suspects.ask_again(workspace.catalogue, run_id, rule, doubted.suspects)
    with invocation.progress("labelling questions", questions) as advance:
        if weighs:
            weigh_again(workspace, run_id, advance)
        else:
            relabel(workspace.catalogue, run_id, current_rule(workspace), advance)
    if ask_again and not weighs:
        doubt(workspace, run_id)
    workspace.end_run(run_id)


def _table(
    questions: int,
    suspects: int,
    doubted: Doubted | None,
    changes: Counter[Change],
    skills: Mapping[str, Skill],
) -> object:
    rows: list[tuple[str, object]] = [
        ("questions with answers", questions),
        ("labels that change", changes.total()),
        ("suspects", suspects),
        *(
            (f"  {before} → {after}", number)
            for (before, after), number in sorted(changes.items())
        ),
        *(
            (
                f"{name}: right of the same, of others",
                f"{each.sensitivity:.1%}, {each.specificity:.1%}",
            )
            for name, each in sorted(skills.items())
        ),
        *_doubted_rows(doubted),
    ]
    return table(("", "count"), rows)


def _doubted_rows(doubted: Doubted | None) -> Iterator[tuple[str, object]]:
    if doubted is None:
        return
    yield "doubtful, asked again", len(doubted.suspects)
    yield "doubtful, no settled question here", doubted.elsewhere
    for why, number in doubted.left_out.items():
        yield f"doubtful, left out: {why.replace('_', ' ')}", number
