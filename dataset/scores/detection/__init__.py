"""How good detections are: average precision by three names, errors, certainty."""

from icf.dataset.scores.detection.score import DetectionScore, score_detection

__all__ = ["DetectionScore", "score_detection"]
