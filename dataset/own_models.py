"""What is said of scores that a release's own models reach on it.

The embedder grouped, ordered and dropped faces before people saw them, and the detector
found the faces that people were shown: what they miss is not in the test. Wherever such
a score is shown, these words stand beside it.
"""

from __future__ import annotations

OWN_EMBEDDER = "the embedder that filtered these faces: not a fair test"
OWN_DETECTOR = "the detector that proposed these boxes: not a fair test"

#: Said where all boxes came with published sets: then there is nothing to score.
NO_DETECTOR = "no detector looked for faces: the boxes came with a published set"
