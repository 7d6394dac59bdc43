"""Marks in files that the reference implementation of C2PA signed, and in others."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from icf.images.marks.no_training import no_training

FILES = Path(__file__).parent / "files"
MADE = {path.name: path.read_bytes() for path in sorted(FILES.iterdir())}

#: What each file was made to say (how_files_were_made.md).
SAID = {
    "allowed.jpg": None,
    "c2pa.jpg": "c2pa.ai_generative_training: notAllowed; c2pa.ai_training: notAllowed;"
    " c2pa.data_mining: notAllowed",
    "cawg.avif": "cawg.ai_training: notAllowed",
    "cawg.png": "cawg.data_mining: constrained",
    "cawg.webp": "cawg.ai_training: notAllowed",
    "unsaid.jpg": None,
}
DMI = "http://ns.useplus.org/ldf/vocab/DMI-"


def packet(value: str, form: str = '<r:Description plus:DataMining="{}"/>') -> str:
    inside = form.format(DMI + value)
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF>{inside}</r:RDF></x:xmpmeta>'


def picture(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (9, 90, 200)).save(file, kind, **options)
    return file.getvalue()


def in_png(text: str, *, packed: bool) -> bytes:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", text, zip=packed)
    return picture("PNG", pnginfo=info)


@pytest.mark.parametrize("name", MADE)
def test_assertions_about_training_are_found_in_signed_files(name: str) -> None:
    assert no_training(MADE[name]) == SAID[name]


def test_every_signed_file_is_a_picture_still() -> None:
    for name, data in MADE.items():
        opened = Image.open(io.BytesIO(data))
        opened.load()
        assert min(opened.size) > 0, name


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("PROHIBITED", "plus:DataMining: PROHIBITED"),
        ("PROHIBITED-AIMLTRAINING", "plus:DataMining: PROHIBITED-AIMLTRAINING"),
        ("PROHIBITED-SEECONSTRAINT", "plus:DataMining: PROHIBITED-SEECONSTRAINT"),
        ("ALLOWED", None),
        ("UNSPECIFIED", None),
    ],
)
def test_iptc_says_it_in_xmp(value: str, said: str | None) -> None:
    assert no_training(picture("JPEG", xmp=packet(value).encode())) == said


@pytest.mark.parametrize(
    "form",
    [
        "<plus:DataMining>{}</plus:DataMining>",
        '<plus:DataMining rdf:resource="{}"/>',
        "<plus:DataMining>\n  {}\n</plus:DataMining>",
    ],
)
def test_xmp_is_read_however_it_is_written_and_kept(form: str) -> None:
    text = packet("PROHIBITED", form)
    said = "plus:DataMining: PROHIBITED"
    assert no_training(in_png(text, packed=False)) == said
    assert no_training(in_png(text, packed=True)) == said
    assert no_training(picture("WEBP", xmp=text.encode())) == said
    assert no_training(picture("AVIF", xmp=text.encode())) == said


def test_a_manifest_in_several_segments_of_a_jpeg_is_joined() -> None:
    data = MADE["c2pa.jpg"]
    start = data.index(b"\xff\xeb")
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    whole = data[start + 4 : start + 2 + length]
    head, box = whole[:4], whole[8:]
    parts = [box[8:][at : at + 700] for at in range(0, len(box) - 8, 700)]
    segments = b""
    for number, part in enumerate(parts, 1):
        content = head + struct.pack(">I", number) + box[:8] + part
        segments += b"\xff\xeb" + struct.pack(">H", len(content) + 2) + content
    assert len(parts) > 3
    again = data[:start] + segments + data[start + 2 + length :]
    assert no_training(again) == SAID["c2pa.jpg"]


def test_words_about_training_outside_of_metadata_mark_nothing() -> None:
    words = b"training-mining notAllowed DataMining DMI-PROHIBITED"
    assert no_training(picture("PNG") + words) is None
    assert no_training(picture("JPEG", comment=words)) is None
    assert no_training(words) is None
    assert no_training(b"") is None


def test_what_unpacks_to_very_much_is_read_to_a_limit() -> None:
    bomb = zlib.compress(packet("PROHIBITED").encode() + bytes(1 << 26))
    content = b"XML:com.adobe.xmp\0\1\0\0\0" + bomb
    chunk = struct.pack(">I", len(content)) + b"iTXt" + content
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    plain = picture("PNG")
    assert no_training(plain[:33] + chunk + plain[33:]) is not None


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(MADE)),
    st.lists(
        st.tuples(st.integers(0, 4_200), st.binary(min_size=1, max_size=9)), max_size=6
    ),
    st.integers(0, 4_200),
)
def test_damaged_files_are_read_as_far_as_they_can_be(
    name: str, changes: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytearray(MADE[name])
    for place, new in changes:
        data[place : place + len(new)] = new
    for damaged in (bytes(data), bytes(data[:cut])):
        found = no_training(damaged)
        assert found is None or len(found) <= 200
