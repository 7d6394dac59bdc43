"""How many answers a label costs at the error of a 5-vote majority, with known truth.

20,000 faces, 18 honest people, 2 who answer at random, 8% hard faces: the model is
described in `tests/annotate/posterior/crowd.py`. The program's own rule decides when to
stop, and its own fit how far each person is trusted. Answers to known pairs count as
answers. Compared are

- *majority*: five people answer every question;
- *posterior*: `annotate.decide = "posterior"` without a model, and with its calibrated
  probability as prior (not of the 22.5% that are drawn at random);
- *groups*: a near-duplicate group or a track is one question, of 2 faces on average
  (and of 1.5 and 3), of which one of 200 is not what the first is;
- *grids*: what is likely so far is shown in grids of 16 (4 seconds; a pair takes 1.2);
- *sure*: faces that the model is sure of at `annotate.risk` = 0.02 need no question,
  but those that are drawn at random;
- *latency*: slow answers (half of those about hard faces, a fifth of all) taken as
  those of another person.

Run: python -m benchmarks.annotate_votes [--json]
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from tests.annotate.posterior.crowd import Cost, World, label, majority_error

from benchmarks.report import Result, report

SEEDS = range(1, 21)
#: The 97.5% quantile of Student's t with one degree of freedom less than seeds.
_T = 2.093
VOTES = 5
GOAL = (
    "at an error no higher than the majority's: <= 0.5 of its votes, with groups "
    "<= 0.25; <= 0.5 seconds a label with groups, grids and sure faces"
)

PLAIN = World()
GROUPS = replace(PLAIN, group=2.0)
GRIDS = replace(GROUPS, grid=0.89)
WORLDS = {
    "without_model": replace(PLAIN, priors=False),
    "posterior": PLAIN,
    "latency": replace(PLAIN, by_latency=True),
    "groups": GROUPS,
    "groups_of_1.5": replace(PLAIN, group=1.5),
    "groups_of_3": replace(PLAIN, group=3.0),
    "grids": GRIDS,
    "sure": replace(GRIDS, risk=0.02),
}


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of some runs, and its 95% interval by Student's t."""
    each = np.array(values)
    mean = float(each.mean())
    half = _T * float(each.std(ddof=1)) / len(each) ** 0.5
    return mean, mean - half, mean + half


def shown(values: Sequence[float]) -> list[float]:
    """The mean with its interval, in few digits."""
    return [float(f"{each:.4g}") for each in interval(values)]


def figures(costs: Sequence[Cost]) -> dict[str, list[float]]:
    """What labels cost in several runs, each as mean, low, high."""
    names = ("votes", "seconds", "error", "disputed")
    return {name: shown([getattr(each, name) for each in costs]) for name in names}


def main() -> None:
    """Measure and report."""
    majority = [majority_error(PLAIN, seed, VOTES) for seed in SEEDS]
    costs = {
        name: [label(world, seed) for seed in SEEDS] for name, world in WORLDS.items()
    }
    votes = {name: np.mean([e.votes for e in runs]) for name, runs in costs.items()}
    errors = {name: interval([e.error for e in runs]) for name, runs in costs.items()}
    peer_error, _, peer_high = interval(majority)
    ratio, with_groups = votes["posterior"] / VOTES, votes["groups"] / VOTES
    seconds = interval([each.seconds for each in costs["sure"]])
    no_worse = all(errors[name][0] <= peer_error for name in ("posterior", "groups"))
    result = Result(
        name="annotate_votes",
        unit="answers a label",
        ours=float(votes["posterior"]),
        peer=float(VOTES),
        peer_name="majority of 5",
        ratio=float(ratio),
        goal=GOAL,
        ok=bool(
            no_worse
            and ratio <= 0.5
            and with_groups <= 0.25
            and seconds[0] <= 0.5
            and errors["sure"][0] <= peer_high
        ),
        also={
            "with_groups_ratio": float(with_groups),
            "error": errors["posterior"][0],
            "majority_error": shown(majority),
            "seconds_a_label": seconds[0],
            "seeds": len(SEEDS),
            **{name: figures(runs) for name, runs in costs.items()},
        },
    )
    report(result)


if __name__ == "__main__":
    main()
