"""`icf-annotate status`: count questions, answers and labels."""

from __future__ import annotations

from collections.abc import Mapping

import click

from icf.annotate.boxes.summary import read_summary
from icf.annotate.review.counts import count_waiting
from icf.annotate.status import count
from icf.annotate.waiting import apply_waiting
from icf.catalogue.labels.attributes import count_described
from icf.codes import BoxStatus, Label, Suspicion
from icf.command import Invocation, example, pass_invocation, shared_options, table


@click.command("status")
@shared_options
@pass_invocation
@example("icf-annotate status --json")
def status_command(invocation: Invocation) -> None:
    """Count questions, answers and labels.

    Accepted faces are those that nobody was asked about because the model is sure of
    them: see the setting annotate.risk. Pictures to box are those of which people are
    asked whether every drawn face is boxed. For an expert are questions that people
    contradict each other about, open suspicions of the filter, labels of an audit and
    disputed boxes: a reviewer settles them on the page.
    """
    apply_waiting(invocation.workspace)
    settings = invocation.workspace.settings.annotate
    risk = settings.accepted_risk
    with invocation.workspace.catalogue.read() as connection:
        counts = count(connection, risk)
        boxes = read_summary(connection)
        described = count_described(connection)
        experts = count_waiting(
            connection,
            settings.votes if settings.decide == "votes" else None,
            confirmed=settings.confirm_references,
        )
    experts["boxes"] = boxes.pictures.get(BoxStatus.DISPUTED, 0)
    result = {
        "questions": counts.questions,
        "answers": counts.answers,
        "labels": counts.labels,
        "open": counts.open,
        "batches": counts.batches,
        "accepted": counts.accepted,
        "boxes": boxes.as_json(),
        "attributes": vars(described),
        "experts": experts,
    }
    rows = [
        ("batches", counts.batches, ""),
        ("answers", counts.answers, ""),
        ("questions", counts.questions, ""),
        ("  open", counts.open, Label.OPEN.meaning),
        *(
            (f"  {label}", number, Label[label.upper()].meaning)
            for label, number in counts.labels.items()
        ),
    ]
    if risk:
        meaning = f"nobody was asked: the probability is at least {1 - risk:g}"
        rows.append(("accepted faces", counts.accepted, meaning))
    rows += boxes.rows()
    if described.faces:
        meaning = f"{described.by_two} of them by two people or more"
        rows.append(("faces described", described.faces, meaning))
    rows += _for_experts(experts)
    invocation.emit(result, lambda: table(("", "count", "meaning"), rows))
    invocation.say_if_empty()


_EXPERTS = {
    "conflict": "people contradict each other",
    "audit": "an audit's check and the label differ",
    "merge": Suspicion.MERGE.meaning,
    "twin": Suspicion.TWIN.meaning,
    "split": Suspicion.SPLIT.meaning,
    "outlier": Suspicion.OUTLIER.meaning,
    "boxes": BoxStatus.DISPUTED.meaning,
}


def _for_experts(waiting: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Lines of a table about what waits for an expert; none where nothing does."""
    total = sum(waiting.values())
    if not total:
        return []
    kinds = [
        (f"  {kind}", number, _EXPERTS[kind])
        for kind, number in waiting.items()
        if number
    ]
    return [("for an expert", total, "to be settled on the page: review"), *kinds]
