"""The sources of real drawings, and their licences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Group = Literal["comics", "flat", "mascots", "black-and-white", "pixels"]

#: Licences that let pictures be trained on and be handed on.
PERMISSIVE = frozenset(
    {
        "BSD-3-Clause",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "MIT",
        "public domain",
    }
)


@dataclass(frozen=True)
class RealSource:
    """Drawings of one hand or one studio.

    Attributes:
        name: the folder in the cache, and the style of its figures.
        title: what they are, for a card.
        registry: which package manager has them.
        package: its name there.
        version: of the package; "" for Debian, which has one.
        licence: one of `PERMISSIVE`.
        group: the kind of drawing.
    """

    name: str
    title: str
    registry: Literal["npm", "pypi", "debian"]
    package: str
    version: str
    licence: str
    group: Group

    @property
    def requirement(self) -> str:
        """What its package manager is asked for."""
        joint = {"npm": "@", "pypi": "==", "debian": ""}[self.registry]
        return f"{self.package}{joint}{self.version}"

    def for_card(self) -> Mapping[str, str]:
        """Return the line of a model's card."""
        where = {"npm": "npm", "pypi": "PyPI", "debian": "Debian"}[self.registry]
        package = f"{where} {self.package} {self.version}".rstrip()
        return {"name": self.title, "source": package, "licence": self.licence}


SOURCES = (
    RealSource(
        "tarot",
        "the Rider-Waite-Smith tarot, drawn by Pamela Colman Smith in 1909",
        "pypi",
        "arcanite",
        "0.2.0",
        "public domain",
        "comics",
    ),
    RealSource(
        "kenney",
        "Kenney's characters and enemies",
        "pypi",
        "arcade",
        "3.3.3",
        "CC0-1.0",
        "flat",
    ),
    RealSource(
        "freedoom",
        "Freedoom's figures, from eight sides",
        "pypi",
        "vizdoom",
        "1.3.2",
        "BSD-3-Clause",
        "pixels",
    ),
    RealSource(
        "monsters",
        "Robohash's monsters, by Hrvoje Novakovic",
        "pypi",
        "robohash",
        "2.0",
        "CC-BY-3.0",
        "mascots",
    ),
    RealSource(
        "cats",
        "Robohash's cats, by David Revoy",
        "pypi",
        "robohash",
        "2.0",
        "CC-BY-4.0",
        "mascots",
    ),
    RealSource(
        "fluent-3d",
        "Fluent emoji in three dimensions, heads and busts",
        "npm",
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "MIT",
        "mascots",
    ),
    RealSource(
        "crew",
        "Kaplay's crew",
        "npm",
        "@kaplayjs/crew",
        "2.1.0",
        "CC0-1.0",
        "mascots",
    ),
    RealSource(
        "momentum",
        "Momentum's line drawings",
        "npm",
        "@momentum-ui/illustrations",
        "1.24.0",
        "MIT",
        "black-and-white",
    ),
    RealSource(
        "clip-people",
        "openclipart: people",
        "debian",
        "openclipart-svg",
        "",
        "public domain",
        "flat",
    ),
)
