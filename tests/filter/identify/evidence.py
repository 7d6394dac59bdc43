"""Evidence made up for tests."""

from __future__ import annotations

import numpy as np

from icf.filter.identify.asked_evidence import AskedEvidence
from icf.filter.identify.posterior import FloatArray


def of_cosines(cosines: FloatArray) -> AskedEvidence:
    """Faces of which only the cosine to one reference is known, shape (n,)."""
    rows, ones = np.arange(len(cosines)), np.ones(len(cosines))
    return AskedEvidence(rows, rows, cosines, ones, ones.astype(bool))
