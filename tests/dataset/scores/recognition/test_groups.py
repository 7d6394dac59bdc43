from __future__ import annotations

import numpy as np

from icf.dataset.scores.recognition.groups import by_size, by_view, grouping


def test_groups_are_in_a_given_order_then_by_name() -> None:
    found = grouping(["z", "seen", None, "a", "", "seen"], ("unseen", "seen"))
    assert found.names == ("unseen", "seen", "a", "z")
    rows = {name: at.tolist() for name, at in found.rows(np.array([5, 1, 0, 2]))}
    assert rows == {"seen": [0, 1], "z": [2]}


def test_a_template_is_in_a_group_that_all_its_pictures_are_in() -> None:
    found = grouping(["a", "a", "b", None])
    members = [np.array(each) for each in ([0, 1], [1, 2], [2], [2, 3])]
    assert found.of_templates(members).codes.tolist() == [0, -1, 1, -1]


def test_a_face_is_as_large_as_the_shorter_side_of_its_box() -> None:
    boxes = np.array([[5, 5, 133, 999], [0, 0, 999, 127], [0, 0, 256, 256]])
    found = by_size(boxes)
    assert [found.names[code] for code in found.codes] == [
        "128 to 255 px",
        "64 to 127 px",
        "256 px and more",
    ]


def test_a_pose_is_how_far_the_head_is_turned_either_way() -> None:
    found = by_view([0, -22.5, 23, -180, None])
    names = [found.names[code] if code >= 0 else None for code in found.codes]
    assert names == ["front", "front", "three-quarter", "from behind", None]
