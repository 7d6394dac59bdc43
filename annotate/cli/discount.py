"""`icf-annotate discount`: let no answer of somebody count."""

from __future__ import annotations

import click

from icf.annotate.following import FILTER_NEXT, Followed
from icf.command import (
    NAME,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.errors import WrongUse

#: As the catalogue calls the run.
COMMAND = "icf-annotate discount"


@click.command("discount")
@shared_options
@click.argument("name", type=NAME)
@click.option("--undo", is_flag=True, help="Let them count again.")
@click.option("--dry-run", is_flag=True, help="Only count the answers.")
@pass_invocation
@example("icf-annotate discount Ann --dry-run --json")
def discount_command(
    invocation: Invocation, name: str, undo: bool, dry_run: bool
) -> None:
    """Let no answer, attribute or box of NAME count: neither old nor new ones.

    Use it for somebody who answered at random or misunderstood the task. NAME is that
    of a person on the page or in answer files. Labels and boxes follow at once: what is
    not settled without NAME is open again, for others. NAME gets no questions. The
    answers stay stored, and count again with --undo. Checks of audits stay.
    """
    from icf.annotate.boxes.settle_again import settle_again
    from icf.annotate.gold.pauses import discount, go_on
    from icf.annotate.people.listing import answers_by_person, boxed_by
    from icf.annotate.people.people import Role, find_person
    from icf.annotate.people.sessions import find_or_add
    from icf.catalogue.annotation.pauses import DISCOUNTED, NOT_COUNTED

    catalogue = invocation.workspace.catalogue
    with catalogue.read() as connection:
        given = answers_by_person(connection).get(name, 0)
        boxed = boxed_by(connection, name)
        someone = find_person(connection, name)
    paused = someone.paused if someone else None
    if someone is None and not given and not boxed:
        raise WrongUse(
            f"nobody named {name!r} answered or was invited; `icf-annotate people` "
            "lists everybody"
        )
    if undo and paused not in NOT_COUNTED:
        raise WrongUse(f"the answers of {name} count already")
    if dry_run:
        followed, settled = Followed(), 0
    else:
        if undo or paused != DISCOUNTED:
            with catalogue.write() as connection:
                someone = find_or_add(connection, name, Role.ANNOTATOR)
                (go_on if undo else discount)(connection, someone)
        followed = _follow(invocation)
        settled = settle_again(invocation.workspace, name, COMMAND)
    labels = {label.value: number for label, number in followed.labels.items()}
    value = {
        "name": name,
        "answers": given,
        "boxed": boxed,
        "counts": undo,
        "labels": labels,
        "pictures": settled,
        "dry_run": dry_run,
    }
    count = "count again" if undo else "count no more"
    rows = [(f"answers that {count}", given)]
    rows += [(f"questions now {label}", number) for label, number in labels.items()]
    if boxed:
        rows += [(f"pictures whose boxes by {name} {count}", boxed)]
        rows += [("pictures settled anew or open again", settled)]
    invocation.emit(value, lambda: table(("", "count"), rows))
    if followed.filter_next:
        invocation.say(FILTER_NEXT)


def _follow(invocation: Invocation) -> Followed:
    """Let all labels follow, and how far everybody is trusted."""
    from icf.annotate.waiting import apply_waiting
    from icf.annotate.weighing import weigh_again

    followed: Followed = apply_waiting(invocation.workspace)
    run_id = invocation.workspace.begin_run(COMMAND)
    followed.add(weigh_again(invocation.workspace, run_id))
    invocation.workspace.end_run(run_id)
    return followed
