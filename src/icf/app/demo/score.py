"""The demo's results, compared with what its pictures really show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.app.demo.people import true_answers
from icf.app.demo.site import load_truth
from icf.catalogue.annotation.audits import read_last_found
from icf.catalogue.schema import face, image, question, url
from icf.codes import FaceReason, FetchStatus, Label, Verdict
from icf.icartoonface.detection import (
    DetectionBoxes,
    Detections,
    write_dettest_csv,
    write_submission_csv,
)
from icf.workspace import Workspace

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class AuditedError:
    """The error of the labels that releases contain: as audited, and in truth.

    Attributes:
        checked: labels that were checked.
        errors: those of them that were found to be wrong.
        bound: at most this share of all of them is wrong, as the audit says.
        confidence: of that.
        certified: whether it is as little as was to be proved.
        labels: all of them.
        wrong: how many of all are wrong, by the truth about the pictures.
    """

    checked: int
    errors: int
    bound: float
    confidence: float
    certified: bool
    labels: int
    wrong: int

    def lines(self) -> Iterator[tuple[str, str]]:
        """Its part of the closing table."""
        share = f"{self.wrong / self.labels:.1%} ({self.wrong} of {self.labels})"
        yield "  of faces in releases", share
        found = f"{self.errors / self.checked:.1%} ({self.errors} of {self.checked})"
        sure = f"at most {self.bound:.1%}, {self.confidence:.0%} sure"
        yield "  as the audit found them", f"{found}; {sure}"


@dataclass(frozen=True)
class DemoScore:
    """The demo in numbers.

    Attributes:
        urls: number of URLs by status.
        images: pictures stored.
        faces: faces found.
        kept: faces that passed every filter.
        dropped: dropped faces by reason.
        questions: exported questions.
        wrong_labels: settled questions whose label is not the truth.
        labels: settled questions.
        identification: what `icf-evaluate identification` printed.
        detection: what `icf-evaluate detection` printed of the release's test, whose
            boxes people verified.
        all_pictures: the same of all pictures, against what they really show.
        audited: what an audit found; None: there was none.
    """

    urls: Mapping[str, int]
    images: int
    faces: int
    kept: int
    dropped: Mapping[str, int]
    questions: int
    wrong_labels: int
    labels: int
    identification: Mapping[str, float]
    detection: Mapping[str, float]
    all_pictures: Mapping[str, float]
    audited: AuditedError | None = None

    @property
    def label_error(self) -> float:
        """Share of settled questions that are settled wrongly."""
        return self.wrong_labels / self.labels if self.labels else 0.0

    def lines(self) -> Iterator[tuple[str, str]]:
        """The closing table."""
        yield "URLs found", f"{sum(self.urls.values()):,}"
        for fate, count in sorted(self.urls.items()):
            yield f"  {fate}", f"{count:,}"
        yield "pictures harvested", f"{self.images:,}"
        yield "faces found", f"{self.faces:,}"
        yield "  kept", f"{self.kept:,}"
        for reason, count in sorted(self.dropped.items()):
            yield f"  dropped: {reason}", f"{count:,}"
        yield "questions asked", f"{self.questions:,}"
        share = f"{self.label_error:.1%}"
        yield "labels wrong", f"{share} ({self.wrong_labels} of {self.labels})"
        if self.audited is not None:
            yield from self.audited.lines()
        yield "what the release's own models score: not a fair test", ""
        yield "rank-1", f"{self.identification['rank1']:.2f}%"
        for name, scored in (
            ("AP at IoU 0.5, boxes people verified", self.detection),
            ("AP at IoU 0.5, true boxes, all pictures", self.all_pictures),
        ):
            yield name, f"{scored['official']:.3f} ({scored['pictures']:,} pictures)"

    def as_json(self, report: Path) -> dict[str, object]:
        """The same for programs."""
        return {
            "urls": dict(self.urls),
            "images": self.images,
            "faces": self.faces,
            "kept": self.kept,
            "dropped": dict(self.dropped),
            "questions": self.questions,
            "labels": self.labels,
            "label_error": self.label_error,
            "audit": asdict(self.audited) if self.audited else None,
            "identification": dict(self.identification),
            "detection": dict(self.detection),
            "detection_all_pictures": dict(self.all_pictures),
            "report": str(report),
        }


def score(
    workspace: Workspace,
    questions: int,
    identification: Mapping[str, float],
    detection: Mapping[str, float],
    all_pictures: Mapping[str, float],
) -> DemoScore:
    """Count what the catalogue holds, and compare its labels with the truth."""
    with workspace.catalogue.read() as connection:
        urls = _by(connection, url.c.fate)
        images = _by(connection, image.c.verdict)
        verdicts = _by(connection, face.c.verdict)
        dropped = _by(
            connection, face.c.reason, face.c.verdict == Verdict.DROPPED.value
        )
        settled = _settled(connection)
        found = read_last_found(connection)
    truths = true_answers(workspace, settled)
    wrong = sum(truths[key] != same for key, same in settled.items())
    return DemoScore(
        urls=urls,
        images=sum(images.values()),
        faces=sum(verdicts.values()),
        kept=verdicts[Verdict.KEPT.value],
        dropped=dropped,
        questions=questions,
        wrong_labels=wrong,
        labels=len(settled),
        identification=identification,
        detection=detection,
        all_pictures=all_pictures,
        audited=_audited(found, settled, truths) if found else None,
    )


def _audited(
    found: Mapping[str, Any], settled: Mapping[int, bool], truths: Mapping[int, bool]
) -> AuditedError:
    """Put what an audit found beside the truth about the same labels."""
    same = [key for key, is_same in settled.items() if is_same]
    return AuditedError(
        checked=found["n"],
        errors=found["errors"],
        bound=found["bound"],
        confidence=found["confidence"],
        certified=found["certified"],
        labels=len(same),
        wrong=sum(not truths[key] for key in same),
    )


def write_detection_files(workspace: Workspace) -> tuple[Path, Path]:
    """Write the true and the detected boxes of the drawings as official files.

    Only pictures that were harvested, could be decoded and show a drawn face count: the
    official files cannot list a picture without a face. Photographed people are neither
    truth nor detections: the benchmark is about cartoon faces.
    """
    truth = load_truth()
    with workspace.catalogue.read() as connection:
        decoded = {
            str(sha256)
            for sha256 in connection.execute(
                sa.select(image.c.sha256)
                .join(url, url.c.image_id == image.c.id)
                .where(
                    image.c.width.is_not(None), url.c.fate == FetchStatus.STORED.value
                )
            ).scalars()
        }
        found = connection.execute(
            sa.select(
                image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2, face.c.score
            )
            .join(image, image.c.id == face.c.image_id)
            .where(
                face.c.kind == "cartoon",
                face.c.reason != FaceReason.LOW_SCORE.value,
            )
            .order_by(face.c.id)
        ).all()
    drawn: dict[str, list[Box]] = {
        sha256: [each.box for each in files[0].faces if each.character]
        for sha256, files in truth.by_sha256.items()
        if sha256 in decoded and any(each.character for each in files[0].faces)
    }
    detected: dict[str, list[Box]] = {}
    scores: dict[str, list[float]] = {}
    for sha256, x1, y1, x2, y2, confidence in found:
        if sha256 not in drawn:
            continue
        detected.setdefault(sha256, []).append((x1, y1, x2, y2))
        scores.setdefault(sha256, []).append(confidence)
    folder = workspace.root / "reports"
    truth_path, found_path = folder / "truth.csv", folder / "detections.csv"
    write_dettest_csv(truth_path, DetectionBoxes(*_columns(drawn)))
    order = [each for sha256 in detected for each in scores[sha256]]
    boxes = Detections(*_columns(detected), scores=np.array(order, np.float64))
    write_submission_csv(found_path, boxes)
    return truth_path, found_path


def _columns(
    boxes: Mapping[str, list[Box]],
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    pictures = tuple(boxes)
    index = [i for i, sha256 in enumerate(pictures) for _ in boxes[sha256]]
    corners = [box for sha256 in pictures for box in boxes[sha256]]
    return (
        tuple(f"{sha256}.jpg" for sha256 in pictures),
        np.array(index, np.int64),
        np.array(corners, np.float64).reshape(-1, 4),
    )


def _by(
    connection: sa.Connection,
    column: sa.Column[str],
    where: sa.ColumnElement[bool] | None = None,
) -> Counter[str]:
    query = sa.select(column, sa.func.count()).group_by(column)
    if where is not None:
        query = query.where(where)
    return Counter({code: count for code, count in connection.execute(query)})


def _settled(connection: sa.Connection) -> dict[int, bool]:
    same, different = Label.SAME.value, Label.DIFFERENT.value
    query = sa.select(question.c.id, question.c.label).where(
        question.c.label.in_([same, different])
    )
    return {key: label == same for key, label in connection.execute(query)}
