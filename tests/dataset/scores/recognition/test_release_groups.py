from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.dataset.scores.recognition.release_groups import identity_groups
from icf.errors import BadInput
from icf.icartoonface.recognition import RecognitionTest

INFO = RecognitionTest(("a", "b"), np.zeros((2, 4), int), np.array([3, 7]))
ROWS = "label,role,album\n3,seen,Moon\n7,unseen,Sun\n-1,distractor,A\n-1,distractor,B\n"


def test_pictures_have_the_role_and_album_of_their_label(tmp_path: Path) -> None:
    path = tmp_path / "identities.csv"
    path.write_text(ROWS + "3,seen,Moon\n")
    found = identity_groups(path, INFO)
    assert [found[name].codes.tolist() for name in ("role", "album")] == [[0, 1]] * 2


@pytest.mark.parametrize("row", ["3,unseen,Moon", "3,seen,Sun"])
def test_an_identity_of_two_roles_or_albums_is_refused(
    tmp_path: Path, row: str
) -> None:
    path = tmp_path / "identities.csv"
    path.write_text(f"{ROWS}{row}\n")
    said = r"identities\.csv, line 6: expected one role and one album for the label 3"
    with pytest.raises(BadInput, match=said):
        identity_groups(path, INFO)
