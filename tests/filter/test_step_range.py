from __future__ import annotations

import pytest

from icf.errors import WrongUse
from icf.filter.step_range import Chosen
from icf.filter.steps.kind import Kind
from icf.filter.steps.sharpness import Sharpness
from icf.filter.steps.size import Size

CHAIN = (Size(100), Kind(), Sharpness(100.0))


def names(chosen: Chosen) -> list[str]:
    return [step.name for step in chosen.of(CHAIN)]


def test_nothing_said_means_every_step() -> None:
    assert names(Chosen()) == ["size", "kind", "sharpness"]


def test_steps_come_in_the_order_of_the_chain_however_they_are_named() -> None:
    assert names(Chosen(("sharpness", "size"))) == ["size", "sharpness"]


@pytest.mark.parametrize(
    ("first", "last", "meant"),
    [
        ("kind", None, ["kind", "sharpness"]),
        (None, "kind", ["size", "kind"]),
        ("size", "kind", ["size", "kind"]),
        ("kind", "kind", ["kind"]),
    ],
)
def test_a_stretch_includes_both_of_its_ends(
    first: str | None, last: str | None, meant: list[str]
) -> None:
    assert names(Chosen(first=first, last=last)) == meant


@pytest.mark.parametrize(
    "chosen", [Chosen(("sharpnes",)), Chosen(first="sharp"), Chosen(last="Sharpness")]
)
def test_an_unknown_step_is_refused_with_the_nearest_named(chosen: Chosen) -> None:
    with pytest.raises(WrongUse, match="the nearest is 'sharpness'; there are size"):
        chosen.of(CHAIN)


def test_a_stretch_that_ends_before_it_begins_is_refused_with_what_was_meant() -> None:
    backwards = Chosen(first="sharpness", last="size")
    with pytest.raises(WrongUse, match="did you mean --from size --to sharpness"):
        backwards.of(CHAIN)


def test_single_steps_and_a_stretch_contradict_each_other() -> None:
    with pytest.raises(WrongUse, match="give one or the other"):
        Chosen(("size",), first="kind").of(CHAIN)


def test_its_words_are_the_options_it_was_made_from() -> None:
    assert Chosen(("size", "kind")).words == ["--step", "size", "--step", "kind"]
    assert Chosen(first="kind", last="size").words == ["--from", "kind", "--to", "size"]
