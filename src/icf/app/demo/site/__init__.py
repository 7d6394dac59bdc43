"""A small cartoon wiki that ``icf demo`` serves on loopback, and the truth about it."""

from icf.app.demo.site.server import DemoSite, serve
from icf.app.demo.site.truth import (
    Noise,
    TrueCharacter,
    TrueFace,
    TrueFile,
    Truth,
    load_truth,
    shipped_site,
)

__all__ = [
    "DemoSite",
    "Noise",
    "TrueCharacter",
    "TrueFace",
    "TrueFile",
    "Truth",
    "load_truth",
    "serve",
    "shipped_site",
]
