"""A budget divided among rungs: what fits, what is left out, and what each gets."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from smallvision.recipes.ladder import build_ladder
from smallvision.recipes.planning import (
    NEEDS,
    STAGES,
    LadderPlan,
    Pace,
    Planner,
    Speed,
    Speeds,
    Wish,
    assume_scale,
    assume_speeds,
)
from smallvision.recipes.scale import SIZES, Family, choose_range, divide_passes
from smallvision.recipes.task import CIFAR10, Task
from smallvision.records.schema import PlannedRung

DIGITS = Task((1, 8, 8), 1_150, mirror_safe=False, num_val=287)
FEW = Task((3, 32, 32), 800, mirror_safe=True, num_val=200)
SLOTS = tuple(rung.slot for rung in build_ladder(assume_scale(300.0, CIFAR10), CIFAR10))


def slow_down(speeds: Speeds, factor: float) -> Speeds:
    """A machine that takes so much longer."""

    def slower(family: Family, size: str) -> Speed:
        speed = speeds(family, size)
        return Speed(factor * speed.train, factor * speed.infer)

    return slower


def plan(
    task: Task, seconds: float, *, factor: float = 1.0, wish: Wish | None = None
) -> LadderPlan:
    speeds = slow_down(assume_speeds(task), factor)
    return Planner(task, seconds, speeds, wish or Wish(SLOTS)).plan()


def total(found: LadderPlan) -> float:
    return sum(rung.seconds for rung in found.rungs) + found.refit_seconds


@pytest.mark.parametrize("task", [CIFAR10, DIGITS, FEW])
@pytest.mark.parametrize("seconds", [60.0, 300.0, 3_600.0, 28_800.0])
@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_a_plan_ends_within_its_budget(task: Task, seconds: float, factor: float) -> None:
    found = plan(task, seconds, factor=factor)
    assert total(found) <= seconds
    assert {rung.slot for rung in (*found.rungs, *found.left_out)} == set(SLOTS)
    planned = [rung.slot for rung in found.rungs]
    assert planned == [slot for slot in SLOTS if slot in planned]
    assert all(NEEDS.get(slot, slot) in planned for slot in planned)


@pytest.mark.parametrize("seconds", [300.0, 3_600.0, 28_800.0])
def test_no_rung_is_planned_that_is_too_short_to_show_what_it_can_do(seconds: float) -> None:
    scale = plan(CIFAR10, seconds, factor=3.0).scale
    for family, length in scale.lengths.items():
        assert length.passes >= choose_range(family, CIFAR10).least


@pytest.mark.parametrize("task", [CIFAR10, DIGITS, FEW])
@pytest.mark.parametrize("seconds", [60.0, 300.0, 3_600.0, math.inf])
def test_a_recipe_that_is_trained_alone_is_long_enough(task: Task, seconds: float) -> None:
    for family, length in assume_scale(seconds, task).lengths.items():
        assert length.passes >= choose_range(family, task).least


def test_a_rung_that_is_taken_back_in_has_the_length_that_was_told() -> None:
    found = plan(CIFAR10, 3_600.0, factor=3.0)
    lengths = {rung.slot: rung.passes for rung in found.left_out}
    assert lengths["wrn"] == found.scale.passes("wrn")


def test_what_is_left_out_says_how_long_it_would_take() -> None:
    found = plan(CIFAR10, 3_600.0, factor=3.0)
    notes = {rung.slot: rung.note for rung in found.left_out}
    assert "passes of a WRN-10-2 would take" in (notes["wrn"] or "")


def test_more_time_leaves_out_fewer_rungs() -> None:
    counts = [len(plan(CIFAR10, seconds).left_out) for seconds in (300.0, 3_600.0, 28_800.0, 1e6)]
    assert all(fewer <= more for more, fewer in pairwise(counts))
    assert counts[-1] == 0 < counts[0]


@pytest.mark.parametrize("task", [CIFAR10, FEW])
@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_wide_resnets_take_no_time_that_the_most_accurate_rungs_need(
    task: Task, factor: float
) -> None:
    for seconds in (1_800.0, 3_600.0, 5_400.0, 7_200.0, 14_400.0, 28_800.0):
        planner = Planner(task, seconds, slow_down(assume_speeds(task), factor), Wish(SLOTS))
        found = planner.plan()
        if "wrn" in {rung.slot for rung in found.rungs}:
            assert found.scale.passes("speednet") >= planner.find_comfort("speednet")


def test_a_wide_resnet_is_left_out_where_its_augmentation_could_not_pay_yet() -> None:
    found = plan(CIFAR10, 3_600.0)
    assert {"wrn", "wrn-aug"} <= {rung.slot for rung in found.left_out}
    assert found.scale.snapshots * found.scale.passes("speednet") >= 22


def test_most_of_the_budget_is_used_where_more_would_pay() -> None:
    for seconds in (3_600.0, 28_800.0):
        assert total(plan(CIFAR10, seconds, factor=2.0)) >= 0.8 * seconds


def test_a_budget_is_a_ceiling() -> None:
    """A small set is not trained for longer than pays, whatever the time."""
    assert total(plan(DIGITS, 1e6)) < 20_000
    scale = plan(DIGITS, 1e6).scale
    for family, length in scale.lengths.items():
        assert length.passes == choose_range(family, DIGITS).enough


def test_without_a_limit_all_is_as_large_and_long_as_it_can_be() -> None:
    found = plan(CIFAR10, math.inf)
    assert not found.left_out
    assert all(
        length.size == [*SIZES[family]][-1] for family, length in found.scale.lengths.items()
    )


def test_folds_are_paid_for() -> None:
    single, folded = (plan(FEW, 1e9, wish=Wish(SLOTS, runs=runs)) for runs in (1, 5))
    costs = [{rung.slot: rung.seconds for rung in found.rungs} for found in (single, folded)]
    assert costs[1]["wrn"] == pytest.approx(5 * costs[0]["wrn"])
    refitted = plan(FEW, 1e9, wish=Wish(SLOTS, runs=5, refit=True))
    assert refitted.refit_seconds == max(costs[1].values()) / 5


def test_rungs_that_somebody_named_are_kept_and_warned_of() -> None:
    found = plan(CIFAR10, 120.0, factor=3.0, wish=Wish(("wrn", "wrn-aug"), must=True))
    assert [rung.slot for rung in found.rungs] == ["wrn", "wrn-aug"]
    assert all("too short" in (rung.note or "") for rung in found.rungs)


def test_few_images_are_gone_through_more_often() -> None:
    tasks = [Task((3, 32, 32), n, mirror_safe=True) for n in (800, 4_000, 8_000, 40_000, 10**6)]
    passes = [choose_range("speednet", task).enough for task in tasks]
    assert passes == [200, 120, 60, 12, 8]
    assert [choose_range("wrn", task).least for task in tasks][-2] == 25


@pytest.mark.parametrize("passes", range(1, 201))
def test_a_run_is_measured_fifty_times_at_most(passes: int) -> None:
    epochs, each = divide_passes(passes)
    assert 1 <= epochs <= 50
    assert abs(epochs * each - passes) <= each / 2


def test_every_rung_has_a_place_in_the_stages() -> None:
    placed = sorted(slot for tiers, _ in STAGES for tier in tiers for slot in tier)
    assert placed == sorted((*SLOTS, "transfer"))  # which is there with a start alone


def test_a_start_costs_what_its_network_costs() -> None:
    slots = (*SLOTS[:10], "transfer", *SLOTS[10:])
    for seconds in (60.0, 300.0, 3_600.0):
        assert total(plan(CIFAR10, seconds, wish=Wish(slots, start=50.0))) <= seconds
    cheap, dear = (
        {rung.slot: rung for rung in plan(CIFAR10, math.inf, wish=Wish(slots, start=start)).rungs}
        for start in (10.0, 1_000.0)
    )
    assert cheap["speednet"] == dear["speednet"]
    assert cheap["transfer"].seconds < dear["transfer"].seconds == dear["speednet"].seconds
    assert dear["transfer"].size == "start's speednet"
    for seconds in (900.0, 14_400.0):  # what is listed without a start pays for none
        without = plan(CIFAR10, seconds, wish=Wish(SLOTS)).scale
        assert assume_scale(seconds, CIFAR10) == without
    alone = plan(CIFAR10, math.inf, wish=Wish(("transfer",), must=True, start=50.0))
    assert [rung.slot for rung in alone.rungs] == ["transfer"]


def test_a_rung_is_expected_to_take_what_others_of_its_family_took() -> None:
    pace = Pace({"wrn": (5.0, 50.0), "mlp": (30.0, 10.0)})
    rung = PlannedRung(slot="wrn-aug", size="", passes=1, seconds=40.0)
    assert pace.expect(rung) == pytest.approx(4.0)
    assert pace.expect(rung.change(slot="speednet")) == 40.0
    assert pace.fear(rung) == 40.0  # it may be harder than the one before
