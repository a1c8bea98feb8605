"""MLflow: a run is found again by its key, and only what it lacks is told."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping

from smallvision.records.files import make_folder
from smallvision.tracking.readings import TrackedRun
from smallvision.tracking.tracker import TrackerPlace, import_library

KEY = "smallvision.key"
ENDED = {"done": "FINISHED", "failed": "FAILED", "pruned": "KILLED"}
# Nothing is sent to anybody else, and a server that does not answer is told within a minute.
OPTIONS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
CHATTY = ("alembic", "mlflow")  # whose log would stand between our lines


class MlflowTracker:
    """An MLflow server or database; without an address, a database in a folder.

    Args:
        place: the folder, or the address.

    Raises:
        SettingError: MLflow is not installed.
    """

    def __init__(self, place: TrackerPlace) -> None:
        self.place = place
        for name, value in OPTIONS.items():
            os.environ.setdefault(name, value)
        self.library = import_library("mlflow", "mlflow")
        self.entities = import_library("mlflow.entities", "mlflow")
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.ERROR)
        self.uri = place.uri or f"sqlite:///{make_folder(place.folder).resolve()}/mlflow.db"
        self.client = self.library.MlflowClient(tracking_uri=self.uri)
        self.experiments: dict[str, str] = {}
        self.known: dict[str, KnownRun] = {}

    def write(self, run: TrackedRun) -> None:
        """Tell the server what it lacks of a run."""
        known = self.known.get(run.key) or self.find(run)
        self.known[run.key] = known
        for epoch, figures in run.epochs.items():
            moment = known.began + round(1000 * figures["seconds"])
            missing = {
                name: value for name, value in figures.items() if (name, epoch) not in known.told
            }
            self.tell(known, missing, epoch, moment)
        last = max(run.epochs, default=0)
        # Another opening of the test set changes a figure, which is then told beside the first.
        changed = {
            name: value
            for name, value in run.figures.items()
            if known.told.get((name, last)) != value
        }
        self.tell(known, changed, last, known.began)
        tags = {name: value for name, value in run.tags.items() if known.tags.get(name) != value}
        if tags:
            named = [self.entities.RunTag(f"smallvision.{name}", tags[name]) for name in tags]
            self.client.log_batch(known.id, tags=named)
            known.tags.update(tags)
        if run.state in ENDED and not known.is_ended:
            self.client.set_terminated(known.id, ENDED[run.state])
            known.is_ended = True

    def close(self) -> None:
        """The server has all of it."""

    @property
    def hint(self) -> str:
        """The command that shows a local database, or where the server is."""
        if self.place.uri is not None:
            return self.place.shown
        return f"mlflow ui --backend-store-uri {self.uri}"

    def find(self, run: TrackedRun) -> KnownRun:
        """What the server has of a run, which is begun where it has nothing."""
        experiment = self.find_experiment(run.project)
        found = self.client.search_runs([experiment], f"tags.`{KEY}` = '{run.key}'", max_results=1)
        if not found:
            began = round(1000 * run.created) or round(1000 * time.time())
            made = self.client.create_run(
                experiment, start_time=began, tags={KEY: run.key}, run_name=run.name
            )
            self.tell_params(made.info.run_id, run.params)
            return KnownRun(made.info.run_id, began)
        entry = self.client.get_run(found[0].info.run_id)
        missing = run.params.keys() - entry.data.params.keys()
        if missing:  # of a session that ended amid the first batch
            named = {name: run.params[name] for name in sorted(missing)}
            self.tell_params(entry.info.run_id, named)
        known = KnownRun(entry.info.run_id, entry.info.start_time)
        known.is_ended = entry.info.status in ENDED.values()
        known.tags = {
            name.removeprefix("smallvision."): value for name, value in entry.data.tags.items()
        }
        for name in entry.data.metrics:
            history = self.client.get_metric_history(known.id, name)
            known.told.update(((name, point.step), point.value) for point in history)
        return known

    def tell_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Tell settings of a run."""
        entries = [self.entities.Param(name, value) for name, value in params.items()]
        self.client.log_batch(run_id, params=entries)

    def find_experiment(self, name: str) -> str:
        """The experiment of a name, made if there is none."""
        if name not in self.experiments:
            there = self.client.get_experiment_by_name(name)
            self.experiments[name] = (
                there.experiment_id if there is not None else self.client.create_experiment(name)
            )
        return self.experiments[name]

    def tell(self, known: KnownRun, figures: Mapping[str, float], step: int, moment: int) -> None:
        """Tell figures of a step, if there are any."""
        if figures:
            new = [
                self.entities.Metric(name, value, moment, step) for name, value in figures.items()
            ]
            self.client.log_batch(known.id, metrics=new)
            known.told.update(((name, step), value) for name, value in figures.items())


class KnownRun:
    """What a server is known to have of a run.

    Args:
        id: of the run on the server.
        began: milliseconds since 1970.
    """

    def __init__(self, id: str, began: int) -> None:  # noqa: A002 - MLflow's own word
        self.id, self.began = id, began
        self.told: dict[tuple[str, int], float] = {}
        self.tags: dict[str, str] = {}
        self.is_ended = False
