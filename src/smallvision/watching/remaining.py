"""How long work that is under way will take, by its plan and by the pace of what is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from smallvision.recipes.planning import Pace
from smallvision.records.schema import BudgetPlan, RungRecord
from smallvision.watching.snapshot import Step, Training

OVER = ("trained", "done", "failed", "left out")


def count_workers(command: str, steps: Iterable[Step]) -> int:
    """How many trainings a study does at once: as its command says, or as is seen.

    Args:
        command: that began it.
        steps: of the study.
    """
    asked = re.search(r"--workers[ =](\d+)", command)
    return int(asked[1]) if asked else max(1, sum(len(step.active) for step in steps))


def measure_share(step: Step) -> float:
    """The share of a step's trainings that is done, by their epochs."""
    if step.state in OVER:
        return 1.0
    shares = [one.epochs / one.planned for one in step.trainings if one.planned]
    return sum(shares) / max(step.runs_expected, len(shares), 1)


def measure_pace(
    plan: BudgetPlan | None, pairs: Iterable[tuple[RungRecord, Step]], workers: int = 1
) -> Pace:
    """Compare what rungs took with what was planned for as much of them.

    Trainings side by side are slower than the plan, which knows of one at a time, and take their
    seconds together: what counts is the time of all, divided by the workers. Since they begin
    together and end late, rungs that are under way count as well, for what is done of them.

    Args:
        plan: of the study, if it has one.
        pairs: each rung with what was seen of it.
        workers: trainings that are done at once.
    """
    planned = {rung.slot: rung.seconds for rung in plan.rungs} if plan else {}
    shares = {
        rung.slot: (step.seconds, measure_share(step))
        for rung, step in pairs
        if rung.slot in planned and (workers > 1 or step.state == "done")
    }
    return Pace(
        {
            slot: (seconds / workers, share * planned[slot])
            for slot, (seconds, share) in shares.items()
            if seconds and share
        }
    )


def expect_steps(
    plan: BudgetPlan | None, pairs: Sequence[tuple[RungRecord, Step]], now: float, *, workers: int
) -> tuple[Step, ...]:
    """Give each rung of a study the time that is left for it.

    Args:
        plan: of the study, if it has one.
        pairs: each rung with what was seen of it.
        now: in seconds since 1970.
        workers: trainings that are done at once.
    """
    pace = measure_pace(plan, pairs, workers)
    planned = {rung.slot: rung for rung in (*plan.rungs, *plan.left_out)} if plan else {}
    steps = []
    for rung, step in pairs:
        known = planned.get(rung.slot)
        expected = pace.expect(known) if known else None
        steps.append(
            replace(
                step,
                planned_seconds=known.seconds if known else None,
                left_seconds=expect_step(step, expected, now),
            )
        )
    return tuple(steps)


def expect_step(step: Step, expected: float | None, now: float) -> float | None:
    """Seconds until a step is done; None where that cannot be told.

    Args:
        step: what was seen of it.
        expected: seconds that all of it is expected to take, by a plan.
        now: in seconds since 1970.
    """
    if step.state in OVER:
        return 0.0
    if step.search is not None and step.search.rerun is None:
        return expect_search(step, expected)
    begun = [one for one in step.trainings if one.epochs]
    if not begun:
        return expected
    totals = [total for one in begun if (total := expect_total(one)) is not None]
    if not totals:
        return expected
    untouched = max(0, step.runs_expected - len(begun))
    rests = sum(expect_training(one, now) or 0.0 for one in begun)
    return rests + untouched * sum(totals) / len(totals)


def expect_search(step: Step, expected: float | None) -> float | None:
    """Seconds until a search is done: by its plan, or by its trials so far and its budget."""
    search = step.search
    assert search is not None, "the caller has looked"
    took = [trial.seconds for trial in search.trials]
    if expected is not None:
        return max(0.0, expected - step.seconds)
    if not took:
        return None
    rest = max(0, search.trials_asked - len(took)) * sum(took) / len(took)
    if search.budget_seconds is not None:
        rest = min(rest, max(0.0, search.budget_seconds - sum(took)))
    return rest


def expect_total(training: Training) -> float | None:
    """Seconds that all epochs of a training take; None before its first has ended."""
    if training.run.finished is not None:
        return training.run.finished.seconds
    if not training.epochs or training.planned is None:
        return None
    return training.seconds / training.epochs * training.planned


def expect_training(training: Training, now: float) -> float | None:
    """Seconds until a training ends if it runs to its last epoch; None before its first one."""
    if training.is_done:
        return 0.0
    total = expect_total(training)
    if total is None:
        return None
    since = max(0.0, now - training.written) if training.is_active else 0.0
    epoch = training.seconds / training.epochs
    # An epoch under way that takes longer than those before still has to end.
    return max(0.0, total - training.seconds - min(since, 0.9 * epoch))


def add_up(steps: Iterable[Step], kept: float) -> float | None:
    """Seconds until all steps are done; None where one cannot be estimated.

    What has begun shares its time with all that is trained side by side now; of what is planned,
    that is in the time expected for it.

    Args:
        steps: of the work.
        kept: seconds for what comes after them.
    """
    steps = list(steps)
    beside = max(1, sum(len(step.active) for step in steps))
    total = kept
    for step in steps:
        if step.left_seconds is None:
            return None
        total += step.left_seconds / (beside if step.trainings else 1)
    return total
