from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.app.demo.command import ANNOTATOR_SEED
from icf.app.demo.people import (
    ERROR_RATE,
    Filled,
    answer_questions,
    true_answers,
)
from icf.app.demo.site import load_truth
from icf.catalogue.schema import album, batch, character, face, image, question
from icf.workspace import Workspace

#: A picture's SHA-256, a face's box in it, and the character asked about.
Shown = tuple[str, tuple[int, int, int, int], str]


def everything_that_could_be_asked() -> list[Shown]:
    """Each true face with its own character, and with another one."""
    truth = load_truth()
    names = [each.name for each in truth.characters]
    asked: list[Shown] = []
    for sha256, files in sorted(truth.by_sha256.items()):
        for each in files[0].faces:
            if each.character is not None:
                other = names[(names.index(each.character) + 1) % len(names)]
                asked.append((sha256, each.box, each.character))
                asked.append((sha256, each.box, other))
    return asked


def fill(root: Path, asked: Sequence[Shown]) -> Workspace:
    """A workspace in which these questions were asked, numbered in their order."""
    made = workspace.init(root)
    names = sorted({name for _, _, name in asked})
    images = sorted({sha256 for sha256, _, _ in asked})
    boxes = sorted({(sha256, box) for sha256, box, _ in asked})
    said = {"source": "demo", "found_at": 0.0}
    with made.catalogue.write() as connection:
        connection.execute(sa.insert(album).values(id=1, name="All", **said))
        rows = [
            {"id": number, "album_id": 1, "name": name, **said}
            for number, name in enumerate(names)
        ]
        connection.execute(sa.insert(character), rows)
        rows = [
            {"id": number, "sha256": each, "bytes": 1, "stored_at": 0.0}
            for number, each in enumerate(images)
        ]
        judged = {"verdict": "kept", "reason": "ok"}
        connection.execute(sa.insert(image).values(judged), rows)
        unmeasured = {
            "kind": "cartoon",
            "score": 1.0,
            "detector": "",
            "sharpness": 0.0,
            "pixel_hash": "",
            "phash": 0,
            "dhash": 0,
            "filed_under_id": 1,
            "character_id": 1,
            "found_at": 0.0,
        }
        rows = [
            {
                "id": number,
                "image_id": images.index(sha256),
                **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
            }
            for number, (sha256, box) in enumerate(boxes)
        ]
        connection.execute(sa.insert(face).values(**unmeasured, **judged), rows)
        named = {"format": "csv", "path": "b", "questions": 0, "created_at": 0.0}
        connection.execute(sa.insert(batch).values(id="b", **named))
        rows = [
            {
                "id": number,
                "face_id": boxes.index((sha256, box)),
                "reference_face_id": 1,
                "character_id": names.index(name),
            }
            for number, (sha256, box, name) in enumerate(asked)
        ]
        open_ = {"batch_id": "b", "label": "open", "asked_at": 0.0}
        connection.execute(sa.insert(question).values(open_), rows)
    with (root / "questions.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [("question", "answer"), *((number, "") for number in range(len(asked)))]
        )
    return made


def answers(made: Workspace) -> list[bool]:
    """What the annotator says to each question, in order."""
    target = made.root / "answers.csv"
    answer_questions(made, made.root / "questions.csv", target, ANNOTATOR_SEED)
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["question"] for row in rows] == [str(n) for n in range(len(rows))]
    assert {row["annotator"] for row in rows} == {"simulated"}
    return [row["answer"] == "true" for row in rows]


@pytest.fixture(scope="module")
def asked() -> list[Shown]:
    return everything_that_could_be_asked()


def test_the_annotator_is_wrong_at_the_stated_rate(
    asked: list[Shown], tmp_path: Path
) -> None:
    made = fill(tmp_path, asked)
    given = answers(made)
    truth = true_answers(made, range(len(asked)))
    made.catalogue.close()
    assert truth == {n: n % 2 == 0 for n in range(len(asked))}
    wrong = sum(truth[n] != given[n] for n in range(len(asked)))
    assert wrong / len(asked) == pytest.approx(ERROR_RATE, abs=0.01)


def test_a_face_gets_the_same_answer_whatever_number_its_question_has(
    asked: list[Shown], tmp_path: Path
) -> None:
    some = asked[:300]
    first, second = fill(tmp_path / "a", some), fill(tmp_path / "b", some[::-1])
    assert answers(first) == answers(second)[::-1]
    first.catalogue.close()
    second.catalogue.close()


def test_faces_of_some_characters_are_left_to_somebody_else(
    asked: list[Shown], tmp_path: Path
) -> None:
    some = asked[:300]
    made = fill(tmp_path, some)
    names = sorted({name for _, _, name in some})
    target, left = tmp_path / "answers.csv", frozenset(names[::2])
    answer_questions(made, tmp_path / "questions.csv", target, seed=1, leave=left)
    made.catalogue.close()
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    empty = {some[int(row["question"])][2] for row in rows if not row["answer"]}
    filled = {some[int(row["question"])][2] for row in rows if row["answer"]}
    assert empty == left
    assert filled >= set(names) - left


def test_a_batch_without_questions_gets_an_answers_file_without_rows(
    tmp_path: Path,
) -> None:
    made = workspace.init(tmp_path)
    (tmp_path / "q.csv").write_text("question,answer\n")
    filled = answer_questions(made, tmp_path / "q.csv", tmp_path / "a.csv", 1)
    assert filled == Filled(0, 0)
    assert (tmp_path / "a.csv").read_text() == "question\n"
    made.catalogue.close()
