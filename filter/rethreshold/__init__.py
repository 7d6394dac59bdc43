"""Apply changed thresholds to stored measurements."""
