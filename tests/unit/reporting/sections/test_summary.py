from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.records.schema import ClassMeans, Goal, Limits, NearDuplicates
from smallvision.reporting.sections import summary
from smallvision.reporting.view import RungView, RunView, StudyView
from tests.support.records import OTHER_HASH
from tests.support.study_folder import CHOICE, make_opening
from tests.support.views import (
    change_record,
    change_rung_record,
    change_rungs,
    change_status,
    change_step,
    change_test,
)


def with_states(study: StudyView, *states: str) -> StudyView:
    """The study without a winner, its rungs in other states."""
    rungs = tuple(
        change_rung_record(rung, status=state)
        for rung, state in zip(study.rungs, states, strict=True)
    )
    begun = change_record(study, best=None, best_reason=None)
    return replace(begun, rungs=rungs, test=None, openings=())


def test_headline_of_a_finished_study(study: StudyView) -> None:
    line = summary.write_headline(study)
    assert (line.before, line.after) == ("wrn-aug classifies", "of unseen images correctly.")
    assert "1,250 test images that were used neither to fit nor to choose." in line.support


def test_headline_before_the_test(study: StudyView) -> None:
    line = summary.write_headline(replace(study, test=None))
    assert (line.before, line.figure) == ("wrn-aug leads with", "91.1 %")
    assert line.support.endswith(CHOICE.sentence)
    unknown = summary.write_headline(replace(study, test=None, choice=None))
    assert "expect slightly less on new images" in unknown.support


def test_headline_without_a_winner(study: StudyView) -> None:
    running = with_states(study, "done", "done", "running", "pending", "pending")
    line = summary.write_headline(running)
    assert (line.before, line.figure) == ("No winner yet:", "2 of 5")
    assert "So far wrn-aug leads with 91.1 %" in line.support


def test_headline_when_all_failed(study: StudyView) -> None:
    failed = with_states(study, *["failed"] * 5)
    failed = change_rungs(failed, lambda rung: replace(rung, run=RunView(rung.name)))
    assert summary.write_headline(failed).support.startswith("No rung finished.")


def test_headline_of_a_refit_says_so(whole: StudyView) -> None:
    assert "trained once more for that" in summary.write_headline(whole).support
    once = summary.write_headline(change_test(whole, refit=False))
    assert "once more" not in once.support


def test_copies_of_training_images_are_told_up_front(study: StudyView) -> None:
    found = NearDuplicates(copies=2, alike=2, n=1_248, sentence="2 of 1,250 are copies.")
    line = summary.write_headline(change_test(study, near_duplicates=found))
    assert line.after == "of the test images correctly."
    assert "neither to fit nor to choose" not in line.support
    assert line.support.endswith("2 of 1,250 are copies.")


def test_openings_of_the_test_set(study: StudyView) -> None:
    assert summary.describe_test_set(study).tone == "good"
    twice = replace(study, openings=(make_opening(1), make_opening(2)))
    fact = summary.describe_test_set(twice)
    assert (fact.value, fact.tone) == ("opened twice", "alert")
    assert "Only the first opening was blind." in fact.details
    sealed = summary.describe_test_set(replace(study, openings=(), test=None))
    assert sealed.value == "still sealed"


def test_other_openings_on_the_machine_are_told_up_front(study: StudyView) -> None:
    fact = summary.describe_test_set(change_test(study, openings_on_machine=10))
    assert (fact.value, fact.tone) == ("opened once", "plain")
    assert "opened 9 times on that machine" in fact.details[-1]


def test_the_rival_is_the_best_of_the_others(study: StudyView) -> None:
    fact = summary.describe_rival(study)
    assert fact.value == "cannot be told apart"
    assert fact.details[0].startswith("vgg10-aug against wrn-aug")


@pytest.mark.parametrize(
    ("word", "value", "tone"),
    [("worse", "less accurate", "good"), ("better", "more accurate", "alert")],
)
def test_a_rival_that_was_told_apart(study: StudyView, word: str, value: str, tone: str) -> None:
    def judge(rung: RungView) -> RungView:
        verdict = rung.against_best
        return replace(rung, against_best=verdict and verdict.model_copy(update={"verdict": word}))

    fact = summary.describe_rival(change_rungs(study, judge))
    assert (fact.value, fact.tone) == (value, tone)


def test_a_rival_without_verdict_or_winner(study: StudyView) -> None:
    bare = change_rungs(study, lambda rung: replace(rung, against_best=None))
    assert "not compared" in summary.describe_rival(bare).details[1]
    assert summary.describe_rival(replace(study, rungs=study.rungs[3:4])).value == "none"
    assert summary.describe_rival(change_record(study, best=None)).value == "not yet known"


def test_limits(study: StudyView) -> None:
    fact = summary.describe_goal(study)
    assert (fact.value, fact.tone) == ("all satisfied", "good")
    assert fact.details[1] == "parameters 1,077,850, limit 4,000,000"
    free = change_record(study, goal=Goal(limits=Limits(gap=None)))
    assert summary.describe_goal(free).value == "none set"
    assert summary.describe_goal(change_record(study, best=None)).value == "not yet known"
    assert study.winner is not None
    run = change_status(study.winner.run, within_limits=False)
    broken = replace(study, rungs=(replace(study.winner, run=run),))
    assert summary.describe_goal(broken).tone == "alert"


def test_alerts_name_contradictions(study: StudyView) -> None:
    assert summary.list_alerts(study) == ()
    other = change_test(study, model="mlp", data_fingerprint=OTHER_HASH)
    assert len(summary.list_alerts(other)) == 2
    assert "ledger.jsonl is missing" in summary.list_alerts(replace(study, openings=()))[0]
    more = summary.list_alerts(change_test(study, openings=2))
    assert "Every look after the first can flatter the result" in more[0]
    assert "one of the two records was changed" in more[1]


def test_gains_by_verdict(whole: StudyView, study: StudyView) -> None:
    gains = dict(summary.sum_up_gains(whole))
    assert gains["More accurate"].startswith(
        "vgg10 (+31.3 points against mlp), vgg10-aug (+4.2 points against vgg10), "
    )
    assert gains["Less accurate"] == "wrn-se-aug (−2.2 points against wrn-aug)"
    assert gains["Cannot be told apart"] == "wrn-cutmix and tuned from wrn-aug"
    assert gains["Failed"] == "wrn-aug-mish"
    assert summary.sum_up_gains(replace(study, rungs=study.rungs[:1])) == ()


def test_what_more_epochs_might_change_is_said_to_hold_at_this_budget(whole: StudyView) -> None:
    def raise_worse(rung: RungView) -> RungView:
        is_worse = rung.step is not None and rung.step.verdict == "worse"
        return change_step(rung, rising=(is_worse, False))

    gains = dict(summary.sum_up_gains(change_rungs(whole, raise_worse)))
    assert gains["Less accurate at this budget"] == "wrn-se-aug (−2.2 points against wrn-aug)"
    assert "Less accurate" not in gains
    assert "More accurate at this budget" not in gains
    assert "more epochs may give another answer" in gains["How sure"]
    assert "more epochs" not in dict(summary.sum_up_gains(whole))["How sure"]


@pytest.mark.parametrize(("rising", "value"), [(True, "less accurate at this budget"),
                                              (False, "less accurate")])  # fmt: skip
def test_a_rival_that_was_still_rising_is_less_accurate_at_this_budget(
    study: StudyView, rising: bool, value: str
) -> None:
    def judge(rung: RungView) -> RungView:
        fields = {"verdict": "worse", "rising": (rising, False)}
        return replace(
            rung, against_best=rung.against_best and rung.against_best.model_copy(update=fields)
        )

    assert summary.describe_rival(change_rungs(study, judge)).value == value


@pytest.mark.parametrize(("seeds", "cautious"), [((1, 1), True), ((3, 3), False)])
def test_gains_of_single_runs_say_so(
    whole: StudyView, seeds: tuple[int, int], cautious: bool
) -> None:
    judged = change_rungs(whole, lambda rung: change_step(rung, seeds=seeds))
    gains = dict(summary.sum_up_gains(judged))
    assert ("other seeds may give another answer" in gains.get("How sure", "")) is cautious


def test_a_repeat_of_a_recipe_gains_nothing(whole: StudyView) -> None:
    def repeat(rung: RungView) -> RungView:
        if rung.tuning is None or rung.tuning.best is None:
            return rung
        best = rung.tuning.best.model_copy(update={"number": 0})
        return replace(rung, tuning=rung.tuning.model_copy(update={"best": best}))

    for verdict in ("better", "worse", "cannot tell apart"):
        judged = change_rungs(whole, lambda rung: change_step(repeat(rung), verdict=verdict))  # noqa: B023
        assert "tuned (" not in str(summary.sum_up_gains(judged))
        assert "tuned from" not in str(summary.sum_up_gains(judged))


UNEVEN = ClassMeans(balanced_accuracy=0.612, macro_f1=0.598, imbalance=9.0)


def test_figures_by_class_stand_beside_the_headline_where_classes_differ_in_size(
    study: StudyView,
) -> None:
    assert "every class" not in summary.write_headline(study).support
    assert study.test is not None
    rows = tuple(
        row.model_copy(update={"support": 9 if k == 0 else row.support})
        for k, row in enumerate(study.test.per_class)
    )
    tested = summary.write_headline(change_test(study, per_class=rows)).support
    means = study.test.macro
    assert f"balanced accuracy {100 * means.recall:.1f} %" in tested
    assert f"macro F1 {100 * means.f1:.1f} %" in tested

    def make_uneven(rung: RungView) -> RungView:
        val = rung.run.val
        return (
            rung
            if val is None
            else replace(rung, run=change_status(rung.run, val=val.change(by_class=UNEVEN)))
        )

    untested = replace(change_rungs(study, make_uneven), test=None)
    support = summary.write_headline(untested).support
    assert "With every class counted alike: balanced accuracy 61.2 %, macro F1 59.8 %." in support


def test_the_runner_up_is_the_next_by_the_goal(study: StudyView) -> None:
    """The least accurate rung is the best by class."""
    first, *_ = study.rungs

    def rate(rung: RungView) -> RungView:
        if rung.run.val is None:
            return rung
        balanced = 0.9 if rung.name == first.name else 0.5
        means = UNEVEN.change(balanced_accuracy=balanced)
        return replace(rung, run=change_status(rung.run, val=rung.run.val.change(by_class=means)))

    rated = change_rungs(study, rate)
    leader = summary.find_leader(rated.rungs, "val_balanced_accuracy")
    assert leader is not None
    assert leader.name == first.name
    assert summary.find_leader(rated.rungs) != leader
    goal = Goal(maximise="val_balanced_accuracy", limits=Limits(gap=None))
    fact = summary.describe_goal(change_record(rated, goal=goal))
    assert "validation balanced accuracy alone" in fact.details[0]
