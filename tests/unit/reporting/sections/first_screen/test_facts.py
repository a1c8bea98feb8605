from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.records.schema import ClassMeans, Goal, Limits
from smallvision.reporting.sections.first_screen import facts, headline
from smallvision.reporting.view import RungView, StudyView
from tests.support.study_folder import make_opening
from tests.support.views import (
    change_record,
    change_rungs,
    change_status,
    change_test,
)

UNEVEN = ClassMeans(balanced_accuracy=0.612, macro_f1=0.598, imbalance=9.0)


def test_openings_of_the_test_set(study: StudyView) -> None:
    assert facts.describe_test_set(study).tone == "good"
    twice = replace(study, openings=(make_opening(1), make_opening(2)))
    fact = facts.describe_test_set(twice)
    assert (fact.value, fact.tone) == ("opened twice", "alert")
    assert "Only the first opening was blind." in fact.details
    sealed = facts.describe_test_set(replace(study, openings=(), test=None))
    assert sealed.value == "still sealed"


def test_other_openings_on_the_machine_are_told_up_front(study: StudyView) -> None:
    fact = facts.describe_test_set(change_test(study, openings_on_machine=10))
    assert (fact.value, fact.tone) == ("opened once by this study", "plain")
    assert "on that machine had opened the same images 9 times" in fact.details[-1]


def test_the_rival_is_the_best_of_the_others(study: StudyView) -> None:
    fact = facts.describe_rival(study)
    assert fact.value == "cannot be told apart"
    assert fact.details == (
        "vgg10-aug: −0.8 points on the same 1,000 validation images (95 % interval −2.7 to +1.1, "
        "p = 0.41).",
        "vgg10-aug takes less time for an image: 3.3 ms against 4.4 ms.",
    )


def test_the_cheapest_of_equals_may_be_the_winner(study: StudyView) -> None:
    winner = study.winner
    assert winner is not None
    quick = replace(winner, run=change_status(winner.run, latency_seconds=0.0001))
    rungs = tuple(quick if rung.name == winner.name else rung for rung in study.rungs)
    said = facts.name_equals(replace(study, rungs=rungs), quick)
    assert said == "wrn-aug takes less time for an image."
    verdict = study.rungs[2].against_best
    both = change_rungs(study, lambda rung: replace(rung, against_best=verdict))
    assert facts.name_equals(replace(both, rungs=both.rungs[:3]), winner) == (
        "mlp, vgg10 and vgg10-aug cannot be told apart from wrn-aug. mlp takes the least time for "
        "an image: 1.1 ms against 4.4 ms."
    )
    worse = change_rungs(study, lambda rung: replace(rung, against_best=None))
    assert facts.name_equals(worse, winner) == ""


def test_the_model_is_told_in_words_with_size_and_latency(
    study: StudyView, whole: StudyView
) -> None:
    fact = facts.describe_winner(study)
    assert fact is not None
    assert fact.value == "A Wide ResNet"
    assert fact.details == (
        "wrn-aug: a Wide ResNet of 10 layers and width 1, with ReLU.",
        "1,077,850 parameters, 4.3 MB.",
        "4.4 ms for one image, on cpu, bf16, 2 threads.",
    )
    ensemble = facts.describe_winner(whole)
    assert ensemble is not None
    assert ensemble.value == "An ensemble of 3 Wide ResNets"


def test_a_lost_model_is_told_by_its_recipe(study: StudyView, whole: StudyView) -> None:
    for view, kind in ((study, "A Wide ResNet"), (whole, "An ensemble of 3 Wide ResNets")):
        winner = view.winner
        assert winner is not None
        recipe = '[model]\nname = "wide_resnet"\n'
        lost = replace(winner, run=replace(winner.run, model=None, recipe=recipe))
        fact = facts.describe_winner(replace(view, rungs=(lost,)))
        assert fact is not None
        assert fact.value == kind
    none = replace(winner, run=replace(winner.run, model=None, recipe=None))
    fact = facts.describe_winner(replace(whole, rungs=(none,)))
    assert fact is not None
    assert fact.value == "Snapshot-ensemble"


def test_how_the_winner_was_chosen(study: StudyView) -> None:
    fact = facts.describe_choice(study)
    assert fact is not None
    assert fact.value == "highest validation accuracy"
    assert fact.details == ("Among 4 rungs, by 1,000 validation images, not by the test set.",)
    reason = "cheapest to use of those that cannot be told apart from vgg10"
    equal = change_record(study, most_accurate="vgg10", best_reason=reason)
    fact = facts.describe_choice(equal)
    assert fact is not None
    assert fact.value == "the cheapest of equals"
    assert fact.details[1] == "Cheapest to use of those that cannot be told apart from vgg10."


def test_what_is_confused_most(study: StudyView, whole: StudyView) -> None:
    fact = facts.describe_errors(whole)
    assert fact is not None
    assert fact.value == "cat and dog"
    assert fact.details[0] == (
        "Confused most, both ways: 14 of 59 errors (cat taken for dog: 9, the other way: 5) on "
        "1,000 validation images."
    )
    assert facts.describe_errors(study) is None


def test_what_is_not_known_is_no_fact(study: StudyView) -> None:
    labels = [fact.label for fact in facts.list_facts(study)]
    assert labels == [
        "Model", "Chosen as", "Runner-up", "Data", "Test set", "Limits", "Training time",
    ]  # fmt: skip
    begun = change_record(study, best=None)
    assert [fact.label for fact in facts.list_facts(begun)] == [
        "Runner-up", "Data", "Test set", "Limits",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "value", "tone"),
    [("worse", "less accurate", "good"), ("better", "more accurate", "alert")],
)
def test_a_rival_that_was_told_apart(study: StudyView, word: str, value: str, tone: str) -> None:
    def judge(rung: RungView) -> RungView:
        verdict = rung.against_best
        return replace(rung, against_best=verdict and verdict.model_copy(update={"verdict": word}))

    fact = facts.describe_rival(change_rungs(study, judge))
    assert (fact.value, fact.tone) == (value, tone)


def test_a_rival_without_verdict_or_winner(study: StudyView) -> None:
    bare = change_rungs(study, lambda rung: replace(rung, against_best=None))
    assert "not compared" in facts.describe_rival(bare).details[1]
    assert facts.describe_rival(replace(study, rungs=study.rungs[3:4])).value == "none"
    assert facts.describe_rival(change_record(study, best=None)).value == "not yet known"


def test_limits(study: StudyView) -> None:
    fact = facts.describe_goal(study)
    assert (fact.value, fact.tone) == ("all satisfied", "good")
    assert fact.details[1] == "parameters: 1,077,850, limit 4,000,000"
    free = change_record(study, goal=Goal(limits=Limits(gap=None)))
    assert facts.describe_goal(free).value == "none set"
    assert facts.describe_goal(change_record(study, best=None)).value == "not yet known"
    assert study.winner is not None
    run = change_status(study.winner.run, within_limits=False)
    broken = replace(study, rungs=(replace(study.winner, run=run),))
    assert facts.describe_goal(broken).tone == "alert"


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

    assert facts.describe_rival(change_rungs(study, judge)).value == value


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
    leader = headline.find_leader(rated.rungs, "val_balanced_accuracy")
    assert leader is not None
    assert leader.name == first.name
    assert headline.find_leader(rated.rungs) != leader
    goal = Goal(maximise="val_balanced_accuracy", limits=Limits(gap=None))
    fact = facts.describe_goal(change_record(rated, goal=goal))
    assert "validation balanced accuracy alone" in fact.details[0]
