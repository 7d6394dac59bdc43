from __future__ import annotations

import itertools
import random

from icf.annotate.pairs.mix import Mix, Subject

QUESTIONS: list[Subject] = [("question", key) for key in range(2000)]
GOLD: list[Subject] = [("gold", key) for key in range(2000)]
AUDIT: list[Subject] = [("audit", key) for key in range(2000)]


def sources(mixed: list[Subject]) -> list[str]:
    return [name for name, _ in mixed]


def seeded(first: int, share: float) -> Mix:
    return Mix(first, share, random.Random(1).random)


def test_known_pairs_come_before_a_person_s_first_question() -> None:
    mixed = sources(seeded(3, 0).mixed(6, 1, QUESTIONS, GOLD, []))
    assert mixed == ["gold", "gold", "question", "question", "question", "question"]


def test_after_that_a_share_of_known_pairs_is_mixed_in() -> None:
    mixed = sources(seeded(0, 0.05).mixed(2000, 9, QUESTIONS, GOLD, []))
    assert 70 <= mixed.count("gold") <= 130
    places = [place for place, name in enumerate(mixed) if name == "gold"]
    gaps = {after - before for before, after in itertools.pairwise(places)}
    # There is no period that one could count.
    assert len(gaps) > 20


def test_an_audit_is_spread_evenly_until_it_is_done() -> None:
    mixed = sources(seeded(0, 0).mixed(400, 0, QUESTIONS, [], AUDIT[:100]))
    assert mixed.count("audit") == 100
    assert 30 <= mixed[:100].count("audit") <= 70
    assert set(mixed[300:]) == {"question"}


def test_each_source_keeps_its_order() -> None:
    mixed = seeded(2, 0.2).mixed(300, 0, QUESTIONS, GOLD, AUDIT)
    for name in ("question", "gold", "audit"):
        ids = [key for source, key in mixed if source == name]
        assert ids == sorted(ids)
        assert ids


def test_known_pairs_alone_are_not_shown() -> None:
    assert seeded(10, 0.5).mixed(5, 0, [], GOLD, []) == []
    mixed = seeded(3, 0.0).mixed(9, 0, [], GOLD, AUDIT[:2])
    assert sources(mixed) == ["gold", "gold", "gold", "audit", "audit"]


def test_without_known_pairs_there_are_questions_alone() -> None:
    assert seeded(10, 0.5).mixed(3, 0, QUESTIONS, [], []) == QUESTIONS[:3]


def test_known_pairs_are_looked_for_only_where_some_are_wanted() -> None:
    assert Mix(5, 0.0).most_gold(12, 4) == 12
    assert Mix(5, 0.0).most_gold(12, 5) == 0
    assert Mix(5, 0.1).most_gold(12, 5) == 12
