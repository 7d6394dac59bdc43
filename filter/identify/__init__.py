"""Who a face shows: evidence, probabilities, calibration."""
