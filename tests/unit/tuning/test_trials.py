"""One trial of a search: its length, its end, and the time it took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smallvision.data.dataset import DataSet
from smallvision.errors import FailedRunError
from smallvision.recipes import Recipe
from smallvision.records import store
from smallvision.records.layout import METRICS, read_status
from smallvision.records.schema import UnfinishedRun
from smallvision.runs.job import Job
from smallvision.tuning import trials
from smallvision.tuning.trials import TrialReporter, default_epochs, trial_folder
from tests.support.runs import read_metrics
from tests.support.tuning import make_mlp_recipe, tune_tiny


@pytest.mark.parametrize(("whole", "trial"), [(1, 1), (2, 2), (4, 2), (12, 4)])
def test_a_trial_is_never_longer_than_the_run(whole: int, trial: int) -> None:
    recipe = make_mlp_recipe(epochs=whole, schedule={"name": "cosine", "warmup_epochs": 0.5})
    assert default_epochs(recipe) == trial


def test_a_trial_that_falls_behind_is_pruned(dataset: DataSet, tmp_path: Path) -> None:
    record = tune_tiny(dataset, tmp_path, trials=10, epochs=4)
    pruned = [trial for trial in record.trials if trial.state == "pruned"]
    assert pruned
    for trial in pruned:
        run = trial_folder(tmp_path, trial.number)
        status = read_status(run)
        assert trial.epochs < 4
        assert isinstance(status, UnfinishedRun)
        assert (status.status, status.error) == ("pruned", trial.note)
        assert len(read_metrics(run)) == trial.epochs
        assert f"after epoch {trial.epochs}" in str(trial.note)


def test_a_diverged_trial_does_not_end_the_search(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_run = trials.run_recipe

    def diverge(recipe: Recipe, job: Job) -> Any:
        if job.folder.name == "001":
            raise FailedRunError("the loss is nan")
        return true_run(recipe, job)

    monkeypatch.setattr(trials, "run_recipe", diverge)
    record = tune_tiny(dataset, tmp_path, trials=3)
    assert [trial.state == "failed" for trial in record.trials] == [False, True, False]
    assert record.trials[1].note == "the loss is nan"
    assert record.trials[1].accuracy is None


def test_a_trial_costs_all_its_sittings(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(self: TrialReporter, epoch: int, *_: Any) -> None:
        if self.trial.number == 0 and epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrialReporter, "on_step", kill)
        with pytest.raises(KeyboardInterrupt):
            tune_tiny(dataset, tmp_path, trials=3)
    run = trial_folder(tmp_path, 0)
    (metrics,) = read_metrics(run)
    store.write_lines(run / METRICS, [metrics.change(seconds=5_000.0)])
    record = tune_tiny(dataset, tmp_path, trials=3, budget_seconds=4_000)
    assert record.trials[0].seconds > 5_000
    assert len(record.trials) == 2, "the budget knows of the earlier session"
