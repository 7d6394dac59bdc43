"""The demo's simulated annotator: knows the truth, and is wrong at a known rate."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.app.demo.site import Truth, load_truth
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, image, question
from icf.codes import Choice
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: How often the annotator is wrong.
ERROR_RATE = 0.03

ANNOTATOR = "simulated"


@dataclass(frozen=True)
class Asked:
    """What a question shows: a face of a picture, and the character asked about.

    Attributes:
        alone: it asks whether the face is a good reference of the character.
    """

    question: int
    sha256: str
    box: tuple[float, float, float, float]
    character: str
    alone: bool = False

    def answer(self, truth: Truth) -> bool:
        """Whether the face really is the character."""
        return truth.who(self.sha256, self.box) == self.character

    def choose(self, truth: Truth, seed: int) -> Choice:
        """What the annotator says; only true and false are mistaken for each other."""
        if not truth.shows_face(self.sha256, self.box):
            return Choice.NOT_A_FACE
        right = self.answer(truth) != self.misjudged(seed)
        return Choice.TRUE if right else Choice.FALSE

    def misjudged(self, seed: int) -> bool:
        """Whether the annotator is wrong here.

        It depends on the picture and on whom it is asked about, neither on the
        question's id nor on the box: another run may give that id to another face, and
        another detector draws boxes a little differently.
        """
        shown = f"{seed} {self.sha256} {self.character}"
        return random.Random(shown).random() < ERROR_RATE


@dataclass(frozen=True)
class Filled:
    """A batch that was filled in.

    Attributes:
        questions: how many questions it has.
        references: how many of them are about references.
    """

    questions: int
    references: int


def answer_questions(
    workspace: Workspace,
    questions: Path,
    answers: Path,
    seed: int,
    truth: Truth | None = None,
    *,
    leave: Collection[str] = (),
    by: str = ANNOTATOR,
    asked: sa.Table = question,
) -> Filled:
    """Fill in the answers of an exported batch.

    The same face and character get the same answer each time, right or wrong. Questions
    about references are all answered.

    Args:
        workspace: that asked.
        questions: the batch's CSV file.
        answers: the file to write.
        seed: another one is wrong about other faces.
        truth: about the pictures; None: that of the demo's first site.
        leave: characters whose faces are left for somebody else to answer.
        by: who answers.
        asked: the table of what is asked: questions, or an audit's labels.
    """
    with questions.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = truth or load_truth()
    shown = asked_about(workspace, (int(row["question"]) for row in rows), asked)
    choices = {
        each.question: each.choose(truth, seed)
        for each in shown
        if each.alone or each.character not in leave
    }
    for row in rows:
        choice = choices.get(int(row["question"]))
        row["answer"] = "" if choice is None else str(choice)
        row["annotator"] = "" if choice is None else by
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["question"])
    writer.writeheader()
    writer.writerows(rows)
    replace_file(answers, [text.getvalue().encode()])
    alone = [row for row in rows if row.get("ref_url", "") == row.get("cand_url")]
    return Filled(len(rows), len(alone))


def filter_is_next(workspace: Workspace) -> bool:
    """Whether faces wait for the filter, because a reference was refused."""
    with workspace.catalogue.read() as connection:
        waiting = sa.select(face.c.id).where(face.c.awaits.is_not(None)).limit(1)
        return connection.execute(waiting).first() is not None


def true_answers(workspace: Workspace, questions: Iterable[int]) -> dict[int, bool]:
    """Whether each question's face really is its character."""
    truth = load_truth()
    shown = asked_about(workspace, questions)
    return {each.question: each.answer(truth) for each in shown}


def asked_about(
    workspace: Workspace, questions: Iterable[int], asked: sa.Table = question
) -> Iterator[Asked]:
    """Read what each question shows.

    Args:
        workspace: that asked.
        questions: ids.
        asked: the table that has them.
    """
    query = (
        sa.select(
            asked.c.id,
            image.c.sha256,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
            character.c.name,
            asked.c.reference_face_id,
            face.c.id.label("face_id"),
        )
        .select_from(asked)
        .join(face, face.c.id == asked.c.face_id)
        .join(image, image.c.id == face.c.image_id)
        .join(character, character.c.id == asked.c.character_id)
    )
    with workspace.catalogue.read() as connection:
        for row in by_ids(connection, query, asked.c.id, list(questions)):
            box = (row.x1, row.y1, row.x2, row.y2)
            alone = row.face_id == row.reference_face_id
            yield Asked(row.id, row.sha256, box, row.name, alone)
