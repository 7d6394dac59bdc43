"""Which audit characters a model was trained on: it knows them, and compares unfairly.

Trainings on the workspace leave out what was set aside, but before the first round
nothing is, and a release has these characters too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import safetensors
import sqlalchemy as sa

from icf.catalogue.merges import survivor
from icf.catalogue.schema import album, character
from icf.catalogue.tombstones import full_name
from icf.models.gate.audit_faces import audit_characters

_SHOWN = 3


def audit_names(connection: sa.Connection) -> list[str]:
    """ALBUM/CHARACTER of the audit characters, and of those merged into them."""
    cast = audit_characters(connection)
    query = (
        sa.select(survivor(), album.c.name, character.c.name)
        .join(album, album.c.id == character.c.album_id)
        .order_by(character.c.id)
    )
    rows = connection.execute(query)
    return [full_name(of, own) for key, of, own in rows if key in cast]


def seen_by(weights: Path, names: Sequence[str]) -> str | None:
    """Say which of some characters a model was trained on, for people.

    Args:
        weights: of the model; ``NAME.safetensors`` next to it says whom it knows.
        names: each as ALBUM/CHARACTER.

    Returns:
        None where it is none of them, or the model does not say it.
    """
    known = _identities(weights)
    releases = tuple(each for each in known if each.startswith("release:"))
    seen = [
        name
        for name in names
        if f"workspace/{name}" in known
        or any(each.endswith(f"/{name}") for each in releases)
    ]
    if not seen:
        return None
    more = ", ..." if len(seen) > _SHOWN else ""
    named = ", ".join(seen[:_SHOWN])
    return f"was trained on {len(seen):,} of the audit characters ({named}{more})"


def _identities(weights: Path) -> frozenset[str]:
    whole = weights.with_suffix(".safetensors")
    if not whole.is_file():
        return frozenset()
    try:
        with safetensors.safe_open(whole, "np") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
    except (OSError, ValueError, safetensors.SafetensorError):
        return frozenset()  # `soundness` refuses a damaged one
    return frozenset(about.get("identities", ()))
