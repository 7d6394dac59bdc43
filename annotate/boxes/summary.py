"""How far people are with the boxes of pictures: numbers, and lines of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.boxes.measure import Hiding, Missed, read_hiding
from icf.catalogue.labels.verified_boxes import count_pictures
from icf.codes import BoxStatus


@dataclass(frozen=True)
class BoxSummary:
    """Numbers of pictures and faces.

    Attributes:
        pictures: that people were asked about, by what they say.
        hiding: the faces of verified ones.
    """

    pictures: Mapping[BoxStatus, int]
    hiding: Hiding

    def as_json(self) -> dict[str, Any]:
        """What ``icf-annotate status --json`` has under ``boxes``."""
        return {
            **{str(status): number for status, number in self.pictures.items()},
            "faces": self.hiding.faces,
            "missed_where_shown": _share(self.hiding.shown),
            "missed_where_hidden": _share(self.hiding.hidden),
        }

    def rows(self) -> list[tuple[str, int, str]]:
        """Lines of a table: name, number and meaning; none before people were asked."""
        asked = sum(self.pictures.values())
        if not asked:
            return []
        rows = [("pictures to box", asked, "")]
        rows += [
            (f"  {status}", number, status.meaning)
            for status, number in self.pictures.items()
        ]
        if self.hiding.faces:
            meaning = (
                f"the detector missed {_in_words(self.hiding.shown)} where its boxes "
                f"were shown, {_in_words(self.hiding.hidden)} where they were hidden"
            )
            rows.append(("  faces in them", self.hiding.faces, meaning))
        return rows


def read_summary(connection: sa.Connection) -> BoxSummary:
    """Read the numbers of a catalogue."""
    return BoxSummary(count_pictures(connection), read_hiding(connection))


def _share(missed: Missed) -> dict[str, float | int] | None:
    """The share of missed faces with its interval of 95%; None: there are no faces."""
    if not missed.faces:
        return None
    # It imports numpy, which a mere count does not wait for.
    from icf.statistics import share

    found = share(missed.missed, missed.faces)
    return {
        "faces": missed.faces,
        "missed": missed.missed,
        "share": found.value,
        "low": found.low,
        "high": found.high,
    }


def _in_words(missed: Missed) -> str:
    found = _share(missed)
    if found is None:
        return "nothing that is known"
    return f"{found['share']:.1%} ({found['low']:.1%} to {found['high']:.1%})"
