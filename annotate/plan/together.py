"""All questions together: the answers they take, and the labels that become of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.plan.expected import Answering, expect
from icf.annotate.plan.randoms import Drawn
from icf.annotate.plan.read import Class, ToAsk, read_unsure_share
from icf.annotate.plan.seconds import Seconds, read_seconds
from icf.annotate.rule import Rule
from icf.annotator_error import AnnotatorError, estimate
from icf.catalogue.rows import has_rows
from icf.catalogue.sampling import read_repeated
from icf.catalogue.schema import calibration, face

#: Share of the references that people say are right, where none was asked about.
_RIGHT_REFERENCES = 0.9
#: Share of the faces that identity drops that are the character nevertheless.
_TRUE_DROPPED = 0.1


@dataclass(frozen=True)
class Basis:
    """What a plan is made of, besides what there is to ask.

    Attributes:
        rule: how labels follow from answers.
        error: how often people answer wrongly.
        unsure: how often they cannot tell.
        seconds: what they take.
        calibrated: whether answers taught the embedder its probabilities.
    """

    rule: Rule
    error: AnnotatorError
    unsure: float
    seconds: Seconds
    calibrated: bool


def read_basis(connection: sa.Connection, rule: Rule) -> Basis:
    """Measure what can be measured in a catalogue."""
    known = sa.select(calibration.c.id).where(
        calibration.c.model.in_(
            sa.select(face.c.embedder).where(face.c.probability.is_not(None)).limit(1)
        )
    )
    return Basis(
        rule,
        estimate(read_repeated(connection)),
        read_unsure_share(connection),
        read_seconds(connection),
        has_rows(connection, known),
    )


@dataclass(frozen=True)
class Group:
    """Questions of one kind and probability.

    Attributes:
        questions: how many of them are to be asked, or open.
        probability: that the face is the character.
        has_prior: whether the rule may know it.
        is_open: whether they were asked already.
        released: whether a "yes" is a label of a release.
        same, different: how many others have these labels already.
    """

    questions: int
    probability: float
    has_prior: bool = True
    is_open: bool = False
    released: bool = True
    same: int = 0
    different: int = 0


def group(to_ask: ToAsk, drawn: Drawn, audited: int) -> list[Group]:
    """Put questions of one kind and probability together.

    Args:
        to_ask: what there is to ask about.
        drawn: what is drawn at random besides.
        audited: followers that are asked about nevertheless.
    """
    made = [Group(each.count, each.probability) for each in to_ask.faces]
    made += [Group(each.count, each.probability, is_open=True) for each in to_ask.open]
    made += [Group(0, each.probability, same=each.count) for each in to_ask.same]
    made += [
        Group(0, each.probability, different=each.count) for each in to_ask.different
    ]
    mean, sure = _mean(to_ask.faces), to_ask.accepted.probability
    return [
        *made,
        Group(to_ask.references, _RIGHT_REFERENCES, has_prior=False),
        Group(to_ask.suspicions, 0.5, has_prior=False, released=False),
        Group(audited, mean, has_prior=False),
        Group(drawn.needless, sure, has_prior=False),
        Group(drawn.dropped, _TRUE_DROPPED, has_prior=False),
    ]


def _mean(classes: Iterable[Class]) -> float:
    each = list(classes)
    count = sum(one.count for one in each)
    return sum(one.probability * one.count for one in each) / count if count else 0.5


@dataclass(frozen=True)
class Labels:
    """Labels of one kind, and how many of them are wrong, on average."""

    count: float = 0.0
    wrong: float = 0.0

    def __add__(self, other: Labels) -> Labels:
        """Both together."""
        return Labels(self.count + other.count, self.wrong + other.wrong)

    def __mul__(self, times: float) -> Labels:
        """So many of them."""
        return Labels(self.count * times, self.wrong * times)

    @property
    def share(self) -> float:
        """Of wrong ones."""
        return self.wrong / self.count if self.count else 0.0


@dataclass(frozen=True)
class Expected:
    """What becomes of all questions, if people err so often.

    Attributes:
        answers: that they take.
        disputed: questions that an expert has to decide.
        labels: all of them.
        released: those of a release.
    """

    answers: float
    disputed: float
    labels: Labels
    released: Labels

    @staticmethod
    def of(groups: Sequence[Group], basis: Basis, error: float) -> Expected:
        """Add up all groups."""
        answering = Answering(error, basis.unsure)
        answers = disputed = 0.0
        labels, released = Labels(), Labels()
        for each in groups:
            prior = each.probability if each.has_prior and basis.calibrated else None
            one = expect(basis.rule, answering, each.probability, prior)
            answers += each.questions * one.answers
            disputed += each.questions * one.disputed
            same, different = (
                Labels(one.same, one.wrong_same),
                Labels(one.different, one.wrong_different),
            )
            yes = same * each.questions + Labels(1, same.share) * each.same
            no = different * each.questions
            labels += yes + no + Labels(1, different.share) * each.different
            if each.released:
                released += yes
        return Expected(answers, disputed, labels, released)

    def with_unasked(self, to_ask: ToAsk) -> Expected:
        """Add the labels that nobody gave.

        Accepted faces are wrong as often as their probabilities say, and followers as
        often as what they follow.
        """
        accepted = Labels(1, 1 - to_ask.accepted.probability) * to_ask.accepted.count
        many = to_ask.followers * _mean(to_ask.faces)
        followers = Labels(1, self.released.share) * many
        return Expected(
            self.answers,
            self.disputed,
            self.labels + accepted + followers,
            self.released + accepted + followers,
        )
