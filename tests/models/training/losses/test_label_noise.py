"""Wrong labels, at toy size; `benchmarks.label_noise` has the experiment."""

from __future__ import annotations

from benchmarks.label_noise import FLIPPED, MOST_SIMILAR, World, rank_1

TOY = World(identities=100, pictures=16, passes=8, batch=128)


def test_inter_class_filtering_brings_back_much_of_what_flipped_labels_cost() -> None:
    clean = rank_1(TOY, 0.0, rate=1.0)
    flipped = rank_1(TOY, FLIPPED, rate=1.0)
    filtered = rank_1(TOY, FLIPPED, rate=1.0, most_similar=MOST_SIMILAR)
    assert clean > 0.9
    assert flipped < clean - 0.1
    assert filtered > flipped + (clean - flipped) / 3
