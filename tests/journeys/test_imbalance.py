"""Classes of unlike sizes, from the first command to the report.

Users of other packages ask how to see and to answer it: scikit-learn/scikit-learn#6747.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from smallvision import api as sv
from smallvision.records import store
from smallvision.records.layout import TUNE, read_status
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import EpochMetrics, StudyRecord, TuningRecord, ValidatedRun
from tests.support.commands import FAST, Outcome, assert_refused, call_command
from tests.support.images import make_images

Call = Callable[..., Outcome]
COUNTS = (160, 40, 25)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An npz of three classes, the largest over six times the smallest, with test images."""
    path = tmp_path_factory.mktemp("uneven") / "uneven.npz"
    parts = {}
    for part, seed in (("train", 0), ("test", 1)):
        labels = np.repeat(np.arange(3), COUNTS)
        pixels = np.random.default_rng(seed).integers(0, 200, (len(labels), 1, 8, 8))
        pixels[np.arange(len(labels)), :, labels] += 50  # a row that is a little brighter
        parts |= {f"x_{part}": pixels.astype(np.uint8), f"y_{part}": labels}
    np.savez(path, **parts)
    return path


@pytest.fixture(scope="module")
def study(uneven: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A study of two rungs, chosen by balanced accuracy."""
    out = tmp_path_factory.mktemp("study") / "study"
    options = ("--rungs", "linear,mlp", "--folds", "1", "--metric", "balanced_accuracy", "--json")
    outcome = call_command("study", uneven, "--out", out, *options, *FAST)
    assert outcome.code == 0, outcome.err
    return out, outcome


def test_the_exploration_says_what_to_do(smallvision: Call, uneven: Path) -> None:
    outcome = smallvision("explore", uneven, "--no-page")
    assert outcome.code == 0, outcome.err
    said = " ".join(outcome.out.split())
    assert "6.4 times the images of the smallest" in said
    assert "--metric" in said
    assert "class_weights=balanced" in said


def test_figures_by_class_stand_beside_every_accuracy_of_a_study(
    study: tuple[Path, Outcome],
) -> None:
    folder, outcome = study
    record = store.read(folder / "study.json", StudyRecord)
    assert record.goal.maximise == "val_balanced_accuracy"
    assert "metric=balanced_accuracy" in record.settings
    assert "validation balanced accuracy" in str(record.best_reason)
    for rung in outcome.json["rungs"]:
        if rung["status"] == "done":
            assert 0 < rung["val_balanced_accuracy"] <= 1
            assert 0 < rung["val_macro_f1"] <= 1
    said = " ".join(outcome.err.split())
    assert "balanced %" in said
    assert "F1 %" in said
    assert "With every class counted alike" in said
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("balanced accuracy ") >= 4
    assert "Find the highest validation balanced accuracy" in page


def test_a_study_cannot_change_its_metric_on_the_way(
    smallvision: Call, study: tuple[Path, Outcome], uneven: Path
) -> None:
    """The metric moved after the results would be no metric."""
    folder, _ = study
    options = ("--rungs", "linear,mlp", "--folds", "1", "--metric", "macro_f1")
    outcome = smallvision("study", uneven, "--out", folder, "--resume", *options, *FAST)
    assert_refused(outcome, "begun with another --set")


def test_an_epoch_is_chosen_by_the_metric(uneven: Path, tmp_path: Path) -> None:
    run = sv.train(
        uneven,
        "mlp",
        out=tmp_path / "run",
        metric="balanced_accuracy",
        settings=("epochs=5", "compute.threads=1", "stopping.patience=0", "tta.mirror=false"),
    )
    status = run.status
    assert isinstance(status, ValidatedRun)
    scores = [line.val_score for line in run.metrics]
    assert None not in scores
    kept = run.metrics[status.best_epoch - 1]
    assert kept.val_score == max(score for score in scores if score is not None)
    assert status.val.by_class is not None
    assert status.val.by_class.balanced_accuracy == pytest.approx(kept.val_score, abs=1e-6)
    assert "balanced accuracy" in repr(run)


@pytest.mark.parametrize("setting", ["class_weights=balanced", "sampling=balanced"])
def test_small_classes_can_be_made_to_count_more(
    uneven: Path, tmp_path: Path, setting: str
) -> None:
    """A network that has learnt little names the large class, unless small ones count more."""
    settings = ("epochs=1", "compute.threads=1", "batch_size=16")
    named = []
    for name, more in (("plain", ()), ("other", (setting,))):
        run = sv.train(uneven, "linear", out=tmp_path / name, settings=(*settings, *more))
        said = read_predictions(run.folder).probabilities.argmax(axis=1)
        named.append(int((said > 0).sum()))
    assert named[1] > named[0] + 5


def test_classes_are_not_balanced_twice(smallvision: Call, uneven: Path, tmp_path: Path) -> None:
    both = ("--set", "class_weights=balanced", "--set", "sampling=balanced")
    outcome = smallvision("train", uneven, "linear", "--out", tmp_path / "run", *both)
    assert_refused(outcome, "say balanced for one")


def test_a_search_maximises_the_metric(uneven: Path, tmp_path: Path) -> None:
    out, settings = tmp_path / "search", ("epochs=2", "compute.threads=1")
    tuned = sv.tune(
        uneven,
        "linear",
        out=out,
        trials=2,
        seeds=0,
        metric="macro_f1",
        settings=settings,
    )
    record = store.read(out / TUNE, TuningRecord)
    assert tuned.record == record
    assert record.metric == "val_macro_f1"
    for trial in record.trials:
        status = read_status(out / "trials" / f"{trial.number:03d}")
        if isinstance(status, ValidatedRun):
            assert trial.accuracy == status.val.score("macro_f1") != status.val.accuracy
    # The search goes on from what the trials said.
    again = sv.tune(
        uneven,
        "linear",
        out=out,
        trials=3,
        seeds=0,
        metric="macro_f1",
        settings=settings,
        resume=True,
    )
    assert len(again.record.trials) == 3


def test_runs_are_compared_by_class_too(smallvision: Call, study: tuple[Path, Outcome]) -> None:
    outcome = smallvision("compare", study[0])
    assert outcome.code == 0, outcome.err
    assert "balanced %" in outcome.out


@pytest.mark.parametrize("command", ["train", "study", "tune"])
def test_an_unknown_metric_is_refused(smallvision: Call, command: str) -> None:
    outcome = smallvision(command, "digits", "--metric", "auc")
    assert outcome.code == 2
    assert "balanced_accuracy" in outcome.err


def test_even_classes_have_no_further_figures(smallvision: Call, tmp_path: Path) -> None:
    images = make_images(120)
    np.savez(tmp_path / "even.npz", x=images.images, y=images.labels)
    outcome = smallvision("train", tmp_path / "even.npz", "linear", "--out", tmp_path / "r", *FAST)
    assert outcome.code == 0, outcome.err
    assert "balanced accuracy" not in outcome.out
    lines = store.read_lines(tmp_path / "r" / "metrics.jsonl", EpochMetrics)
    assert all(line.val_score is None for line in lines)
