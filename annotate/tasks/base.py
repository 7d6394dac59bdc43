"""What can be put before people, and how their answers are stored.

A *source* is a table of things to answer: questions, gold, an audit's items, pictures
to box, faces to describe. A *task* is a page that shows things of one or more sources:
pairs, a grid, boxes, attributes, review. Whatever is shown is leased
(`icf.annotate.tasks.leases`), and the browser knows only the lease's handle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import sqlalchemy as sa

from icf.annotate.people.people import Person, Role


class RefusedAnswer(Exception):
    """An answer that cannot be stored; the message is for the person who gave it."""


@dataclass(frozen=True)
class Lease:
    """Something that was shown to a person.

    Attributes:
        handle: what the browser calls it.
        person: who it was shown to.
        source: the name of its source.
        subject_id: its id there.
        task: the name of the page that showed it.
        grid: random text of the grid that it is a tile of; of a suspicion, the mark
            of the faces that are shown.
        issued_at: UTC epoch seconds.
    """

    handle: str
    person: Person
    source: str
    subject_id: int
    task: str
    grid: str | None
    issued_at: float


@dataclass(frozen=True)
class Given:
    """An answer, as the browser sent it.

    Attributes:
        lease: what it is about.
        client_id: the id that the browser gave it, which no other answer has.
        value: the answer itself; what it may be is the source's matter.
        seconds: from when it was shown until it was answered, without pauses.
        answered_at: UTC epoch seconds, when the person answered.
    """

    lease: Lease
    client_id: str
    value: Mapping[str, Any]
    seconds: float | None
    answered_at: float


def check_reviewer(given: Given) -> None:
    """Check that whoever answers may settle things, by the role of this moment.

    Raises:
        RefusedAnswer: the person is no reviewer, or not any more.
    """
    if given.lease.person.role < Role.REVIEWER:
        raise RefusedAnswer("only a reviewer may settle this")


@dataclass(frozen=True)
class Task:
    """One thing that the page shows.

    Attributes:
        handle: of its lease.
        payload: what the browser needs to show it, as JSON; never an id of a row, a
            path, a name of a file, or whether the answer is known.
        others: handles of its further leases, where it has several.
    """

    handle: str
    payload: Mapping[str, Any]
    others: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what the browser gets."""
        return {"id": self.handle, **self.payload}


@dataclass(frozen=True)
class Shown:
    """A picture that the page may show for a lease.

    Attributes:
        face_id: cut out this face; or
        image_id: show all of this picture,
        boxes: with these boxes drawn on it, x1, y1, x2, y2 in pixels of the upright
            picture.
        side: maximum side in pixels.
        again: whether the same is shown with many things, as a reference is.
    """

    face_id: int | None = None
    image_id: int | None = None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    side: int = 640
    again: bool = False


class Source(Protocol):
    """A table of things to answer."""

    #: As `lease.source` has it.
    name: ClassVar[str]

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store one answer in the caller's transaction.

        A later answer of the same person to the same thing replaces the earlier one
        (by ``answered_at``; of equal times by the order of arrival).

        Raises:
            RefusedAnswer: the value is none that can be stored, or what it is about was
                taken down.
        """
        ...

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in a task's payload means.

        Raises:
            KeyError: there is no such picture.
        """
        ...


@runtime_checkable
class PairSource(Source, Protocol):
    """A source of pairs: is this face this character? All look the same to people."""

    def take(self, connection: sa.Connection, person: Person, count: int) -> list[int]:
        """Choose what this person is asked next: ids, most useful first."""
        ...

    def pairs(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, Pair]:
        """Read what some of them are about; those taken down are left out."""
        ...


@runtime_checkable
class AskingSource(Source, Protocol):
    """A source whose answers ask a question, where nobody was asked yet."""

    #: Whether one does.
    asks: ClassVar[bool]


@runtime_checkable
class IntruderSource(PairSource, Protocol):
    """A source that knows faces of other characters, to plant among likely ones."""

    def intruders(
        self, connection: sa.Connection, person: Person, pair: Pair, count: int
    ) -> list[int]:
        """Choose pairs of a character and reference with somebody else's face.

        Args:
            connection: to the catalogue.
            person: who sees them; never one that the person saw before.
            pair: the character and the reference.
            count: how many, at most.
        """
        ...


@dataclass(frozen=True)
class Pair:
    """A face and the character that it may be.

    Attributes:
        face_id: the face in question.
        character_id: the character.
        reference_face_id: the face to compare with; the face itself: is it a good
            picture of the character?
    """

    face_id: int
    character_id: int
    reference_face_id: int


class TaskKind(Protocol):
    """A page, and what it shows."""

    #: In addresses, in ``--tasks``, and in `lease.task`.
    name: ClassVar[str]
    #: The least role that may open it.
    role: ClassVar[Role]

    def take(self, person: Person, count: int) -> list[Task]:
        """Lease up to ``count`` things to a person; fewer where fewer are left."""
        ...

    def waiting(self, person: Person) -> int:
        """Count roughly what is left for a person; 0: nothing. At most 50 ms."""
        ...


@runtime_checkable
class PartedKind(TaskKind, Protocol):
    """A page whose queue has parts, of which a person may choose one."""

    def take_part(self, person: Person, count: int, part: str | None) -> list[Task]:
        """Lease up to ``count`` things of one part; None: of all in their order."""
        ...

    def parts(self, person: Person) -> dict[str, int]:
        """Count what is left for a person, by part, in the order of the page."""
        ...
