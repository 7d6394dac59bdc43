"""MLflow, in a folder of the run: ``mlflow ui --backend-store-uri FOLDER/mlflow``.

``MLFLOW_TRACKING_URI`` names a server in its place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icf.models.training.trackers.base import Tracker, flattened, require


class MlflowTracker(Tracker):
    """Logs parameters and metrics of one MLflow run."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        super().__init__(folder, config)
        require("mlflow", "mlflow")
        from mlflow.tracking import MlflowClient

        # A file for all of it: MLflow's folders of files are deprecated.
        place = f"sqlite:///{(folder / 'mlflow.db').absolute()}"
        self._client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or place)
        experiment = self._client.get_experiment_by_name("icf")
        number = (
            experiment.experiment_id
            if experiment
            else self._client.create_experiment(
                "icf", artifact_location=(folder / "mlflow").absolute().as_uri()
            )
        )
        run = self._client.create_run(number, run_name=folder.absolute().name)
        self._run = run.info.run_id
        for name, value in flattened(config).items():
            self._client.log_param(self._run, name, value)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log a metric for each figure."""
        for name, value in values.items():
            self._client.log_metric(self._run, name, value, step=step)

    def close(self) -> None:
        """End the run."""
        self._client.set_terminated(self._run)
