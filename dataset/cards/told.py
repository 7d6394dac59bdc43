"""What ``release.json`` keeps of how a release came to be, to tell it again.

A release that is cleaned of what was withdrawn has no catalogue; with this its cards
are written anew, and count what is there now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import ValidationError

from icf.dataset.cards.about import About
from icf.dataset.cards.facts import Facts
from icf.dataset.cards.origin import Origin
from icf.dataset.rights.licence_set import LicenceSet
from icf.settings import Settings

KEY = "cards"
#: Settings that cards tell of, and that no other part of ``release.json`` has.
_ANNOTATE = ("votes", "decide", "certainty")
_SPANS = ("collected", "answered")
_BY_NUMBER = ("votes", "box_people")


def told(about: About) -> dict[str, Any]:
    """Return what has to be kept."""
    facts = {
        each.name: getattr(about.facts, each.name)
        for each in fields(Facts)
        if each.name not in ("bytes", "origin")
    }
    annotate = about.settings.annotate.model_dump(mode="json")
    return {
        "facts": {**facts, "origin": vars(about.facts.origin)},
        "collection_types": list(about.collection_types),
        "annotate": {name: annotate[name] for name in _ANNOTATE},
        "respect_robots": about.settings.harvest.respect_robots,
    }


def about_again(
    summary: Mapping[str, Any], licences: LicenceSet, sizes: Mapping[int, int]
) -> About | None:
    """Return what there is to say; None: an earlier version kept nothing.

    Args:
        summary: the ``release.json``.
        licences: of the pictures that are there.
        sizes: bytes of each picture, by image id.
    """
    kept = summary.get(KEY)
    if not kept:
        return None
    made = summary["settings"]
    harvest = {**made["harvest"], "respect_robots": kept["respect_robots"]}
    try:
        settings = Settings.model_validate(
            {
                "dataset": made["dataset"],
                "filter": made["filter"],
                "harvest": harvest,
                "annotate": kept["annotate"],
                "release": made.get("release", {}),
            }
        )
        return About(_facts(kept["facts"], sizes), summary, licences, settings)
    except (ValidationError, KeyError, TypeError):
        return None  # of another version


def _facts(kept: Mapping[str, Any], sizes: Mapping[int, int]) -> Facts:
    values = dict(kept)
    for name in _SPANS:
        values[name] = tuple(values[name]) if values[name] else None
    for name in _BY_NUMBER:
        values[name] = {int(key): count for key, count in values[name].items()}
    origin = dict(values.pop("origin"))
    origin["names"] = tuple(origin["names"])
    return Facts(**values, bytes=sizes, origin=Origin(**origin))
