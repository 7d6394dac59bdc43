"""The parts of imported data sets, as sources of pictures are called."""

from __future__ import annotations

TRAIN = "iCartoonFace train"
TEST = "iCartoonFace test"
DISTRACTORS = "iCartoonFace distractors"
DETECTION_TRAIN = "iCartoonFace detection train"
DETECTION_TEST = "iCartoonFace detection test"

PARTS = (TRAIN, TEST, DISTRACTORS, DETECTION_TRAIN, DETECTION_TEST)

#: The parts of a release of ours.
RELEASE_TRAIN = "release train"
RELEASE_TEST = "release test"

#: How the source of pictures ends that are the test of another data set.
HELD_OUT_ENDING = " (held out)"

#: Who trained on these could not be scored.
HELD_OUT = (TEST, DISTRACTORS, DETECTION_TEST, RELEASE_TEST)
