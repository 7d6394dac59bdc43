from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import (
    is_storable,
    parse_choice,
    parse_question_id,
    question_name,
)
from icf.codes import Choice


@given(st.integers(1, 10**18 - 1))
def test_every_way_to_write_a_question_names_it(key: int) -> None:
    written = (str(key), question_name(key), f"question:{key}", f" {key}\t")
    for text in (*written, f"{key}.", f"{key}.0", f"{key}.00"):
        assert parse_question_id(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "q",
        "-1",
        "1.5",
        "1e3",
        "٣",
        "q1;2",
        "9" * 19,
        "face:1",
        "1.000",
        "1.000.000",
    ],
)
def test_other_texts_are_no_question_id(text: str) -> None:
    assert parse_question_id(text) is None


def test_choices_are_read_in_both_vocabularies_and_any_case() -> None:
    for text in ("true", "TRUE", " True", "same", "Same", "yes", "1"):
        assert parse_choice(text) is Choice.TRUE
    for text in ("false", "FALSE", "different"):
        assert parse_choice(text) is Choice.FALSE
    assert parse_choice("unsure") is Choice.UNSURE
    for text in ("", "maybe", "2", "not same"):
        assert parse_choice(text) is None


def test_text_that_a_database_cannot_store_is_detected() -> None:
    assert is_storable("Zoë 王 😀")
    assert not is_storable("a\0b")
    assert not is_storable("a\udcff")
