from __future__ import annotations

from icf.dataset.formats.checked import Fault
from icf.dataset.verify.capped import Capped


def missing(count: int) -> list[Fault]:
    return [Fault(f"train/{number:05d}.jpg", "is missing") for number in range(count)]


def test_of_many_faults_of_a_kind_some_are_named_and_the_rest_counted() -> None:
    found = Capped(3)
    found.add(missing(1_200))
    found.add(Fault("list.txt", f"line {n}: x{n} is out of order") for n in range(4))
    assert [str(each) for each in found.all()] == [
        "list.txt: line 0: x0 is out of order",
        "list.txt: line 1: x1 is out of order",
        "list.txt: line 2: x2 is out of order",
        "train/00000.jpg: is missing",
        "train/00001.jpg: is missing",
        "train/00002.jpg: is missing",
        "list.txt: 1 more like these: line … … is out of order",
        "train/*.jpg: 1,197 more like these: is missing",
    ]


def test_faults_of_other_kinds_are_not_counted_together() -> None:
    found = Capped(1)
    found.add([Fault("a.txt", "is missing"), Fault("b.txt", "is missing")])
    found.add([Fault("a.txt", "has the label 3, and not 4")])
    assert len(found.all()) == 3


def test_all_are_named_where_that_is_asked_for() -> None:
    found = Capped(None)
    found.add(missing(50) + missing(50))
    assert len(found.all()) == 50
