"""Which codes say why an image or a face is out."""

from __future__ import annotations

from collections.abc import Mapping

from icf.codes import Code, FaceReason, ImageReason
from icf.engine.step import Subject

REASONS: Mapping[Subject, type[Code]] = {"image": ImageReason, "face": FaceReason}
