"""What a batch is made of, and the random questions that belong to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: The share of the random part for faces that identity dropped.
DROPPED_SHARE = 1 / 4
#: The share of the random questions about kept faces for those that were set aside.
AUDIT_SHARE = 1 / 2


@dataclass(frozen=True)
class Shares:
    """What a batch is made of, as shares from 0 to 1.

    Attributes:
        random: drawn at random; if there are too few faces, the others fill the batch.
        review: of the rest, reserved for suspicions. If there are too few questions of
            one kind, the other kind fills the batch.
        confirmed: ask only against references that people confirmed.
        audit: questions about faces that were set aside, at least, up to half of the
            batch; they take the place of chosen ones.
        risk: a kept face is not chosen if it is its character, or is not, with a
            probability of one less this; 0: every face may be.
        look: faces that are sure to be their character are chosen nevertheless, last.
        follow: of a track one face is chosen, and the others follow its answer.
        track_audit: share of the followers that are asked about, drawn at random.
        licences: pairs of a licence and its URL, as sources have them, under which a
            picture may be released; None: all pictures may be.
    """

    random: float = 0.3
    review: float = 0.5
    confirmed: bool = True
    audit: int = 0
    risk: float = 0.0
    look: bool = False
    follow: bool = False
    track_audit: float = 0.1
    licences: tuple[tuple[str, str | None], ...] | None = None


@dataclass(frozen=True)
class Reserved:
    """The random questions of a batch.

    Attributes:
        dropped: about faces that identity dropped.
        audit: about kept faces that were set aside.
        others: about other kept faces.
    """

    dropped: int
    audit: int
    others: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.dropped + self.audit + self.others

    @staticmethod
    def of(limit: int, random: int, dropped: int, audited: int, audit: int) -> Reserved:
        """Those of a full batch.

        Args:
            limit: its questions.
            random: how many of them are drawn at random.
            dropped: how many of those are about dropped faces.
            audited: how many faces that were set aside can be asked about.
            audit: how many of them are wanted at least.
        """
        kept = random - dropped
        half = min(audited, math.ceil(kept * AUDIT_SHARE))
        most = max(half, min(audited, audit, limit // 2))
        return Reserved(dropped, most, max(0, min(kept - half, limit - dropped - most)))

    def beside(self, chosen: int, room: int, *, unsure: bool) -> Reserved:
        """Those that belong to so many chosen questions, of as many as had room.

        Of what was set aside all of them are asked, as long as there are faces among it
        of which the model is not sure; and one of the others stands for them.
        """
        part = min(1.0, chosen / max(1, room))
        return Reserved(
            math.ceil(self.dropped * part),
            self.audit if unsure else math.ceil(self.audit * part),
            max(math.ceil(self.others * part), min(self.others, int(unsure))),
        )
