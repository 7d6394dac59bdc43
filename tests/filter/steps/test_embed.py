from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.app.demo.site.truth import Noise
from icf.catalogue.catalogue import Catalogue
from icf.filter.steps.embed import Embed
from icf.images import decode
from icf.models.embedding import Embedder, crop_face
from icf.stores.blobs import BlobStore
from icf.stores.vectors import VectorStore
from tests.filter.rows import add_album, add_face, add_image
from tests.filter.workspaces import read_file, site_files


@pytest.fixture
def tom(sqlite_catalogue: Catalogue) -> int:
    return add_album(sqlite_catalogue, "Tom")[0]


def test_faces_get_the_vector_of_their_enlarged_crop(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    embedder = Embedder.bundled()
    files = [f for f in site_files(1) if f.noise is Noise.CLEAN and f.faces][:3]
    store = BlobStore(tmp_path)
    expected = {}
    for file in files:
        data = read_file(file)
        image_id = add_image(sqlite_catalogue, tom, sha256=store.put(data))
        for shift in (0, 5):
            x1, y1, x2, y2 = (float(edge + shift) for edge in file.faces[0].box)
            face_id = add_face(
                sqlite_catalogue, image_id, tom, x1=x1, y1=y1, x2=x2, y2=y2
            )
            crop = crop_face(decode(data).pixels, (x1, y1, x2, y2), embedder.crop_rate)
            expected[face_id] = embedder.embed([crop])[0]
    step = Embed(str(tmp_path), tmp_path / "vectors", 64_000_000)
    with sqlite_catalogue.read() as connection:
        outcomes = step.judge(step.select(connection, list(expected)))
    assert sorted(o.id for o in outcomes) == sorted(expected)
    for outcome in outcomes:
        assert outcome.vector is not None
        assert np.allclose(outcome.vector, expected[outcome.id], atol=1e-4)
        assert np.linalg.norm(outcome.vector) == pytest.approx(1.0, abs=1e-3)
        assert outcome.model == embedder.model_hash == outcome.columns["embedder"]


def test_a_face_whose_picture_is_lost_waits_and_the_others_go_on(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    file = next(f for f in site_files(1) if f.noise is Noise.CLEAN and f.faces)
    there = BlobStore(tmp_path).put(read_file(file))
    faces = [
        add_face(sqlite_catalogue, add_image(sqlite_catalogue, tom, sha256=sha256), tom)
        for sha256 in (there, "f" * 64)
    ]
    step = Embed(str(tmp_path), tmp_path / "vectors", 64_000_000)
    with sqlite_catalogue.read() as connection:
        outcomes = {o.id: o for o in step.judge(step.select(connection, faces))}
    assert outcomes[faces[0]].passed
    assert (outcomes[faces[1]].reason, outcomes[faces[1]].waits) == (
        "missing_blob",
        True,
    )


def test_a_face_that_has_its_vector_passes_without_a_look_at_its_picture(
    sqlite_catalogue: Catalogue, tmp_path: Path, tom: int
) -> None:
    embedder = Embedder.bundled()
    model = embedder.model_hash
    known, by_another, new, unknown_to_the_catalogue = (
        add_face(sqlite_catalogue, add_image(sqlite_catalogue, tom), tom, embedder=each)
        for each in (model, model, None, None)
    )
    vectors = VectorStore(tmp_path / "vectors")
    row = np.ones((1, embedder.dim), np.float32)
    vectors.append(model, np.array([known]), row)
    vectors.append(model, np.array([unknown_to_the_catalogue]), row)
    vectors.append("a" * 64, np.array([by_another]), row)
    step = Embed(str(tmp_path), vectors.folder, 64_000_000)
    with sqlite_catalogue.read() as connection:
        items = step.select(
            connection, [known, by_another, new, unknown_to_the_catalogue]
        )
    outcomes = {o.id: o for o in step.judge(items)}
    assert outcomes[known].passed
    assert outcomes[known].columns == {"embedder": model}
    assert outcomes[known].vector is None
    assert outcomes[by_another].reason == outcomes[new].reason == "missing_blob"
    assert outcomes[unknown_to_the_catalogue].reason == "missing_blob"
