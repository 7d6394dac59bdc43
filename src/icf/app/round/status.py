"""Where a round stands, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.app.round.batches import (
    QUESTIONS,
    Answered,
    batches_of,
    count_answered,
    count_unanswered,
)
from icf.catalogue.rounds.log import Round, newest
from icf.codes import RoundState

_GATE = ("promoted", "difference", "interval", "margin")


@dataclass(frozen=True)
class RoundStatus:
    """A round, and how far its questions are answered.

    Attributes:
        found: the round.
        answered: its questions.
        unanswered: all questions that wait for answers, whoever asked them.
    """

    found: Round
    answered: Answered
    unanswered: int = 0

    @property
    def advice(self) -> str:
        """What a person does next."""
        found = self.found
        if not found.is_open and self.unanswered and not self.answered.asked:
            return (
                f"round {found.number} is done, and asked nothing: {self.unanswered:,} "
                "questions that were asked before wait for answers. Have them "
                "answered, run `icf-annotate import`, and then `icf round run` for the "
                "next round"
            )
        if not found.is_open:
            return f"round {found.number} is done: `icf round run` begins the next one"
        if found.state is not RoundState.ANSWERS:
            return (
                f"round {found.number}: {found.state.meaning}; `icf round run` goes on"
            )
        folder = batches_of(found)[-1]["path"]
        left = self.answered.asked - self.answered.answered
        if not left:
            return f"round {found.number} is answered: `icf round run` goes on"
        file = f"{folder}/{QUESTIONS}"
        return (
            f"round {found.number} waits for answers to {left:,} of "
            f"{self.answered.asked:,} questions. Fill in the columns answer and "
            f"annotator of {file}, then run `icf-annotate import {file}` and `icf "
            "round run`; it goes on without them with --go-on"
        )

    def as_json(self) -> dict[str, Any]:
        """The status for scripts."""
        summary = self.found.summary
        gate = summary.get("gate")
        return {
            "round": self.found.number,
            "state": self.found.state.value,
            "asked": self.answered.asked,
            "answered": self.answered.answered,
            "gate": {name: gate.get(name) for name in _GATE} if gate else None,
            "questions_saved": summary.get("changes", {}).get("questions_saved"),
            "batches": list(batches_of(self.found)),
            "training": summary.get("training"),
            "summary": dict(summary),
        }

    def rows(self) -> list[tuple[str, object]]:
        """The status for people."""
        summary = self.found.summary
        rows: list[tuple[str, object]] = [
            ("round", self.found.number),
            ("state", f"{self.found.state.value}: {self.found.state.meaning}"),
            ("questions", f"{self.answered.answered:,} of {self.answered.asked:,}"),
        ]
        if training := summary.get("training"):
            rows.append(("training", _trained(training)))
        if gate := summary.get("gate"):
            rows.append(("gate", gate["reason"]))
        if "changes" in summary:
            rows += _changed(summary)
        return rows


def read_status(connection: sa.Connection, votes: int) -> RoundStatus | None:
    """Read where the newest round stands; None if there was none.

    Args:
        connection: to the catalogue.
        votes: how many answers are enough for a question, however they differ.
    """
    found = newest(connection)
    if found is None:
        return None
    answered = count_answered(connection, found, votes)
    return RoundStatus(found, answered, count_unanswered(connection, votes))


def _trained(training: Mapping[str, Any]) -> str:
    if "skipped" in training:
        return f"none: {training['skipped']}"
    seconds = training.get("seconds", 0)
    return f"{training['model'][:12]}, {training['steps']:,} steps in {seconds:,.0f} s"


def _changed(summary: Mapping[str, Any]) -> list[tuple[str, object]]:
    changes = summary["changes"]
    saved = changes["questions_saved"]
    minutes = round(changes["seconds_saved"] / 60)
    rows: list[tuple[str, object]] = [
        ("questions saved", f"{saved:,} ({minutes:,} minutes)")
    ]
    for key, name in (
        ("label_error", "labels that the machine would get wrong"),
        ("accepted_error", "wrong among the accepted faces"),
        ("calibration", "calibration error"),
    ):
        pair = [shown_interval(summary[when][key]) for when in ("before", "after")]
        rows.append((name, " → ".join(pair)))
    return rows


def shown_interval(found: Mapping[str, float] | None) -> str:
    """An estimate with its interval, as shares.

    >>> shown_interval({"value": 0.021, "low": 0.01, "high": 0.04})
    '2.1% (1.0% to 4.0%)'
    """
    if found is None:
        return "not known"
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%})"
