import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.harvest.sources.mediawiki.wikitext import (
    clean_title,
    gallery_files,
    links,
    names,
    parameter,
    plain,
    templates,
)

_MARKS = (
    "{{ }} [[ ]] | = <ref> </ref> <ref/> <!-- --> <gallery> </gallery> <nowiki> "
    "</nowiki> \n* a File:b.png"
)
#: Text with much of what is markup in it.
MARKUP = st.lists(st.sampled_from(_MARKS.split(" ")), max_size=60).map("".join)


def test_a_parameter_may_hold_links_templates_and_bars() -> None:
    text = "{{Box | cast = [[Luna|the {{ill|x|fr=y}} Moon]] | [[A=B|c]] | x = 1=2 }}"
    outer, inner = templates(text)
    assert outer.name == "Box"
    assert outer.parameters == {
        "cast": "[[Luna|the {{ill|x|fr=y}} Moon]]",
        "1": "[[A=B|c]]",
        "x": "1=2",
    }
    assert inner.parameters == {"1": "x", "fr": "y"}


def test_braces_that_are_never_closed_hide_nothing_that_is() -> None:
    assert parameter("{{Broken|a=1\n{{Box|sex=f}}", ["sex"]) == "f"


def test_comments_and_quoted_markup_are_not_read() -> None:
    text = "<!-- {{Box|sex=m}} --><nowiki>{{Box|sex=m}}</nowiki>{{Box|sex=f}}"
    assert parameter(text, ["sex"]) == "f"


def test_the_first_name_that_has_a_value_counts() -> None:
    text = "{{Box|gender=|Main_Characters=[[A]]}}{{Box|sex=f}}"
    assert parameter(text, ["gender", "sex"]) == "f"
    assert parameter(text, ["main characters"]) == "[[A]]"
    assert parameter(text, ["age"]) is None


def test_calls_within_calls_end_somewhere() -> None:
    deep = "{{a|" * 100_000 + "}}" * 100_000
    assert len(templates(deep)) == 40
    assert plain(deep) == ""


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("[[Luna]], [[Sol (star)|Sol]]<ref>[[Book]]</ref>", ["Luna", "Sol (star)"]),
        ("Luna, Sol", ["Luna", "Sol"]),
        ("Luna<br />''Sol''", ["Luna", "Sol"]),
        ("\n* Luna\n* Sol", ["Luna", "Sol"]),
        ("{{ubl|Luna|Sol}}", ["Luna", "Sol"]),
        ("<ref>nobody</ref>", []),
    ],
)
def test_names_are_links_or_the_items_of_a_list(value: str, found: list[str]) -> None:
    assert names(value) == found


@pytest.mark.parametrize(
    "text",
    [
        "{{Box|a=<nowiki>}}</nowiki>|sex=f}}",
        "{{Box|se<!-- }} -->x=<!-- m -->f}}",
        "{{Box|a={{b|{{c|d=1}}}}|sex=f|e={{g|sex=m}}}}",
        "{{Box|a={{{!}} class=x\n{{!}} [[A|b]] {{!}}{{!}} c\n{{!}}}|sex=f}}",
        "{{Box|a=<ref>{{cite</ref>|sex=f}}",
        "{{Open {{Box|a=b]]|sex=f}} {{Open|c=[[",
        "{{Box\n|sex = f\n|a = {|\n|-\n| b\n|}\n}}",
    ],
)
def test_broken_and_nested_markup_does_not_hide_a_parameter(text: str) -> None:
    assert parameter(text, ["sex"]) == "f"


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["{{", "{{a|", "{{a=", "[[", "{|\n|", "<ref>", "<b "])
def test_hostile_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    text = unit * ((1 << 20 if unit == "{{" else 1 << 18) // len(unit))
    began = time.process_time()
    assert parameter(text, ["sex"]) is None
    assert gallery_files(text) == []
    assert links(text) == []
    names(text)
    plain(text)
    # A second or so; a parser that backtracks would need hours.
    assert time.process_time() - began < 60.0


def test_a_link_to_a_part_of_a_page_leads_to_the_page() -> None:
    assert links("[[#here]] [[Luna#Life]] [[:Luna]]") == ["Luna"]


def test_a_gallery_names_files_with_and_without_a_namespace() -> None:
    text = """<gallery mode="packed">
Datei:a_b.png|[[A]]
c: d.png
<!-- File:no.png -->
<bad>.png
</gallery><gallery>File:A b.png</gallery> [[File:Other.png]] <gallery>File:open.png"""
    assert gallery_files(text, ["file", "Datei"]) == ["File:A b.png", "File:C: d.png"]


def test_a_title_that_no_wiki_can_have_is_none() -> None:
    assert clean_title("x" * 256) == ""
    assert clean_title("日" * 85) == "日" * 85
    assert clean_title("a\0") == ""


@given(MARKUP)
def test_any_markup_can_be_read(text: str) -> None:
    for call in templates(text):
        assert all(isinstance(value, str) for value in call.parameters.values())
    for title in [*links(text), *names(text)]:
        assert clean_title(title) == title
    for title in gallery_files(text):
        assert title.startswith("File:")
    assert plain(text) == plain(text).strip()


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text("ab 1")))
def test_what_is_written_as_a_template_is_read_back(values: dict[str, str]) -> None:
    text = "{{Box" + "".join(f"| {k} = {v}\n" for k, v in values.items()) + "}}"
    (call,) = templates(text)
    assert call.parameters == {k: v.strip() for k, v in values.items()}


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("luna", "Luna"),
        ("élan", "Élan"),
        ("ана", "Ана"),
        ("ანა", "ანა"),
        ("ß", "ß"),
        ("\ufb01n", "\ufb01n"),
        ("", ""),
    ],
)
def test_a_first_letter_becomes_one_capital_or_stays(written: str, title: str) -> None:
    assert clean_title(written) == title
    assert clean_title(written, capital=False) == written


def test_names_can_stay_as_they_are_written() -> None:
    linked = "[[iCarly]] and [[:ICarly#Cast]]"
    assert names(linked, capital=False) == ["iCarly", "ICarly"]
    assert names("iCarly, ICarly", capital=False) == ["iCarly", "ICarly"]
    gallery = "<gallery>\nDatei:a b.png\n</gallery>"
    assert gallery_files(gallery, ["datei"], capital=False) == ["File:a b.png"]
