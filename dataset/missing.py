"""What a catalogue lacks for a protocol's full counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icf.errors import WrongUse
from icf.settings import DatasetSettings


@dataclass(frozen=True)
class Missing:
    """A part that has less than its count.

    Attributes:
        part: its name in the counts of a release.
        needed: its count.
        there: what the release has.
    """

    part: str
    needed: int
    there: int


def find_missing(counts: Mapping[str, int], settings: DatasetSettings) -> list[Missing]:
    """Return the parts that have less than the full counts of the settings."""
    needed = {
        "train_identities": settings.train_identities,
        "seen_probe_identities": settings.seen_identities
        if settings.seen_probe_share
        else 0,
        "unseen_probe_identities": settings.unseen_identities
        if settings.unseen_probe_share
        else 0,
        "probes": settings.probes,
        "distractors": settings.distractors if settings.distractor_share else 0,
        "detection_train_pictures": settings.detection_train,
        "detection_test_pictures": settings.detection_test
        if settings.detection_test_share
        else 0,
    }
    return [
        Missing(part, number, counts[part])
        for part, number in needed.items()
        if counts[part] < number
    ]


def refuse_missing(counts: Mapping[str, int], settings: DatasetSettings) -> None:
    """Refuse a release in which a part has less than its count.

    Raises:
        WrongUse: with each part, what is needed and what is there.
    """
    missing = find_missing(counts, settings)
    if not missing:
        return
    lines = [
        f"  {each.part.replace('_', ' ')}: {each.needed:,} needed, {each.there:,} "
        f"there, {each.needed - each.there:,} missing"
        for each in missing
    ]
    raise WrongUse(
        "--strict: there is too little for the full counts (dataset.*):\n"
        + "\n".join(lines)
        + "\nAnswer more questions, harvest more, lower these counts, or leave out "
        "--strict: then the parts are shares of what there is"
    )
