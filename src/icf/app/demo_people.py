"""The demo's simulated annotator: knows the site's truth, and errs at a known rate."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from icf.app.demo_site import Truth, load_truth
from icf.catalogue.schema import character, face, image, question
from icf.codes import Choice
from icf.files import replace_file
from icf.workspace import Workspace

#: How often the annotator is wrong.
ERROR_RATE = 0.03

ANNOTATOR = "simulated"

#: Questions looked up at a time.
_PAGE = 500


def answer_questions(
    workspace: Workspace, questions: Path, answers: Path, seed: int
) -> int:
    """Fill in the answers of an exported batch; return how many questions it has.

    The same question gets the same answer each time, right or wrong.
    """
    with questions.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truths = true_answers(workspace, (int(row["question"]) for row in rows))
    for row in rows:
        right = truths[int(row["question"])]
        errs = random.Random(f"{seed}:{row['question']}").random() < ERROR_RATE
        row["answer"] = str(Choice.TRUE if right != errs else Choice.FALSE)
        row["annotator"] = ANNOTATOR
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["question"])
    writer.writeheader()
    writer.writerows(rows)
    replace_file(answers, [text.getvalue().encode()])
    return len(rows)


def true_answers(
    workspace: Workspace, questions: Iterable[int], truth: Truth | None = None
) -> dict[int, bool]:
    """Whether each question's face really is its character."""
    truth = truth or load_truth()
    ids = list(questions)
    found: dict[int, bool] = {}
    for start in range(0, len(ids), _PAGE):
        asked = (
            sa.select(
                question.c.id,
                image.c.sha256,
                face.c.x1,
                face.c.y1,
                face.c.x2,
                face.c.y2,
                character.c.name,
            )
            .select_from(question)
            .join(face, face.c.id == question.c.face_id)
            .join(image, image.c.id == face.c.image_id)
            .join(character, character.c.id == question.c.character_id)
            .where(question.c.id.in_(ids[start : start + _PAGE]))
        )
        with workspace.catalogue.read() as connection:
            for key, sha256, *box, name in connection.execute(asked):
                x1, y1, x2, y2 = box
                found[key] = truth.who(sha256, (x1, y1, x2, y2)) == name
    return found
