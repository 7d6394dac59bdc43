"""Train detectors: data, targets, losses and figures, as a task of the trainer."""
