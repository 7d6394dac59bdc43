"""Find faces that another embedder than the present one decided on."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.filter.embed_again import count_outdated, is_undecided


@dataclass(frozen=True)
class OtherEmbedder:
    """Faces that are to be decided again by the vectors of the present embedder.

    Attributes:
        model: its SHA-256.
        faces: how many have no vector by it.
        undecided: whether the others were not decided on by theirs.
    """

    model: str
    faces: int
    undecided: bool

    @property
    def message(self) -> str:
        """What it means, and the command that ends it."""
        if not self.faces:
            return (
                f"faces were embedded by {self.model[:12]}, and are still judged by "
                "an earlier embedder: `icf-filter run` decides again"
            )
        noun = "face has" if self.faces == 1 else "faces have"
        return (
            f"the embedder is {self.model[:12]}, and {self.faces:,} {noun} a vector by "
            "another one: `icf-filter run` embeds again, and decides again"
        )


def find_other_embedder(connection: sa.Connection, model: str) -> OtherEmbedder | None:
    """What `icf-filter run` would bring up to date after a change of the embedder.

    Args:
        connection: a transaction that reads.
        model: the SHA-256 of the present embedder.
    """
    found = OtherEmbedder(
        model, count_outdated(connection, model), is_undecided(connection)
    )
    return found if found.faces or found.undecided else None
