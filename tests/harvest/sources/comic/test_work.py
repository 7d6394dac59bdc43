import io
import json
import random
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from PIL import Image

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.comic.archive import Archive
from icf.harvest.sources.comic.work import open_book
from tests.harvest.sources.comic.books import (
    EPUB_CONTAINER,
    epub,
    flagged,
    flate_page,
    jpeg_page,
    overlapping_bomb,
    patched,
    pdf,
    picture,
    rar5,
    zipped,
)

MOST = 1_000_000
PNG, JPEG = picture(), picture("JPEG")


def pages(path: Path) -> dict[str, bytes | FetchStatus]:
    """Each page's bytes or fate, in order."""
    book, found = open_book(path, MOST, 72.0), dict[str, bytes | FetchStatus]()
    for page in book.pages:
        got = bytearray()
        found[page.id] = page.fate
        if page.fate is FetchStatus.PENDING:
            try:
                book.read(page, got.extend)
                found[page.id] = bytes(got)
            except Fault as fault:
                found[page.id] = fault.fate
    book.close()
    return found


def fate(path: Path) -> FetchStatus:
    with pytest.raises(Fault) as caught:
        open_book(path, MOST, 72.0)
    return caught.value.fate


# --- CBZ ------------------------------------------------------------------------------


def test_pages_come_in_natural_order_and_byte_for_byte(tmp_path: Path) -> None:
    names = ("p10.png", "p2.png", "P1.png", "extra/p1.png")
    book = zipped(tmp_path / "a.cbz", {name: PNG + name.encode() for name in names})
    found = pages(book)
    assert list(found) == ["extra/p1.png", "P1.png", "p2.png", "p10.png"]
    assert found["p2.png"] == PNG + b"p2.png"


def test_an_archive_that_begins_with_a_pdf_is_an_archive(tmp_path: Path) -> None:
    members = {"bonus.pdf": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n", "1.png": PNG}
    book = open_book(zipped(tmp_path / "a.cbz", members, zipfile.ZIP_STORED), MOST, 72)
    assert type(book) is Archive


def test_what_lies_beside_pages_is_passed_over_and_counted(tmp_path: Path) -> None:
    metadata = ("__MACOSX/._1.png", ".DS_Store", "a/Thumbs.db", "ComicInfo.xml", "dir/")
    members = dict.fromkeys((*metadata, "1.png"), PNG)
    path = zipped(tmp_path / "a.cbz", members)
    assert list(pages(path)) == ["1.png"]
    assert open_book(path, MOST, 72).passed_over == len(metadata)


def test_texts_beside_pages_are_passed_over_and_counted(tmp_path: Path) -> None:
    texts = ("a.nfo", "Read Me.TXT", "a/b.html", "acbf.acbf", "x.ini", "s.sfv")
    path = zipped(tmp_path / "a.cbz", {**dict.fromkeys(texts, b"words"), "1": PNG})
    assert pages(path) == {"1": PNG}
    assert open_book(path, MOST, 72).passed_over == len(texts)
    rar = rar5(tmp_path / "a.cbr", [("1.png", PNG), ("a.nfo", b"words")])
    assert pages(rar) == {"1.png": PNG}


def test_a_zip_that_was_streamed_or_is_a_zip64_is_read(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    for large in (False, True):
        pipe = Pipe()
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file:
            for name in ("a/2.png", "a/10.png"):
                with file.open(name, "w", force_zip64=large) as member:
                    member.write(PNG)
        path = tmp_path / f"{large}.cbz"
        path.write_bytes(b"#!/bin/sh\n" * large + pipe.getvalue())
        assert pages(path) == {"a/2.png": PNG, "a/10.png": PNG}


def test_comic_info_may_be_in_utf16_and_have_a_bare_ampersand(tmp_path: Path) -> None:
    info = "<?xml version='1.0' encoding='utf-16'?>"
    info += "<ComicInfo><Writer>A & B</Writer></ComicInfo>"
    members = {"ComicInfo.xml": info.encode("utf-16"), "1.png": PNG}
    about = open_book(zipped(tmp_path / "a.cbz", members), MOST, 72).about
    assert about.author == "A & B"


@pytest.mark.parametrize("name", ["../1.png", "/1.png", "a/../../1.png", "C:\\1.png"])
def test_a_name_that_leads_out_is_a_bad_member(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.cbz", {name: PNG, "2.png": PNG})
    assert sorted(pages(path).values(), key=str) == sorted(
        [PNG, FetchStatus.BAD_MEMBER], key=str
    )


def test_an_archive_in_an_archive_is_unsupported(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "bomb.zip", {"zeros": bytes(MOST)}).read_bytes()
    path = zipped(tmp_path / "a.cbz", {"1.ZIP": inner, "2.png": PNG})
    assert pages(path) == {"1.ZIP": FetchStatus.UNSUPPORTED, "2.png": PNG}


def test_a_link_is_a_bad_member(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("1.png")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.cbz", "w") as file:
        file.writestr(info, "/etc/passwd")
    assert pages(tmp_path / "a.cbz") == {"1.png": FetchStatus.BAD_MEMBER}


def test_members_that_share_bytes_are_bad_members(tmp_path: Path) -> None:
    found = pages(overlapping_bomb(tmp_path / "a.cbz"))
    assert len(found) == 26
    assert set(found.values()) == {FetchStatus.BAD_MEMBER}


def test_members_that_unpack_to_too_much_are_too_large(tmp_path: Path) -> None:
    many = random.Random(0).randbytes(MOST + 1)
    tight = bytes((1 << 20) + 1)[: MOST - 1] + b"x"
    path = zipped(tmp_path / "a.cbz", {"1": many, "2": bytes(1 << 24), "3": tight})
    found = pages(path)
    assert (found["1"], found["2"]) == (FetchStatus.TOO_LARGE, FetchStatus.TOO_LARGE)
    assert found["3"] == tight


def test_a_member_that_lies_about_its_size_is_not_read_beyond_it(
    tmp_path: Path,
) -> None:
    path = zipped(tmp_path / "a.cbz", {"1": bytes(1 << 24), "2.png": PNG})
    size = (1 << 24).to_bytes(4, "little")
    assert pages(patched(path, size, (999).to_bytes(4, "little"))) == {
        "1": FetchStatus.CORRUPT,
        "2.png": PNG,
    }


@pytest.mark.parametrize(("flags", "method"), [(1, None), (1, 99), (0x41, None)])
def test_members_under_a_password_are_encrypted(
    tmp_path: Path, flags: int, method: int | None
) -> None:
    path = zipped(tmp_path / "a.cbz", {"1.png": PNG, "2.png": PNG})
    assert set(pages(flagged(path, flags, method)).values()) == {FetchStatus.ENCRYPTED}


def test_a_method_that_is_not_known_is_unsupported(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.cbz", {"1.png": PNG})
    assert pages(flagged(path, 0, 95)) == {"1.png": FetchStatus.UNSUPPORTED}


def test_a_damaged_member_is_corrupt_and_the_rest_goes_on(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(1000)
    path = zipped(tmp_path / "a.cbz", {"1": noise, "2.png": PNG})
    assert pages(patched(path, noise[400:410], bytes(10))) == {
        "1": FetchStatus.CORRUPT,
        "2.png": PNG,
    }


def test_names_that_are_not_utf8_are_read_and_stay_apart(tmp_path: Path) -> None:
    kanji = "ページ".encode("cp932")
    path = zipped(tmp_path / "a.cbz", {"xxxxxx1.png": PNG, "xxxxxx2.png": JPEG})
    found = pages(patched(path, b"xxxxxx", kanji))
    assert list(found.values()) == [PNG, JPEG]
    assert next(iter(found)).startswith("%E3%83%9A")
    same = pages(patched(path, b"2.png", b"1.png"))
    assert list(same.values()) == [PNG, JPEG]


@pytest.mark.parametrize("kept", [10, 60, -30])
def test_a_broken_directory_is_one_fault_of_the_file(tmp_path: Path, kept: int) -> None:
    path = zipped(tmp_path / "a.cbz", {"1.png": PNG})
    path.write_bytes(path.read_bytes()[:kept])
    assert fate(path) is FetchStatus.CORRUPT


def test_too_many_members_are_one_fault_of_the_file(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.cbz", {str(n): b"" for n in range(20_001)}, 0)
    assert fate(path) is FetchStatus.TOO_LARGE


def test_comic_info_tells_rights_and_author(tmp_path: Path) -> None:
    info = b"<ComicInfo><Writer>Jane</Writer><Rights>CC0</Rights></ComicInfo>"
    path = zipped(tmp_path / "a.cbz", {"ComicInfo.xml": info, "1.png": PNG})
    about = open_book(path, MOST, 72).about
    assert (about.rights, about.author) == ("CC0", "Jane")


def test_comic_info_names_all_who_made_it_those_who_draw_first(tmp_path: Path) -> None:
    info = b"<ComicInfo><Writer>Jane, Bob</Writer><Penciller>Ann</Penciller>"
    info += b"<Inker>Ann,  Cy </Inker><Colorist/><CoverArtist>bob</CoverArtist>"
    members = {"ComicInfo.xml": info + b"</ComicInfo>", "1.png": PNG}
    about = open_book(zipped(tmp_path / "a.cbz", members), MOST, 72).about
    assert about.author == "Ann, Cy, bob, Jane"


def test_comic_info_of_the_whole_counts_before_that_of_a_folder(tmp_path: Path) -> None:
    members = {
        f"{folder}ComicInfo.xml": f"<ComicInfo><Writer>{who}</Writer></ComicInfo>"
        for folder, who in (("a/b/", "Ann"), ("a/", "Bob"), ("", "Jane"))
    }
    for count, who in ((3, "Jane"), (2, "Bob"), (1, "Ann")):
        kept = {name: text.encode() for name, text in list(members.items())[:count]}
        path = zipped(tmp_path / f"{count}.cbz", {**kept, "1.png": PNG})
        assert open_book(path, MOST, 72).about.author == who


def test_what_is_no_comic_has_a_fate(tmp_path: Path) -> None:
    for name, data, wanted in (
        ("a.cbz", b"", FetchStatus.EMPTY),
        ("b.cbz", b"no archive", FetchStatus.CORRUPT),
        ("c.txt", b"words", FetchStatus.UNSUPPORTED),
    ):
        (tmp_path / name).write_bytes(data)
        assert fate(tmp_path / name) is wanted


def test_a_format_that_is_not_read_is_named_whatever_the_file_is_called(
    tmp_path: Path,
) -> None:
    with tarfile.open(tmp_path / "a.cbz", "w") as tar:
        tar.add(tmp_path / "..", "pages", recursive=False)
    (tmp_path / "b.cbr").write_bytes(b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24))
    (tmp_path / "c.cb7").write_bytes(b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24))
    (tmp_path / "d.pdf").write_bytes(bytes(60) + b"BOOKMOBI" + bytes(99))
    (tmp_path / "e.pdf").write_bytes(b"AT&TFORM\0\0\0\x99DJVU")
    for path, name in zip(
        sorted(tmp_path.iterdir()),
        ("a tar archive", *["a 7z archive"] * 2, "a Kindle book", "a DjVu file"),
        strict=True,
    ):
        with pytest.raises(Fault, match=f"^it is {name}, which is not read") as caught:
            open_book(path, MOST, 72.0)
        assert caught.value.fate is FetchStatus.UNSUPPORTED


# --- EPUB -----------------------------------------------------------------------------

PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:rights>CC-BY</dc:rights>'
    "<dc:creator>Jane</dc:creator></metadata><manifest>"
    '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="i" href="art/1" media-type="image/png"/></manifest>'
    '<spine><itemref idref="b"/><itemref idref="a"/><itemref idref="?"/></spine>'
    "</package>"
)


def test_an_epub_gives_its_pictures_in_the_order_of_its_spine(tmp_path: Path) -> None:
    path = epub(
        tmp_path / "a.epub",
        {
            "OEBPS/a.xhtml": b"<html><img src='art/1'>&nbsp;<img src='gone.png'>",
            "OEBPS/b.xhtml": b"<svg><image xlink:href='art/2%20b.png'/></svg>",
            "OEBPS/art/1": PNG,
            "OEBPS/art/2 b.png": JPEG,
            "OEBPS/art/cover.png": PNG,
        },
        PACKAGE,
    )
    found = pages(path)
    assert list(found) == [
        "OEBPS/art/2%20b.png",
        "OEBPS/art/1",
        "OEBPS/art/cover.png",
    ]
    assert found["OEBPS/art/2%20b.png"] == JPEG
    about = open_book(path, MOST, 72).about
    assert (about.rights, about.author) == ("CC-BY", "Jane")


@pytest.mark.parametrize(
    "package", ["", "<", '<!DOCTYPE a [<!ENTITY a "b">]><package>&a;</package>']
)
def test_an_epub_without_a_package_gives_them_in_natural_order(
    tmp_path: Path, package: str
) -> None:
    path = epub(tmp_path / "a.epub", {"10.png": PNG, "9.png": PNG}, package)
    assert list(pages(path)) == ["9.png", "10.png"]


def test_locked_pictures_of_an_epub_are_encrypted(tmp_path: Path) -> None:
    lock = b"<encryption><CipherReference URI='1.png'/></encryption>"
    members = {"META-INF/encryption.xml": lock, "1.png": PNG, "2.png": PNG}
    assert pages(epub(tmp_path / "a.epub", members, "")) == {
        "1.png": FetchStatus.ENCRYPTED,
        "2.png": PNG,
    }


def packed_by_hand(path: Path, members: dict[str, bytes], package: str) -> Path:
    """An EPUB whose mimetype is packed, and its last member."""
    fixed = {
        "META-INF/container.xml": EPUB_CONTAINER,
        "OEBPS/book.opf": package.encode(),
        "OEBPS/style.css": b"p {}",
    }
    last = {"mimetype": b"application/epub+zip\n"}
    return zipped(path, {**fixed, **members, **last})


def test_an_epub_is_known_by_its_members_not_by_their_order(tmp_path: Path) -> None:
    members = {
        "OEBPS/a.xhtml": b"<html><img src='art/1'>",
        "OEBPS/b.xhtml": b"<svg><image xlink:href='art/2.png'/></svg>",
        "OEBPS/art/1": PNG,
        "OEBPS/art/2.png": JPEG,
    }
    path = packed_by_hand(tmp_path / "a.epub", members, PACKAGE)
    assert pages(path) == {"OEBPS/art/2.png": JPEG, "OEBPS/art/1": PNG}
    book = open_book(path, MOST, 72)
    assert (book.about.rights, book.about.author) == ("CC-BY", "Jane")
    inside = {f"My Book/{name}": data for name, data in zip_of(path).items()}
    assert list(pages(zipped(tmp_path / "b.zip", inside))) == [
        "My%20Book/OEBPS/art/2.png",
        "My%20Book/OEBPS/art/1",
    ]


def zip_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_an_epub_names_its_members_in_any_case_and_encoding(tmp_path: Path) -> None:
    package = """<package><metadata><dc-metadata xmlns:dc="d">
        <dc:Rights>CC0 &copy; A & B</dc:Rights></dc-metadata></metadata><manifest>
        <item id="a" href="TEXT/A%20B.xhtml" media-type="application/xhtml+xml"/>
        </manifest><spine><itemref idref="a"/></spine></package>"""
    text = """<?xml version="1.0" encoding="utf-16"?><html><body>
        <img src="../Art/Ze\u0301.PNG"/><img src="/OEBPS/art/100%25.png"/>
        </body></html>"""
    path = packed_by_hand(
        tmp_path / "a.epub",
        {
            "OEBPS/Text/a b.xhtml": text.encode("utf-16"),
            "OEBPS/art/0.png": PNG,
            "OEBPS/art/100%.png": JPEG,
            "OEBPS/art/z\u00e9.png": PNG,
        },
        package,
    )
    assert list(pages(path)) == [
        "OEBPS/art/z%C3%A9.png",
        "OEBPS/art/100%25.png",
        "OEBPS/art/0.png",
    ]
    assert open_book(path, MOST, 72).about.rights == "CC0 \u00a9 A & B"


@pytest.mark.parametrize(
    "stated",
    [
        '<meta property="dcterms:rights">CC0</meta>',
        '<link rel="cc:license" href="CC0"/>',
        '<meta name="rights" content="CC0"/>',
    ],
)
def test_an_epub_states_its_rights_in_other_ways(tmp_path: Path, stated: str) -> None:
    package = f"<package><metadata>{stated}</metadata></package>"
    path = epub(tmp_path / "a.epub", {"1.png": PNG}, package)
    assert open_book(path, MOST, 72).about.rights == "CC0"


def test_a_locked_font_locks_no_picture(tmp_path: Path) -> None:
    lock = b"""<encryption><CipherReference URI="OEBPS/Fonts/a.otf"/>
        <CipherReference URI="oebps/art/2%20b.PNG"/></encryption>"""
    members = {
        "META-INF/encryption.xml": lock,
        "OEBPS/fonts/a.otf": b"OTTO",
        "OEBPS/art/1.png": PNG,
        "OEBPS/art/2 b.png": PNG,
    }
    assert pages(epub(tmp_path / "a.epub", members, "")) == {
        "OEBPS/art/1.png": PNG,
        "OEBPS/art/2%20b.png": FetchStatus.ENCRYPTED,
    }


# --- RAR ------------------------------------------------------------------------------


def test_stored_members_of_a_rar_file_need_no_program(tmp_path: Path) -> None:
    members = [("p10.png", PNG), ("p2.png", JPEG), ("../x.png", PNG), ("a.zip", b"")]
    assert pages(rar5(tmp_path / "a.cbr", members)) == {
        "../x.png": FetchStatus.BAD_MEMBER,
        "a.zip": FetchStatus.UNSUPPORTED,
        "p2.png": JPEG,
        "p10.png": PNG,
    }


def test_a_damaged_rar_file_is_corrupt(tmp_path: Path) -> None:
    path = rar5(tmp_path / "a.cbr", [("1.png", PNG)])
    assert pages(patched(path, PNG[20:30], bytes(10))) == {"1.png": FetchStatus.CORRUPT}
    path.write_bytes(b"Rar!\x1a\x07\x01\x00" + bytes(40))
    assert fate(path) is FetchStatus.CORRUPT


def test_without_the_extra_a_rar_file_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icf.harvest.sources.comic.rar.rarfile", None)
    path = rar5(tmp_path / "a.cbr", [("1.png", PNG)])
    with pytest.raises(Fault, match=r"icf-toolkit\[cbr\]") as caught:
        open_book(path, MOST, 72)
    assert caught.value.fate is FetchStatus.UNSUPPORTED


def test_pages_before_a_damaged_header_are_read_and_the_rest_is_told(
    tmp_path: Path,
) -> None:
    path = rar5(tmp_path / "a.cbr", [("1.png", PNG), ("2.png", PNG)])
    assert pages(patched(path, b"2.png", b"3.png")) == {
        "1.png": PNG,
        "%28the%20rest%29": FetchStatus.CORRUPT,
    }


# --- PDF ------------------------------------------------------------------------------


def decoded(data: bytes | FetchStatus) -> Image.Image:
    assert isinstance(data, bytes)
    return Image.open(io.BytesIO(data))


def test_a_jpeg_page_gives_the_very_bytes_that_were_put_in(tmp_path: Path) -> None:
    assert pages(pdf(tmp_path / "a.pdf", jpeg_page(JPEG))) == {"1": JPEG}


def test_pixels_without_loss_come_out_without_loss(tmp_path: Path) -> None:
    pixels = random.Random(2).randbytes(40 * 60 * 3)
    found = decoded(pages(pdf(tmp_path / "a.pdf", flate_page(pixels)))["1"])
    assert (found.format, found.size, found.tobytes()) == ("PNG", (40, 60), pixels)


CMYK = pikepdf.Name.DeviceCMYK


@pytest.mark.parametrize(
    "keys",
    [
        jpeg_page(picture("JPEG", mode="CMYK"), ColorSpace=CMYK),
        flate_page(bytes([0, 0, 0, 255] * 2400), ColorSpace=CMYK),
        jpeg_page(JPEG, mask=bytes(2400)),
        jpeg_page(JPEG, Decode=pikepdf.Array([1, 0, 1, 0, 1, 0])),
        {"data": picture("JPEG2000"), "Filter": pikepdf.Name.JPXDecode},
        jpeg_page(JPEG, content=b"q 0 200 -300 0 200 0 cm /I Do Q"),
        jpeg_page(JPEG, content=b"q 99 0 0 99 0 0 cm /I Do Q 0 0 9 9 re f"),
    ],
    ids=["cmyk-jpeg", "cmyk", "mask", "inverted", "jpx", "turned", "drawn-over"],
)
def test_what_is_not_simply_a_picture_is_drawn(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    found = decoded(pages(pdf(tmp_path / "a.pdf", keys))["1"])
    assert (found.format, found.mode) == ("PNG", "RGB")


def test_a_masked_picture_shows_what_the_page_shows(tmp_path: Path) -> None:
    found = pages(pdf(tmp_path / "a.pdf", jpeg_page(JPEG, mask=bytes(2400))))
    assert decoded(found["1"]).getpixel((10, 10)) == (255, 255, 255)


def test_a_drawn_picture_keeps_its_own_pixels(tmp_path: Path) -> None:
    odd = jpeg_page(JPEG, Decode=pikepdf.Array([1, 0, 1, 0, 1, 0]))
    assert decoded(pages(pdf(tmp_path / "a.pdf", odd))["1"]).size == (40, 60)


#: The upper half black, the lower half white.
HALVES = bytes(40 * 30 * 3) + b"\xff" * (40 * 30 * 3)
FULL = b"q 200 0 0 300 0 0 cm /I Do Q"


def boxed(*corners: int) -> pikepdf.Array:
    return pikepdf.Array(list(corners))


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        ({"page": {"CropBox": boxed(0, 150, 200, 300)}}, (40, 30)),
        ({"page": {"MediaBox": boxed(0, 150, 200, 300)}}, (40, 30)),
        ({"content": b"0 150 200 150 re W n " + FULL}, (40, 60)),
        ({"content": b"q 1 0 0 1 0 150 cm 0 0 200 150 re W* n Q " + FULL}, None),
        ({"content": b"q 200 0 0 300 0 0 cm 0 .5 1 .5 re W n /I Do Q"}, (40, 60)),
        ({"content": b"q 0 150 m 200 150 l 200 300 l 0 300 l h W n " + FULL}, (40, 60)),
        ({"content": FULL}, None),
        ({"content": b"0 0 200 300 re W n " + FULL}, None),
        ({"content": b"0 g q 200.4 0 0 300.6 -.2 -.3 cm /I Do Q"}, None),
    ],
)
def test_a_page_that_shows_a_part_of_its_picture_gives_that_part(
    tmp_path: Path, keys: dict[str, Any], size: tuple[int, int] | None
) -> None:
    found = decoded(pages(pdf(tmp_path / "a.pdf", flate_page(HALVES, **keys)))["1"])
    if size is None:  # all of it
        assert found.tobytes() == HALVES
        return
    assert found.size == size
    values = np.asarray(found.convert("L"))
    shows_white_of_the_page = size == (40, 60)
    assert (values[:28] < 10).all()
    assert (values[32:] > 245).all() or not shows_white_of_the_page


def test_a_picture_that_the_edge_of_the_page_cuts_is_cut(tmp_path: Path) -> None:
    content = b"q 200 0 0 300 0 -150 cm /I Do Q"
    path = pdf(tmp_path / "a.pdf", flate_page(HALVES, content=content))
    values = np.asarray(decoded(pages(path)["1"]).convert("L"))
    assert values.shape == (60, 40)
    assert (values[:28] > 245).all()
    assert (values[32:] < 10).all()


def test_what_a_hidden_layer_has_is_not_taken(tmp_path: Path) -> None:
    content = b"/OC /L BDC " + FULL + b" EMC"
    path = pdf(tmp_path / "a.pdf", flate_page(HALVES, content=content))
    with pikepdf.open(path, allow_overwriting_input=True) as made:
        layer = made.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="hidden")
        )
        made.pages[0].obj.Resources.Properties = pikepdf.Dictionary(L=layer)
        made.Root.OCProperties = pikepdf.Dictionary(
            OCGs=[layer], D=pikepdf.Dictionary(OFF=[layer])
        )
        made.save(path)
    assert decoded(pages(path)["1"]).getextrema() == ((255, 255),) * 3


def test_a_page_does_not_turn_its_picture_by_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.frombytes("RGB", (40, 60), HALVES).save(out, "JPEG", exif=exif, quality=95)
    found = decoded(pages(pdf(tmp_path / "a.pdf", jpeg_page(out.getvalue())))["1"])
    assert (found.size, found.getexif().get(0x0112)) == ((40, 60), None)


def test_a_page_of_strips_keeps_their_resolution(tmp_path: Path) -> None:
    strips = b"q 200 0 0 150 0 150 cm /I Do Q q 200 0 0 150 0 0 cm /I Do Q"
    path = pdf(tmp_path / "a.pdf", flate_page(HALVES, content=strips))
    found = decoded(pages(path)["1"])
    assert found.size == (80, 120)
    column = np.asarray(found.convert("L"))[:, 40]
    assert [int(column[at]) for at in (15, 45, 75, 105)] == [0, 255, 0, 255]


def test_a_stencil_an_inline_picture_and_a_form_are_drawn(tmp_path: Path) -> None:
    rows = bytes(5 * 30) + b"\xff" * 5 * 30
    stencil = flate_page(rows, ImageMask=True, BitsPerComponent=1)
    del stencil["ColorSpace"]
    inline = b"q 200 0 0 300 0 0 cm BI /W 1 /H 2 /CS /G /BPC 8 ID \x00\xff EI Q"
    path = pdf(tmp_path / "a.pdf", stencil, flate_page(HALVES, content=inline))
    found = [np.asarray(decoded(one).convert("L")) for one in pages(path).values()]
    assert found[0].shape == (60, 40)
    assert (found[0][5, 5], found[0][55, 5]) == (0, 255)
    assert (found[1][5, 5], found[1][-5, 5]) == (0, 255)


def test_an_encrypted_pdf_is_one_fault_of_the_file(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", jpeg_page(JPEG), password="secret")
    assert fate(path) is FetchStatus.ENCRYPTED


def test_a_broken_pdf_is_one_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n" + bytes(500))
    assert fate(tmp_path / "a.pdf") is FetchStatus.CORRUPT


def test_pages_that_a_cut_pdf_has_lost_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    first, *others = (Image.effect_noise((90, 90), 90) for _ in range(4))
    first.save(path, save_all=True, append_images=others)
    whole = path.read_bytes()
    (tmp_path / "behind.pdf").write_bytes(whole + bytes(5000))
    assert len(pages(tmp_path / "behind.pdf")) == 4
    path.write_bytes(whole[: len(whole) * 6 // 10])
    found = pages(path)
    assert list(found) == ["1", "2", "%28the%20rest%29"]
    assert found["%28the%20rest%29"] is FetchStatus.CORRUPT


def test_a_broken_page_has_its_fate_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = flate_page(b"")
    bad["data"] = b"no zlib stream"
    path = pdf(tmp_path / "a.pdf", jpeg_page(JPEG), bad, jpeg_page(JPEG))
    assert pages(path) == {"1": JPEG, "2": FetchStatus.CORRUPT, "3": JPEG}


def test_pixels_that_unpack_to_more_than_the_picture_has_are_too_large(
    tmp_path: Path,
) -> None:
    bomb = flate_page(bytes(1 << 24))
    assert pages(pdf(tmp_path / "a.pdf", bomb)) == {"1": FetchStatus.TOO_LARGE}


# --- in its own process ---------------------------------------------------------------


def bomb_zip(folder: Path) -> Path:
    path = zipped(folder / "a.cbz", {"1.png": bytes(400 << 20)})
    size = (400 << 20).to_bytes(4, "little")
    return patched(path, size, (900_000).to_bytes(4, "little"))


def bomb_pdf(folder: Path) -> Path:
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    # What says that it ends, and the checksum of all of it.
    last = b"\x03\x00" + zlib.adler32(bytes(1 << 30)).to_bytes(4, "big")
    data = head + piece * 63 + last
    page = flate_page(b"", Width=30_000, Height=30_000) | {"data": data}
    return pdf(folder / "a.pdf", page)


def bomb_content(folder: Path) -> Path:
    return pdf(folder / "a.pdf", jpeg_page(JPEG, content=b"q Q " * (1 << 22)))


def many_names(folder: Path) -> Path:
    members = {f"{n:06d}{'x' * 200}": b"" for n in range(40_000)}
    return zipped(folder / "a.cbz", members, 0)


#: Lists a comic and reads its pages in a child; tells their fates, and its peak.
PROGRAM = """
import json, resource, sys
sys.path[:0] = sys.argv[2:]
from icf.harvest.child import Child
from icf.harvest.fault import Fault
child, fates = Child("icf.harvest.sources.comic.work"), []
request = {"path": sys.argv[1], "max_bytes": 50_000_000, "dpi": 200.0}
def ask(**more):
    try:
        return child.ask({**request, **more}, deadline=600)
    except Fault as fault:
        fates.append(fault.fate.value)
for page in (ask(do="list") or {"pages": []})["pages"]:
    if ask(do="read", page=page[0]) is not None:
        fates.append("read")
child.close()
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([fates, peak / 1024]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "fate"),
    [
        (bomb_zip, "corrupt"),
        (bomb_pdf, None),
        (bomb_content, None),
        (many_names, "too_large"),
    ],
)
def test_a_bomb_takes_less_than_300_mib(
    tmp_path: Path, make: Callable[[Path], Path], fate: str | None
) -> None:
    path = make(tmp_path)
    command = [sys.executable, "-c", PROGRAM, str(path), *filter(None, sys.path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    fates, peak_mib = json.loads(said)
    assert len(fates) == 1
    assert fate in (None, fates[0])
    assert peak_mib < 300
