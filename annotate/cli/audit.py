"""`icf-annotate audit`: check a sample of the labels, and prove how many are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.errors import IcfError, SomeFailed, WrongUse

if TYPE_CHECKING:
    import sqlalchemy as sa

    from icf.annotate.audit.audits import Audit
    from icf.annotate.audit.result import PartResult, Result

#: Refused rows that a message shows.
_SHOWN = 10


@click.group("audit")
@shared_options
def audit_command() -> None:
    """Check a sample of the labels, and prove how many are wrong.

    A sample of the final labels is fixed beforehand. Other people than those who made
    them check it, without knowing what it is; a reviewer decides where they differ.
    What was proved goes into the next release as a certificate.
    """


@audit_command.command("plan")
@click.option(
    "--max-error",
    type=click.FloatRange(1e-9, 1, max_open=True),
    default=0.01,
    show_default=True,
    help="Prove that at most this share of the labels is wrong.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    show_default=True,
    help="Be so sure of it.",
)
@click.option(
    "--allowed-errors",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Prove it even if so many of the sample are wrong: more labels are checked.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Draws the sample."
)
@click.option(
    "--finite",
    is_flag=True,
    help="Use the bound of few labels everywhere; it needs fewer checks.",
)
@click.option("--replace", is_flag=True, help="Give up the audit that is open.")
@shared_options
@pass_invocation
@example("icf-annotate audit plan --max-error 0.01 --confidence 0.95 --seed 2")
def plan_command(
    invocation: Invocation,
    max_error: float,
    confidence: float,
    allowed_errors: int,
    seed: int,
    finite: bool,
    replace: bool,
) -> None:
    """Fix the sample of labels that are checked; the same call says the same plan.

    The sample is drawn from all final labels: those that a release contains, those of
    them in the test of the newest release, and those of faces that were found to be
    somebody else. "n" and "labels" are of the first of these parts.
    """
    from icf.annotate.audit.audits import plan
    from icf.annotate.audit.sample import Goal
    from icf.annotate.waiting import apply_waiting

    workspace = invocation.workspace
    apply_waiting(workspace)
    goal = Goal(max_error, confidence, allowed_errors, finite)
    with workspace.catalogue.write() as connection:
        made = plan(connection, workspace.settings, goal, seed, replace=replace)
    invocation.emit(_plan_json(made), lambda: _plan_table(made))
    invocation.say(
        "people check them on the page of `icf-annotate serve`, or in the file of "
        "`icf-annotate audit export`"
    )


@audit_command.command("export")
@click.argument("out", metavar="OUT", type=GivenPath())
@click.option(
    "--disputed",
    is_flag=True,
    help="Write the labels that a reviewer must decide on, not those to check.",
)
@shared_options
@pass_invocation
@example("icf-annotate audit export batches/audit")
def export_command(invocation: Invocation, out: Path, disputed: bool) -> None:
    """Write the labels that wait for people to the new folder OUT, as questions.csv.

    It looks like any batch, and does not say what the labels are.
    """
    from icf.annotate.audit.exchange import export

    with invocation.progress("cropping faces", None) as advance:
        made = export(invocation.workspace, out, disputed=disputed, done=advance)
    result = {
        "audit": made.audit,
        "path": str(out),
        "questions": made.items,
        "left_out": made.left_out,
        "written": made.written,
    }
    already = "" if made.written else "; they were there already"
    invocation.emit(result, lambda: f"{made.items} questions in {out}{already}")
    if made.left_out:
        raise SomeFailed(
            f"questions left out because their picture is missing: {made.left_out}; "
            "`icf doctor --full` says which pictures"
        )


@audit_command.command("import")
@click.argument("file", metavar="FILE", type=GivenPath(exists=True, dir_okay=False))
@click.option(
    "--annotator", metavar="NAME", help="Annotator of the rows that do not name one."
)
@click.option(
    "--decides",
    is_flag=True,
    help="The answers are a reviewer's, who decides where check and label differ.",
)
@shared_options
@pass_invocation
@example("icf-annotate audit import batches/audit.csv --annotator bob")
def import_command(
    invocation: Invocation, file: Path, annotator: str | None, decides: bool
) -> None:
    """Import the answers in FILE, the questions.csv of `audit export` filled in.

    Rows of people who helped to make a label are refused. The exit code is 3 if any
    row is.
    """
    from icf.annotate.audit.exchange import import_checks
    from icf.annotate.import_answers import AnnotatorNames

    names = AnnotatorNames({}, annotator)
    taken = import_checks(invocation.workspace, file, names, decides=decides)
    result = {
        "taken": taken.taken,
        "known": taken.known,
        "unanswered": taken.unanswered,
        "refused": taken.refused,
        "faults": [
            {"line": each.line, "reason": each.reason.value, "message": each.message}
            for each in taken.faults
        ],
    }
    rows = [
        ("answers imported", taken.taken),
        ("already known", taken.known),
        ("without an answer", taken.unanswered),
        ("refused", taken.refused),
    ]
    invocation.emit(result, lambda: table((file.name, "count"), rows))
    if taken.refused:
        shown = [f"  line {e.line}: {e.message}" for e in taken.faults[:_SHOWN]]
        more = taken.refused - len(shown)
        shown += [f"  and {more} more"] if more else []
        raise SomeFailed(
            "\n".join([f"{taken.refused} rows of {file} were refused:", *shown])
        )


@audit_command.command("result")
@click.option(
    "--audit", "number", type=click.IntRange(1), help="Which  [default: the newest]."
)
@shared_options
@pass_invocation
@example("icf-annotate audit result --audit 1 --json")
def result_command(invocation: Invocation, number: int | None) -> None:
    """Say what an audit found, and what that proves.

    When every label of the sample is known to be right or wrong, the audit ends, and
    gets its certificate if it proved what it was to prove. The exit code is 0 with a
    certificate, 1 without one, and 3 while labels are not checked yet.
    """
    from icf.annotate.audit.result import conclude
    from icf.annotate.people.pseudonyms import read_pseudonyms
    from icf.annotate.people.tokens import read_key

    workspace = invocation.workspace
    with workspace.catalogue.write() as connection:
        pseudonyms = read_pseudonyms(connection, read_key(workspace.root))
        result = conclude(connection, _find(connection, number), pseudonyms)
    value = {
        **result.as_json(),
        "wrong": [
            {
                "face": each.face_id,
                "character": each.character_id,
                "label": each.label,
                "decision": each.decision.value if each.decision else None,
            }
            for each in result.wrong
        ],
    }
    invocation.emit(value, lambda: _result_table(result))
    _fail(result)


@audit_command.command("correct")
@click.option(
    "--audit", "number", type=click.IntRange(1), help="Which  [default: the newest]."
)
@shared_options
@pass_invocation
@example("icf-annotate audit correct --audit 1")
def correct_command(invocation: Invocation, number: int | None) -> None:
    """Correct the labels that a complete audit found wrong.

    The reviewers' decisions settle the questions about them, as an expert's answers do.
    The result of the audit stays as it is, because a label that was looked at stands
    for others that were not.
    """
    from icf.annotate.audit.correct import correct
    from icf.annotate.waiting import apply_waiting

    workspace = invocation.workspace
    with workspace.catalogue.write() as connection:
        audit = _find(connection, number)
        if audit.ended_at is None:
            raise WrongUse(
                f"audit {audit.id} is open, and corrected labels would tell who checks "
                "what they are; finish it: `icf-annotate audit result`"
            )
        made = correct(connection, audit.id)
    apply_waiting(workspace)
    result = {
        "audit": audit.id,
        "corrected": list(made.questions),
        "known": made.known,
        "unasked": list(made.unasked),
        "unsure": list(made.unsure),
    }
    rows = [
        ("questions settled anew", len(made.questions)),
        ("corrected before", made.known),
        ("faces that nobody was asked about", len(made.unasked)),
        ("faces of which the reviewer was unsure", len(made.unsure)),
    ]
    invocation.emit(result, lambda: table((f"audit {audit.id}", "count"), rows))


def _find(connection: sa.Connection, number: int | None) -> Audit:
    """The audit of a number, or the newest.

    Raises:
        WrongUse: there is none.
    """
    from icf.annotate.audit.audits import find, find_last

    audit = find(connection, number) if number else find_last(connection)
    if audit is None:
        missing = f"audit {number} was not planned" if number else "no audit yet"
        raise WrongUse(f"{missing}; plan one with `icf-annotate audit plan`")
    return audit


def _fail(result: Result) -> None:
    """End with the exit code of what is missing.

    Raises:
        SomeFailed: labels are not checked or decided on yet.
        IcfError: the audit got no certificate.
    """
    if not result.complete and result.audit.ended_at is not None:
        raise IcfError(
            f"audit {result.audit.id} was given up; plan another one with "
            "`icf-annotate audit plan`"
        )
    if not result.complete:
        raise SomeFailed(
            f"{result.to_check} labels wait for somebody to check them who did not "
            f"help to make them, and {result.to_decide} for a reviewer"
        )
    if not result.certified:
        faces = ", ".join(str(each.face_id) for each in result.wrong[:_SHOWN])
        raise IcfError(
            f"the labels are not proved to be {result.audit.goal.max_error:.2%} wrong "
            f"at most: these faces are labelled wrongly: {faces}"
            + (", ..." if len(result.wrong) > _SHOWN else "")
            + ". Correct them (`icf-annotate audit correct`) and find others like "
            "them, then plan another audit"
        )


def _plan_json(audit: Audit) -> dict[str, Any]:
    from icf.annotate.audit.sample import ACCEPTS

    first = audit.parts[ACCEPTS]
    return {
        "audit": audit.id,
        "n": first.checked,
        "allowed_errors": first.allowed,
        "labels": first.labels,
        "max_error": audit.goal.max_error,
        "confidence": audit.goal.confidence,
        "seed": audit.seed,
        "labels_sha256": audit.labels_sha256,
        "release": audit.release,
        "open": audit.ended_at is None,
        "parts": {
            name: {
                "labels": part.labels,
                "n": part.checked,
                "allowed_errors": part.allowed,
                "method": part.bound,
            }
            for name, part in audit.parts.items()
        },
    }


def _plan_table(audit: Audit) -> object:
    from icf.annotate.audit.sample import PARTS

    rows = [
        (PARTS[name], part.labels, part.checked, part.allowed, part.bound)
        for name, part in audit.parts.items()
    ]
    head = (f"audit {audit.id}", "labels", "in the sample", "errors allowed", "bound")
    return table(head, rows)


def _result_table(result: Result) -> object:
    from icf.annotate.audit.sample import PARTS

    rows = [
        (PARTS[name], part.labels, part.n, part.errors, *_proved(part))
        for name, part in result.parts.items()
    ]
    sure = f"wrong at most ({result.audit.goal.confidence:.0%})"
    head = (
        f"audit {result.audit.id}",
        "labels",
        "in the sample",
        "wrong",
        sure,
        "proved",
    )
    return table(head, rows)


def _proved(part: PartResult) -> tuple[str, str]:
    if part.bound is None:
        return "", "not complete"
    return f"{part.bound:.2%}", "yes" if part.certified else "no"
