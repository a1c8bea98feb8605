"""The choice among finished rungs, on validation and within the limits, and its verdicts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

from smallvision.comparison.choice import measure_choice
from smallvision.comparison.verdicts import compare_runs
from smallvision.format import METRIC_WORDS
from smallvision.predict.network import count_operations
from smallvision.records import store
from smallvision.records.layout import SEEDS_RECORD, VERDICTS, list_repeats
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    LadderVerdicts,
    Limits,
    MetricName,
    ModelRecord,
    ValidatedRun,
    Verdict,
)
from smallvision.runs.finished_run import find_judged, find_validated
from smallvision.runs.repeats import read_repeats
from smallvision.stats.rates import mean_by_class
from smallvision.study.context import StudyContext
from smallvision.study.study_record import StudyFile

EQUAL = 0.0100001  # of accuracy: a point, whatever the rounding


def choose_best(
    statuses: Mapping[str, ValidatedRun], limits: Limits, metric: MetricName = "accuracy"
) -> str | None:
    """The finished run with the highest validation figure among those within the limits.

    Where none is within the limits, the best of all; equal figures are decided by the validation
    loss.

    Args:
        statuses: by name.
        limits: what the winner must keep.
        metric: which figure.

    Returns: its name, or None when there is none.
    """
    pool = find_candidates(statuses, limits)
    return max(
        pool, key=lambda name: (pool[name].val.score(metric), -pool[name].val.loss), default=None
    )


def find_candidates(
    statuses: Mapping[str, ValidatedRun], limits: Limits
) -> Mapping[str, ValidatedRun]:
    """The finished runs within the limits; all where none is."""
    return {name: status for name, status in statuses.items() if limits.allow(status)} or statuses


def choose_cheapest(
    best: str,
    count: Callable[[str], int],
    verdicts: Mapping[str, Verdict],
    metric: MetricName = "accuracy",
) -> str:
    """The run that costs least to use among the best one and its equals.

    An equal cannot be told apart from the best, and seems at most a point less accurate: where
    images are few, a test finds no difference between runs that are several points apart.

    Args:
        best: name of the most accurate.
        count: multiplications to classify one image, of a name.
        verdicts: of the others against the best, by name.
        metric: the figure that the best was chosen by.
    """
    equals = [name for name, verdict in verdicts.items() if is_equal(verdict, metric)]
    return min([best, *equals], key=count) if equals else best


def is_equal(verdict: Verdict, metric: MetricName) -> bool:
    """Whether a run cannot be told apart from the best, and is at most a point below it."""
    if metric == "accuracy" or verdict.by_class is None:
        return verdict.verdict != "worse" and verdict.difference >= -EQUAL
    difference, (_, high) = verdict.by_class.estimate(metric)
    return high >= 0 and difference >= -EQUAL


def count_run(run: Path) -> int:
    """Multiplications that the model of a run takes for one image, mirrored view included."""
    record = store.read(run / "model" / "model.json", ModelRecord)
    operations = count_operations(record.model, record.shape, len(record.class_names))
    return operations * (2 if record.tta.mirror else 1)


def read_finished(context: StudyContext, file: StudyFile) -> dict[str, ValidatedRun]:
    """The status of every finished rung, by name, in the ladder's order.

    Where a rung was trained with several seeds, its figures are their means: one that was lucky
    with its first shall not be chosen for that. Limits are kept or broken by the first, which is
    the one that will be used. Where it was cross-validated, all figures are those of all folds.
    """
    finished = {}
    for rung in file.finished_rungs():
        run = context.folder_of(rung.name)
        status, repeats = find_judged(run), read_repeats(run)
        if repeats is not None:
            rates = [find_validated(one)[1].val for one in (run, *list_repeats(run))]
            status = status.change(
                val=status.val.change(
                    accuracy=repeats.mean, by_class=mean_by_class([rate.by_class for rate in rates])
                )
            )
        finished[rung.name] = status
    return finished


def conclude(context: StudyContext, file: StudyFile) -> None:
    """Choose the winner on validation, within the limits, and judge every rung.

    A study that was finished keeps its winner, whatever a later version would choose: the test
    set has been opened for it.
    """
    finished, limits = read_finished(context, file), context.plan.limits
    metric = context.plan.judged_by
    most_accurate = choose_best(finished, limits, metric)
    if most_accurate is None:
        file.update(best=None, best_reason="no rung was finished")
        return
    pool = find_candidates(finished, limits)
    best, equal = most_accurate, None
    if context.plan.prefer == "cheapest":
        runs = {name: context.folder_of(name) for name in pool}
        best = choose_cheapest(
            most_accurate,
            lambda name: count_run(runs[name]),
            {
                name: compare_runs(run, runs[most_accurate])
                for name, run in runs.items()
                if name != most_accurate
            },
            metric,
        )
        equal = None if best == most_accurate else most_accurate
    if file.record.finished and file.record.best is not None:
        best, equal = file.record.best, file.record.most_accurate
    choice = measure_choice(
        context.folder_of(best), [context.folder_of(name) for name in {**pool, best: None}]
    )
    verdicts = judge_ladder(context, file, best).change(winner_choice=choice)
    store.write(context.job.folder / VERDICTS, verdicts)
    # The choice is on disk before the test set is opened.
    file.update(best=best, most_accurate=equal, best_reason=explain_choice(context, best, equal))


def explain_choice(context: StudyContext, best: str, equal: str | None) -> str:
    """Why a run is the winner.

    Args:
        context: of the study.
        best: name of the winner.
        equal: name of the most accurate, where that is another.
    """
    run = context.folder_of(equal or best)
    mean = "mean " if exists(run / SEEDS_RECORD) else ""
    figure = METRIC_WORDS[context.plan.judged_by]
    accuracy = f"cross-validated {figure}" if context.folds else f"{mean}validation {figure}"
    limits = context.plan.limits
    scope = (
        " among the rungs within every limit"
        if limits.allow(find_judged(run))
        else "; no rung is within every limit"
    )
    if equal is None:
        return f"highest {accuracy}{scope}"
    return (
        f"cheapest to use of those that cannot be told apart from {equal}, which has the highest "
        f"{accuracy}{scope}"
    )


def judge_ladder(context: StudyContext, file: StudyFile, best: str) -> LadderVerdicts:
    """Each finished rung against its base, and the winner.

    A rung that could build on no finished one, because they failed or were left out, is compared
    with the finished one before it.
    """
    done = file.finished_rungs()
    runs = {rung.name: context.folder_of(rung.name) for rung in done}
    return LadderVerdicts(
        steps=tuple(
            compare_runs(runs[rung.name], runs[rung.builds_on or before.name])
            for before, rung in itertools.pairwise(done)
        ),
        against_best=tuple(
            compare_runs(run, runs[best]) for name, run in runs.items() if name != best
        ),
    )
