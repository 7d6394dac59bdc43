"""The decoder against every kind of bad picture."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, TiffImagePlugin

from icf.codes import ImageReason
from icf.images import Picture, Undecodable, decode, encode_jpeg, probe, reduced
from tests.core.pictures import (
    PNG_SIGNATURE,
    animation,
    chunk,
    drawing,
    encoded,
    flipped,
    png_bomb,
    with_orientation,
)

DRAWN = drawing()
JPEG = encoded(DRAWN, "JPEG", quality=95, subsampling=0)
PNG = encoded(DRAWN, "PNG")
#: Behind the headers of a JPEG, in its entropy-coded pixels.
SCAN = JPEG.index(b"\xff\xda") + 14
HTML = b"<!doctype html><html><body>404</body></html>"


def reason_of(data: bytes, **caps: int) -> ImageReason:
    with pytest.raises(Undecodable) as caught:
        decode(data, **caps)
    return caught.value.reason


def near(data: bytes, expected: np.ndarray[Any, Any], within: float = 2.0) -> bool:
    found = decode(data).pixels
    assert found.shape == expected.shape
    difference = found.astype(np.int64) - expected
    return bool(np.abs(difference).mean() <= within)


# --- what is no picture, or not all of one -----------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", ImageReason.EMPTY),
        (HTML, ImageReason.NOT_IMAGE),
        (b"BMW is a maker of cars, and this is a text about it", ImageReason.NOT_IMAGE),
        (b"\0\0\0\x18ftypisom" + bytes(64), ImageReason.NOT_IMAGE),
        (b"%PDF-1.7\n", ImageReason.NOT_IMAGE),
        (JPEG[:-900], ImageReason.TRUNCATED),
        (JPEG[:-3], ImageReason.TRUNCATED),
        (JPEG[:40], ImageReason.TRUNCATED),
        (JPEG[:3], ImageReason.TRUNCATED),
        (PNG[:-900], ImageReason.TRUNCATED),
        (encoded(DRAWN, "GIF")[:-600], ImageReason.TRUNCATED),
        (encoded(drawing(1, 1), "PNG"), ImageReason.TOO_SMALL),
        (encoded(drawing(15, 200), "JPEG"), ImageReason.TOO_SMALL),
        (encoded(drawing(4000, 3), "PNG"), ImageReason.BAD_ASPECT),
        (encoded(drawing(3, 4000), "JPEG"), ImageReason.BAD_ASPECT),
        (encoded(np.full((48, 64, 3), 255, np.uint8), "PNG"), ImageReason.DEGENERATE),
        (encoded(np.full((48, 64, 3), 90, np.uint8), "JPEG"), ImageReason.DEGENERATE),
    ],
)
def test_a_bad_picture_gets_its_reason(data: bytes, reason: ImageReason) -> None:
    assert reason_of(data) is reason


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"8BPS\0\1", "a file of Photoshop"),
        (b"PK\3\4", "a ZIP archive or an office document"),
    ],
)
def test_what_often_lies_among_pictures_is_named(data: bytes, name: str) -> None:
    with pytest.raises(Undecodable, match=f"it is {name}"):
        probe(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (encoded(DRAWN, "JPEG2000"), "JPEG 2000"),
        (b"\xff\x4f\xff\x51\0\x29", "JPEG 2000"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (encoded(DRAWN, "ICO"), "ICO"),
        (b"\0\0\2\0" + encoded(DRAWN, "ICO")[4:], "CUR"),
        (b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10", "a big-endian BigTIFF"),
        (b"\xef\xbb\xbf<!-- a --> \n<svg/>", "SVG"),
        (b"<!-- " + b"a" * 2000 + b" --><!-- b > -- --><SVG/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><!-- a --><svg/>", "SVG"),
        (b"<!-- a --><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'><svg/>", "SVG"),
    ],
)
def test_a_known_format_that_is_not_read_is_named(data: bytes, name: str) -> None:
    assert reason_of(data) is ImageReason.UNSUPPORTED
    with pytest.raises(Undecodable, match=f"^{name} is not"):
        probe(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<!-- a --><html><svg/></html>",
        b"<!-- <svg/> --><html/>",
        b"<!-- --><!-- " * 300,
    ],
)
def test_what_only_looks_like_one_is_no_picture(data: bytes) -> None:
    assert reason_of(data) is ImageReason.NOT_IMAGE


@pytest.mark.parametrize("directory", [8, 99, 2**31, 2**63, 2**64 - 1])
def test_a_tiff_without_its_directory_is_truncated(directory: int) -> None:
    start = b"II+\0\x08\0\0\0" + struct.pack("<Q", directory)
    assert reason_of(start) is ImageReason.TRUNCATED


@pytest.mark.parametrize("packed", ["tiff_lzw", "tiff_adobe_deflate", "raw", "jpeg"])
def test_a_tiff_that_is_cut_is_truncated(packed: str) -> None:
    whole = encoded(DRAWN, "TIFF", compression=packed)
    tags = TiffImagePlugin.ImageFileDirectory_v2(whole[:8])
    file = io.BytesIO(whole)
    file.seek(int.from_bytes(whole[4:8], "little"))
    tags.load(file)
    [start], [size] = tags[273], tags[279]
    # The same with its pixels at its end.
    place = whole.index(struct.pack("<HHII", 273, 4, 1, start)) + 8
    moved = whole[:place] + struct.pack("<I", len(whole)) + whole[place + 4 :]
    moved += whole[start : start + size]
    for each in (whole, moved):
        assert near(each, DRAWN, within=8.0)
        for missing in (30, size // 2):
            assert reason_of(each[:-missing]) is ImageReason.TRUNCATED


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_cut_anywhere_is_truncated(progressive: bool) -> None:
    whole = encoded(drawing(160, 120), "JPEG", progressive=progressive)
    lengths = range(3, len(whole), 61)
    assert {reason_of(whole[:n]) for n in lengths} == {ImageReason.TRUNCATED}


def test_a_jpeg_with_flipped_bits_is_corrupt_and_never_truncated() -> None:
    reasons = []
    for seed in range(60):
        try:
            decode(flipped(JPEG, SCAN, 12, seed))
        except Undecodable as error:
            reasons.append(error.reason)
    # Some flips make another valid stream, which no decoder can know.
    assert len(reasons) > 30
    assert set(reasons) == {ImageReason.CORRUPT}


def test_a_png_with_flipped_bits_is_corrupt() -> None:
    start = PNG.index(b"IDAT") + 8
    reasons = {reason_of(flipped(PNG, start, 3, seed)) for seed in range(20)}
    assert ImageReason.CORRUPT in reasons
    assert reasons <= {ImageReason.CORRUPT, ImageReason.TRUNCATED}


@pytest.mark.parametrize(
    ("side", "most_bytes"), [(12_000, 20_000), (20_000, 52_000)], ids=["144MP", "400MP"]
)
def test_a_bomb_is_too_large_from_its_header_alone(side: int, most_bytes: int) -> None:
    bomb = png_bomb(side)
    assert len(bomb) < most_bytes
    assert reason_of(bomb) is ImageReason.TOO_LARGE
    # No pixel is needed to know it: 8 bytes of signature, 25 of header.
    header_alone = bomb[:33] + chunk(b"IDAT", b"")
    assert reason_of(header_alone) is ImageReason.TOO_LARGE


def test_the_limit_of_pixels_is_exact() -> None:
    assert decode(PNG, max_pixels=64 * 48).width == 64
    assert reason_of(PNG, max_pixels=64 * 48 - 1) is ImageReason.TOO_LARGE
    assert reason_of(JPEG, max_pixels=64 * 48 - 1) is ImageReason.TOO_LARGE


@pytest.mark.parametrize(
    "text",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- a --><svg/>",
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        b"<svg><image href='http://127.0.0.1:9/x.png'/><text>&x;</text></svg>",
    ],
)
def test_svg_is_unsupported_and_nothing_it_names_is_opened(text: bytes) -> None:
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("open", "socket.connect", "socket.getaddrinfo"):
            opened.append(f"{event} {arguments!r}")

    sys.addaudithook(watch)
    try:
        with pytest.raises(Undecodable) as caught:
            decode(text)
    finally:
        watching = False
    assert caught.value.reason is ImageReason.UNSUPPORTED
    assert opened == []


# --- the signature counts, not the name --------------------------------------------


def test_a_png_named_jpg_is_decoded_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "hero.jpg"
    path.write_bytes(PNG)
    picture = decode(path.read_bytes())
    assert picture.format == "png"
    assert np.array_equal(picture.pixels, DRAWN)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG"])
def test_every_format_is_decoded_and_probed(kind: str) -> None:
    data = encoded(DRAWN, kind)
    picture, header = decode(data), probe(data)
    assert (picture.format, picture.width, picture.height) == (kind.lower(), 64, 48)
    assert (header.format, header.width, header.height) == (kind.lower(), 64, 48)
    assert picture.pixels.flags.c_contiguous
    assert picture.frames == 1
    assert not picture.trailing
    assert near(data, DRAWN, within=8.0)


# --- reduced -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "least_side", "found"),
    [
        ((800, 600), 600, (800, 600)),
        ((800, 600), 300, (400, 300)),
        ((800, 600), 151, (300, 225)),
        ((4000, 1000), 100, (500, 125)),
        ((80, 60), 100, (80, 60)),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_is_reduced_as_far_as_the_least_side_allows(
    size: tuple[int, int], least_side: int, found: tuple[int, int], mode: str
) -> None:
    drawn = Image.fromarray(drawing(*size)).convert(mode)
    data = encoded(drawn, "JPEG", quality=95)
    picture = reduced(data, least_side)
    assert (picture.width, picture.height) == found
    expected = Image.fromarray(decode(data).pixels).resize(
        (picture.width, picture.height), Image.Resampling.BOX
    )
    difference = picture.pixels.astype(np.int64) - np.asarray(expected)
    assert np.abs(difference).mean() < 2


def test_a_reduced_jpeg_is_upright_and_other_formats_stay_whole() -> None:
    turned = with_orientation(drawing(800, 400), "JPEG", 6, quality=95)
    picture = reduced(turned, 100)
    assert (picture.width, picture.height) == (100, 200)
    assert reduced(PNG, 8).pixels.shape == DRAWN.shape


def test_damage_is_found_in_a_reduced_jpeg_as_in_a_whole_one() -> None:
    large = encoded(drawing(640, 480), "JPEG", quality=90)
    start = large.index(b"\xff\xda") + 14
    damaged = [large[:-900], large[: len(large) // 3], large[:40], b"", HTML]
    damaged += [flipped(large, start, 12, seed) for seed in range(20)]
    for data in damaged:
        assert _reason(lambda d: reduced(d, 60), data) == _reason(decode, data)


def _reason(read: Callable[[bytes], Picture], data: bytes) -> ImageReason | None:
    try:
        read(data)
    except Undecodable as error:
        return error.reason
    return None


# --- colours -----------------------------------------------------------------------


def test_cmyk_is_converted() -> None:
    inks = Image.fromarray(DRAWN).convert("CMYK")
    data = encoded(inks, "JPEG", quality=98, subsampling=0)
    assert near(data, DRAWN, within=3.0)
    assert reason_of(data[:-300]) is ImageReason.TRUNCATED


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65_535, 64 * 48).reshape(48, 64).astype(np.uint16)
    found = decode(encoded(ramp, "PNG")).pixels
    expected = np.rint(ramp / 257).astype(np.uint8)
    assert np.array_equal(found, np.repeat(expected[..., None], 3, axis=2))


def half_transparent() -> np.ndarray[Any, Any]:
    """The drawing; its left half is hidden under full transparency."""
    alpha = np.full((48, 64, 1), 255, np.uint8)
    alpha[:, :32] = 0
    return np.concatenate([DRAWN, alpha], axis=2)


def test_rgba_is_laid_on_white_and_hidden_colours_stay_hidden() -> None:
    found = decode(encoded(half_transparent(), "PNG")).pixels
    assert (found[:, :32] == 255).all()
    assert np.array_equal(found[:, 32:], DRAWN[:, 32:])


def test_la_is_laid_on_white() -> None:
    shown = decode(encoded(Image.fromarray(half_transparent()).convert("LA"), "PNG"))
    grey = np.asarray(Image.fromarray(DRAWN).convert("L"))
    assert (shown.pixels[:, :32] == 255).all()
    assert np.array_equal(shown.pixels[:, 32:, 0], grey[:, 32:])


def test_half_transparency_is_mixed_with_white() -> None:
    half = np.dstack([DRAWN, np.full((48, 64), 128, np.uint8)])
    expected = DRAWN * (128 / 255) + 255 * (127 / 255)
    assert near(encoded(half, "PNG"), expected, within=1.0)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_with_a_transparent_colour_is_laid_on_white(kind: str) -> None:
    picture = Image.fromarray(DRAWN).quantize(8)
    hidden = picture.getpixel((0, 0))
    places = np.asarray(picture) == hidden
    found = decode(encoded(picture, kind, transparency=hidden)).pixels
    assert (found[places] == 255).all()
    plain = np.asarray(picture.convert("RGB"))
    assert np.array_equal(found[~places], plain[~places])


# --- which way up ------------------------------------------------------------------

#: So that a file's pixels can be compared; the other formats lose nothing anyway.
NEARLY_LOSSLESS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 98, "subsampling": 0},
    "WEBP": {"lossless": True},
}


def test_values_that_are_no_numbers_are_white_and_change_no_others() -> None:
    grey = np.linspace(0.1, 0.9, 3072, dtype=np.float32).reshape(48, 64)
    expected = np.rint(grey.astype(np.float64) * 255)
    grey[7, 9], grey[8, 9] = np.nan, np.inf
    expected[7:9, 9] = 255
    file = encoded(grey, "TIFF")
    assert near(file, np.repeat(expected[..., None], 3, axis=2), within=0.0)


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_rotation_is_applied_once(kind: str, turned: int) -> None:
    data = with_orientation(DRAWN, kind, turned, **NEARLY_LOSSLESS.get(kind, {}))
    exif = Image.Exif()
    exif[0x0112] = turned
    stored = Image.fromarray(DRAWN)
    stored.info["exif"] = exif.tobytes()
    expected = np.asarray(ImageOps.exif_transpose(stored))
    assert near(data, expected)


@pytest.mark.parametrize("turned", [0, 9, 65_535])
def test_an_impossible_rotation_turns_nothing(turned: int) -> None:
    assert near(with_orientation(DRAWN, "JPEG", turned, quality=98), DRAWN, 4.0)


@pytest.mark.parametrize(
    "exif", [b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"\xff" * 99]
)
def test_a_broken_exif_block_drops_no_picture(exif: bytes) -> None:
    block = b"Exif\0\0" + exif
    segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    assert near(JPEG[:2] + segment + JPEG[2:], DRAWN)


# --- animations --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame_and_their_number(kind: str) -> None:
    picture = decode(animation(kind, 5))
    assert picture.frames == 5
    assert np.abs(picture.pixels.astype(np.int64) - DRAWN).mean() < 8


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_of_too_many_frames_is_too_large(kind: str) -> None:
    assert decode(animation(kind, 4), max_frames=4).frames == 4
    assert reason_of(animation(kind, 5), max_frames=4) is ImageReason.TOO_LARGE


# --- what follows a picture --------------------------------------------------------

SCRIPT = b"<script>alert(document.cookie)</script>"


@pytest.mark.parametrize(
    "tail",
    [
        SCRIPT,
        b"\0\0" + SCRIPT,
        SCRIPT + b"\xff\xd9",
        JPEG,
        b"PK\x03\x04 an archive",
    ],
)
def test_what_follows_a_jpeg_is_accepted_and_flagged(tail: bytes) -> None:
    assert not decode(JPEG).trailing
    assert decode(JPEG + tail).trailing
    assert np.array_equal(decode(JPEG + tail).pixels, decode(JPEG).pixels)


def test_padding_and_thumbnails_are_no_trailing_bytes() -> None:
    assert not decode(JPEG + b"\0" * 512 + b"\r\n").trailing
    exif = Image.Exif()
    exif[0x010E] = "a thumbnail: " + encoded(drawing(16, 16), "JPEG").decode("latin-1")
    assert not decode(encoded(DRAWN, "JPEG", exif=exif)).trailing


def test_what_follows_a_png_is_flagged_also_when_it_names_the_last_chunk() -> None:
    assert not decode(PNG).trailing
    assert decode(PNG + SCRIPT + b"IEND\xae\x42\x60\x82").trailing


def test_an_encoded_jpeg_has_pixels_and_no_metadata() -> None:
    picture = decode(with_orientation(DRAWN, "JPEG", 6, quality=95) + SCRIPT)
    served = encode_jpeg(picture.pixels)
    assert b"script" not in served
    assert b"Exif" not in served
    assert near(served, picture.pixels, within=6.0)
    assert not decode(served).trailing


# --- HEIC and AVIF -----------------------------------------------------------------


def heic(width: int = 64, height: int = 48) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra `heif`")
    return bytes(
        _saved(pillow_heif.from_pillow(Image.fromarray(drawing(width, height))))
    )


def _saved(picture: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, quality=-1)
    return file.getvalue()


def test_heic_is_decoded_with_the_extra() -> None:
    data = heic()
    assert probe(data).format == decode(data).format == "heif"
    assert near(data, DRAWN, within=6.0)


def test_heic_is_unsupported_without_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(Undecodable, match=r"icf-toolkit\[heif\]") as caught:
        decode(start)
    assert caught.value.reason is ImageReason.UNSUPPORTED


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6, 0.9, 0.999])
def test_heic_and_avif_that_are_cut_anywhere_are_truncated(share: float) -> None:
    for whole in (encoded(drawing(320, 240), "AVIF", quality=95), heic(320, 240)):
        assert reason_of(whole[: int(len(whole) * share)]) is ImageReason.TRUNCATED


def test_a_generic_brand_is_read_by_the_ones_it_is_compatible_with() -> None:
    avif = encoded(DRAWN, "AVIF", quality=95)
    size = int.from_bytes(avif[:4], "big")
    assert avif[8:12] == b"avif"
    assert b"avif" in avif[16:size]
    generic = avif[:8] + b"mif1" + avif[12:]
    assert decode(generic).format == "avif"
    assert np.array_equal(decode(generic).pixels, decode(avif).pixels)


# --- whatever comes ----------------------------------------------------------------

FILES = [
    JPEG,
    PNG,
    *(encoded(DRAWN, k) for k in ("GIF", "WEBP", "BMP", "TIFF", "AVIF")),
]
#: What Pillow may ask of a header's numbers before it looks at the pixels.
CAP = 1_000_000


@settings(max_examples=300, deadline=None)
@given(
    file=st.sampled_from(FILES),
    cut=st.floats(0.0, 1.0),
    edits=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=8),
)
def test_damage_of_any_kind_ends_in_a_picture_or_a_reason(
    file: bytes, cut: float, edits: list[tuple[float, int]]
) -> None:
    damaged = bytearray(file)
    for place, value in edits:
        damaged[int(place * len(damaged))] = value
    try:
        picture = decode(bytes(damaged[: int(cut * len(damaged)) + 1]), CAP)
    except Undecodable:
        return
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (picture.height, picture.width, 3)


@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"\xff\xd8\xff"]))
def test_noise_ends_in_a_reason(data: bytes, start: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(start + data)


def test_a_reason_can_be_sent_to_another_process() -> None:
    error = Undecodable(ImageReason.CORRUPT, "damaged")
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, str(again)) == (error.reason, "damaged")


def test_threads_that_decode_side_by_side_do_not_disturb_each_other() -> None:
    files = [JPEG, flipped(JPEG, SCAN, 12, 3), PNG, HTML, animation("GIF", 3)]
    expected = [_outcome(file) for file in files]
    found: list[list[object]] = []

    def work() -> None:
        found.append([_outcome(file) for _ in range(20) for file in files])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected * 20] * 4


def _outcome(data: bytes) -> object:
    try:
        return decode(data).pixels.tobytes()
    except Undecodable as error:
        return error.reason


def test_a_png_signature_alone_is_no_picture() -> None:
    assert reason_of(PNG_SIGNATURE) is ImageReason.CORRUPT
