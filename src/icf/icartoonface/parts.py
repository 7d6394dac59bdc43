"""The parts of the published iCartoonFace, as sources of pictures are called."""

from __future__ import annotations

TRAIN = "iCartoonFace train"
TEST = "iCartoonFace test"
DISTRACTORS = "iCartoonFace distractors"
DETECTION_TRAIN = "iCartoonFace detection train"
DETECTION_TEST = "iCartoonFace detection test"

PARTS = (TRAIN, TEST, DISTRACTORS, DETECTION_TRAIN, DETECTION_TEST)

#: Who trained on these could not be scored.
HELD_OUT = (TEST, DISTRACTORS, DETECTION_TEST)
