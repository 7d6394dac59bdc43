"""What `icf-evaluate detection` reads, or lets a model find."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from icf.command import Invocation
from icf.dataset.formats.icartoonface.detected import read_detections
from icf.dataset.own_models import NO_DETECTOR, OWN_DETECTOR
from icf.dataset.scores.detection.coco_files import (
    CocoTruth,
    is_json,
    is_json_list,
    read_coco_results,
    read_coco_truth,
)
from icf.dataset.scores.detection.kinds import kinds_of_release, read_kinds
from icf.dataset.scores.detection.of_release import (
    ReleaseTest,
    find_test,
    nobody_verified,
    refuse_unverified,
    release_above,
    release_of,
)
from icf.dataset.scores.detection.pictures import count_resized, detect, with_sizes
from icf.dataset.scores.detection.truth import Found, Truth
from icf.errors import WrongUse
from icf.icartoonface.detection import read_dettest_csv


@dataclass(frozen=True)
class Asked:
    """The options of the command."""

    truth: Path | None
    release: Path | None
    detections: Path | None
    model: str | None
    pictures: Path | None
    plots: Path | None
    threshold: float | None
    kinds: Path | None
    category: str | None
    draws: int
    unverified: bool


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is scored.

    Attributes:
        truth: The true boxes.
        found: The detections.
        truth_path: The file of the boxes.
        pictures: Where the pictures lie; None: not known.
        threshold: The detector's own; None: not known.
        detector: What found the detections, in words.
        unverified: Whether nobody verified the true boxes.
        resized: How many pictures have another size than the truth says of them.
    """

    truth: Truth
    found: Found
    truth_path: Path
    pictures: Path | None
    threshold: float | None
    detector: str
    unverified: bool
    resized: int = 0


def read_inputs(invocation: Invocation, asked: Asked) -> Inputs:
    """Read the truth and the detections.

    Raises:
        WrongUse: Options do not go together, or nobody verified the boxes.
        BadInput: A file is not what it should be.
    """
    test = _release(asked)
    path = test.truth if test is not None else asked.truth
    assert path is not None, "_release has checked it"
    root = asked.release or release_above(path)
    proposed = root is not None and nobody_verified(root)
    if root is not None and not asked.unverified:
        refuse_unverified(root)
    if asked.category is not None and not is_json(path):
        raise WrongUse(f"--category: {path} is no JSON, and has no categories")
    coco = read_coco_truth(path, asked.category) if is_json(path) else None
    truth = coco.truth if coco else Truth.of(read_dettest_csv(path))
    pictures = asked.pictures or (test.pictures if test is not None else None)
    resized = 0
    if pictures is not None:
        resized = count_resized(truth, pictures)
        truth = with_sizes(truth, pictures)
    truth = replace(truth, kinds={**truth.kinds, **_kinds(asked, test, truth)})
    if asked.model is not None:
        own = test.detectors if test is not None else ()
        hashes = {sha256 for _, sha256 in own}
        read = _with_model(invocation, asked, truth, path, pictures, proposed, hashes)
        return replace(read, resized=resized)
    found, detector = _read_found(asked, truth, coco, test)
    return Inputs(
        truth,
        found,
        path,
        pictures,
        asked.threshold,
        detector,
        proposed,
        resized,
    )


def _release(asked: Asked) -> ReleaseTest | None:
    """The release that the truth is of."""
    if (asked.truth is None) == (asked.release is None):
        raise WrongUse("name the true boxes with either --truth or --release")
    if asked.detections is not None and asked.model is not None:
        raise WrongUse("name what is scored with either --detections or --model")
    if asked.release is not None:
        return find_test(asked.release)
    assert asked.truth is not None
    if asked.detections is None and asked.model is None:
        raise WrongUse("name what is scored with --detections or --model")
    return release_of(asked.truth)


def _read_found(
    asked: Asked, truth: Truth, coco: CocoTruth | None, test: ReleaseTest | None
) -> tuple[Found, str]:
    path = asked.detections or (test.found if test is not None else None)
    assert path is not None, "_release has checked it"
    detector = f"of {path}"
    if test is not None and not test.detected:
        if asked.detections is None:
            raise WrongUse(
                f"{test.root}: {NO_DETECTOR}. Name what is scored with --detections or "
                "--model"
            )
    elif test is not None and path.resolve() == test.found.resolve():
        names = ", ".join(name or sha256 for name, sha256 in test.detectors)
        detector = f"{names or 'of the release'}: {OWN_DETECTOR}"
    if is_json_list(path):
        if coco is None:
            raise WrongUse(
                f"{path} has COCO's results, which name pictures by number: --truth "
                "must be COCO's JSON too"
            )
        detections, sides = read_coco_results(path, coco)
        return Found.of(truth, detections, sides), detector
    detections = read_detections(path, truth.boxes.pictures)
    return Found.of(truth, detections), detector


def _with_model(
    invocation: Invocation,
    asked: Asked,
    truth: Truth,
    path: Path,
    pictures: Path | None,
    proposed: bool,
    own: Collection[str],
) -> Inputs:
    assert asked.model is not None
    if pictures is None:
        raise WrongUse("--model needs the pictures: name their folder with --pictures")
    # Imported here, so that scoring files does not wait for what runs models.
    from icf.models.detection import Detector

    detector = Detector.open(_model_path(invocation, asked.model))
    total = len(truth.boxes.pictures)
    with invocation.progress("detecting", total) as advance:
        detections = detect(detector, truth, pictures, advance)
    least = detector.card.parameters["min_score"]
    name = f"{asked.model} (SHA-256 {detector.model_hash})"
    if detector.model_hash in own:
        name += f": {OWN_DETECTOR}"
    return Inputs(
        truth,
        Found.of(truth, detections),
        path,
        pictures,
        least if asked.threshold is None else asked.threshold,
        name,
        proposed,
    )


def _model_path(invocation: Invocation, name: str) -> Path:
    """A file, the bundled model, or what the workspace calls so."""
    from icf.models.cards import BUNDLED_WORD, bundled_path
    from icf.models.registry.resolve import find_there

    if Path(name).is_file():
        return Path(name)
    if name == BUNDLED_WORD:
        return bundled_path("detector")
    return find_there(invocation.workspace, name, "detector")


def _kinds(
    asked: Asked, test: ReleaseTest | None, truth: Truth
) -> Mapping[str, tuple[str, ...]]:
    pictures = truth.boxes.pictures
    known = kinds_of_release(test, pictures) if test is not None else {}
    own = read_kinds(asked.kinds, pictures) if asked.kinds is not None else {}
    return {**known, **own}
