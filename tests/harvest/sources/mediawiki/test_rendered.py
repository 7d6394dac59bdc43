import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.harvest.sources.mediawiki.rendered import Link, Rendered, Row

ARTICLES = {"Luna", "Sol", "Io", "Ann Actor"}


def heading(level: int, text: str) -> str:
    return f'<div class="mw-heading"><h{level} id="x">{text}</h{level}></div>'


def old_heading(level: int, text: str) -> str:
    """As wikis before 1.43, and Fandom, write it."""
    edit = '<span class="mw-editsection">[<a href="/e" title="Luna">edit</a>]</span>'
    return f'<h{level}><span class="mw-headline">{text}</span>{edit}</h{level}>'


def link(title: str, address: str = "") -> str:
    return f'<a href="{address or "/wiki/" + title}" title="{title}">{title}</a>'


def titles(found: list[Link]) -> list[str]:
    return [one.title for one in found]


@pytest.mark.parametrize("head", [heading, old_heading])
def test_links_stand_under_the_headings_above_them(head: object) -> None:
    assert callable(head)
    html = (
        link("Io")
        + head(2, "Cast")
        + link("Luna")
        + head(3, "Minor")
        + link("Sol")
        + head(2, "Staff")
        + link("Ann Actor")
    )
    page = Rendered(html, ARTICLES)
    assert page.links("cast") == [
        Link("Luna", ("Cast",)),
        Link("Sol", ("Cast", "Minor")),
    ]
    assert titles(page.links("Minor")) == ["Sol"]
    assert titles(page.links()) == ["Io", "Luna", "Sol", "Ann Actor"]
    assert page.has_section("MINOR")
    assert not page.has_section("Plot")


def test_only_links_to_articles_count() -> None:
    html = (
        link("Category:Moons")
        + link("Moon", "https://elsewhere.org/wiki/Moon")
        + '<a href="#Luna">here</a><a>Luna</a>'
        + '<a class="new" href="/w/index.php?title=Sol&amp;redlink=1" '
        + 'title="Sol (page does not exist)">the Sun</a>'
        + '<a href="/w/index.php/Ann_Actor">A.</a>'
    )
    assert titles(Rendered(html, ARTICLES).links()) == ["Sol", "Ann Actor"]


@pytest.mark.parametrize(
    "box",
    [
        "<div class='navbox'>{}</div>",
        "<div role='navigation'><p>{}</p></div>",
        "<sup class='reference'>{}</sup>",
        "<table class='infobox x'><tr><td>{}",
    ],
)
def test_what_stands_beside_the_text_is_left_out(box: str) -> None:
    html = "<p>" + link("Sol") + "</p>" + box.format(link("Luna"))
    assert titles(Rendered(html, ARTICLES).links()) == ["Sol"]


def test_the_first_link_of_each_item_can_be_all() -> None:
    html = (
        link("Io")
        + f"<ul><li>{link('Luna')} by {link('Ann Actor')}"
        + f"<ul><li>her son {link('Sol')}</li></ul></li></ul>"
    )
    assert titles(Rendered(html, ARTICLES).links(first=True)) == ["Luna", "Sol"]


def test_titles_are_those_of_the_wiki_whatever_their_first_letter() -> None:
    articles = ["ანა", "ßeta", "iCarly", "ICarly", "Luna"]
    html = "".join(link(title) for title in ("ანა", "ßeta", "iCarly", "ICarly"))
    html += '<a href="/wiki/luna">the Moon</a>'
    page = Rendered(f"<ul><li>{html}</li></ul>", articles)
    assert titles(page.links()) == articles
    cells = f"<table><tr><td>{link('iCarly')}<tr><td>sam & Cat</table>"
    rows = Rendered(cells, ["iCarly"]).rows(1)
    assert [row.title for row in rows] == ["iCarly", "sam & Cat"]


TABLE = f"""<table>
<tr><th colspan=2>Place<sup class="reference">[1]</sup></th><th>Title</th>
<th>Made in</th></tr>
<tr><td>1</td><td>a</td><td>The {link("Luna")}</td><td rowspan="2">Japan</td></tr>
<tr><th>No. 2,000</th><td></td><td>Untold</td></tr>
<tr><th colspan="4">Europe</th></tr>
<tr><td></td><td>x</td><td>{link("Sol")}</td><td><img alt="Italy"></td></tr>
<tr><td>5</td></tr>
</table>"""


def test_a_table_is_read_by_its_headers() -> None:
    page = Rendered(TABLE, ARTICLES)
    assert page.rows("title", rank="place", region="made in") == [
        Row("Luna", (), 1, "Japan"),
        Row("Untold", (), 2000, "Japan"),
        Row("Sol", ("Europe",), None, "Italy"),
    ]


def test_a_table_is_read_by_number_where_it_has_no_headers() -> None:
    assert [row.title for row in Rendered(TABLE, ARTICLES).rows(3)] == [
        "Luna",
        "Untold",
        "Sol",
    ]


def test_tables_without_the_column_are_passed_by() -> None:
    page = Rendered(TABLE, ARTICLES)
    assert page.rows("Name") == []
    assert page.rows(9) == []
    assert page.rows("Title", section="Films") == []


def test_a_cell_that_claims_a_million_columns_gets_a_hundred() -> None:
    html = "<table><tr><td colspan=1000000>a</td><td>Luna</td></tr></table>"
    assert [row.title for row in Rendered(html, []).rows(101)] == ["Luna"]


def test_galleries_of_any_kind_show_files() -> None:
    html = """<ul><li class="gallerybox"><a href="/wiki/Datei:A_b.png"><img></a></li>
    <li class="gallerybox"><a href="/wiki/Luna"><img
      src="/images/thumb/a/ab/C%20d.png/120px-C_d.png?1"></a></li>
    <li class="gallerybox"><img src="/images/a/ab/E.png"></li>
    <li class="gallerybox">no picture</li></ul>
    <div class="wikia-gallery-item"><a href="https://static/x"><img
      data-image-name="F: g.png" src="data:,"></a></div>
    <img src="/images/Icon.png">"""
    found = Rendered(html, []).gallery_files({"file", "datei"})
    assert found == ["File:A b.png", "File:C d.png", "File:E.png", "File:F: g.png"]


@given(st.text("<>/ahtdrliu12= \"'", max_size=80))
def test_any_html_can_be_read(html: str) -> None:
    page = Rendered(html, ["H"])
    page.links(first=True)
    page.rows(1)
    page.gallery_files({"file"})
