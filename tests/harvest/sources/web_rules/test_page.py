import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsel import Selector

from icf.codes import FetchStatus, Region
from icf.errors import WrongUse
from icf.harvest.sources.base import Level, ListingPage, Task, read_table
from icf.harvest.sources.web_rules.page import Page, first_tasks, read_page, url_of
from icf.harvest.sources.web_rules.tables import WebTable

HOME = "http://a.org/list"


def rules(**parts: Any) -> WebTable:
    table = {
        "name": "toons",
        "kind": "web",
        "albums": {"start": [HOME], "link": "css: a.album", "next": "css: a.next"},
        "characters": {"link": "css: a.who"},
        "images": {"url": "css: img"},
        **parts,
    }
    return read_table(WebTable, table)


def read(
    body: str, task: Task, *robots: str, obey: bool = True, **parts: Any
) -> ListingPage:
    page = Page(HOME, HOME, Selector(text=f"<body>{body}</body>"), robots)
    return read_page(page, task, rules(**parts), obey=obey)


LIST = Task("albums", HOME, level=Level.ALBUMS)
WHO = Task("character", f"{HOME} Moon / Luna", "Moon", "Luna", "1")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"delay": math.inf}, "delay = inf: write a finite number"),
        ({"max_pages": True}, "max_pages = true: write a number"),
        ({"characters": {"lnik": "css: a"}}, "'characters.lnik'; .* is 'link'"),
    ],
)
def test_a_setting_of_another_type_is_refused(
    parts: dict[str, Any], message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        rules(**parts)


def test_a_list_whose_rule_finds_no_album_is_a_fault() -> None:
    (fault,) = read("<a href='/m'>Moon</a>", LIST).faults
    assert fault == f"{HOME}: names no albums by 'css: a.album'"
    assert read("<a class=next href='/2'>next</a>", LIST).faults == ()
    later = Task("albums", f"{HOME}?page=9", level=Level.ALBUMS)
    assert read("<p>nothing more</p>", later).faults == ()


def test_a_page_of_a_picture_without_one_is_a_fault() -> None:
    page = Task("picture", f"{HOME} Moon / Luna", "Moon", "Luna", "1")
    assert read("<p>sold</p>", page).faults == (
        f"{HOME}: names no picture by 'css: img'",
    )
    assert read("<img src=1.png>", page).faults == ()
    assert read("<p>nothing yet</p>", WHO).faults == ()


def test_a_tasks_address_is_in_its_subject() -> None:
    (first,) = first_tasks(rules())
    assert url_of(first) == HOME
    answer = read("<a class=album href='/m n?x=1#y'>The Moon</a>", LIST)
    (task,) = answer.tasks
    assert task.subject == "http://a.org/m%20n?x=1 The Moon"
    assert url_of(task) == "http://a.org/m%20n?x=1"


def test_an_album_without_a_name_is_a_fault_and_the_others_stay() -> None:
    answer = read("<a class=album href=/1></a><a class=album href=/2>Two</a>", LIST)
    assert [one.name for one in answer.albums] == ["Two"]
    assert answer.faults == ("http://a.org/1: an album without a name",)


def test_smaller_sizes_and_linked_thumbnails_are_fallbacks() -> None:
    body = "<a href=o.png><img src=t.png srcset='m.png 2x, /l.png 3x'></a>"
    for query in ("css: a", "css: img"):
        (one,) = read(body, WHO, images={"url": query}).pictures
        found = [url.rpartition("/")[2] for url in (one.url, *one.fallbacks)]
        assert found[-3:] == ["l.png", "m.png", "t.png"]
        assert all(url.startswith("http://a.org/") for url in one.fallbacks)


def test_links_that_are_no_web_pages_are_faults() -> None:
    body = "<a class=album href='javascript:go()'>A</a><a class=album>B</a>"
    answer = read(body, LIST)
    assert "is javascript:" in answer.faults[0]
    assert [url_of(task) for task in answer.tasks] == [HOME]


def test_links_that_scripts_open_are_not_this_page_under_many_names() -> None:
    names = "<a class=who href='#'>A</a><a class=who>B</a><a class=who href=/c>C</a>"
    for task in (Task("album", f"{HOME} Moon", "Moon"), LIST, WHO):
        answer = read(
            names,
            task,
            albums={"start": [HOME], "link": "css: a.who"},
            images={"link": "css: a.who", "url": "css: img"},
        )
        assert [url_of(each) for each in answer.tasks] == ["http://a.org/c"]
        assert answer.faults[0].startswith(f"{HOME}: 2 links have no address of a page")
    own = "<a class=who>Luna</a><a class=who href=/sol>Sol</a>"  # a page in its list
    answer = read(own, Task("album", f"{HOME} Moon", "Moon"))
    assert [url_of(each) for each in answer.tasks] == [HOME, "http://a.org/sol"]
    assert answer.faults == ()


def test_a_licence_is_known_by_its_relation_however_it_is_written() -> None:
    body = "<a rel='nofollow\nLICENSE' href=/cc>CC0</a><img src=1.png>"
    (picture,) = read(body, WHO).pictures
    assert (picture.licence.name, picture.licence.read_from) == ("CC0", "page")


def test_a_region_is_read_from_the_page_or_given_for_all() -> None:
    body = "<a class=album href=/1>One <i>France</i></a>"
    albums = {"start": [HOME], "link": "css: a.album"}
    (one,) = read(body, LIST, albums={**albums, "region": "css: i"}).albums
    assert one.region is Region.EUROPE
    (one,) = read(body, LIST, albums={**albums, "region": "other"}).albums
    assert one.region is Region.OTHER


def test_a_style_is_read_from_the_page_or_given_for_all() -> None:
    body = "<a class=album href=/1>One <i>Ink wash</i></a>"
    albums = {"start": [HOME], "link": "css: a.album"}
    for rule, style in (("css: i", "ink wash"), ("Manga", "manga"), ("css: b", None)):
        (one,) = read(body, LIST, albums={**albums, "style": rule}).albums
        assert one.style == style


def test_an_author_is_what_readers_see() -> None:
    body = "<div class=by><style>.by{color:red}</style>by <b>Jane</b>"
    body += "<script>let x = 1</script></div><script id=who>Ann</script><img src=/1>"
    for rule, author in (("css: .by", "by Jane"), ("css: #who", "Ann")):
        images = {"url": "css: img", "author": rule}
        (picture,) = read(body, WHO, images=images).pictures
        assert picture.licence.author == author


def test_characters_without_pages_have_their_pictures_beside_them() -> None:
    answer = read(
        "<div><h2>Luna</h2><img src=l.png></div><div><h2>Sol</h2><img src=s.png></div>",
        Task("album", f"{HOME} Moon", "Moon"),
        characters={"item": "css: div", "name": "css: h2"},
    )
    assert [(one.character, one.url) for one in answer.pictures] == [
        ("Luna", "http://a.org/l.png"),
        ("Sol", "http://a.org/s.png"),
    ]
    assert answer.tasks == ()


def test_the_same_words_in_the_header_and_in_the_page_opt_out() -> None:
    for said in ("noai", "icf: noimageai", "none"):
        (picture,) = read("<img src=1.png>", WHO, said).pictures
        assert picture.fate is FetchStatus.OPTED_OUT
    for said in ("otherbot: noai", "noarchive", "nofollow"):
        (picture,) = read("<img src=1.png>", WHO, said).pictures
        assert picture.fate is FetchStatus.PENDING


def test_nofollow_is_for_those_who_obey() -> None:
    body = "<a class=album href=/1>One</a>"
    assert read(body, LIST, "nofollow").tasks == ()
    assert len(read(body, LIST, "nofollow", obey=False).tasks) == 1
    assert len(read(body, LIST, "otherbot: nofollow").tasks) == 1


def test_a_picture_that_leads_and_stands_in_the_gallery_is_one() -> None:
    images = {"url": "css: img", "lead": "css: .box img"}
    body = "<div class=box><img src=1.png></div><img src=2.png>"
    answer = read(body, WHO, images=images)
    assert [(one.url[-5:], one.is_lead) for one in answer.pictures] == [
        ("1.png", True),
        ("2.png", False),
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.text(st.sampled_from("<>a/ =\"'&;\x00hrefclsbumwoimgnxt.:#é[]\n"), max_size=200),
    st.sampled_from([LIST, WHO, Task("album", f"{HOME} M", "M")]),
)
def test_no_page_breaks_the_reading(body: str, task: Task) -> None:
    answer = read(f"<a class=album href={body}<img src={body}", task)
    assert answer.done
    assert all(" " not in url_of(found) for found in answer.tasks)
