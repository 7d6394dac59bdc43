from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.people.preferences import (
    DEFAULT_KEYS,
    Preferences,
    RefusedPreference,
    changed,
    read_preferences,
    write_preferences,
)
from icf.catalogue.annotation.schema import person
from tests.annotate.pairs.asked import person as somebody
from tests.annotate.place import Place


def test_two_keys_can_change_places_at_once() -> None:
    swapped = changed(Preferences(), {"keys": {"same": "j", "different": "f"}})
    assert (swapped.keys["same"], swapped.keys["different"]) == ("j", "f")


@pytest.mark.parametrize(
    "asked",
    [
        {"keys": {"same": "j"}},
        {"keys": {"same": "J"}},
        {"keys": {"same": "d", "different": "D"}},
        {"keys": {"same": ""}},
        {"keys": {"same": " "}},
        {"keys": {"same": "5"}},
        {"keys": {"same": "Enter"}},
        {"keys": {"same": "\n"}},
        {"keys": {"same": None}},
        {"keys": {"win": "w"}},
        {"keys": ["f"]},
        {"theme": "pink"},
        {"theme": ["dark"]},
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(RefusedPreference):
        changed(Preferences(), asked)


@given(st.dictionaries(st.sampled_from(sorted(DEFAULT_KEYS)), st.text(max_size=2)))
def test_keys_that_are_taken_are_never_alike(wanted: dict[str, str]) -> None:
    try:
        keys = changed(Preferences(), {"keys": wanted}).keys
    except RefusedPreference:
        return
    assert keys.keys() == DEFAULT_KEYS.keys()
    assert len(set(keys.values())) == len(keys)


def test_what_was_chosen_is_read_again(place: Place) -> None:
    ann = somebody(place)
    chosen = changed(Preferences(), {"keys": {"undo": "b"}, "theme": "light"})
    with place.workspace.catalogue.write() as connection:
        write_preferences(connection, ann, chosen)
        assert read_preferences(connection, ann) == chosen


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"theme": 3}'])
def test_a_damaged_choice_is_none(plain: Place, text: str) -> None:
    ann = somebody(plain)
    with plain.workspace.catalogue.write() as connection:
        connection.execute(sa.update(person).values(preferences=text))
        assert read_preferences(connection, ann) == Preferences()
