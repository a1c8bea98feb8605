"""The time that is left, by plans and by what was done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.records.schema import BudgetPlan, PlannedRung, RungRecord
from smallvision.reporting.view import RunView
from smallvision.watching.remaining import (
    add_up,
    count_workers,
    expect_step,
    expect_steps,
    expect_training,
)
from smallvision.watching.snapshot import Step, Training
from tests.support.records import make_metrics, make_status
from tests.support.study_folder import make_budget, make_search
from tests.support.study_records import make_schedule
from tests.support.watched import make_running

NOW = 1_000_000.0
PLANNED = make_schedule().epochs


def train(epochs: int, each: float = 10.0, written: float = NOW, **fields: object) -> Training:
    """A training of which so many epochs are done."""
    lines = tuple(make_metrics(n, seconds=n * each) for n in range(1, epochs + 1))
    run = RunView("wrn", make_running("wrn"), lines, make_schedule())
    return Training("", run, is_active=True, written=written, **fields)  # type: ignore[arg-type]


def test_a_training_takes_as_long_an_epoch_as_before() -> None:
    assert expect_training(train(4), NOW) == pytest.approx(10 * (PLANNED - 4))
    assert expect_training(train(4, written=NOW - 5), NOW) == pytest.approx(10 * PLANNED - 45)
    assert expect_training(train(0), NOW) is None


def test_an_epoch_that_takes_long_still_has_to_end() -> None:
    late = expect_training(train(PLANNED - 1, written=NOW - 1000), NOW)
    assert late == pytest.approx(1.0)


def test_folds_that_are_not_begun_take_as_long_as_those_that_are() -> None:
    step = Step("wrn", "running", trainings=(train(PLANNED // 2),), runs_expected=3)
    rest = 10 * (PLANNED - PLANNED // 2)
    assert expect_step(step, None, NOW) == pytest.approx(rest + 2 * 10 * PLANNED)


def test_without_epochs_the_plan_tells() -> None:
    assert expect_step(Step("wrn", "planned"), 20.0, NOW) == 20.0
    assert expect_step(Step("wrn", "planned"), None, NOW) is None
    assert expect_step(Step("wrn", "done"), 20.0, NOW) == 0.0


def test_a_search_ends_with_its_budget() -> None:
    search = make_search()
    spent = sum(trial.seconds for trial in search.trials)
    step = Step("tuned", "running", search=search)
    assert expect_step(step, None, NOW) == pytest.approx(2 * spent / 10)
    short = replace(step, search=search.change(budget_seconds=spent + 1.0))
    assert expect_step(short, None, NOW) == pytest.approx(1.0)
    assert expect_step(step, spent + 7.0, NOW) == pytest.approx(7.0)


def describe(slot: str, **fields: object) -> RungRecord:
    known = {"slot": slot, "name": slot, "question": "", "weakness": "", "status": "pending"}
    return RungRecord.model_validate(known | fields)


def plan(**seconds: float) -> BudgetPlan:
    rungs = tuple(
        PlannedRung(slot=slot, size="", passes=1, seconds=value) for slot, value in seconds.items()
    )
    return make_budget(()).change(rungs=rungs, left_out=())


def test_later_rungs_take_longer_where_earlier_ones_of_their_family_did() -> None:
    done = make_status(seconds=30.0)
    pairs = [
        (describe("vgg10"), Step("vgg10", "done", trainings=(Training("", RunView("", done)),))),
        (describe("vgg10-aug"), Step("vgg10-aug", "planned")),
    ]
    budget = plan(**{"vgg10": 10.0, "vgg10-aug": 20.0})
    steps = expect_steps(budget, pairs, NOW, workers=1)
    assert [step.left_seconds for step in steps] == [0.0, pytest.approx(60.0)]


def test_what_waits_for_workers_is_expected_at_the_pace_of_those_at_work() -> None:
    """Half of a rung took 40 s for each of two workers, so all of it takes 40 s of both."""
    half = PLANNED // 2
    begun = Step("vgg10", "running", trainings=(train(half, each=40.0 / half),))
    pairs = [
        (describe("vgg10"), begun),
        (describe("vgg10-aug"), Step("vgg10-aug", "planned")),
        (describe("snapshot-ensemble"), Step("snapshot-ensemble", "planned")),
    ]
    budget = plan(**{"vgg10": 80.0, "vgg10-aug": 80.0, "snapshot-ensemble": 30.0})
    share = half / PLANNED
    steps = expect_steps(budget, pairs, NOW, workers=2)
    assert steps[1].left_seconds == pytest.approx(20.0 / share)
    assert steps[2].left_seconds == 30.0, "an ensemble is one training after the others"
    alone = expect_steps(budget, pairs, NOW, workers=1)
    assert alone[1].left_seconds == 80.0, "nothing is done yet"


@pytest.mark.parametrize(
    ("command", "active", "count"),
    [("study x --workers 3", 1, 3), ("study x --workers slurm", 2, 2), ("study x", 0, 1)],
)
def test_workers_are_those_of_the_command_or_those_seen(
    command: str, active: int, count: int
) -> None:
    steps = [Step("wrn", "running", trainings=(train(1),) * active)]
    assert count_workers(command, steps) == count


def test_what_runs_side_by_side_shares_its_time() -> None:
    both = Step("wrn", "running", trainings=(train(4), train(4)), left_seconds=100.0)
    later = Step("tuned", "planned", left_seconds=30.0)
    assert add_up([both, later], 8.0) == pytest.approx(88.0)
    assert add_up([both, replace(later, left_seconds=None)], 8.0) is None
