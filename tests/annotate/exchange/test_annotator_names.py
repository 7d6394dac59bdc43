from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from icf.annotate.answers import AnswerRow, EmptyRow
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.errors import WrongUse

FROM_SERVER = AnswerRow(2, "1", "label-studio:1", "true", origin="label-studio:1")
WRITTEN = AnswerRow(2, "1", " Zoe\u0301 ", "true")
NOBODY = AnswerRow(2, "1", "", "true")


def named(
    names: AnnotatorNames,
    row: AnswerRow,
    known: Mapping[str, str] = MappingProxyType({}),
) -> str:
    found = names.rename(row, known.get)
    assert isinstance(found, AnswerRow)
    return found.annotator


def test_names_are_kept_in_their_one_form_or_replaced() -> None:
    assert named(AnnotatorNames({}), WRITTEN) == "Zoé"
    assert named(AnnotatorNames({"Zoé": "zoe"}), WRITTEN) == "zoe"
    assert named(AnnotatorNames({}, "ann"), NOBODY) == "ann"
    assert named(AnnotatorNames({"ann": "Ann"}, "ann"), NOBODY) == "Ann"
    assert AnnotatorNames({}, "ann").rename(EmptyRow(2)) == EmptyRow(2)


def test_a_server_is_part_of_the_name_of_its_users() -> None:
    lab = AnnotatorNames({}, server=" lab ")
    found = lab.rename(FROM_SERVER)
    name = "label-studio:lab:1"
    assert found == replace(FROM_SERVER, annotator=name, origin=name)
    for key in (name, "label-studio:1"):
        assert named(replace(lab, names={key: "ann"}), FROM_SERVER) == "ann"


def test_a_name_that_was_given_once_is_remembered_and_a_new_one_counts_more() -> None:
    known = {"label-studio:1": "ann"}
    assert named(AnnotatorNames({}), FROM_SERVER, known) == "ann"
    assert named(AnnotatorNames({"label-studio:1": "bob"}), FROM_SERVER, known) == "bob"


@pytest.mark.parametrize("server", ["", " ", "a:b", ":"])
def test_a_server_without_a_plain_name_is_refused(server: str) -> None:
    with pytest.raises(WrongUse, match="name of the server"):
        AnnotatorNames({}, server=server)


def test_names_that_no_row_had_are_known() -> None:
    names = AnnotatorNames({"label-studio:1": "ann", "Zoé": "zoe", "bob": "Bob"})
    assert names.unused == ["label-studio:1", "Zoé", "bob"]
    for row in (FROM_SERVER, WRITTEN, NOBODY):
        names.rename(row)
    assert names.unused == ["bob"]
