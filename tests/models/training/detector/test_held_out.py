from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from icf.models.training.detector.config import HeldOutSettings
from icf.models.training.detector.held_out import domains, held_out
from tests.models.training.detector.drawn import DrawnReader, drawn_index

SETTINGS = HeldOutSettings(share=0.25)


def test_groups_are_held_out_whole_and_a_part_of_every_source(tmp_path: Path) -> None:
    index = drawn_index(
        DrawnReader(tmp_path / "a", 40), DrawnReader(tmp_path / "b", 12, "human")
    )
    use = held_out(index, SETTINGS, seed=1)
    assert set(use.tolist()) == {0, 1}
    for group in np.unique(index.group):
        assert len(set(use[index.group == group].tolist())) == 1
    for source, wanted in ((0, 10), (1, 4)):
        assert abs(int((use[index.source == source] == 1).sum()) - wanted) <= 2


def test_the_choice_follows_from_the_seed(tmp_path: Path) -> None:
    index = drawn_index(DrawnReader(tmp_path, 60))
    one, again, other = (held_out(index, SETTINGS, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_only_complete_pictures_are_measured_on_where_there_are_any(
    tmp_path: Path,
) -> None:
    index = drawn_index(DrawnReader(tmp_path, 40))
    complete = np.arange(40) % 2 == 0  # one of each group
    use = held_out(replace(index, complete=complete), SETTINGS, seed=1)
    assert (use[~complete] != 1).all()
    assert (use == 1).any()
    # The other picture of a group is not trained on either.
    assert (use == 2).sum() == (use == 1).sum()


def test_something_is_left_to_train_on(tmp_path: Path) -> None:
    index = drawn_index(DrawnReader(tmp_path, 2))
    assert (held_out(index, SETTINGS, seed=1) == 0).all()


def test_a_picture_is_of_the_domain_of_its_faces(tmp_path: Path) -> None:
    index = drawn_index(
        DrawnReader(tmp_path / "a", 8), DrawnReader(tmp_path / "b", 8, "human")
    )
    # Every fourth picture has no face, and is of its source's domain.
    assert domains(index).tolist() == [0] * 8 + [1] * 8
