"""A study's time budget: speeds measured, a plan made, and later rungs cut where time runs out."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from smallvision.errors import RecordError, SettingError
from smallvision.format import format_duration
from smallvision.recipes import LadderScale, Recipe, Task, build_ladder, find_rung
from smallvision.recipes.builders import build_machine
from smallvision.recipes.overrides import change_epochs
from smallvision.recipes.planning import (
    BY_WORTH,
    CLEAN_PER_EPOCH,
    FAMILY_OF,
    LadderPlan,
    Pace,
    Planner,
    Speed,
    Wish,
    assume_speeds,
)
from smallvision.recipes.scale import SIZES, Family, Length, choose_range
from smallvision.records import store
from smallvision.records.layout import STUDY
from smallvision.records.schema import (
    BudgetPlan,
    NetworkLength,
    NetworkSpeed,
    StudyRecord,
)
from smallvision.runs.job import Job
from smallvision.runs.run_data import RunData, load_run_data
from smallvision.study.speed import MOST_MEASURED, measure_speed
from smallvision.tuning.tune import FEWEST_TRIALS

# Kept back: a share for the noise of a machine, and seconds for what comes after training, which
# is the test, the analysis of errors and the report.
NOISE, AFTER = 0.06, 8.0
MEASURING = 0.002  # of the budget: what measuring one larger network may take


def plan_budget(
    job: Job, task: Task, seconds: float, wish: Wish, *, seed: int, began: float
) -> BudgetPlan:
    """Measure the networks that may be trained, and divide the budget.

    The smallest networks are measured first, and larger ones where that takes no time worth
    mentioning. Sizes that a plan would take are measured too, and it is made again, until it only
    takes sizes that were measured.

    Args:
        job, task: which images.
        seconds: the budget; infinite for no limit, where nothing is measured.
        wish: which rungs are to be trained, and how often.
        seed: of the study.
        began: when it began, by `time.perf_counter`.

    Raises:
        SettingError: the budget is too short for any rung.
    """
    speeds = MeasuredSpeeds(job, task, seed)

    def plan() -> LadderPlan:
        return Planner(task, count_left(seconds, began), speeds.estimate, wish).plan()

    if math.isinf(seconds):
        found = plan()
    else:
        for family in {FAMILY_OF[slot]: None for slot in wish.slots if slot in FAMILY_OF}:
            for size in SIZES[family]:
                if speeds.expect_measuring(family, size) <= MEASURING * seconds:
                    speeds.measure(family, size)
        found = plan()
        while missing := speeds.find_missing(found):
            for family, size in missing:
                speeds.measure(family, size)
            found = plan()
    if not found.rungs:
        first, beside = found.left_out[0], seconds - count_left(seconds, began)
        raise SettingError(
            f"{format_duration(seconds)} are too short for any rung: {first.slot} alone would "
            f"take {format_duration(first.seconds)}, and what comes before and after training "
            f"{format_duration(beside)}; give more time, or say --folds 1, "
            f"a smaller --image-size or fewer rungs (--rungs {first.slot})"
        )
    return BudgetPlan(
        seconds=seconds if math.isfinite(seconds) else None,
        measured=tuple(
            NetworkSpeed(size=size, train_seconds=speed.train, infer_seconds=speed.infer)
            for (_, size), speed in speeds.measured.items()
        ),
        lengths=tuple(
            NetworkLength(family=family, size=length.size, passes=length.passes)
            for family, length in found.scale.lengths.items()
        ),
        trials=found.scale.trials,
        snapshots=found.scale.snapshots,
        kept_seconds=AFTER + found.refit_seconds,
        rungs=found.rungs,
        left_out=found.left_out,
    )


def fit_rung(
    name: str, job: Job, task: Task, seconds: float, *, runs: int, seed: int, began: float
) -> Recipe:
    """The recipe of one rung that is trained alone, as large and long as a budget allows.

    Args:
        name: of the rung.
        job, task, seconds, runs, seed, began: as for `plan_budget`.
    """
    wish = Wish((name,), runs=runs, must=True)
    plan = plan_budget(job, task, seconds, wish, seed=seed, began=began)
    return find_rung(build_ladder(read_scale(plan), task, seed=seed), name).recipe


def fit_length(recipe: Recipe, job: Job, seconds: float, *, runs: int, began: float) -> Recipe:
    """A recipe with fewer epochs, where all of them would take longer than a budget.

    Args:
        recipe: to be trained.
        job, seconds, runs, began: as for `plan_budget`.

    Raises:
        SettingError: there is no time for one epoch.
    """
    epoch = expect_epoch(recipe, job)
    epochs = math.floor(count_left(seconds, began) / runs / epoch)
    if epochs < 1:
        raise SettingError(
            f"an epoch takes about {format_duration(epoch)}, for which {format_duration(seconds)} "
            "do not suffice"
        )
    return recipe if epochs >= recipe.epochs else change_epochs(recipe, epochs)


def leave_rerun(
    recipe: Recipe, job: Job, seconds: float, *, epochs: int, seeds: int, began: float
) -> float:
    """Seconds of a budget that a search may take, so that its winner can be run again.

    Args:
        recipe: that is tuned.
        job, seconds, began: as for `plan_budget`.
        epochs: of a trial.
        seeds: with which the winner and the untuned recipe are run again.

    Raises:
        SettingError: there is no time for two trials.
    """
    epoch = expect_epoch(recipe, job)
    rerun = 2 * seeds * recipe.epochs * epoch
    left = count_left(seconds, began) - rerun
    if left < FEWEST_TRIALS * epochs * epoch:
        raise SettingError(
            f"{format_duration(seconds)} are too short: two trials take about "
            f"{format_duration(FEWEST_TRIALS * epochs * epoch)}, and to run the winner again with "
            f"--seeds {seeds} takes {format_duration(rerun)}"
        )
    return left


def expect_epoch(recipe: Recipe, job: Job) -> float:
    """About how many seconds an epoch of a recipe takes here, measuring included."""
    data = load_run_data(job.dataset, job.split, build_machine(recipe))
    speed = measure_speed(recipe, job, data)
    num_train, num_val = len(job.split.train), len(job.split.val)
    measured = num_val + min(CLEAN_PER_EPOCH, num_train)
    return recipe.passes * num_train * speed.train + measured * speed.infer


def count_left(seconds: float, began: float) -> float:
    """Seconds of a budget that are left for training."""
    return seconds * (1 - NOISE) - AFTER - (time.perf_counter() - began)


@dataclass(frozen=True, eq=False)
class MeasuredSpeeds:
    """The speeds of networks on this machine, measured where asked for and estimated elsewhere.

    Attributes:
        job, task: which images.
        seed: of the study.
        measured: family and size -> speed.
    """

    job: Job
    task: Task
    seed: int
    measured: dict[tuple[Family, str], Speed] = field(default_factory=dict)

    @cached_property
    def data(self) -> RunData:
        """The images on the device."""
        machine = build_machine(Recipe())
        return load_run_data(self.job.dataset, self.job.split, machine)

    def measure(self, family: Family, size: str) -> None:
        """Time a few steps of a network."""
        lengths = {
            other: Length(next(iter(sizes)), choose_range(other, self.task).enough)
            for other, sizes in SIZES.items()
        }
        lengths[family] = Length(size, lengths[family].passes)
        scale = LadderScale(lengths, trials=2, snapshots=2)
        slot = next(slot for slot, other in FAMILY_OF.items() if other == family)
        rung = find_rung(build_ladder(scale, self.task, seed=self.seed), slot)
        self.measured[family, size] = measure_speed(rung.recipe, self.job, self.data)

    def expect_measuring(self, family: Family, size: str) -> float:
        """About how many seconds it takes to measure a network; 0 for the smallest of a family."""
        if size == next(iter(SIZES[family])):
            return 0.0
        return MOST_MEASURED * self.estimate(family, size).train

    def estimate(self, family: Family, size: str) -> Speed:
        """The speed of a network: measured, or that of the next smaller one by its operations.

        Larger networks use a machine better, so the estimate is rather too slow.
        """
        sizes = list(SIZES[family])
        for known in reversed(sizes[: sizes.index(size) + 1]):
            if (family, known) in self.measured:
                speed = self.measured[family, known]
                ratio = SIZES[family][size].operations / SIZES[family][known].operations
                return Speed(speed.train * ratio, speed.infer * ratio)
        return assume_speeds(self.task)(family, size)

    def find_missing(self, plan: LadderPlan) -> list[tuple[Family, str]]:
        """The networks that a plan takes and nobody has measured."""
        taken = {FAMILY_OF[rung.slot] for rung in plan.rungs if rung.slot in FAMILY_OF}
        pairs = [(family, plan.scale.lengths[family].size) for family in taken]
        return [pair for pair in pairs if pair not in self.measured]


def read_scale(plan: BudgetPlan) -> LadderScale:
    """The scale of a plan that was written down.

    Raises:
        RecordError: it names a network that this version does not have, or lacks a family.
    """
    lengths = {one.family: Length(one.size, one.passes) for one in plan.lengths}
    for family, sizes in SIZES.items():
        if family not in lengths or lengths[family].size not in sizes:
            raise RecordError(f"the plan has no {family} that this version knows; make it anew")
    return LadderScale(
        {family: lengths[family] for family in SIZES}, trials=plan.trials, snapshots=plan.snapshots
    )


def read_plan(study: Path) -> BudgetPlan:
    """The plan of another study, to be repeated.

    Raises:
        RecordError: it has none.
    """
    plan = store.read(study / STUDY, StudyRecord).budget
    if plan is None:
        raise RecordError(f"{study} has no plan: its epochs were set by hand")
    return plan


def describe_plan(plan: BudgetPlan) -> Iterator[str]:
    """Yield a plan in lines for the terminal."""
    total = sum(rung.seconds for rung in plan.rungs)
    limit = "no limit" if plan.seconds is None else f"a budget of {format_duration(plan.seconds)}"
    yield f"Plan for {limit}: {format_duration(total)} of training."
    for rung in plan.rungs:
        size = rung.size or "of the best rung"
        length = f"{rung.passes:>4} passes {format_duration(rung.seconds):>12}"
        yield f"  {name_planned(rung.slot, plan):<19}{size:<19}{length}"
        if rung.note:
            yield f"      {rung.note}"
    for rung in plan.left_out:
        yield f"  {rung.slot:<19}left out: {rung.note}"


def name_planned(slot: str, plan: BudgetPlan) -> str:
    """What a slot is called in a plan: those that build on CutMix, without it where it is out."""
    mixes = any(rung.slot == "wrn-cutmix" for rung in plan.rungs)
    return slot if mixes else slot.replace("-cutmix", "")


class Clock:
    """The time that a study has taken, over all sessions.

    Args:
        before: seconds of earlier sessions.
        began: when this session began, by `time.perf_counter`.
    """

    def __init__(self, before: float, began: float) -> None:
        self.before, self.began = before, began

    def spent(self) -> float:
        """Seconds so far."""
        return self.before + time.perf_counter() - self.began


def find_left(plan: BudgetPlan, pending: Collection[str], spent: float, pace: Pace) -> float:
    """Seconds that the rungs to come do not need.

    Args:
        plan: of the study.
        pending: slots of the rungs to come.
        spent: seconds so far.
        pace: of the finished rungs.
    """
    if plan.seconds is None:
        return math.inf
    needed = sum(pace.fear(rung) for rung in plan.rungs if rung.slot in pending)
    return plan.seconds - spent - plan.kept_seconds - needed


def find_too_many(plan: BudgetPlan, pending: list[str], spent: float, pace: Pace) -> list[str]:
    """The rungs to be cut, since the others would take longer than there is left.

    Args:
        plan, pending, spent, pace: as for `find_left`.

    Returns: their slots; those that are worth least go first.
    """
    kept = sorted(pending, key=BY_WORTH.index)
    cut = []
    while kept and find_left(plan, kept, spent, pace) < 0:
        cut.append(kept.pop())
    return cut
