"""In how many folds rungs are judged, and a rung's runs on the other folds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.folds import make_folds
from smallvision.errors import FailedRunError, SettingError
from smallvision.predict import load_model
from smallvision.records import store
from smallvision.records.layout import FOLDS_RECORD, VERDICTS, list_folds
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import FoldSummary, LadderVerdicts, Limits
from smallvision.runs.finished_run import find_judged, find_validated
from smallvision.runs.job import Job
from smallvision.runs.refit import refit_run
from smallvision.runs.train import run_recipe
from smallvision.stats.probabilities.calibration import fit_temperature, take_logs
from smallvision.study.climb import do_work
from smallvision.study.context import StudyContext
from smallvision.study.folds import cross_validate, settle_folds
from smallvision.study.ladder import cut_ladder
from smallvision.study.plan import StudyPlan
from smallvision.study.rungs import WORK
from smallvision.study.study_record import StudyFile
from smallvision.study.winner import conclude
from smallvision.training import Callback
from tests.support.comparisons import write_folds
from tests.support.images import make_dataset, make_images
from tests.support.records import make_rung_record, make_study_record
from tests.support.runs import Interrupt, make_recipe, read_bits

RECIPE = make_recipe(epochs=2, model={"name": "mlp", "hidden": [4]}, augment=["flip"])


def make_context(dataset: DataSet, folder: Path, *callbacks: Callback) -> StudyContext:
    """A study in three folds."""
    plan = StudyPlan(folds=3)
    folds = make_folds(dataset.train, 3)
    job = Job(dataset, folds[0], folder, *callbacks)
    return StudyContext(job, plan, cut_ladder(plan), folds)


def train_folds(context: StudyContext) -> Any:
    """Train a rung on all folds."""
    job = context.job_of("mlp")
    run_recipe(RECIPE, job)
    return cross_validate(partial(run_recipe, RECIPE), job, context)


@pytest.mark.parametrize(
    ("plan", "count", "val", "expected", "said"),
    [
        (StudyPlan(), 1_999, None, (5, True), "in 5 folds, since there are 1,999 labelled images."),
        (StudyPlan(), 2_000, None, (1, False), "on one split, since there are 2,000"),
        (StudyPlan(folds=3), 2_000, None, (3, True), "in 3 folds, as asked for."),
        (StudyPlan(folds=1), 300, None, (1, False), "on one split, as asked for."),
        (StudyPlan(dry_run=True), 300, None, (2, True), "in 2 folds, since there are 300"),
        (StudyPlan(seeds=2), 300, None, (1, False), "since --seeds repeats the rungs on it."),
        (StudyPlan(), 300, 60, (1, False), "the data have validation images of their own."),
        (StudyPlan(refit=False), 300, None, (5, False), "in 5 folds"),
        (StudyPlan(folds=1, refit=True), 300, None, (1, True), "on one split"),
    ],
)
def test_few_images_are_judged_in_five_folds(
    plan: StudyPlan, count: int, val: int | None, expected: tuple[int, bool], said: str
) -> None:
    dataset = make_dataset(count)
    if val is not None:
        dataset = replace(dataset, val=make_images(val, seed=1))
    settled, sentence = settle_folds(plan, dataset)
    assert (settled.folds, settled.refit) == expected
    assert said in sentence


@pytest.mark.parametrize("folds", [0, -1, 101])
def test_folds_have_a_range(folds: int) -> None:
    with pytest.raises(SettingError, match=f"folds is {folds}; expected 1 to 100"):
        StudyPlan(folds=folds)


def test_folds_and_seeds_are_two_ways() -> None:
    assert StudyPlan(folds=1, seeds=3).seeds == 3
    with pytest.raises(SettingError, match="give one of the two"):
        StudyPlan(folds=2, seeds=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> StudyContext:
    """A rung that was trained on three folds without interruption."""
    context = make_context(make_dataset(), tmp_path_factory.mktemp("folds"))
    train_folds(context)
    return context


def test_the_figures_are_those_of_all_images(made: StudyContext) -> None:
    run = made.folder_of("mlp")
    found = [read_predictions(fold) for fold in list_folds(run).values()]
    assert np.array_equal(np.sort(np.concatenate([one.indices for one in found])), np.arange(120))
    labels = made.job.dataset.train.labels
    hits = sum(
        int((one.probabilities.argmax(axis=1) == labels[one.indices]).sum()) for one in found
    )
    judged, first = find_judged(run), find_validated(run)[1]
    assert (judged.val.n, judged.val.accuracy) == (120, hits / 120)
    assert (first.val.n, judged.seconds) == (39, first.seconds)
    trained = [find_validated(fold)[1].train.accuracy for fold in list_folds(run).values()]
    assert judged.train.accuracy == pytest.approx(np.mean(trained))
    assert judged.gap == judged.train.accuracy - judged.val.accuracy


def test_no_network_has_seen_the_images_it_answers(made: StudyContext) -> None:
    """What is trained on is what the split of the fold says, and so is what is answered."""
    run = made.folder_of("mlp")
    for number, place in list_folds(run).items():
        split = made.folds[number - 1]
        assert np.array_equal(read_predictions(place).indices, split.val)
        pixels = made.job.dataset.train.images[split.train] / 255
        assert load_model(place).mean == pytest.approx([pixels.mean()], abs=1e-6)


def test_one_temperature_is_fitted_on_all_folds(made: StudyContext, tmp_path: Path) -> None:
    run = made.folder_of("mlp")
    logits, labels = [], []
    for place in list_folds(run).values():
        one = read_predictions(place)
        own = find_validated(place)[1].calibration.temperature
        logits.append(take_logs(one.probabilities) * own)
        labels.append(one.labels)
    pooled = fit_temperature(np.concatenate(logits), np.concatenate(labels))
    refit = refit_run(run, made.job.at(tmp_path / "refit"))
    status = find_validated(refit)[1]
    assert load_model(refit).temperature == pytest.approx(pooled, rel=1e-4)
    assert status.calibration.temperature != find_validated(run)[1].calibration.temperature
    assert (status.val, status.train.n) == (find_judged(run).val, 120)


class InterruptSecond(Interrupt):
    """Interrupts the second run that gets that far: that of fold 2."""

    def __init__(self, epoch: int) -> None:
        super().__init__(epoch)
        self.runs = 0

    def on_step(self, epoch: int, step: int, loss: Any, lr: float) -> None:
        if epoch == self.epoch + 1 and step == 2:
            self.runs += 1
            if self.runs == 2:
                raise KeyboardInterrupt


def test_an_interrupted_fold_comes_to_the_same_bits(made: StudyContext, tmp_path: Path) -> None:
    dataset = made.job.dataset
    with pytest.raises(KeyboardInterrupt):
        train_folds(make_context(dataset, tmp_path, InterruptSecond(1)))
    run = tmp_path / "runs" / "mlp"
    assert list(list_folds(run)) == [1]
    assert not (run / "folds.json").exists()
    assert (run / "folds" / "2" / "checkpoints" / "paused").exists()
    record = train_folds(make_context(dataset, tmp_path))
    assert record.folds == (1, 2, 3)
    whole = list_folds(made.folder_of("mlp"))
    for number, place in list_folds(run).items():
        assert read_bits(place)["metrics"] == read_bits(whole[number])["metrics"]
        assert load_model(place).fingerprint == load_model(whole[number]).fingerprint
    weights = run / "folds" / "2" / "model" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    assert train_folds(make_context(dataset, tmp_path)) == record
    assert weights.stat().st_mtime_ns == before, "a finished fold stays what it is"


def test_a_failed_fold_is_named_and_counted_nowhere(made: StudyContext, tmp_path: Path) -> None:
    context = make_context(made.job.dataset, tmp_path)
    job = context.job_of("mlp")
    run_recipe(RECIPE, job)

    def fail_second(fold: Job) -> Any:
        if fold.folder.name == "2":
            raise FailedRunError("the loss is NaN")
        return run_recipe(RECIPE, fold)

    record = cross_validate(fail_second, job, context)
    assert record is not None
    assert (record.folds, record.failed, record.val.n) == ((1, 3), (2,), 79)
    assert len(record.accuracies) == 2


def test_without_folds_there_is_no_record(made: StudyContext, tmp_path: Path) -> None:
    context = replace(make_context(made.job.dataset, tmp_path), folds=())
    assert train_folds(context) is None
    assert not (context.folder_of("mlp") / "folds.json").exists()
    assert find_judged(context.folder_of("mlp")).val.n == 39


def test_the_winner_is_the_best_on_all_folds(tmp_path: Path) -> None:
    """`wrn` was lucky with its first fold."""
    context = make_context(make_dataset(), tmp_path)
    write_folds(context.folder_of("mlp"), 30, 36, 36)
    write_folds(context.folder_of("wrn"), 38, 20, 20)
    file = StudyFile(tmp_path, make_study_record(make_rung_record("mlp"), make_rung_record("wrn")))
    conclude(context, file)
    assert file.record.best == "mlp"
    assert file.record.best_reason is not None
    assert file.record.best_reason.startswith("highest cross-validated accuracy")
    (step,) = store.read(tmp_path / VERDICTS, LadderVerdicts).steps
    assert (step.rung, step.n, step.folds) == ("wrn", 120, 3)


@pytest.mark.parametrize(("limit", "allowed"), [(0.05, False), (0.15, True)])
def test_limits_are_kept_or_broken_by_all_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float, allowed: bool
) -> None:
    """The gap of the first fold is 0, that of all folds 0.1."""
    plan = StudyPlan(folds=3, limits=Limits(gap=limit))
    context = replace(make_context(make_dataset(), tmp_path), plan=plan)
    run = write_folds(context.folder_of("mlp"), 36, 36, 36)
    record = store.read(run / FOLDS_RECORD, FoldSummary)
    store.write(run / FOLDS_RECORD, record.change(train=record.train.change(accuracy=1.0)))
    monkeypatch.setitem(WORK, "train", lambda *_: find_validated(run)[1])
    status = do_work(context.ladder.rungs[1], context)
    assert (status.within_limits, status.gap) == (allowed, pytest.approx(0.1))
    written = find_validated(run)[1]
    assert (written.within_limits, written.gap) == (allowed, 0.0)
