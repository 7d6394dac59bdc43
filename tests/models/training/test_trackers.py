from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from icf.errors import BadModel, WrongUse
from icf.models.training.trackers import open_trackers
from icf.models.training.trackers.json_lines import FILE, read_log


def test_the_log_goes_on_where_the_checkpoint_was(tmp_path: Path) -> None:
    [log] = open_trackers((), tmp_path, {}, 0)
    for step in (1, 2, 3):
        log.log(step, {"loss": 1 / step})
    log.close()
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"step": 4, "lo')
    [log] = open_trackers((), tmp_path, {}, 2)
    log.log(3, {"loss": 9.0})
    log.close()
    assert [(row["step"], row["loss"]) for row in read_log(tmp_path)] == [
        (1, 1.0),
        (2, 0.5),
        (3, 9.0),
    ]


@pytest.mark.slow
def test_tensorboard_gets_every_figure(tmp_path: Path) -> None:
    log, board = open_trackers(("tensorboard",), tmp_path, {"loop": {"seed": 0}}, 0)
    board.log(5, {"loss": 2.5})
    for each in (log, board):
        each.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    [scalar] = found.Scalars("loss")
    assert (scalar.step, scalar.value) == (5, 2.5)


def test_a_tracker_that_is_not_installed_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "wandb" else find(n)
    )
    with pytest.raises(WrongUse, match=r"pip install 'icf-toolkit\[wandb\]'"):
        open_trackers(("wandb",), tmp_path, {}, 0)
    with pytest.raises(BadModel, match="unknown tracker 'neptune'"):
        open_trackers(("neptune",), tmp_path, {}, 0)
    assert "wandb" not in sys.modules
