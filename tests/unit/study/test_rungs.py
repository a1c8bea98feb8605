"""The work on a rung whose settings are tuned first."""

from __future__ import annotations

import errno
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from smallvision.comparison.groups import compare_groups, expand_study
from smallvision.data.dataset import DataSet
from smallvision.errors import RecordError
from smallvision.predict import load_model
from smallvision.recipes import Recipe, Rung, override, read_run_recipe
from smallvision.records import store
from smallvision.records.files import read_npz
from smallvision.records.layout import STUDY, list_repeats
from smallvision.runs.job import Job
from smallvision.runs.repeats import repeat_run
from smallvision.runs.train import run_recipe
from smallvision.study import rungs
from smallvision.study.context import StudyContext
from smallvision.study.ladder import cut_ladder
from smallvision.study.plan import StudyPlan
from smallvision.tuning.tune import SearchOptions
from tests.support.records import make_rate, make_rung_record, make_study_record
from tests.support.runs import make_job
from tests.support.study_folder import make_budget
from tests.support.tuning import make_mlp_recipe, make_trial, make_tuning_record


def make_context(dataset: DataSet, folder: Path, seeds: int = 1) -> StudyContext:
    """A study whose trials have a third of a run's epochs."""
    plan = StudyPlan(seeds=seeds)
    ladder = cut_ladder(plan)
    scale = replace(ladder.scale, trials=2)
    return StudyContext(make_job(dataset, folder), plan, replace(ladder, scale=scale))


def make_tuned_rung(base: Recipe) -> Rung:
    """The rung `tuned` on a rung of this recipe."""
    tuned = base.model_copy(update={"name": "tuned"})
    return Rung("tuned", "?", "-", ("mlp",), lambda same: same, tuned, base="mlp", work="tune")


def pretend_search(monkeypatch: pytest.MonkeyPatch, winner: Recipe) -> None:
    """Let every search take 7 seconds and find this recipe."""
    record = make_tuning_record(make_trial(0, seconds=3.0), make_trial(1, seconds=4.0))
    monkeypatch.setattr(rungs, "tune_recipe", lambda *_: record)
    monkeypatch.setattr(rungs, "best_recipe", lambda *_: winner)


@pytest.mark.parametrize(("whole", "trial"), [(1, 1), (2, 2), (4, 2), (12, 4)])
def test_a_trial_is_never_longer_than_the_run(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int, trial: int
) -> None:
    asked = []

    def ask(recipe: Recipe, job: Job, options: SearchOptions) -> Any:
        asked.append((recipe.name, job.folder, options.epochs, options.trials))
        raise KeyboardInterrupt

    monkeypatch.setattr(rungs, "tune_recipe", ask)
    schedule = {"name": "cosine", "warmup_epochs": 0.5}
    rung = make_tuned_rung(make_mlp_recipe(name="mlp", epochs=whole, schedule=schedule))
    with pytest.raises(KeyboardInterrupt):
        rungs.tune_rung(rung, make_context(dataset, tmp_path))
    assert asked == [("mlp", tmp_path / "runs" / "tuned" / "tune", trial, 2)]


def test_a_winner_is_trained_with_a_fresh_seed(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, context = make_mlp_recipe(name="mlp"), make_context(dataset, tmp_path, seeds=2)
    run_recipe(base, context.job_of("mlp"))
    pretend_search(monkeypatch, override(base, ["optimizer.lr=0.007"]))
    status = rungs.tune_rung(make_tuned_rung(base), context)
    assert (status.name, status.search_seconds) == ("tuned", 7.0)
    assert status.seconds > 0
    (caveat,) = status.caveats
    assert "tuned were chosen on these validation images" in caveat
    run = context.folder_of("tuned")
    written = read_run_recipe(run)
    assert (written.optimizer.lr, written.seed) == (0.007, base.seed + 1)
    assert len(list_repeats(run)) == 1
    study = make_study_record(make_rung_record("mlp"), make_rung_record("tuned"))
    store.write(tmp_path / STUDY, study)
    assert {group.name for group in compare_groups([tmp_path]).groups} == {"mlp", "tuned"}


def test_a_search_that_found_nothing_better_trains_nothing(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, context = make_mlp_recipe(name="mlp"), make_context(dataset, tmp_path, seeds=2)
    first = run_recipe(base, context.job_of("mlp"))
    repeat_run(base, context.job_of("mlp"), 2)
    pretend_search(monkeypatch, base)
    rung = make_tuned_rung(base)
    status = rungs.tune_rung(rung, context)
    assert (status.name, status.search_seconds, status.seconds) == ("tuned", 7.0, 0.0)
    assert (status.val, status.caveats) == (first.val, ())
    assert "No trial beat the settings of mlp" in status.notes[-1]
    runs = [context.folder_of(name) for name in ("mlp", "tuned")]
    assert read_run_recipe(runs[1]) == rung.recipe
    assert len(list_repeats(runs[1])) == 1
    val = [*(read_npz(run / "predictions" / "val.npz", "probabilities")[0] for run in runs)]
    assert np.array_equal(*val)
    assert load_model(runs[0]).fingerprint == load_model(runs[1]).fingerprint
    study = make_study_record(make_rung_record("mlp"), make_rung_record("tuned"))
    store.write(tmp_path / STUDY, study)
    assert expand_study(tmp_path) == [runs[0]], "one run is not two contenders"


def test_a_full_disk_amid_adoption_is_one_line(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    base = make_mlp_recipe(name="mlp")
    run_recipe(base, make_job(dataset, tmp_path / "mlp"))
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RecordError, match="No space left on device"):
        rungs.adopt_run(tmp_path / "mlp", tmp_path / "tuned", make_tuned_rung(base), "note")


def test_without_the_run_it_would_adopt_it_trains(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_mlp_recipe(name="mlp")
    pretend_search(monkeypatch, base)
    status = rungs.tune_rung(make_tuned_rung(base), make_context(dataset, tmp_path))
    assert status.seconds > 0


@pytest.mark.parametrize(
    ("errors", "named", "is_timed", "is_left_out"),
    [
        (5, False, True, True),
        (0, False, True, True),
        (6, False, True, False),
        (5, True, True, False),
        (5, False, False, False),
    ],
)
def test_a_rung_that_could_win_nothing_is_left_out(
    tmp_path: Path,
    dataset: DataSet,
    monkeypatch: pytest.MonkeyPatch,
    errors: int,
    named: bool,
    is_timed: bool,
    is_left_out: bool,
) -> None:
    val = make_rate(accuracy=1 - errors / 287, n=287)
    monkeypatch.setattr(rungs, "find_judged", lambda _: SimpleNamespace(val=val))
    context = make_context(dataset, tmp_path)
    if is_timed:
        context = replace(context, budget=make_budget(("mlp", "tuned")))
    if named:
        context = replace(context, plan=replace(context.plan, rungs=("mlp", "tuned")))
    outcome = (
        pytest.raises(rungs.NotWorthwhileError, match=f"mlp is wrong on {errors} of 287 validation")
        if is_left_out
        else nullcontext()
    )
    with outcome:
        rungs.check_room(make_tuned_rung(make_mlp_recipe(name="mlp")), context)
