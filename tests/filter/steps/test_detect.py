from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from icf.app.demo.site.truth import Noise
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image
from icf.engine.step import Outcome
from icf.filter.steps.detect import HASHED_RATE, Detect
from icf.images import decode, measures
from icf.images.cut import cut
from icf.images.edges import measure_edges
from icf.images.hashing import by_imagehash
from icf.models.photo import PhotoJudge
from icf.settings import FilterSettings
from icf.stores.blobs import BlobStore
from tests.filter.rows import add_album, add_image
from tests.filter.workspaces import read_file, site_files


@pytest.fixture
def tom(sqlite_catalogue: Catalogue) -> int:
    return add_album(sqlite_catalogue, "Tom")[0]


def detected(
    catalogue: Catalogue, folder: Path, tom: int, *files: bytes
) -> list[Outcome]:
    """What the step makes of files, in their order."""
    store = BlobStore(folder)
    ids = [add_image(catalogue, tom, sha256=store.put(data)) for data in files]
    step = Detect(str(folder), 0.5, 64_000_000)
    with catalogue.read() as connection:
        outcomes = {o.id: o for o in step.judge(step.select(connection, ids))}
    return [outcomes[each] for each in ids]


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_faces_are_found_and_measured_in_the_same_decode(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    files = [f for f in site_files(3) if f.noise is Noise.CLEAN and len(f.faces) == 1]
    data = [read_file(file) for file in files[:12]]
    outcomes = detected(sqlite_catalogue, tmp_path, tom, *data)
    found = [outcome for outcome in outcomes if outcome.faces]
    assert len(found) >= 8
    for outcome, encoded in zip(outcomes, data, strict=True):
        picture = decode(encoded)
        assert outcome.columns["width"] == picture.width
        assert outcome.columns["height"] == picture.height
        assert outcome.columns["pixel_hash"] == measures.pixel_hash(picture.pixels)
        for face in outcome.faces:
            crop = cut(picture.pixels, face.box)
            assert face.sharpness == measures.sharpness(crop)
            edges = measure_edges(crop)
            assert (face.edge_sharpness, face.resolution) == edges
            assert face.sharpness_paper == measures.sharpness_paper(crop)
            assert (face.brightness, face.contrast) == measures.tone(crop)
            assert face.pixel_hash == measures.pixel_hash(crop)
            assert face.score >= 0.5
            assert face.kind in ("cartoon", "human")


def test_imagehash_itself_can_be_chosen(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    data = read_file(next(f for f in site_files(1) if f.noise is Noise.CLEAN))
    store = BlobStore(tmp_path)
    image_id = add_image(sqlite_catalogue, tom, sha256=store.put(data))
    step = Detect(str(tmp_path), 0.5, 64_000_000, hashes="imagehash")
    with sqlite_catalogue.read() as connection:
        [outcome] = step.judge(step.select(connection, [image_id]))
    pixels = decode(data).pixels
    assert (outcome.columns["phash"], outcome.columns["dhash"]) == by_imagehash(pixels)
    [face] = outcome.faces
    around = cut(pixels, face.box, HASHED_RATE)
    assert (face.phash, face.dhash) == by_imagehash(around)


def test_a_picture_without_a_face_passes_and_gives_none(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    slope = np.linspace(0, 255, 300 * 400 * 3).astype(np.uint8).reshape(300, 400, 3)
    [outcome] = detected(sqlite_catalogue, tmp_path, tom, png(slope))
    assert (outcome.passed, outcome.faces, outcome.value) == (True, (), None)
    assert (outcome.columns["width"], outcome.columns["height"]) == (400, 300)


def test_each_picture_is_judged_a_photograph_or_not_in_the_same_decode(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    drawing = read_file(next(f for f in site_files(1) if f.name.endswith(".jpg")))
    [outcome] = detected(sqlite_catalogue, tmp_path, tom, drawing)
    judge = PhotoJudge.bundled()
    pixels = decode(drawing).pixels
    probability = judge.probability(pixels)
    assert outcome.columns["photo"] == probability < FilterSettings().max_photo
    assert outcome.columns["photo_model"] == judge.model_hash


def test_each_bad_file_gets_its_reason_and_the_good_ones_go_on(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    good = read_file(next(f for f in site_files(1) if f.name.endswith(".jpg")))
    bad = [b"", b"<html>no picture</html>", good[: len(good) // 2]]
    outcomes = detected(sqlite_catalogue, tmp_path, tom, *bad, good)
    assert [o.reason for o in outcomes[:3]] == ["empty", "not_image", "truncated"]
    assert not any(o.passed for o in outcomes[:3])
    assert all(o.message for o in outcomes[:3])
    assert "width" in outcomes[3].columns


def test_an_image_whose_bytes_are_lost_waits(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    image_id = add_image(sqlite_catalogue, tom)
    step = Detect(str(tmp_path), 0.5, 64_000_000)
    with sqlite_catalogue.read() as connection:
        [outcome] = step.judge(step.select(connection, [image_id]))
    assert (outcome.waits, outcome.reason) == (True, "missing_blob")


def test_a_picture_over_the_cap_is_too_large(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    sha256 = BlobStore(tmp_path).put(png(np.zeros((200, 200, 3), np.uint8)))
    image_id = add_image(sqlite_catalogue, tom, sha256=sha256)
    step = Detect(str(tmp_path), 0.5, 39_999)
    with sqlite_catalogue.read() as connection:
        [outcome] = step.judge(step.select(connection, [image_id]))
        known = connection.execute(sa.select(image.c.id)).scalars().all()
    assert (outcome.reason, list(known)) == ("too_large", [image_id])


@pytest.mark.parametrize(
    ("box", "rate", "shape"),
    [
        ((10, 10, 20, 30), 0.0, (20, 10, 3)),
        ((10, 10, 20, 30), 1.0, (40, 20, 3)),
        ((-5, -5, 20, 20), 0.0, (20, 20, 3)),
        ((90, 90, 130, 130), 1.0, (30, 30, 3)),
        ((10.4, 10.4, 10.5, 10.5), 0.0, (1, 1, 3)),
        ((99.9, 99.9, 200, 200), 0.0, (1, 1, 3)),
    ],
)
def test_a_cut_lies_inside_and_is_never_empty(
    box: tuple[float, float, float, float], rate: float, shape: tuple[int, int, int]
) -> None:
    assert cut(np.zeros((100, 100, 3), np.uint8), box, rate).shape == shape


def test_a_worker_process_that_detects_loads_no_catalogue() -> None:
    """It would take three times as long to start."""
    code = "import sys, icf.engine.worker, icf.filter.steps.detect; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    assert "icf.models.detection" in loaded.split()
    assert not {"sqlalchemy", "pydantic", "icf.workspace"} & {*loaded.split()}
