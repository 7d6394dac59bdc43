"""A crowd that labels faces, with known truth: how many answers a label costs.

What is simulated is people, faces and a calibrated embedder. Everything that decides is
the program's own: `PosteriorRule`, the fit of everybody's skill, the score on known
pairs. The model, which is kinder than life where it says so:

- An honest person is right about a clear face with a probability of his own (mean .97,
  standard deviation .015) and about a hard one with .78. Errors are independent, given
  the face: nobody is misled by the same detail as others, beyond its being hard.
- A spammer answers at random; in a grid he taps nothing.
- The embedder's probability is calibrated: its score is normal with variance 1 around
  plus or minus `separation`, and the probability follows by Bayes' rule.
- Known pairs are clear faces, half of them the character.
- In a grid, an honest person overlooks a wrong tile with probability .15 (a hard one
  with .5) and taps a right one with .005. Planted tiles count as known pairs.
- A group (near-duplicates, a track) is one question; its other faces follow, and with
  probability `stray` one of them is not what the first is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from icf.annotate.gold.score import MOST, Score
from icf.annotate.pairs import grid
from icf.annotate.posterior.dawid_skene import Answers, Fit, fit
from icf.annotate.posterior.rule import PosteriorRule
from icf.annotate.posterior.skills import Skill
from icf.annotate.rule import Evidence, Said
from icf.codes import Choice, Label

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Seconds of a pair, and of a grid of 16 with its intruders.
PAIR_SECONDS, GRID_SECONDS = 1.2, 4.0
#: Tiles of a grid that are planted, and those that are questions.
INTRUDERS = sum(grid.INTRUDERS) / len(grid.INTRUDERS)
GRID_QUESTIONS = grid.TILES - INTRUDERS

_SETTLED = (Label.SAME, Label.DIFFERENT)
#: Turns after each of which all labels follow.
_OFTEN = 3


@dataclass(frozen=True)
class World:
    """What is labelled, by whom, and how.

    Attributes:
        labels: faces that get a label.
        honest, spammers: people.
        hard: share of the faces.
        same: share of the faces that are their character.
        separation: of the embedder's score, in standard deviations.
        drawn: share of the questions that are drawn at random: no prior, and asked
            about however sure the model is.
        group: mean number of faces of a group; sizes are geometric.
        stray: probability that a face of a group is not what the first one is.
        risk: faces are taken as the model has them at this probability of error; 0:
            all are asked about.
        grid: least probability, given the answers so far, of what is shown in grids;
            None: no grids.
        priors: whether the embedder's probability counts.
        by_latency: whether slow answers are taken as those of another person.
    """

    labels: int = 20_000
    honest: int = 18
    spammers: int = 2
    hard: float = 0.08
    same: float = 0.7
    separation: float = 1.25
    drawn: float = 0.225
    group: float = 1.0
    stray: float = 0.005
    risk: float = 0.0
    grid: float | None = None
    priors: bool = True
    by_latency: bool = False
    certainty: float = 0.99
    max_votes: int = 7
    gold_first: int = 10
    gold_share: float = 0.05
    gold_floor: float = 0.75


@dataclass(frozen=True)
class Faces:
    """One face of each group.

    Attributes:
        same: shape (q,), whether it is the character.
        hard: shape (q,).
        probability: shape (q,), as the embedder has it.
        drawn: shape (q,), whether it is asked about at random.
        size: shape (q,), faces of the group.
    """

    same: Mask
    hard: Mask
    probability: FloatArray
    drawn: Mask
    size: NDArray[np.int64]


@dataclass(frozen=True)
class Cost:
    """What the labels cost, and how good they are.

    Attributes:
        votes: answers a label, those to known pairs included.
        seconds: of people, a label.
        error: share of wrong labels, those included that an expert would settle: they
            count as what is likelier.
        disputed: share of the labels that wait for an expert.
        paused: names of the people who were paused.
    """

    votes: float
    seconds: float
    error: float
    disputed: float
    paused: tuple[str, ...]


def draw_faces(world: World, random: np.random.Generator) -> Faces:
    """Draw groups until there are enough faces."""
    size = random.geometric(1 / world.group, world.labels)
    size = size[: int(np.searchsorted(np.cumsum(size), world.labels)) + 1]
    count = len(size)
    same = random.random(count) < world.same
    score = random.normal(np.where(same, world.separation, -world.separation))
    odds = np.log(world.same / (1 - world.same)) + 2 * world.separation * score
    return Faces(
        same,
        random.random(count) < world.hard,
        1 / (1 + np.exp(-odds)),
        random.random(count) < world.drawn,
        size,
    )


def majority_error(world: World, seed: int, votes: int = 5) -> float:
    """The share of wrong labels where as many people answer everything."""
    crowd = Crowd(world, np.random.default_rng(seed))
    count = len(crowd.faces.same)
    yes = np.zeros(count)
    order = np.argsort(crowd.random.random((count, crowd.people)), axis=1)[:, :votes]
    for column in order.T:
        yes += crowd.say(np.arange(count), column)
    return float(((yes > votes / 2) != crowd.faces.same).mean())


@dataclass
class Crowd:
    """People and faces.

    Attributes:
        world: what is simulated.
        random: of everything.
    """

    world: World
    random: np.random.Generator
    faces: Faces = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.faces = draw_faces(world, self.random)
        self.people = world.honest + world.spammers
        mean, deviation = 0.97, 0.015
        more = mean * (1 - mean) / deviation**2 - 1
        clear = self.random.beta(mean * more, (1 - mean) * more, world.honest)
        self.clear = np.r_[clear, np.full(world.spammers, 0.5)]
        self.with_hard = np.r_[
            np.full(world.honest, 0.78), np.full(world.spammers, 0.5)
        ]

    def say(self, questions: NDArray[np.int64], people: NDArray[np.int64]) -> Mask:
        """What people say of pairs: whether each is the character."""
        hard, same = self.faces.hard[questions], self.faces.same[questions]
        right = np.where(hard, self.with_hard[people], self.clear[people])
        return np.asarray(same == (self.random.random(len(people)) < right))

    def tap(self, questions: NDArray[np.int64], people: NDArray[np.int64]) -> Mask:
        """What people say of tiles of a grid: whether each is the character."""
        hard, same = self.faces.hard[questions], self.faces.same[questions]
        taps = np.where(same, 0.005, np.where(hard, 0.5, 0.85))
        taps = np.where(people < self.world.honest, taps, 0.0)
        return np.asarray(self.random.random(len(people)) >= taps)

    def is_slow(self, questions: NDArray[np.int64]) -> Mask:
        """Whether answers are slower than four of five of that person's."""
        slow = np.where(self.faces.hard[questions], 0.5, 0.174)
        return np.asarray(self.random.random(len(questions)) < slow)


class Labelling:
    """People answer in turns until every question is settled or disputed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.crowd = Crowd(world, np.random.default_rng(seed))
        faces = self.crowd.faces
        sure = np.maximum(faces.probability, 1 - faces.probability) >= 1 - world.risk
        self.taken = sure & ~faces.drawn if world.risk else np.zeros(len(sure), bool)
        self.said: list[list[Said]] = [[] for _ in faces.same]
        self.labels = [Label.OPEN] * len(faces.same)
        self.posterior = faces.probability.copy()
        # Question, person, yes; of known pairs: person, truth, yes.
        self.votes: list[tuple[int, int, bool]] = []
        self.gold: list[tuple[int, bool, bool]] = []
        self.paused: set[int] = set()
        self.seconds = 0.0

    def run(self) -> Cost:
        """Label everything."""
        for person in range(self.crowd.people):
            self._known_pairs(person, self.world.gold_first)
        asked = waiting = np.flatnonzero(~self.taken)
        turn = 0
        while len(waiting):
            self._turn(waiting)
            turn += 1
            # As the server: new answers at once, all labels now and then.
            all_again = self._pause() or turn < _OFTEN
            self._settle(asked if all_again else waiting)
            waiting = self._open(asked if all_again else waiting)
            if not len(waiting) and not all_again:
                self._settle(asked)
                waiting = self._open(asked)
        return self._cost()

    def _turn(self, waiting: NDArray[np.int64]) -> None:
        """Let one more person answer each question."""
        world, crowd = self.world, self.crowd
        people = np.array(
            [crowd.random.choice(self._left(key)) for key in waiting], np.int64
        )
        gridded = self.posterior[waiting] >= (world.grid or 2.0)
        yes = np.where(gridded, crowd.tap(waiting, people), crowd.say(waiting, people))
        slow = crowd.is_slow(waiting) & world.by_latency
        for key, person, each, late in zip(
            waiting.tolist(), people.tolist(), yes.tolist(), slow.tolist(), strict=True
        ):
            number = person + crowd.people * late
            self.votes.append((key, number, each))
            choice = Choice.TRUE if each else Choice.FALSE
            self.said[key].append(Said(str(number), choice))
        grids = int(gridded.sum())
        self.seconds += (len(waiting) - grids) * PAIR_SECONDS
        self.seconds += grids * GRID_SECONDS / GRID_QUESTIONS
        among = np.bincount(people[~gridded], minlength=crowd.people)
        for person, count in enumerate(crowd.random.binomial(among, world.gold_share)):
            self._known_pairs(person, int(count))
        tiles = np.bincount(people[gridded], minlength=crowd.people)
        share = INTRUDERS / GRID_QUESTIONS
        for person, count in enumerate(crowd.random.binomial(tiles, share)):
            found = crowd.random.random(count) < (person < world.honest) * 0.85
            self.gold += [(person, False, not each) for each in found.tolist()]

    def _known_pairs(self, person: int, count: int) -> None:
        random, right = self.crowd.random, self.crowd.clear[person]
        for truth in (random.random(count) < 0.5).tolist():
            self.gold.append((person, truth, truth == (random.random() < right)))
        self.seconds += count * PAIR_SECONDS

    def _left(self, key: int) -> list[int]:
        """Who can be asked a question: not paused, and did not answer it."""
        had = {int(each.annotator) % self.crowd.people for each in self.said[key]}
        return [
            each
            for each in range(self.crowd.people)
            if each not in had and each not in self.paused
        ]

    def _open(self, questions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those that are not settled, and that somebody can be asked about."""
        found = [
            key
            for key in questions.tolist()
            if self.labels[key] is Label.OPEN and self._left(key)
        ]
        return np.array(found, np.int64)

    def _pause(self) -> bool:
        """Pause who is below the floor; return whether somebody was."""
        before = len(self.paused)
        for person in range(self.crowd.people):
            own = [yes == truth for who, truth, yes in self.gold if who == person]
            share = Score(len(own[-MOST:]), sum(own[-MOST:])).share
            if share is not None and share < self.world.gold_floor:
                self.paused.add(person)
        return len(self.paused) > before

    def _settle(self, questions: NDArray[np.int64]) -> None:
        """Fit everybody's skill, and let some labels follow."""
        people = {str(number): each for number, each in enumerate(self._fit().skills)}
        rule = self._rule(people)
        paused = {str(each) for each in self.paused}
        paused |= {str(each + self.crowd.people) for each in self.paused}
        for key in questions.tolist():
            said = tuple(e for e in self.said[key] if e.annotator not in paused)
            settled = rule.settle(Evidence(said, self._prior(key)))
            assert settled.posterior is not None
            self.labels[key], self.posterior[key] = settled.label, settled.posterior

    def _rule(self, skills: dict[str, Skill]) -> PosteriorRule:
        same, different = (self.labels.count(each) + 1 for each in _SETTLED)
        return PosteriorRule(
            self.world.certainty,
            self.world.max_votes,
            skills=skills,
            class_prior=same / (same + different),
        )

    def _prior(self, key: int) -> float | None:
        if self.crowd.faces.drawn[key] or not self.world.priors:
            return None
        return float(self.crowd.faces.probability[key])

    def _fit(self) -> Fit:
        size = self.crowd.people
        counted = [each for each in self.votes if each[1] % size not in self.paused]
        count = len(self.said)
        golds = range(count, count + len(self.gold))
        prior = np.array([self._prior(key) or np.nan for key in range(count)])
        inside = np.clip(prior, 0.01, 0.99)
        return fit(
            Answers(
                question=np.array([each[0] for each in counted] + [*golds], np.int64),
                person=np.array(
                    [each[1] for each in counted] + [each[0] for each in self.gold]
                ),
                yes=np.array([e[2] for e in counted] + [e[2] for e in self.gold], bool),
                prior=np.r_[
                    np.log(inside / (1 - inside)), np.full(len(self.gold), np.nan)
                ],
                known=np.r_[
                    np.full(count, np.nan), [float(each[1]) for each in self.gold]
                ],
                people=2 * size,
            )
        )

    def _cost(self) -> Cost:
        faces, random = self.crowd.faces, self.crowd.random
        total = int(faces.size.sum())
        is_wrong = (self.posterior > 0.5) != faces.same
        strays = random.binomial(faces.size - 1, self.world.stray)
        wrong = np.where(is_wrong, faces.size - strays, strays)
        open_ = [key for key, each in enumerate(self.labels) if each not in _SETTLED]
        disputed = faces.size[[key for key in open_ if not self.taken[key]]].sum()
        return Cost(
            (len(self.votes) + len(self.gold)) / total,
            self.seconds / total,
            float(wrong.sum() / total),
            float(disputed / total),
            tuple(str(each) for each in sorted(self.paused)),
        )


def label(world: World, seed: int) -> Cost:
    """Let a crowd label a world."""
    return Labelling(world, seed).run()
