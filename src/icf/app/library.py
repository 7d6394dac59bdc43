"""The functions of ``import icf``: each stage as one typed call.

They do what the commands of the same names do, but return values instead of printing,
and raise an `IcfError` instead of ending the program. Paths may be ``str`` or ``Path``
and are relative to the current folder, not to the workspace. All arguments are checked
before anything is begun: what cannot be meant is a `WrongUse`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

from icf import workspace as workspaces
from icf.annotate import export
from icf.annotate import import_answers as answers
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.formats.registry import WRITERS
from icf.app.arguments import (
    check_switch,
    check_workspace,
    choice_of,
    flags_of,
    kept_path_of,
    names_of,
    path_of,
    rate_of,
    renamed_of,
    stored_names_of,
    text_of,
    text_or_none,
    whole_of,
)
from icf.app.init import make_workspace
from icf.dataset.formats.icartoonface.detected import read_detections
from icf.dataset.formats.registry import DEFAULT, LISTS, make_writers
from icf.dataset.leaks.report import LeakReport
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.scores.detection import DetectionScore, score_detection
from icf.dataset.scores.detection.of_release import nobody_verified, was_detected
from icf.dataset.scores.recognition.feature_files import read_feature_file
from icf.dataset.scores.recognition.identification import (
    IdentificationScore,
    score_identification,
)
from icf.dataset.scores.recognition.test_set import open_test
from icf.dataset.scores.summary import read_summary
from icf.engine.engine import NAMES as ENGINES
from icf.engine.engine import open_engine
from icf.engine.runner import Tally
from icf.errors import BrokenMachine
from icf.filter import run as filtering
from icf.filter.rethreshold import run as rethresholding
from icf.filter.rethreshold.run import Rethresholded
from icf.filter.step_range import Chosen
from icf.harvest import run as harvesting
from icf.harvest.listing.discover import Scope
from icf.icartoonface.detection import read_dettest_csv
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    FEATURES,
    RECTEST_INFO,
)
from icf.workspace import Workspace

StrPath = str | os.PathLike[str]

P = ParamSpec("P")
T = TypeVar("T")


def _machine_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Make a `BrokenMachine` of what the machine refuses, as the commands say it."""

    @functools.wraps(function)
    def call(*values: P.args, **named: P.kwargs) -> T:
        try:
            return function(*values, **named)
        except OSError as error:
            raise BrokenMachine(
                f"the machine refused: {error}; what was done before is kept; "
                "make the same call again"
            ) from error

    return call


@dataclass(frozen=True)
class Release:
    """A release that was written.

    Attributes:
        path: its folder.
        written: False if the same release was there already.
        counts: identities, faces and pictures of each split, by name.
        leaks: the result of every leak check.
    """

    path: Path
    written: bool
    counts: Mapping[str, int]
    leaks: LeakReport


@dataclass(frozen=True)
class Scores:
    """Scores of one release.

    Attributes:
        identification: rank-1, rank-5 and rank-10 of the embeddings, in percent; None
            where no face was confirmed.
        detection: average precision of the detections at IoU 0.5, from 0 to 1; None
            where people verified the boxes of no picture.
        not_a_fair_test: why `identification` says little of a recogniser, as where it
            is of the embedder that made the release; None: nothing is known against it.
    """

    identification: IdentificationScore | None
    detection: DetectionScore | None
    not_a_fair_test: str | None = None


@_machine_errors
def init(
    root: StrPath, settings: Mapping[str, object] | None = None, *, contact: str = ""
) -> Workspace:
    """Make a workspace in the folder ``root``, or bring the one there up to date.

    Args:
        root: the folder; it is created where it is missing.
        settings: settings of this call, as ``{"filter.min_face": 80}``.
        contact: mail address or page for the User-Agent, for a new ``icf.toml``.

    Raises:
        WrongUse: ``root`` is a file, or a setting is unknown; nothing was made.
        BrokenMachine: nothing can be written there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = init(folder, {"filter.min_face": 80})
        ...     made.catalogue.close()
        >>> made.settings.filter.min_face
        80
    """
    flags = flags_of(settings)
    return make_workspace(path_of("root", root), flags, text_of("contact", contact))


@_machine_errors
def find(
    start: StrPath = ".", settings: Mapping[str, object] | None = None
) -> Workspace:
    """Open the workspace that ``start`` is or lies in.

    Args:
        start: a folder.
        settings: settings of this call, as ``{"filter.min_face": 80}``.

    Raises:
        WrongUse: neither ``start`` nor a folder above it is a workspace, or a setting
            is unknown.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     init(folder).catalogue.close()
        ...     below = find(f"{folder}/releases")
        >>> below.settings.annotate.votes
        1
    """
    return workspaces.find(path_of("start", start), flags_of(settings))


@_machine_errors
def run_harvest(
    workspace: Workspace,
    *,
    sources: str | Sequence[str] = (),
    albums: str | Sequence[str] = (),
    refresh: bool = False,
    fetch: bool = True,
) -> harvesting.Outcome:
    """List what the sources in ``icf.toml`` have, and fetch the pictures.

    Stopped in any way, the same call continues where it stopped. It may be called where
    an event loop runs, as in notebooks; the loop stands still meanwhile.

    Args:
        workspace: with its sources.
        sources: names of the sources to harvest, or one; empty for all.
        albums: names of the albums to harvest, or one; empty for all.
        refresh: list again what was listed before.
        fetch: False lists pictures without fetching them.

    Returns:
        Counts of what was listed and fetched. A URL that brings no picture is counted
        under its status; a listing that failed is counted in ``listed.failed``.

    Raises:
        WrongUse: no source, or one that is declared wrongly.
        BrokenMachine: disk, database or name service do not answer.
    """
    check_workspace(workspace)
    check_switch("refresh", refresh)
    check_switch("fetch", fetch)
    scope = Scope(albums=frozenset(stored_names_of("albums", albums)))
    names = names_of("sources", sources)
    work = harvesting.Work(scope, names, refresh=refresh, fetch=fetch)
    return harvesting.harvest(workspace, work)


@_machine_errors
def run_filter(
    workspace: Workspace,
    *,
    steps: str | Sequence[str] = (),
    engine: str = "local",
    ray_address: str | None = None,
) -> list[Tally]:
    """Run the filter steps over everything that waits for them.

    Stopped in any way, the same call continues where it stopped. Steps that decode
    pictures run in worker processes of their own.

    Args:
        workspace: with harvested pictures.
        steps: names of the steps to run, or one; empty for all.
        engine: ``"local"`` or ``"ray"``.
        ray_address: of a running Ray cluster; None starts one on this machine.

    Returns:
        For each step how many items passed, and how many were dropped by reason. Items
        that broke a step are counted under ``step_failed``, ``crashed`` or ``hung``.

    Raises:
        WrongUse: no step or engine has that name.
        BrokenMachine: disk or database do not answer, or a model cannot be opened.
    """
    check_workspace(workspace)
    chosen = Chosen(names_of("steps", steps))
    name = choice_of("engine", engine, ENGINES)
    address = text_or_none("ray_address", ray_address)
    settings = workspace.settings.filter
    opened = open_engine(name, settings.workers, address, settings.deadline)
    with closing(opened):
        return filtering.run_steps(workspace, chosen, opened, _no_bar)


@_machine_errors
def rethreshold(workspace: Workspace, *, dry_run: bool = False) -> Rethresholded:
    """Apply the workspace's thresholds to what was judged by earlier ones.

    `run_filter` judges only what waits for it. Nothing is decoded, detected or embedded
    here; what comes back and was never embedded waits for `run_filter`.

    Args:
        workspace: with filtered faces, and the new thresholds in its settings.
        dry_run: count what would change, and change nothing.

    Returns:
        How many images and faces are newly dropped, and how many come back, by step
        and reason.

    Raises:
        WrongUse: ``dry_run`` is neither True nor False.
        BrokenMachine: disk or database do not answer.
    """
    check_workspace(workspace)
    check_switch("dry_run", dry_run)
    return rethresholding.rethreshold(workspace, _no_bar, dry_run=dry_run)


@_machine_errors
def export_questions(
    workspace: Workspace,
    folder: StrPath,
    *,
    format: str = "csv",
    limit: int | None = None,
    url_prefix: str | None = None,
) -> export.Exported:
    """Write a new batch of yes/no questions with their pictures.

    Args:
        workspace: with filtered faces.
        folder: a new folder for the batch.
        format: ``"csv"`` (spreadsheet, MTurk) or ``"label-studio"``.
        limit: questions at most, from 1 on; None: the setting ``annotate.batch``.
        url_prefix: put before the path of each picture in the questions.

    Returns:
        The batch (None where nothing is left to ask), and the questions that have no
        picture, each with the reason.

    Raises:
        WrongUse: an unknown format, a wrong limit, or ``folder`` holds something else.
        BrokenMachine: the folder cannot be written.
    """
    check_workspace(workspace)
    batch = workspace.settings.annotate.batch
    request = export.ExportRequest(
        choice_of("format", format, WRITERS),
        kept_path_of("folder", folder),
        batch if limit is None else whole_of("limit", limit, 1),
        text_or_none("url_prefix", url_prefix),
    )
    return export.export(workspace, request)


@_machine_errors
def import_answers(
    workspace: Workspace,
    file: StrPath,
    *,
    annotator: str | None = None,
    names: Mapping[str, str] | None = None,
    server: str | None = None,
) -> answers.Imported:
    """Import a file of answers: CSV, JSON Lines, MTurk's or Label Studio's.

    Args:
        workspace: that asked the questions.
        file: the answers.
        annotator: who answered the rows that name nobody; None refuses those rows.
        names: what to call annotators, by their names in the file.
        server: what to call the Label Studio that it is from, so that its users are
            not taken for those of another one.

    Returns:
        How many rows were taken, and each refused row with its line and reason.

    Raises:
        WrongUse: a name cannot be one, or a server is named and the file is from none.
        BadInput: ``file`` is not a file of answers.
    """
    check_workspace(workspace)
    annotators = AnnotatorNames(
        renamed_of("names", names),
        text_or_none("annotator", annotator),
        text_or_none("server", server),
    )
    return answers.import_answers(workspace, kept_path_of("file", file), annotators)


@_machine_errors
def build_release(
    workspace: Workspace,
    folder: StrPath,
    *,
    seed: int = 1,
    formats: str | Sequence[str] = (),
    boxes: Literal["verified", "proposed"] | None = None,
    crops: float | None = None,
    detection_only: bool = False,
) -> Release:
    """Split the labelled faces and write a release.

    The same catalogue and seed give the same files.

    Args:
        workspace: with imported answers.
        folder: a new folder for the release.
        seed: random seed of the split, from 0 on.
        formats: names of the file formats, or one; several are each in a folder of its
            name. None named: iCartoonFace, and above 100,000 pictures shards.
        boxes: the true boxes of the detection set, those that people verified or those
            that the detector proposed; None: as ``dataset.boxes`` says.
        crops: cut the pictures of the recognition set out around their faces, with
            the box enlarged by this rate, from 0 to 10; None: whole files, as fetched.
        detection_only: leave out the recognition set, whatever faces are confirmed.

    Raises:
        WrongUse: too few labelled faces, an unknown format, a wrong number, or
            ``folder`` holds something else.
        BrokenMachine: the folder cannot be written.
        IcfError: train and test share something; nothing was written.
    """
    check_workspace(workspace)
    path = kept_path_of("folder", folder)
    seed = whole_of("seed", seed, 0)
    names = names_of("formats", formats)
    make_writers(names)  # checks that they are known
    if boxes is not None:
        choice_of("boxes", boxes, ("verified", "proposed"))
    rate = None if crops is None else rate_of("crops", crops, 10)
    check_switch("detection_only", detection_only)
    run_id = workspace.begin_run("icf-build-splits")
    prepared = prepare(
        workspace, seed, names, boxes, crops=rate, detection_only=detection_only
    )
    written = write(workspace, prepared, path, seed)
    workspace.end_run(run_id)
    return Release(path, written, prepared.plan.counts, prepared.leaks)


@_machine_errors
def evaluate(
    release: StrPath,
    *,
    features: StrPath | None = None,
    detections: StrPath | None = None,
    unverified: bool = False,
) -> Scores:
    """Score a recogniser and a detector on the tests of a release.

    Args:
        release: the folder of a release in iCartoonFace's format.
        features: raw float64 or float32, ``.npy`` or Parquet, of shape (pictures of the
            test, d), in the order of the release's info file; None: those of the
            embedder that made the release.
        detections: a CSV file of ``picture,xmin,ymin,xmax,ymax,face,score``, or what
            ``icf detect --json`` prints; None: those of the detector that made the
            release.
        unverified: score detections also where the true boxes are what a detector
            proposed and nobody verified; that is agreement, not precision.

    Raises:
        WrongUse: what should be a path is none.
        BadInput: a file is missing, or is not in its format.
    """
    folder = path_of("release", release)
    given = None if features is None else path_of("features", features)
    submitted = None if detections is None else path_of("detections", detections)
    check_switch("unverified", unverified)
    scorable = unverified or not nobody_verified(folder)
    summary = read_summary(folder) or {}
    counts = summary.get("counts", {})
    has_faces = given is not None or counts.get("identities") != 0
    for name in (DEFAULT, LISTS):  # it is one format of several
        if (folder / name).is_dir():
            folder /= name
            scorable = scorable and (unverified or not nobody_verified(folder))
            break
    truth = read_dettest_csv(folder / DETTEST_BOXES)
    found = read_detections(submitted or folder / DETTEST_FOUND, truth.pictures)
    scorable = scorable and len(truth.corners) > 0
    if submitted is None:
        scorable = scorable and was_detected(summary, folder / DETTEST_FOUND)
    detection = score_detection(truth, found) if scorable else None
    if not has_faces:
        return Scores(None, detection)
    test = open_test(folder / RECTEST_INFO, None)
    of_faces = given or folder / FEATURES
    rows = read_feature_file(of_faces, test.info.files)
    identification = score_identification(test.info, rows)
    return Scores(identification, detection, test.unfair(of_faces))


@contextmanager
def _no_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    yield lambda advance: None
