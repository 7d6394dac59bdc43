"""A detector's training in several turns, each shown what the last took for faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from icf.models.detection import Detector
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.drawn import mining
from icf.models.training.train import Trained
from icf.tools.training_art.scene_art import scene_art

#: Trains one turn: its configuration, its folder, the model that it goes on from.
Turn = Callable[[DetectorConfig, Path, Path | None], Trained]


def in_turns(
    config: DetectorConfig,
    folder: Path,
    train: Turn,
    first: Path | None,
    say: Callable[[str], object],
) -> Trained:
    """Train in as many turns as the configuration says; go on where it was.

    Args:
        config: its steps are those of all turns together.
        folder: of the run; of several turns each has one inside of it.
        train: trains one turn, or returns at once what it made before.
        first: the model that the first turn goes on from; None: the network's own
            published weights.
        say: receives a line for people.

    Returns:
        The last turn's model.
    """
    turns = config.scenes.turns
    if turns == 1:
        return train(config, folder, first)
    steps = config.loop.steps
    each = None if steps is None else max(1, steps // turns)
    made: Trained | None = None
    for turn in range(1, turns + 1):
        mined = "" if made is None else str(folder / f"mined-{turn}")
        if made is not None:
            count = mining.mine(
                Detector.open(made.path),
                scene_art(),
                Path(mined),
                config.loop.seed + turn,
                config.scenes.searched,
            )
            say(f"turn {turn} of {turns} is shown {count:,} false boxes")
        now = config.model_copy(
            update={
                "loop": config.loop.model_copy(update={"steps": each}),
                "scenes": config.scenes.model_copy(update={"mined": mined}),
            }
        )
        made = train(now, folder / f"turn-{turn}", made.path if made else first)
    assert made is not None
    return made
