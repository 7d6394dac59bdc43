from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icf.app.embed import read_faces
from icf.errors import BadInput
from icf.icartoonface.recognition import read_rectest_info
from icf.images import decode
from icf.models.embedding import Embedder, crop_face
from tests.app.demo.site_pictures import good_files, write_pictures
from tests.app.program import call, program, said
from tests.icartoonface_files import RECTEST, RECTEST_INFO, write_published

Line = dict[str, Any]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """The lines of faces in five pictures; paths are absolute."""
    files = good_files(5)
    paths = write_pictures(tmp_path_factory.mktemp("pictures"), files)
    return [
        {"path": str(path), "box": list(file.faces[0].box)}
        for path, file in zip(paths, files, strict=True)
    ]


def write_lines(path: Path, lines: Sequence[Line | str]) -> Path:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def embed(folder: Path, lines: Sequence[Line | str]) -> np.ndarray:
    source = write_lines(folder / "faces.jsonl", lines)
    call("embed", source, "--out", folder / "f.npy")
    found = np.load(folder / "f.npy", allow_pickle=False)
    assert isinstance(found, np.ndarray)
    return found


def test_each_line_becomes_a_float32_row_of_unit_length(
    faces: list[Line], tmp_path: Path
) -> None:
    found = embed(tmp_path, faces)
    assert found.dtype == np.float32
    assert found.shape == (5, Embedder.bundled().dim)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_rows_are_in_the_order_of_the_lines(faces: list[Line], tmp_path: Path) -> None:
    forward, backward = embed(tmp_path, faces), embed(tmp_path, faces[::-1])
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-4)
    assert np.linalg.norm(forward[0] - forward[1]) > 0.05


def test_a_row_is_what_the_embedder_gives_for_the_enlarged_crop(
    faces: list[Line], tmp_path: Path
) -> None:
    embedder = Embedder.bundled()
    x1, y1, x2, y2 = faces[2]["box"]
    pixels = decode(Path(faces[2]["path"]).read_bytes()).pixels
    crop = crop_face(pixels, (x1, y1, x2, y2), embedder.crop_rate)
    expected = embedder.embed([crop])[0]
    np.testing.assert_allclose(embed(tmp_path, faces)[2], expected, atol=1e-4)


def test_a_face_twice_is_two_equal_rows_and_empty_lines_are_nothing(
    faces: list[Line], tmp_path: Path
) -> None:
    first, second = embed(tmp_path, [faces[0], "", faces[0], "  "])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_more_faces_than_fit_one_batch_keep_their_order(
    faces: list[Line], tmp_path: Path
) -> None:
    found = embed(tmp_path, faces * 14)
    np.testing.assert_allclose(found[:5], found[65:], atol=1e-4)


def test_no_lines_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    found = said("embed", tmp_path / "none.jsonl", "--out", tmp_path / "f.npy")
    dim = Embedder.bundled().dim
    assert found == {"faces": 0, "dim": dim, "path": str(tmp_path / "f.npy")}
    assert np.load(tmp_path / "f.npy").shape == (0, dim)


def test_paths_are_taken_from_the_working_folder(
    faces: list[Line], tmp_path: Path
) -> None:
    folder = Path(faces[0]["path"]).parent
    near = {**faces[0], "path": Path(faces[0]["path"]).name}
    source = write_lines(tmp_path / "faces.jsonl", [near])
    done = program("icf", "embed", source, "--out", tmp_path / "f.npy", folder=folder)
    assert "1 embeddings of" in done.stdout


def test_every_bad_line_is_named_by_its_number_and_nothing_is_written(
    faces: list[Line], tmp_path: Path
) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    lines: list[Line | str] = [
        faces[0],
        "{not json",
        '{"path": "a.jpg"}',
        {**faces[0], "box": [9, 9, 4, 4]},
        {**faces[0], "box": [1, 2, 3]},
        '{"path": "a.jpg", "box": [0, 0, 1e400, NaN]}',
        "[1, 2]",
        {**faces[0], "path": str(tmp_path / "gone.jpg")},
        {**faces[0], "path": str(text)},
        {**faces[0], "box": [90_000, 0, 90_009, 9]},
        {**faces[0], "box": [0, 0, 90_000, 90_000]},
        {**faces[0], "path": str(tmp_path)},
    ]
    source = write_lines(tmp_path / "faces.jsonl", lines)
    out = tmp_path / "f.npy"
    done = program("icf", "embed", source, "--out", out, folder=tmp_path, code=1)
    assert done.stdout == ""
    shown = done.stderr.splitlines()
    assert shown[0] == (
        f"error: 11 lines of {source} cannot be embedded, so nothing was written:"
    )
    numbers = [int(line.split()[1].rstrip(":")) for line in shown[1:]]
    assert sorted(numbers) == list(range(2, 13))
    by_number = dict(zip(numbers, shown[1:], strict=True))
    assert "not {'path', 'box'}: Expecting property name" in by_number[2]
    assert "no 'box'" in by_number[3]
    assert "has no area" in by_number[4]
    assert "four numbers" in by_number[5]
    assert "four numbers" in by_number[6]
    assert "not an object" in by_number[7]
    assert "gone.jpg: cannot be read: No such file or directory" in by_number[8]
    assert "text.jpg" in by_number[9]
    assert "box is outside of" in by_number[10]
    assert "far larger than" in by_number[11]
    assert "Is a directory" in by_number[12]
    assert not out.exists()


def test_only_the_first_faults_are_listed_and_the_others_counted(
    tmp_path: Path,
) -> None:
    source = write_lines(tmp_path / "faces.jsonl", ["{"] * 25)
    with pytest.raises(BadInput) as caught:
        call("embed", source, "--out", tmp_path / "f.npy")
    shown = str(caught.value).splitlines()
    assert len(shown) == 1 + 20 + 1
    assert shown[-1] == "  and 5 more"


def test_a_list_that_is_not_there_or_not_text_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*none\.jsonl"):
        call("embed", tmp_path / "none.jsonl", "--out", tmp_path / "f.npy")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"cannot read .*latin\.jsonl"):
        read_faces(tmp_path / "latin.jsonl")


@pytest.mark.parametrize(
    "line", ["null", "3", '{"path": 3, "box": [0, 0, 1, 1]}', "[" * 100_000]
)
def test_a_line_of_another_shape_is_a_fault_of_that_line(
    line: str, tmp_path: Path
) -> None:
    good = '{"path": "a.jpg", "box": [0, 0, 5, 5]}'
    source = write_lines(tmp_path / "faces.jsonl", [good, line])
    lines, faults = read_faces(source)
    assert [each.line for each in lines] == [1]
    assert [each.line for each in faults] == [2]


def test_a_result_that_cannot_be_written_is_reported(
    faces: list[Line], tmp_path: Path
) -> None:
    source = write_lines(tmp_path / "faces.jsonl", faces[:1])
    out = tmp_path / "nowhere" / "f.npy"
    done = program("icf", "embed", source, "--out", out, folder=tmp_path, code=2)
    assert f"there is no folder {tmp_path / 'nowhere'}" in done.stderr


def test_an_old_result_stays_until_the_new_one_is_complete(
    faces: list[Line], tmp_path: Path
) -> None:
    old = embed(tmp_path, faces)
    source = write_lines(tmp_path / "faces.jsonl", [*faces, "{"])
    with pytest.raises(BadInput):
        call("embed", source, "--out", tmp_path / "f.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy"), old)


def test_the_faces_of_an_info_file_get_the_rows_that_are_scored(
    tmp_path: Path,
) -> None:
    root = write_published(tmp_path / "published")
    out = tmp_path / "features.npy"
    info = root / RECTEST_INFO
    call("embed", info, "--pictures", root / RECTEST, "--out", out)
    found = said("evaluate", "identification", "--info", info, "--features", out)
    assert len(np.load(out)) == len(read_rectest_info(info).files)
    assert 0 <= found["rank1"] <= 100


def test_a_missing_picture_of_an_info_file_is_named_by_its_line(tmp_path: Path) -> None:
    root = write_published(tmp_path / "published")
    name = read_rectest_info(root / RECTEST_INFO).files[1]
    (root / RECTEST / name).unlink()
    with pytest.raises(BadInput, match=f"line 2: .*{name}: cannot be read"):
        call(
            *("embed", root / RECTEST_INFO, "--pictures", root / RECTEST),
            *("--out", tmp_path / "features.npy"),
        )
