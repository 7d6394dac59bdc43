"""Which character a face shows: evidence, probabilities, calibration."""
