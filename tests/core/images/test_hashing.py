"""Our hashes compared with those of the package imagehash, over real pictures."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image
from sqlalchemy.dialects import sqlite

from icf.catalogue.schema import HexHash
from icf.images import Undecodable, decode, reduced
from icf.images.grey import Grey
from icf.images.hashing import HASHERS, by_imagehash
from icf.images.measures import Hashes, Pixels, hamming, hashes
from tests.core.pictures import drawing
from tests.filter.workspaces import read_file, site_files


@functools.cache
def pictures() -> list[Pixels]:
    """Every fifth picture of the demo's site that can be decoded."""
    found = []
    for file in site_files(1000)[::5]:
        try:
            found.append(decode(read_file(file)).pixels)
        except Undecodable:
            continue
    return found


def distances(which: str, some: list[Pixels]) -> list[int]:
    """Bits between our hash and that of imagehash, for each picture."""
    ours = np.array([getattr(hashes(each), which) for each in some])
    theirs = np.array([getattr(by_imagehash(each), which) for each in some])
    return [int(bits) for bits in hamming(ours, theirs)]


@pytest.mark.parametrize("which", ["phash", "dhash"])
def test_our_hashes_agree_with_imagehash_within_a_bit_and_a_half(which: str) -> None:
    found = distances(which, pictures())
    assert len(found) >= 100
    assert np.mean(found) <= 1.5
    assert max(found) <= 6


@pytest.mark.parametrize("which", ["phash", "dhash"])
def test_they_agree_on_strips_and_on_pictures_smaller_than_the_grid(which: str) -> None:
    sizes = [(1000, 60), (60, 1000), (131, 67), (20, 17), (33, 500), (2000, 1500)]
    some = [
        np.asarray(cv2.resize(picture, size), np.uint8)
        for size in sizes
        for picture in pictures()[:5]
    ]
    assert np.mean(distances(which, some)) <= 1.5


@pytest.mark.parametrize("which", ["phash", "dhash"])
def test_a_reduced_jpeg_has_nearly_the_hashes_of_the_whole(which: str) -> None:
    files = [file for file in site_files(60) if file.name.endswith(".jpg")][::4]
    found = []
    for data in map(read_file, files):
        try:
            whole, small = decode(data).pixels, reduced(data, 128).pixels
        except Undecodable:
            continue
        assert small.size <= whole.size
        both = [np.array([getattr(hashes(each), which)]) for each in (whole, small)]
        found.append(int(hamming(*both)[0]))
    assert len(found) >= 30
    assert np.mean(found) <= 1.5


def test_grey_has_the_hashes_of_its_colours() -> None:
    pixels = drawing(300, 200)
    assert hashes(Grey.of(pixels)) == hashes(pixels)


@pytest.mark.parametrize(
    ("which", "theirs"), [("phash", imagehash.phash), ("dhash", imagehash.dhash)]
)
def test_the_catalogue_holds_the_hex_form_of_imagehash(
    which: str, theirs: Callable[[Image.Image], imagehash.ImageHash]
) -> None:
    column, database = HexHash(), sqlite.dialect()
    for pixels in pictures()[:20]:
        number = getattr(HASHERS["imagehash"](pixels), which)
        stored = column.process_bind_param(number, database)
        assert stored == str(theirs(Image.fromarray(pixels)))
        assert column.process_result_value(stored, database) == number


def test_each_choice_gives_both_hashes() -> None:
    pixels = drawing(200, 100)
    for hasher in HASHERS.values():
        found = hasher(pixels)
        assert isinstance(found, Hashes)
        assert all(-(2**63) <= number < 2**63 for number in found)
