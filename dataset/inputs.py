"""The hash of what a release is made from: the same inputs give the same release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from icf.dataset.licences import Source
from icf.dataset.selection import Selection
from icf.settings import DatasetSettings
from icf.version import __version__

#: Settings that came after the first releases, with their defaults.
ADDED = {
    "dataset.unasked_references": True,
    "filter.sharpness": "auto",
    "filter.min_edge_sharpness": 0.09,
    "filter.min_resolution": 0.35,
    "annotate.risk": 0.0,
    "annotate.look": False,
    "annotate.tracks": "asked",
    # What earlier versions did; it is not the default any more.
    "dataset.boxes": "proposed",
}
#: How faces and pictures are divided; a later rule divides the same otherwise. The
#: second and third were in no version: the thresholds of the second followed from how
#: many faces others have, and the third did not see whom faces show that are in no part
#: because of the filter.
RULE = 4
#: The settings that the first rule depends on, and what they were by default. Releases
#: by it have no rule in their ``release.json``.
_FIRST_RULE = {
    "min_faces": None,
    "max_probes": None,
    "seen_probe_share": 0.24,
    "unseen_probe_share": 0.16,
    "distractor_share": 0.2,
    "detection_test_share": None,
    "unasked_references": None,
    "boxes": None,
}
#: Settings that a release does not depend on; its models are named by their hashes.
LOCAL = {"workers", "detector", "embedder"}


def hash_inputs(
    selection: Selection,
    sources: Mapping[int, Sequence[Source]],
    settings: Mapping[str, Any],
    seed: int,
    rule: int = RULE,
    more: Sequence[object] = (),
) -> str:
    """Return the SHA-256 of everything that the splits of a release depend on.

    Args:
        selection: what the release can contain.
        sources: where each picture came from, by image id.
        settings: that it depends on, by section.
        seed: of the splits.
        rule: by which they are divided.
        more: what else they depend on, as JSON.
    """
    digest = hashlib.sha256()
    if rule == 1:
        settings = {**settings, "dataset": _as_at_first(settings["dataset"])}
    known = {
        section: _without_added(section, each) for section, each in settings.items()
    }
    plain = [__version__, seed, known, selection.embedder, selection.detectors]
    if rule > 1:
        plain += [rule, *more]
    digest.update(json.dumps(plain, sort_keys=True).encode())
    faces, pictures = selection.faces, selection.pictures
    for array in (
        faces.face,
        faces.identity,
        faces.album,
        faces.picture,
        faces.corners,
        faces.hashes.phash,
        faces.hashes.dhash,
        pictures.image,
        pictures.sha256,
        pictures.pixel_hash,
        pictures.complete,
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    for each in sorted(selection.identities.items()):
        digest.update(repr(each).encode())
    for boxes in pictures.boxes:
        digest.update(repr(boxes).encode())
    if selection.verified is not None:
        for boxes in pictures.detected:
            digest.update(repr(boxes).encode())
    if rule > 1:
        digest.update(_closeness(selection))
    for image_id, listed in sources.items():
        digest.update(repr((image_id, listed)).encode())
    return digest.hexdigest()


def _closeness(selection: Selection) -> bytes:
    """What else keeps pictures together, and which confirmed faces are left out."""
    origins, out = selection.origins, selection.excluded
    plain: list[object] = [
        selection.may_be_one,
        (out.sha256.tolist(), out.corners.tolist(), out.reason),
        (out.album, out.character),
        origins and (origins.shots, origins.files, origins.tracks),
        origins
        and (origins.in_shots.tolist(), origins.track[origins.track >= 0].tolist()),
    ]
    if selection.named_apart:  # later than the others
        plain.append(selection.named_apart)
    return repr(plain).encode()


def _as_at_first(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an earlier version by which these are the same."""
    now = DatasetSettings()
    return {
        name: before
        if before is not None and settings[name] == getattr(now, name)
        else settings[name]
        for name, before in _FIRST_RULE.items()
        if name in settings
    }


def _without_added(section: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out settings that came later and have their defaults.

    So a release of an earlier version is the same release still.
    """
    return {
        name: value
        for name, value in settings.items()
        if f"{section}.{name}" not in ADDED or value != ADDED[f"{section}.{name}"]
    }
