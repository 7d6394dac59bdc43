"""The plan: questions, grids, box pictures, hours, and the label error to expect."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.shares import Shares
from icf.annotate.pairs.grid import INTRUDERS, LEAST, TILES
from icf.annotate.plan.randoms import count_drawn
from icf.annotate.plan.read import ToAsk, read_to_ask
from icf.annotate.plan.seconds import BOX, Seconds
from icf.annotate.plan.together import Basis, Expected, group, read_basis
from icf.annotate.rule import Rule
from icf.settings import AnnotateSettings


@dataclass(frozen=True)
class Error:
    """The share of wrong labels that is expected.

    Attributes:
        value: if people err as often as estimated.
        low, high: if they err as often as the ends of its 95% interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Plan:
    """What it takes.

    Attributes:
        questions: that people are asked: about references, open ones, and all others.
        references: those of them about references.
        drawn: those of them that are drawn at random only.
        answers: that they take, of all people.
        pairs: answers that are given to pairs, one after the other.
        grids: grids of sixteen, in place of pairs.
        boxes: looks at pictures for their boxes, each by one person.
        person_hours: of all of these.
        hours: by kind.
        experts: questions that people will contradict each other about.
        error: of all labels at the end, yes and no.
        release_error: of the labels of a release, which are yes.
        accepted: faces that nobody looks at, because the model is sure.
        accepted_error: the share of them that is wrong, by their probabilities.
        followers: faces that follow another one of their track.
        assumptions: what the numbers rest on, in words.
    """

    questions: int
    references: int
    drawn: int
    answers: int
    pairs: int
    grids: int
    boxes: int
    person_hours: float
    hours: dict[str, float]
    experts: int
    error: Error
    release_error: Error
    accepted: int
    accepted_error: float
    followers: int
    assumptions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What ``icf-annotate plan --json`` prints."""
        made = dict(vars(self))
        made["assumptions"] = list(self.assumptions)
        for name in ("error", "release_error"):
            error = made.pop(name)
            made[f"expected_{name}"] = error.value
            made[f"expected_{name}_low"] = error.low
            made[f"expected_{name}_high"] = error.high
        return made


def read_plan(
    connection: sa.Connection,
    settings: AnnotateSettings,
    shares: Shares,
    rule: Rule,
    boxes: int | None = None,
) -> Plan:
    """Plan from what is in a catalogue now.

    Args:
        connection: to the catalogue.
        settings: of the workspace.
        shares: what batches are made of.
        rule: how labels follow from answers.
        boxes: pictures to box; None: all with a kept face that are not settled.
    """
    to_ask = read_to_ask(connection, shares, settings.grid_probability)
    return make_plan(to_ask, read_basis(connection, rule), settings, shares, boxes)


def make_plan(
    to_ask: ToAsk,
    basis: Basis,
    settings: AnnotateSettings,
    shares: Shares,
    boxes: int | None = None,
) -> Plan:
    """Plan from numbers; see `read_plan`."""
    audited = math.ceil(to_ask.followers * shares.track_audit) if shares.follow else 0
    faces = sum(each.count for each in to_ask.faces)
    asked_about = faces + to_ask.suspicions
    drawn = count_drawn(
        asked_about,
        to_ask.needless - to_ask.followers,
        to_ask.dropped,
        settings.batch,
        shares.random,
    )
    groups = group(to_ask, drawn, audited)
    questions = sum(each.questions for each in groups)
    likely, low, high = (
        Expected.of(groups, basis, error).with_unasked(to_ask)
        for error in (basis.error.rate, basis.error.low, basis.error.high)
    )
    # An open question takes one more answer at least.
    still_open = sum(each.count for each in to_ask.open)
    answers = max(likely.answers - to_ask.open_answers, float(still_open))
    in_grids, grids = _grids(to_ask.likely, answers / max(1, questions))
    pairs = max(0.0, answers - in_grids)
    pictures = min(to_ask.pictures, to_ask.pictures if boxes is None else boxes)
    looks = _looks(pictures, to_ask.boxes_begun, settings.box_people)
    hours = _hours(basis.seconds, to_ask, pairs, grids, looks)
    return Plan(
        questions=questions,
        references=to_ask.references,
        drawn=drawn.needless + drawn.dropped + audited,
        answers=round(answers),
        pairs=round(pairs),
        grids=grids,
        boxes=looks,
        person_hours=sum(hours.values()),
        hours=hours,
        experts=round(likely.disputed),
        error=Error(likely.labels.share, low.labels.share, high.labels.share),
        release_error=Error(
            likely.released.share, low.released.share, high.released.share
        ),
        accepted=to_ask.accepted.count,
        accepted_error=1 - to_ask.accepted.probability,
        followers=to_ask.followers - audited,
        assumptions=(
            *_assumptions(basis, to_ask, shares),
            *_fewer_pictures(to_ask.pictures, boxes),
        ),
    )


def _looks(pictures: int, begun: Sequence[tuple[int, int]], people: int) -> int:
    """How often somebody looks at a picture; those that were begun come first.

    One that is open after all have looked takes one more at least.
    """
    looks, left = 0, pictures
    for looked, count in sorted(begun, reverse=True):
        taken = min(count, left)
        looks += taken * max(1, people - looked)
        left -= taken
    return looks + left * people


def _fewer_pictures(left: int, wanted: int | None) -> Iterator[str]:
    if wanted is not None and wanted > left:
        yield f"boxes: only {left:,} pictures with a face are not settled yet"


def _grids(likely: Sequence[int], answers: float) -> tuple[float, int]:
    """Answers that are given in grids, and the number of grids.

    Args:
        likely: likely questions of each character.
        answers: that each still takes, on average.
    """
    tiles = TILES - sum(INTRUDERS) / len(INTRUDERS)
    given, grids = 0.0, 0
    for each in likely:
        whole, rest = divmod(each * max(1.0, answers), tiles)
        grids += int(whole) + (rest >= LEAST)
        given += whole * tiles + (rest if rest >= LEAST else 0)
    return given, grids


def _hours(
    seconds: Seconds, to_ask: ToAsk, pairs: float, grids: int, looks: int
) -> dict[str, float]:
    faces = to_ask.pictures_faces / max(1, to_ask.pictures)
    picture = seconds.picture if seconds.picture is not None else BOX * faces
    return {
        "pairs": pairs * seconds.pair / 3600,
        "grids": grids * seconds.grid / 3600,
        "boxes": looks * picture / 3600,
    }


def _assumptions(basis: Basis, to_ask: ToAsk, shares: Shares) -> Iterable[str]:
    error = basis.error
    if error.repeated:
        yield (
            f"an answer is wrong {error.rate:.1%} of the time ({error.low:.1%} to "
            f"{error.high:.1%}), by {error.repeated:,} questions that several people "
            "answered"
        )
    else:
        yield (
            f"an answer is wrong {error.rate:.1%} of the time ({error.low:.1%} to "
            f"{error.high:.1%}): nothing is measured yet"
        )
    if basis.calibrated:
        yield "the probabilities hold: people's answers taught the embedder"
    else:
        yield (
            "the probabilities are the embedder's own: `icf-filter calibrate` has not "
            "held them against answers"
        )
    yield _measured(basis.seconds)
    if to_ask.accepted.count:
        yield "accepted faces are wrong as often as their probabilities say"
    if shares.follow:
        yield "the faces of a track are one character"
    yield "people err independently; what misleads all of them is not in it"


def _measured(seconds: Seconds) -> str:
    parts = [
        f"{seconds.pair:.1f} s a pair",
        f"{seconds.grid:.1f} s a grid",
        f"{BOX:.1f} s a box"
        if seconds.picture is None
        else f"{seconds.picture:.1f} s a picture to box",
    ]
    names = ("pair", "grid", "picture")
    found = [
        f"{part} ({'measured here' if name in seconds.measured else 'assumed'})"
        for part, name in zip(parts, names, strict=True)
    ]
    return ", ".join(found)
