"""The choice of the winner among finished rungs, and the verdicts on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.comparison.verdicts import compare_runs
from smallvision.recipes import parse_recipe
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.layout import SEEDS_RECORD, STATUS, VERDICTS
from smallvision.records.predictions import Predictions, write_predictions
from smallvision.records.schema import (
    ClassMeans,
    ClassMeansDifference,
    LadderVerdicts,
    Limits,
    Rate,
    SeedSummary,
    ValidatedRun,
    Verdict,
    VerdictWord,
)
from smallvision.study.context import StudyContext
from smallvision.study.ladder import cut_ladder
from smallvision.study.plan import StudyPlan
from smallvision.study.study_record import StudyFile
from smallvision.study.winner import choose_best, choose_cheapest, conclude, read_finished
from tests.support.comparisons import write_finished_run
from tests.support.images import make_dataset
from tests.support.records import make_rate, make_rung_record, make_status, make_study_record
from tests.support.runs import make_job
from tests.support.study_records import make_verdict


def status(accuracy: float, loss: float = 0.3, **changes: Any) -> ValidatedRun:
    return make_status(val=make_rate(accuracy, loss=loss), **{"gap": 0.0, **changes})


def test_the_best_within_the_limits_wins() -> None:
    statuses = {"a": status(0.9, gap=0.2), "b": status(0.8), "c": status(0.7)}
    assert choose_best(statuses, Limits(gap=0.1)) == "b"
    assert choose_best(statuses, Limits(gap=None)) == "a"


def test_without_any_within_the_limits_the_best_of_all_wins() -> None:
    statuses = {"a": status(0.9, gap=0.3), "b": status(0.8, gap=0.2)}
    assert choose_best(statuses, Limits(gap=0.1)) == "a"
    assert choose_best({}, Limits()) is None


def test_equal_accuracies_are_decided_by_the_loss() -> None:
    assert choose_best({"a": status(0.9, loss=0.4), "b": status(0.9, loss=0.3)}, Limits()) == "b"


def test_the_cheapest_of_equals_wins() -> None:
    """What seems more than a point worse is no equal, whatever a test on few images says."""
    costs = {"best": 9, "equal": 5, "other": 7, "worse": 1, "unsure": 1}

    def judge(verdict: VerdictWord, difference: float) -> Verdict:
        return make_verdict("a", "b", verdict=verdict, difference=difference)

    verdicts = {
        "equal": judge("cannot tell apart", -0.01),
        "other": judge("cannot tell apart", 0.0),
        "worse": judge("worse", -0.005),
        "unsure": judge("cannot tell apart", -0.02),
    }
    assert choose_cheapest("best", costs.__getitem__, verdicts) == "equal"
    assert choose_cheapest("best", costs.__getitem__, {"worse": verdicts["worse"]}) == "best"
    costs["best"] = 2
    assert choose_cheapest("best", costs.__getitem__, verdicts) == "best"


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        (Limits(), True),
        (Limits(gap=0.04), False),
        (Limits(gap=0.05), True),
        (Limits(parameters=999), False),
        (Limits(latency_seconds=0.001), False),
        (Limits(gap=None), True),
    ],
)
def test_limits_decide_who_may_win(limits: Limits, allowed: bool) -> None:
    known = make_status(gap=0.05, parameters=1000, latency_seconds=0.01)
    assert limits.allow(known) is allowed
    assert limits.allow(known.change(gap=1.0)) is (limits == Limits(gap=None))


@pytest.fixture
def context(tmp_path: Path) -> StudyContext:
    """A study in which `wrn` and `wrn-aug` are finished, the second one with the larger gap."""
    plan = StudyPlan(limits=Limits(gap=0.1))
    context = StudyContext(make_job(make_dataset(), tmp_path), plan, cut_ladder(plan))
    for name, right, gap in (("wrn", 320, 0.0), ("wrn-aug", 360, 0.05)):
        recipe = parse_recipe({"name": name})
        write_finished_run(context.folder_of(name), np.arange(400) < right, recipe, gap=gap)
    return context


def open_file(context: StudyContext, **changes: Any) -> StudyFile:
    """The study's record: `wrn-cutmix` failed between the two that are finished."""
    rungs = (
        make_rung_record("wrn"),
        make_rung_record("wrn-cutmix", status="failed"),
        make_rung_record("wrn-aug", builds_on=None),
    )
    return StudyFile(context.job.folder, make_study_record(*rungs, **changes))


def test_means_over_seeds_decide_and_the_first_keeps_the_limits(context: StudyContext) -> None:
    """The one that will be used is the first."""
    run = context.folder_of("wrn")
    known = store.read(run / STATUS, ValidatedRun)
    store.write(make_folder(run / "seeds/1") / STATUS, known.change(gap=0.4))
    summary = SeedSummary(
        seeds=(0, 1), accuracies=(0.9, 1.0), failed=(), mean=0.95, std=0.07, interval=(0.9, 1.0),
        n=400,
    )  # fmt: skip
    store.write(run / SEEDS_RECORD, summary)
    finished = read_finished(context, open_file(context))
    assert list(finished) == ["wrn", "wrn-aug"]
    assert finished["wrn"].val.accuracy == 0.95
    assert choose_best(finished, Limits(gap=0.1)) == "wrn"


def test_the_choice_and_its_verdicts_are_written(context: StudyContext) -> None:
    file = open_file(context)
    conclude(context, file)
    assert file.record.best == "wrn-aug"
    assert "within every limit" in str(file.record.best_reason)
    assert store.read(file.path, type(file.record)) == file.record
    verdicts = store.read(context.job.folder / VERDICTS, LadderVerdicts)
    assert [(step.rung, step.against) for step in verdicts.steps] == [("wrn-aug", "wrn")]
    (against,) = verdicts.against_best
    assert (against.rung, against.against, against.verdict) == ("wrn", "wrn-aug", "worse")
    assert verdicts.winner_choice is not None
    assert verdicts.winner_choice.rungs == 2


def test_it_is_said_when_no_rung_keeps_the_limits(context: StudyContext) -> None:
    strict = StudyContext(context.job, StudyPlan(limits=Limits(parameters=1)), context.ladder)
    file = open_file(strict)
    conclude(strict, file)
    assert file.record.best == "wrn-aug"
    assert "no rung is within every limit" in str(file.record.best_reason)


def test_only_rungs_within_the_limits_could_have_won(context: StudyContext) -> None:
    strict = StudyContext(context.job, StudyPlan(limits=Limits(gap=0.01)), context.ladder)
    file = open_file(strict)
    conclude(strict, file)
    assert file.record.best == "wrn"
    choice = store.read(context.job.folder / VERDICTS, LadderVerdicts).winner_choice
    assert choice is not None
    assert choice.rungs == 1


def test_a_finished_study_keeps_its_winner(context: StudyContext) -> None:
    """The test set has been opened for it."""
    file = open_file(context, best="wrn", finished="2026-11-22T15:00:00+00:00")
    conclude(context, file)
    assert file.record.best == "wrn"


def test_a_study_without_a_finished_rung_has_no_winner(context: StudyContext) -> None:
    failed = make_study_record(make_rung_record("wrn", status="failed"))
    file = StudyFile(context.job.folder, failed)
    conclude(context, file)
    assert (file.record.best, file.record.best_reason) == (None, "no rung was finished")
    assert not (context.job.folder / VERDICTS).exists()


def rate_by_class(accuracy: float, balanced: float) -> Rate:
    means = ClassMeans(balanced_accuracy=balanced, macro_f1=1 - balanced, imbalance=9.0)
    return make_rate(accuracy).change(by_class=means)


def test_the_metric_of_the_plan_chooses() -> None:
    statuses = {
        "large": make_status(val=rate_by_class(0.95, 0.5), gap=0.0),
        "fair": make_status(val=rate_by_class(0.9, 0.8), gap=0.0),
    }
    assert choose_best(statuses, Limits()) == "large"
    assert choose_best(statuses, Limits(), "balanced_accuracy") == "fair"
    assert choose_best(statuses, Limits(), "macro_f1") == "large"


def test_an_equal_is_one_in_the_metric_that_chose() -> None:
    """The first is as accurate and worse by class; the second is the other way round."""

    def judge(balanced: float, **changes: Any) -> Verdict:
        found = ClassMeansDifference(
            balanced_accuracy=balanced,
            balanced_accuracy_interval=(balanced - 0.02, balanced + 0.02),
            macro_f1=0.0,
            macro_f1_interval=(-0.1, 0.1),
        )
        return make_verdict("a", "b", **changes).change(by_class=found)

    verdicts = {
        "accurate": judge(-0.1, verdict="cannot tell apart", difference=0.0),
        "fair": judge(-0.005, verdict="worse", difference=-0.1),
    }
    costs = {"best": 9, "accurate": 1, "fair": 2}
    assert choose_cheapest("best", costs.__getitem__, verdicts) == "accurate"
    assert choose_cheapest("best", costs.__getitem__, verdicts, "balanced_accuracy") == "fair"


def test_a_winner_by_class_is_said_to_be_one(context: StudyContext) -> None:
    for name, means in (("wrn", 0.9), ("wrn-aug", 0.6)):
        path = context.folder_of(name) / STATUS
        known = store.read(path, ValidatedRun)
        store.write(path, known.change(val=rate_by_class(known.val.accuracy, means)))
    plan = replace(context.plan, metric="balanced_accuracy", prefer="best")
    file = open_file(context)
    conclude(replace(context, plan=plan), file)
    assert file.record.best == "wrn"
    assert "highest validation balanced accuracy" in str(file.record.best_reason)


def test_verdicts_tell_the_difference_by_class(tmp_path: Path) -> None:
    """The second run is right on fewer images, and on more of the small class."""
    labels = np.repeat([0, 1], [90, 10])
    for name, right in (("large", labels == 0), ("fair", (labels == 1) | (np.arange(100) < 70))):
        folder = write_finished_run(tmp_path / name, right, parse_recipe({"name": name}))
        said = np.where(right, labels, 1 - labels)
        found = Predictions(np.arange(100), labels, np.eye(2, dtype=np.float32)[said])
        write_predictions(folder, found)
    verdict = compare_runs(tmp_path / "fair", tmp_path / "large")
    assert verdict.difference == pytest.approx(-0.1)
    assert verdict.by_class is not None
    assert verdict.by_class.balanced_accuracy == pytest.approx((70 / 90 + 1 - 1) / 2)
    assert "With every class counted alike it differs in balanced accuracy by" in verdict.sentence
