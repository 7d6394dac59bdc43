"""What every format says of a picture of the recognition or the detection set."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from icf.catalogue.tombstones import full_name
from icf.dataset.formats.base import Corners, ReleaseData, Task
from icf.dataset.licences import Source
from icf.dataset.plan import Placed, Plan
from icf.licence_names import UNKNOWN

Split = Literal["train", "test"]
Role = Literal["train", "seen", "unseen", "distractor"]

SPLITS: tuple[Split, ...] = ("train", "test")
TASKS: tuple[Task, ...] = ("recognition", "detection")
#: The one class of the detection set.
FACE = "face"


@dataclass(frozen=True)
class Who:
    """Whom a labelled face shows.

    Attributes:
        label: the identity's number, as in ``identities.csv``; -1: a distractor.
        role: train; a probe that was trained on or not; a distractor.
        name: ALBUM/CHARACTER; with the label behind it where two are called alike.
        album: as the catalogue has it.
        character: as the catalogue has it.
    """

    label: int
    role: Role
    name: str
    album: str
    character: str


class Record(NamedTuple):
    """A picture of a release.

    Attributes:
        placed: which picture, and its path.
        size: width and height, upright, of what is written.
        boxes: of the labelled face, or of all faces in the detection set.
        sources: where it was found, with its licences.
        sha256: of the bytes that were fetched.
        who: whom the face shows; None in the detection set.
    """

    placed: Placed
    size: tuple[int, int]
    boxes: tuple[Corners, ...]
    sources: Sequence[Source]
    sha256: str
    who: Who | None = None

    @property
    def name(self) -> str:
        """The file's name, unique within its split."""
        return self.placed.path.rpartition("/")[2]

    @property
    def licences(self) -> list[str]:
        """As its sources name them, each once; at least one."""
        named = dict.fromkeys(each.licence or UNKNOWN for each in self.sources)
        return list(named) or [UNKNOWN]


class Records:
    """The pictures of a release, by task and split, in the order of its lists.

    Args:
        data: the release.
    """

    def __init__(self, data: ReleaseData) -> None:
        self._data = data
        self._plan: Plan = data.plan
        self._images: list[int] = data.plan.selection.pictures.image.tolist()
        self._identities: list[int] = data.plan.selection.faces.identity.tolist()
        self._known: dict[tuple[int, int, Split], Who] = {}

    def of(self, task: Task, split: Split) -> Iterator[Record]:
        """Yield the pictures of one task and split."""
        for each in placed_in(self._plan, task, split):
            yield self.record(each, split)

    def record(self, each: Placed, split: Split) -> Record:
        """Say everything of one picture."""
        data = self._data
        who = self._who(each, split) if each.face >= 0 else None
        return Record(
            each,
            data.size(each),
            (data.box(each),) if who else tuple(data.boxes(each)),
            data.sources.get(self._images[each.picture], ()),
            data.sha256(each.picture),
            who,
        )

    @cached_property
    def names(self) -> Sequence[str]:
        """The name of each label, all different; of a label nobody has, the number."""
        identities = self._plan.selection.identities
        labels = self._plan.labels
        return names_of(
            {
                label: full_name(identities[each].album, identities[each].character)
                for each, label in labels.items()
            }
        )

    def _who(self, each: Placed, split: Split) -> Who:
        identity = self._identities[each.face]
        key = each.label, identity, split
        who = self._known.get(key)
        if who is None:
            who = self._known[key] = self._make_who(each.label, identity, split)
        return who

    def _make_who(self, label: int, identity: int, split: Split) -> Who:
        known = self._plan.selection.identities[identity]
        if label < 0:
            name = full_name(known.album, known.character)
            return Who(label, "distractor", name, known.album, known.character)
        role: Role = "train"
        if split == "test":
            role = "seen" if label in self._trained else "unseen"
        return Who(label, role, self.names[label], known.album, known.character)

    @cached_property
    def _trained(self) -> frozenset[int]:
        """The labels in train; after an earlier release, not the first ones alone."""
        return frozenset(each.label for each in self._plan.train)


def names_of(names: Mapping[int, str]) -> list[str]:
    """Return the name of each label, all different; of a label nobody has, the number.

    >>> names_of({0: "A/Ann", 1: "A/Bob", 3: "A/Bob"})
    ['A/Ann', 'A/Bob (1)', '(2)', 'A/Bob (3)']
    """
    count = Counter(names.values())
    return [
        name
        if (name := names.get(label, "")) and count[name] == 1
        else f"{name} ({label})".strip()
        for label in range(max(names, default=-1) + 1)
    ]


def placed_in(plan: Plan, task: Task, split: Split) -> Sequence[Placed]:
    """Return the pictures of one task and split."""
    if task == "recognition":
        return plan.train if split == "train" else plan.test
    return plan.detection_train if split == "train" else plan.detection_test


def in_shards(plan: Plan, task: Task, split: Split) -> Sequence[Placed]:
    """Return the pictures in the order of shards that are read from end to end.

    Training pictures are shuffled once, by a hash of their names, so that no shard has
    one identity after the other. Test pictures are in the order of the lists.
    """
    placed = placed_in(plan, task, split)
    return sorted(placed, key=_hash_of_path) if split == "train" else placed


def _hash_of_path(each: Placed) -> bytes:
    return hashlib.blake2b(each.path.encode(), digest_size=16).digest()
