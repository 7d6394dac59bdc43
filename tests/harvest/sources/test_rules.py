import re

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import WrongUse
from icf.harvest.sources.base import SourceTable, read_table
from icf.harvest.sources.rules import Limit, Only, Rules, Skip
from icf.names import normal_name

names = st.text(min_size=1).filter(lambda name: not name.startswith("/"))


@given(names)
def test_without_rules_everything_is_wanted(name: str) -> None:
    rules = Rules()
    assert rules.allows_everything
    assert rules.wants_album(name)
    assert rules.wants_character(name)
    assert rules.wants_url(name)


@given(st.text(alphabet="abcXYZ 1", min_size=1))
def test_what_is_skipped_is_never_wanted_even_if_it_alone_is_let_in(name: str) -> None:
    rules = Rules(
        only=Only(album=(name,), character=(name,)),
        skip=Skip(album=(name,), character=(name,)),
    )
    assert not rules.wants_album(name)
    assert not rules.wants_character(name)
    assert Rules(only=Only(album=(name,))).wants_album(name)


@pytest.mark.parametrize(
    ("pattern", "name", "wanted"),
    [
        ("Moon*", "moon rabbit", True),
        ("Moon*", "The Moon", False),
        ("Moon", "Moon Rabbit", False),
        ("/moon/", "The Moon Rabbit", True),
        ("Poke\u0301*", "Pokémon", True),
        ("/poke\u0301/", "Pokémon", True),
        ("Moon\u00a0Rabbit", "Moon Rabbit", True),
        ("/^moon/", "The Moon", False),
        ("S?n", "Sun", True),
        ("[SM]*n", "Moon", True),
        ("*", "two\nlines", True),
    ],
)
def test_a_pattern_is_a_glob_of_the_whole_name_or_an_expression_in_slashes(
    pattern: str, name: str, wanted: bool
) -> None:
    assert Rules(only=Only(album=(pattern,))).wants_album(name) is wanted


def test_of_thousands_of_names_those_alone_are_read_that_may_be_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = tuple(f"Moon {number}" for number in range(3000))
    rules = Rules(only=Only(album=listed), skip=Skip(image=listed))
    assert rules.wants_album("Moon 7")
    compiled: list[str] = []
    compile_ = re.compile

    def counted(pattern: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(pattern)
        return compile_(pattern, flags)

    monkeypatch.setattr(re, "compile", counted)
    assert all(rules.wants_album(f"MOON {number}") for number in range(0, 3000, 100))
    assert not rules.wants_album("Moon 3000")
    assert rules.wants_url("http://a.org/1.png")
    assert len(compiled) <= 60


def test_the_case_of_a_name_is_ignored_as_expressions_ignore_it() -> None:
    cased = [c for c in map(chr, range(0x110000)) if c.lower() != c or c.upper() != c]
    pairs = {(c, d) for c in cased for d in (c.lower(), c.upper(), c.title())}
    pairs |= {("i", "\u0131"), ("\u0130", "i"), ("\u0390", "\u1fd3"), ("S", "\u017f")}
    pairs |= {("\ufb05", "\ufb06"), ("\u03c2", "\u03a3"), ("k", "\u212a")}
    ignored = [
        (mine, other)
        for mine, other in pairs
        if re.fullmatch(normal_name(mine), normal_name(other), re.IGNORECASE)
    ]
    assert len(ignored) > 2000
    wrong = [
        (mine, other)
        for mine, other in ignored
        if not Rules(only=Only(album=(mine,))).wants_album(other)
    ]
    assert wrong == []


def test_what_the_source_does_not_say_is_unknown() -> None:
    japan = Rules(only=Only(region=("japan",)))
    assert japan.wants_album("Moon", "japan")
    assert not japan.wants_album("Moon")
    assert Rules(only=Only(region=("japan", "unknown"))).wants_album("Moon")
    female = Rules(only=Only(gender=("female",)))
    assert not female.wants_character("Luna")
    assert female.wants_character("Luna", "female")


def test_an_album_without_a_rank_is_under_no_rank() -> None:
    top = Rules(only=Only(max_rank=10))
    assert [top.wants_album("Moon", None, rank) for rank in (1, 10, 11, None)] == [
        True,
        True,
        False,
        False,
    ]


def test_pictures_are_skipped_by_their_urls() -> None:
    rules = Rules(skip=Skip(image=("*.svg", "/thumb/")))
    assert not rules.wants_url("http://a.org/icon.SVG")
    assert not rules.wants_url("http://a.org/thumb/1.png")
    assert rules.wants_url("http://a.org/1.png")


def test_one_pattern_needs_no_list() -> None:
    table = {"name": "x", "kind": "list", "only": {"album": "Moon", "region": "japan"}}
    read = read_table(SourceTable, table)
    assert (read.only.album, read.only.region) == (("Moon",), ("japan",))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"limit": {"album": 3}}, "the nearest known one is 'albums'"),
        ({"limit": {"albums": 0}}, "greater than or equal to 1"),
        ({"only": {"region": ["atlantis"]}}, "none of japan, china"),
        ({"only": {"gender": "f"}}, "none of female, male"),
        ({"skip": {"album": ["/(/"]}}, "not a regular expression"),
        ({"style": "x" * 61}, "a style is a word or two"),
        ({"limits": {"albums": 3}}, "the nearest known one is 'limit'"),
        ({"limit": {"images": True}}, "limit.images = true: write a number"),
        ({"limit": {"images": "2"}}, 'limit.images = "2": write a number'),
        ({"only": {"max_rank": True}}, "only.max_rank = true: write a number"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_wrong_use(
    keys: dict[str, object], message: str
) -> None:
    with pytest.raises(WrongUse, match=message.replace("(", r"\(")):
        read_table(SourceTable, {"name": "x", "kind": "list", **keys})


class Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    path: str = ""


class InParts(Rules):
    parts: tuple[Part, ...] = ()
    kind: str = ""
    name: str = ""


def test_a_wrong_key_in_a_list_of_tables_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match=r"unknown key 'parts\.0\.paht'"):
        read_table(InParts, {"name": "x", "kind": "y", "parts": [{"paht": "z"}]})


def test_rules_cannot_be_changed_while_a_run_goes_on() -> None:
    with pytest.raises(pydantic.ValidationError):
        Rules().limit = Limit(albums=1)
