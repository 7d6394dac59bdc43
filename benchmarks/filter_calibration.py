"""What calibration does to faces that nobody was asked about, where the truth is known.

Five simulated worlds of 4,800 faces (`tests/filter/identify/simulation.py`), each with
several seeds: identity, a batch of 600 questions, answers of which 3% are wrong,
`icf-filter calibrate --judge-again`, identity. The seeds are others than those that the
program was tuned on, and than those of the tests.

Run: python -m benchmarks.filter_calibration [--json]
"""

import tempfile
from pathlib import Path

import numpy as np
from tests.filter.identify.simulation import WORLDS, Outcome, make, run_through

from benchmarks.report import Result, report

SEEDS = range(101, 104)
QUESTIONS = 600
GOAL = "base: slope 18 +- 2; real error of unasked faces <= 0.03 where adopted"


def figures(made: Outcome) -> dict[str, float]:
    """The figures of one world and seed."""
    said, before, after = made.said, made.before, made.after
    lost = said["dropped"]["lost"] if said["dropped"] else None
    found = {
        "adopted": said["adopted"],
        "slope": said["fitted"]["slope"],
        "error_before": before.unasked_error,
        "error_after": after.unasked_error,
        "error_shown": said["fitted"]["corrected"],
        "shown_low": said["fitted"]["low"],
        "shown_high": said["fitted"]["high"],
        "false_kept": after.false_kept,
        "false_stated": after.false_stated,
        "true_lost_before": before.true_lost,
        "true_lost_after": after.true_lost,
        "dropped_true": before.dropped_true,
        "suspected_references": len(said["never_same"]),
    }
    if lost:
        found["dropped_shown"] = lost["value"]
        found["dropped_held"] = lost["low"] <= before.dropped_true <= lost["high"]
    if said["adopted"]:
        found["error_adopted"] = after.unasked_error
    return {name: float(value) for name, value in found.items()}


def simulate(name: str) -> dict[str, float]:
    """The mean of each figure over the seeds that have it."""
    runs = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            simulation = make(Path(folder) / "space", WORLDS[name], seed)
            runs.append(figures(run_through(simulation, [QUESTIONS])))
    names = dict.fromkeys(each for run in runs for each in run)
    return {
        each: round(float(np.mean([run[each] for run in runs if each in run])), 4)
        for each in names
    }


def main() -> None:
    """Simulate and report."""
    worlds = {name: simulate(name) for name in WORLDS}
    base = worlds["base"]
    error = base.get("error_adopted", base["error_after"])
    ok = abs(base["slope"] - 18) <= 2 and error <= 0.03
    report(
        Result(
            "filter_calibration",
            "calibration error",
            error,
            None,
            None,
            None,
            GOAL,
            ok,
            {"seeds": len(SEEDS), **worlds},
        )
    )


if __name__ == "__main__":
    main()
