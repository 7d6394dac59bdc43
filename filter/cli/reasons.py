"""The reason codes of dropped images and faces."""

from __future__ import annotations

from collections.abc import Mapping

from icf.codes import Code, FaceReason, ImageReason
from icf.engine.step import Subject

REASONS: Mapping[Subject, type[Code]] = {"image": ImageReason, "face": FaceReason}
