"""What lists say of a release that has no ``contents.csv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.dataset import contents
from icf.dataset.release.earlier import Listed, as_contents, listed, read_identities
from icf.errors import BadInput
from icf.icartoonface.release_files import (
    IDENTITIES,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)


def test_a_face_in_no_folder_of_a_label_is_named(tmp_path: Path) -> None:
    path = tmp_path / RECTRAIN_LIST
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("someone/1.jpg\t1\t2\t30\t40\n")
    with pytest.raises(BadInput, match=r"someone/1\.jpg is in no folder of a label"):
        list(listed(tmp_path))


def test_what_lists_do_not_say_is_empty() -> None:
    name = "personai_icartoonface_rectrain_00012/1.jpg"
    face = Listed(contents.TRAIN, RECTRAIN_FOLDER, name, (1, 2, 30, 40), 12)
    found = as_contents([face, Listed(contents.DETECTION_TEST, Path("d"), "2.jpg")])
    assert face.file == RECTRAIN_FOLDER / name
    assert found.name.tolist() == [name, "2.jpg"]
    assert found.label.tolist() == [12, -1]
    assert found.corners[0].tolist() == [1, 2, 30, 40]
    assert np.isnan(found.corners[1]).all()
    assert found.character.tolist() == found.album.tolist() == ["", ""]


HEAD = "label,role,album,character\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}7,train,Moon,Luna\nx,train,Moon,Terra\n", "row 2 names no label"),
        (f"{HEAD},train,Moon,Luna\n", "row 1 names no label"),
        ("role,album,character\ntrain,Moon,Luna\n", "row 1 names no label: 'label'"),
        (f"{HEAD}7,train,Moon\n", "row 1 is cut short"),
    ],
)
def test_a_damaged_row_of_names_is_named(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / IDENTITIES
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read_identities(tmp_path)
