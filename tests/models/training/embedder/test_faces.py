"""Who is held out, which centres are carried over, what a batch has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch

from icf.models.data.base import LabelledFace, LabelledPicture, Reader
from icf.models.data.index import DataIndex, Source, build_index
from icf.models.training.embedder.augment import augmented, plain
from icf.models.training.embedder.centres import Cast, face_ids, merges
from icf.models.training.embedder.config import (
    AugmentSettings,
    EmbedderConfig,
    HeldOutSettings,
)
from icf.models.training.embedder.crops import Batch, EmbedderBatches
from icf.models.training.embedder.faces import training_faces
from icf.models.training.embedder.held_out import divide
from icf.models.training.task import Given, Rank


@dataclass(frozen=True)
class Listed(Reader):
    """Pictures that are listed in a test; their pixels follow from their keys."""

    kind: ClassVar[str] = "listed"

    listed: tuple[LabelledPicture, ...] = ()

    def pictures(self) -> Iterator[LabelledPicture]:
        yield from self.listed

    def read(self, key: str) -> bytes:
        noise = np.random.default_rng(list(key.encode())).integers(0, 256, (48, 48, 3))
        done, data = cv2.imencode(".png", noise.astype(np.uint8))
        assert done
        return data.tobytes()

    def fingerprint(self) -> str:
        return "listed"


def picture(
    key: str, identity: str | None, *not_: str, group: str = ""
) -> LabelledPicture:
    face = LabelledFace((8, 8, 40, 40), "cartoon", identity, not_)
    return LabelledPicture(key, (face,), group=group)


def index_of(
    pictures: Sequence[LabelledPicture], place: str = "here", share: float | None = None
) -> DataIndex:
    return build_index([Source(Listed(Path(place), tuple(pictures)), share)])


def cast(count: int, each: int = 2) -> list[LabelledPicture]:
    return [
        picture(f"{number}-{face}", f"who-{number:02}")
        for number in range(count)
        for face in range(each)
    ]


def held(index: DataIndex, share: float = 0.3) -> set[str]:
    division = divide(index, HeldOutSettings(share=share))
    assert not np.intersect1d(division.trained, division.held_out).size
    names = {index.identities[n] for n in index.identity[division.held_out]}
    return {name.rpartition("/")[2] for name in names}


def test_whether_an_identity_is_held_out_does_not_depend_on_the_others() -> None:
    few, many = held(index_of(cast(20))), held(index_of(cast(40)))
    assert few
    assert few == {name for name in many if int(name[-2:]) < 20}
    assert held(index_of(cast(20), place="moved")) == few


def test_identities_that_share_near_duplicates_stay_on_one_side() -> None:
    pictures = cast(20)
    chained = [
        picture(f"twin-{n}-{side}", f"who-{n + side:02}", group=f"g{n}")
        for n in range(19)
        for side in (0, 1)
    ]
    # All twenty are one family, so nothing can be held out of training.
    assert held(index_of([*pictures, *chained])) == set()


@pytest.mark.parametrize("size", [2, 10])
def test_the_share_that_is_held_out_does_not_grow_with_families(size: int) -> None:
    """A family is the cast of a film, who share pictures; most characters have one."""
    pictures = [
        picture(f"{film}-{who}-{side}", f"who-{film}-{who}", group=f"{film}-{side}")
        for film in range(300)
        for who in range(size)
        for side in (0, 1)
    ]
    found = held(index_of(pictures), share=0.1)
    assert len(found) == pytest.approx(0.1 * 300 * size, rel=0.5)
    films = {name.split("-")[1] for name in found}
    assert len(found) == size * len(films)


def test_nothing_is_held_out_where_there_would_be_nothing_to_compare() -> None:
    division = divide(index_of(cast(3)), HeldOutSettings(share=0.5))
    assert len(division.trained) + len(division.held_out) <= 6
    assert len(divide(index_of(cast(2)), HeldOutSettings(share=0.5)).held_out) == 0
    single = divide(index_of(cast(30, each=1)), HeldOutSettings(share=0.5))
    assert len(single.held_out) == 0
    assert len(single.trained) == 30


def cast_of(**classes: Sequence[int]) -> Cast:
    names = tuple(sorted(classes))
    pairs = [(face, k) for k, name in enumerate(names) for face in classes[name]]
    faces, numbers = np.array(pairs, np.int64).T
    return Cast(names, faces, numbers)


def test_a_merged_identity_is_seen_from_its_faces() -> None:
    before = cast_of(ada=[1, 2, 3], bea=[4, 5], cyd=[6])
    assert merges(before, cast_of(ada=[1, 2, 3, 4, 5], cyd=[6])) == {
        "ada": {"ada": 3.0, "bea": 2.0}
    }


def test_a_renamed_identity_is_seen_from_its_faces() -> None:
    before = cast_of(ada=[1, 2, 3], cyd=[6])
    assert merges(before, cast_of(lovelace=[1, 2, 3, 9], cyd=[6])) == {
        "lovelace": {"ada": 3.0}
    }


def test_a_split_or_corrected_identity_keeps_its_own_centre() -> None:
    before = cast_of(ada=[1, 2, 3, 4], bea=[5, 6])
    assert merges(before, cast_of(ada=[1], new=[2, 3, 4], bea=[5, 6])) == {}
    assert merges(before, cast_of(ada=[1, 2, 3], bea=[4, 5, 6])) == {}


def test_a_model_that_was_trained_on_nobody_known_gives_no_centres() -> None:
    nobody = Cast((), np.empty(0, np.int64), np.empty(0, np.int64))
    assert merges(nobody, cast_of(ada=[1])) == {}


def test_a_face_is_known_again_by_picture_and_box_alone() -> None:
    some, others = index_of(cast(3)), index_of(cast(5)[2:], place="moved")
    ids, later = face_ids(some, np.arange(6)), face_ids(others, np.arange(8))
    assert len(set(ids)) == 6
    assert set(ids[2:]) < set(later)


def batches(
    tmp_path: Path, index: DataIndex, count: int = 8, **crops: float
) -> EmbedderBatches:
    config = EmbedderConfig.model_validate(
        {
            "loop": {"batch": count},
            "crops": {"rate": 0.5, **crops},
            "held_out": {"share": 0},
        }
    )
    given = Given(index, config, None, tmp_path, lambda message: None)
    faces = training_faces(given, config, 32)
    return EmbedderBatches(
        faces.examples, 32, count, 5, config.crops, AugmentSettings()
    )


def test_every_face_comes_once_an_epoch(tmp_path: Path) -> None:
    made = batches(tmp_path, index_of(cast(8)))
    epochs = [
        np.concatenate([made.chosen(2 * n), made.chosen(2 * n + 1)]) for n in (0, 1)
    ]
    for epoch in epochs:
        assert sorted(epoch) == list(range(16))
    assert epochs[0].tolist() != epochs[1].tolist()


def test_a_batch_has_several_faces_of_each_of_its_identities(tmp_path: Path) -> None:
    made = batches(tmp_path, index_of(cast(8, each=3)), per_identity=2)
    labels = made.batch(0, Rank()).labels.tolist()
    assert labels[::2] == labels[1::2]
    chosen = made.chosen(0)
    assert all(a != b for a, b in zip(chosen[::2], chosen[1::2], strict=True))


def test_a_share_is_kept_however_large_its_source_is(tmp_path: Path) -> None:
    small = Listed(Path("small"), tuple(cast(2)))
    large = Listed(Path("large"), tuple(cast(20, each=4)))
    index = build_index([Source(small, 0.5), Source(large)])
    made = batches(tmp_path, index, 16)
    drawn = np.concatenate([made.chosen(step) for step in range(40)])
    of_small = made.given.sources[drawn] == 0
    assert 0.4 < of_small.mean() < 0.6


def test_ranks_divide_a_batch(tmp_path: Path) -> None:
    made = batches(tmp_path, index_of([*cast(8), picture("no", None, "who-03")]))
    whole = made.batch(1, Rank())
    parts: list[Batch] = [made.batch(1, Rank(number, 2)) for number in range(2)]
    assert torch.equal(torch.cat([part.pixels for part in parts]), whole.pixels)
    assert torch.equal(torch.cat([part.labels for part in parts]), whole.labels)
    shifted = [
        part.forbidden + torch.tensor([4 * n, 0]) for n, part in enumerate(parts)
    ]
    assert torch.equal(torch.cat(shifted), whole.forbidden)


def test_a_face_that_is_known_not_to_be_somebody_is_in_every_batch(
    tmp_path: Path,
) -> None:
    made = batches(tmp_path, index_of([*cast(8), picture("no", None, "who-03")]))
    for step in range(3):
        batch = made.batch(step, Rank())
        assert batch.labels.tolist().count(-1) == 1
        assert batch.forbidden.tolist() == [[7, 3]]
        assert made.pictures(step)[7] == "listed:here: no"
    # Nothing is known of a face that is not somebody who is not trained on.
    free = batches(tmp_path, index_of([*cast(8), picture("no", None, "stranger")]))
    assert -1 not in free.batch(0, Rank()).labels


@pytest.mark.parametrize("side", [16, 32, 100])
def test_an_unchanged_crop_is_its_middle(side: int) -> None:
    crop = np.zeros((60, 60, 3), np.uint8)
    crop[15:45, 15:45] = 255
    assert plain(crop, 0.5, side).min() > 100
    assert plain(crop, 1.0, side)[0, 0].max() == 0


def test_a_change_follows_from_its_generator() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    first, second, other = (
        augmented(crop, 0.8, 48, AugmentSettings(), np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != other).any()
