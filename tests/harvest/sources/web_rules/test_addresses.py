"""The pictures of a page for a plain rule, whatever its script does to them later."""

import pytest
from parsel import Selector

from icf.harvest.sources.web_rules.addresses import addresses_of, by_size, pictures_in

BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def addresses(body: str, query: str = "img") -> list[tuple[str, ...]]:
    page = Selector(text=f"<body>{body}</body>")
    return [addresses_of(one) for one in pictures_in(page.css(query))]


@pytest.mark.parametrize(
    "body",
    [
        f'<img src="{BLANK}" data-src="/1.jpg">',
        '<img src="/img/loading.gif" data-original="/1.jpg">',
        '<img data-lazy-src="/1.jpg" src="/low.jpg">',
        '<img src="/low.jpg" data-lazy="/1.jpg" data-src-id="7" data-width="300">',
        '<img src="about:blank" data-cfsrc="/1.jpg">',
        '<img src="/t.jpg" pagespeed_lazy_src="/1.jpg">',
        '<img src="#" data-url="/1.jpg" data-page="/2">',
        f'<img src="{BLANK}" srcset="{BLANK} 1w" data-srcset="/1.jpg 300w">',
        f'<img src="{BLANK}" srcset="/1.jpg">',
        f'<picture><source srcset="/1.jpg"><img src="{BLANK}"></picture>',
        f'<picture><source type="image/jxl" srcset="/1.jxl">'
        f'<source data-srcset="/1.jpg"><img src="{BLANK}"></picture>',
        f'<img src="{BLANK}"><noscript><img src="/1.jpg"></noscript>',
        '<img class=lazy><noscript>&lt;img src="/1.jpg"&gt;</noscript>',
        '<noscript><img src="/1.jpg"></noscript><img src="/spacer.gif">',
        '<img style="background-image: url(\'/1.jpg\')" src="data:,">',
        '<img src="/1.jpg" data-src="7" data-lazy="true" data-original="">',
        '<img src="/1.jpg"><noscript><img src="/tracker?x=1"></noscript>',
        '<img src=" /1.jpg ">',
        '<img src="/1.jpg" data-src="/a_{width}x.jpg">',
        '<img src="/1.jpg" data-src="/a_%7bwidth%7D.jpg" data-zoom="/{{ it.file }}">',
        '<img src="/low.jpg" data-src="/a_{width}x.jpg" data-original="/1.jpg">',
        '<img src="/low.jpg" data-srcset="/{w}.jpg 9w" srcset="/1.jpg 2x">',
        f'<img src="{BLANK}" data-src="/{{w}}.jpg"><noscript><img src="/1.jpg">',
    ],
)
def test_the_picture_is_taken_and_not_its_placeholder(body: str) -> None:
    first = addresses(body)[0]
    assert first[0] == "/1.jpg"
    assert not any(one.startswith("data:") for one in first)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            '<img src="/s.jpg" srcset="/s.jpg 300w, /l.jpg 1200w, /m.jpg 600w">',
            ("/l.jpg", "/m.jpg", "/s.jpg"),
        ),
        (
            '<img src="/1.jpg" srcset="/3.jpg 3x, /2.jpg 2x">',
            ("/3.jpg", "/2.jpg", "/1.jpg"),
        ),
        (
            '<img src="/s.jpg" data-src="/m.jpg" data-srcset="/m.jpg, /l.jpg 2x">',
            ("/l.jpg", "/m.jpg"),
        ),
        ('<img src="/s.jpg" data-orig-file="/o.png">', ("/o.png", "/s.jpg")),
        (
            "<picture><source srcset='/w_9,h_9/l.webp 900w'><img src=/s.jpg></picture>",
            ("/w_9,h_9/l.webp", "/s.jpg"),
        ),
        ('<img srcset="a.jpg 1x,b.jpg 2x" src="">', ("b.jpg", "a.jpg")),
    ],
)
def test_the_largest_comes_first_and_the_others_stand_by(
    body: str, found: tuple[str, ...]
) -> None:
    assert addresses(body)[0] == found


def test_a_template_is_asked_for_where_nothing_else_is_named() -> None:
    assert addresses('<img data-src="/a_{width}x.jpg">') == [("/a_{width}x.jpg",)]
    assert addresses('<img src="/a{1}.jpg">') == [("/a{1}.jpg",)]


def test_a_link_to_the_original_comes_before_the_picture_in_it() -> None:
    body = '<figure><a href="/o.png"><img src="data:," data-src="/s.jpg"></a></figure>'
    assert addresses(body, "a") == addresses(body, "figure") == [("/o.png", "/s.jpg")]


def test_an_attribute_is_taken_at_its_word() -> None:
    body = '<img src="/1 x.jpg" data-src="/2.jpg" srcset="/3.jpg 1x, /4.jpg 2x">'
    assert addresses(body, "img::attr(src)") == [("/1 x.jpg",)]
    assert addresses(body, "img::attr(srcset)") == [("/4.jpg", "/3.jpg")]


def test_what_a_noscript_repeats_is_one_picture() -> None:
    body = (
        f'<img src="{BLANK}" data-srcset="/1-large.jpg 2x">'
        '<noscript><img src="/1.jpg"></noscript>'
        '<noscript><img src="/2.jpg"></noscript>'
    )
    assert addresses(body) == [("/1-large.jpg",), ("/2.jpg",)]


def test_what_has_no_other_address_keeps_its_own() -> None:
    assert addresses(f'<img src="{BLANK}"><img alt="none">') == [(BLANK,), ()]


def test_a_set_of_nothing_but_commas_is_read_at_once() -> None:
    commas = "," * 1_000_000
    assert by_size([commas, f"/l.jpg{commas} /m.jpg 2x{commas}"]) == [
        "/m.jpg",
        "/l.jpg",
    ]


def test_a_long_set_is_read_at_once() -> None:
    found = by_size(["/m.jpg 2x," * 200_000, "/l.jpg 3x"])
    assert (found[0], len(found)) == ("/l.jpg", 200_001)
