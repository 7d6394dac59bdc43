from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from icf.catalogue.labels.attributes import Attributes, Description, merge
from icf.codes import Occlusion
from icf.dataset.report.pictures.challenges import (
    EXAMPLES,
    PER_IDENTITY,
    Compared,
    lights,
    occluded,
    read_compared,
    twins,
    views,
)
from icf.dataset.report.statistics.faces import Faces
from icf.workspace import Workspace
from tests.dataset.drawn import EMBEDDER


def made(identity: list[int], **columns: list[float]) -> Faces:
    count = len(identity)
    ids = np.arange(1, count + 1)

    def column(name: str) -> npt.NDArray[np.float64]:
        return np.array(columns.get(name, [np.nan] * count), np.float64)

    names = ("side", "score", "sharpness", "brightness")
    side, score, sharpness, brightness = (column(each) for each in names)
    owner, none = np.array(identity), np.zeros(count, int)
    return Faces(True, ids, 100 + ids, owner, side, score, sharpness, brightness, none)


def compared(identity: list[int], vectors: Sequence[Sequence[float]]) -> Compared:
    faces = made(identity)
    units = np.array(vectors, np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    starts = np.flatnonzero(np.diff(faces.identity, prepend=-1))
    return Compared(faces, units, np.append(starts, len(faces)))


def test_twins_are_the_most_alike_faces_of_two_identities() -> None:
    some = compared(
        [1, 1, 2, 2, 3, 3],
        [[1, 0, 0], [0.9, 0.4, 0], [0.9, 0.42, 0], [0.2, 1, 0], [0, 0, 1], [0, 0.1, 1]],
    )
    first, *others = twins(some)
    assert list(first.faces) == [2, 3]
    assert first.measure == "cosine 1.00"
    # Identity 3 has nobody left to be a twin of.
    assert others == []


def test_two_faces_of_one_picture_are_no_twins() -> None:
    some = compared([1, 2, 2], [[1, 0], [1, 0], [0.9, 0.5]])
    some.faces.image[:] = [100, 100, 101]
    [pick] = twins(some)
    assert list(pick.faces) == [1, 3]


def test_views_go_by_the_angles_that_people_gave() -> None:
    faces = made([1, 1, 1, 2, 2])
    angles = {1: -10.0, 2: 20.0, 3: 5.0, 4: -80.0, 5: 75.0}
    described = {
        face: merge([Description(yaw=yaw)] * 2) for face, yaw in angles.items()
    }
    how, picks = views(faces, described, None)
    assert "people" in how
    assert [list(each.faces) for each in picks] == [[4, 5], [1, 3, 2]]
    assert list(picks[0].captions) == ["-80°", "75°"]
    assert picks[0].measure == "turned by 155° in all"


def test_without_descriptions_views_are_the_least_alike_faces_of_an_identity() -> None:
    vectors: list[list[float]] = [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 1, 0.0],
        [1, 0, 0],
        [1, 0.1, 0],
    ]
    some = compared([1, 1, 1, 1, 2, 2], vectors)
    how, picks = views(some.faces, {}, some)
    assert "embedder" in how
    assert [sorted(each.faces) for each in picks] == [[1, 2, 3, 4]]
    assert views(some.faces, {}, None) == ("", [])


def test_what_people_called_hidden_comes_before_what_the_detector_doubts() -> None:
    faces = made([1, 1, 2], score=[0.9, 0.5, 0.7])
    how, [pick] = occluded(faces, {})
    assert "detector" in how
    assert list(pick.faces) == [2, 3, 1]
    assert list(pick.captions) == ["0.50", "0.70", "0.90"]

    def said(level: Occlusion) -> Attributes:
        return merge([Description(occlusion=level)])

    described = {
        1: said(Occlusion.PART),
        2: said(Occlusion.NONE),
        3: said(Occlusion.MOST),
    }
    how, [pick] = occluded(faces, described)
    assert (how, list(pick.faces)) == ("as people said", [3, 1])


def test_light_changes_within_an_identity_with_enough_faces() -> None:
    faces = made(
        [1, 1, 1, 1, 2, 2, 2, 2, 3, 3],
        brightness=[10, 200, 90, 100, 50, 60, np.nan, 70, 0, 255],
    )
    [pick] = lights(faces)
    assert list(pick.faces) == [1, 3, 4, 2]
    assert list(pick.captions) == ["10", "90", "100", "200"]
    assert lights(faces.take(faces.identity == 3)) == []


@pytest.mark.parametrize("count", [1, 5])
def test_never_more_examples_than_are_shown(count: int) -> None:
    identity = [each for each in range(1, 4 * count + 1) for _ in range(4)]
    light = [float(each % 4 * 10) for each in range(len(identity))]
    assert len(lights(made(identity, brightness=light))) == min(EXAMPLES, 4 * count)


def test_some_faces_of_each_identity_are_compared_and_lost_vectors_left_out(
    workspace: Workspace,
) -> None:
    faces = made([1] * 30 + [2] * 2)
    faces = Faces(**{**vars(faces), "embedders": ("m" * 64,)})
    rng = np.random.default_rng(0)
    some = faces.face[:-1]
    vectors = rng.normal(size=(len(some), 8)).astype(np.float32)
    workspace.vectors.append("m" * 64, some, vectors)
    found = read_compared(faces, workspace.vectors)
    assert found is not None
    assert np.diff(found.starts).tolist() == [PER_IDENTITY, 1]
    assert len(found.vectors) == PER_IDENTITY + 1
    assert EMBEDDER not in found.faces.embedders
    nothing = faces.take(np.zeros(len(faces), bool))
    assert read_compared(nothing, workspace.vectors) is None
