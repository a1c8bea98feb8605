"""A whole study: explore, split, climb the ladder, open the test set once, explain, report."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from smallvision.compute.launch import is_helper
from smallvision.data.dataset import DataSet
from smallvision.data.dry_run import make_dry_run
from smallvision.data.folds import make_folds
from smallvision.data.loading.load import as_dataset
from smallvision.data.related import relate_images
from smallvision.data.split import Split
from smallvision.ensembles.refit import refit_finished
from smallvision.errors import RecordError, UserError
from smallvision.evaluation import FinalModel, evaluate_on_test
from smallvision.exploration.explore import Exploration, explore_images, is_explored
from smallvision.exploration.previews import AugmentationPreview
from smallvision.format import METRIC_WORDS, format_duration
from smallvision.predict import SavedModel, check_start
from smallvision.predict.network import count_operations
from smallvision.recipes import Recipe, Rung, read_run_recipe
from smallvision.recipes.builders import build_augmentations
from smallvision.recipes.planning import NEEDS, Pace, Wish
from smallvision.recipes.presets import choose_subset
from smallvision.records import store
from smallvision.records.files import now
from smallvision.records.layout import STATUS, STUDY, TEST
from smallvision.records.locks import check_folder, lock_folder
from smallvision.records.schema import RungRecord, StudyRecord, StudySummary, ValidatedRun
from smallvision.reporting import write_report
from smallvision.runs.explain import explain_run
from smallvision.runs.finished_run import check_whole, find_judged, find_validated, judge_run
from smallvision.runs.helpers import with_helpers
from smallvision.runs.job import Job
from smallvision.runs.refit import find_test_record, load_final
from smallvision.shapes import MIN_CLASSES
from smallvision.study.budget import (
    Clock,
    describe_plan,
    find_left,
    find_too_many,
    plan_budget,
    read_plan,
    read_scale,
)
from smallvision.study.context import StudyContext
from smallvision.study.folds import settle_folds
from smallvision.study.ladder import cut_ladder, describe_task
from smallvision.study.plan import StudyPlan
from smallvision.study.rungs import WORK, NotWorthwhileError
from smallvision.study.side_by_side import find_independent, list_runs, train_apart
from smallvision.study.start import compare_images, find_start, list_places, offer_start
from smallvision.study.study_record import (
    StudyFile,
    describe_data,
    open_study,
    reopen_study,
    summarize_study,
)
from smallvision.study.winner import choose_best, conclude, read_finished
from smallvision.training import Callback, Callbacks


def run_study(
    data: DataSet | str | Path | Callable[[], DataSet],
    folder: str | Path,
    plan: StudyPlan | None = None,
    *,
    resume: bool = False,
    data_dir: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> StudySummary:
    """Run a study, or go on with one.

    Args:
        data: what to study; a data set, a name, a path, or a function that loads a data set.
        folder: new or empty; with `resume`, one that holds this study.
        plan: what to do; by default, preset `quick`.
        resume: keep finished rungs and go on in the middle of an unfinished one.
        data_dir: where to look for a named data set first.
        callbacks: told what happens.

    Returns: the summary that `smallvision study --json` prints.

    Raises:
        UserError: bad settings, a folder that is not ours, or images that cannot be split; what
            was there before is untouched.

    >>> import smallvision as sv
    >>> plan = sv.StudyPlan(rungs=("linear", "mlp"), folds=1, settings=("epochs=1",))
    >>> summary = sv.run_study("digits", "studies/digits", plan)
    >>> summary.best, summary.test.n, summary.report
    ('mlp', 359, 'studies/digits/report.html')
    """
    began = time.perf_counter()
    folder, plan = Path(folder), plan or StudyPlan()
    # What can be wrong without the images is found before they are loaded or downloaded.
    start = None if plan.start is None else find_start(plan.start)
    cut_ladder(plan, start=start)
    if not is_helper():  # in whose leader's folder there may be something by now
        check_folder(folder, STUDY, resume=resume)

    load = partial(load_for, plan, data, data_dir)
    with with_helpers(load) as ranks:
        dataset = as_dataset(data, data_dir)
        if start is not None:
            check_start(start, start.settings, dataset.train.shape)
        plan, judged = settle_folds(plan, dataset)
        if plan.dry_run:
            dataset = make_dry_run(dataset, plan.seed)
        split, *others = make_folds(
            dataset.train,
            plan.folds or 1,
            val=dataset.val,
            subset=choose_subset(len(dataset.train), plan.seconds),
            seed=plan.seed,
            related=relate_images(dataset.train, dataset.groups, dataset.alike),
        )
        job = Job(dataset, split, folder, Callbacks(callbacks), list_places(start), ranks)
        folds = (split, *others) if others else ()
        with lock_folder(folder):
            job.callback.on_message(judged)
            is_begun = check_folder(folder, STUDY, resume=resume)
            context = prepare_study(job, plan, folds, start, began, is_begun=is_begun)
            if not plan.workers.is_alone:
                job.callback.on_message(plan.workers.describe())
                context = replace(context, load=load)
            file = reopen_study(context) if is_begun else open_study(context)
            return climb_ladder(context, file, Clock(file.record.spent_seconds, began))


def load_for(
    plan: StudyPlan,
    data: DataSet | str | Path | Callable[[], DataSet],
    data_dir: str | Path | None,
) -> DataSet:
    """The images that a plan trains on."""
    dataset = as_dataset(data, data_dir)
    return make_dry_run(dataset, plan.seed) if plan.dry_run else dataset


def prepare_study(
    job: Job,
    plan: StudyPlan,
    folds: tuple[Split, ...],
    start: SavedModel | None,
    began: float,
    *,
    is_begun: bool,
) -> StudyContext:
    """Divide the budget, or take the division that was written down, and cut the ladder to it."""
    task = describe_task(job.dataset, job.split)
    if is_begun:
        budget = store.read(job.folder / STUDY, StudyRecord).budget
    elif plan.same_plan_as is not None:
        budget = read_plan(plan.same_plan_as)
    elif plan.is_timed:
        ladder = cut_ladder(plan, task, start=start)
        wish = Wish(
            tuple(rung.slot for rung in ladder.rungs if rung.slot in ladder.chosen),
            runs=plan.workers.count_rounds(plan.seeds * max(1, len(folds))),
            refit=bool(plan.refit),
            must=bool(plan.rungs),
            start=0.0
            if start is None
            else count_operations(start.settings, (3, 32, 32), MIN_CLASSES) / 1e6,
        )
        budget = plan_budget(job, task, plan.seconds, wish, seed=plan.seed, began=began)
    else:
        budget = None
    scale = None if budget is None else read_scale(budget)
    ladder = cut_ladder(plan, task, scale, start)
    return StudyContext(job, plan, ladder, folds, budget, start)


def climb_ladder(context: StudyContext, file: StudyFile, clock: Clock) -> StudySummary:
    """The study itself, in a folder that is ours."""
    job = context.job
    for sentence in (*job.dataset.notes, describe_data(job.dataset, job.split)):
        job.callback.on_message(sentence)
    offer = offer_start(job.dataset, len(job.split.train)) if context.start is None else None
    if offer is not None:
        job.callback.on_message(offer)
    for line in describe_plan(context.budget) if context.budget else ():
        job.callback.on_message(line)
    if not is_explored(job.folder / "exploration"):
        explore_split(context).write(job.folder / "exploration")

    independent = find_independent(context, file)
    train_apart([run for rung in independent for run in list_runs(rung, context)], context)
    for rung in context.ladder.rungs:
        keep_to_budget(rung, context, file, clock)
        if file.find_rung(rung.slot).status != "skipped":
            climb_rung(rung, context, file, clock)
    conclude(context, file)
    best = file.record.best
    if best is not None:
        test_winner(best, context)
        explain_run(context.folder_of(best), job.dataset, job.split)
    if file.record.finished is None:
        file.update(finished=now(), spent_seconds=clock.spent())
    write_report(job.folder)
    return summarize_study(job.folder, file.record)


def keep_to_budget(rung: Rung, context: StudyContext, file: StudyFile, clock: Clock) -> None:
    """Leave out the rungs that no time is left for, and take a rung back in that time is left for.

    Both are said. What was planned may turn out quicker, where images are soon known by heart.
    """
    budget = context.budget
    if budget is None:
        return
    pace = measure_pace(context, file)
    pending = [one.slot for one in file.record.rungs if one.status == "pending"]
    for slot in find_too_many(budget, pending, clock.spent(), pace):
        why = f"left out after {format_duration(clock.spent())}: no time is left for it."
        file.update_rung(file.find_rung(slot), status="skipped", note=why)
        context.job.callback.on_message(f"{slot} is {why}")
    lacking = {one.slot: one for one in budget.left_out}.get(rung.slot)
    entry, done = file.find_rung(rung.slot), {one.slot for one in file.finished_rungs()}
    if lacking is None or entry.status != "skipped" or NEEDS.get(rung.slot) not in {None, *done}:
        return
    seconds = pace.expect(lacking)
    if seconds <= find_left(budget, pending, clock.spent(), pace):
        file.update_rung(entry, status="pending", note=None)
        told = f"There is time for {rung.slot} after all: about {format_duration(seconds)}."
        context.job.callback.on_message(told)


def measure_pace(context: StudyContext, file: StudyFile) -> Pace:
    """Compare what the finished rungs took with what was planned for them."""
    assert context.budget is not None
    both = (*context.budget.rungs, *context.budget.left_out)
    planned = {rung.slot: rung.seconds for rung in both}
    taken = {}
    for rung in file.finished_rungs():
        status = find_validated(context.folder_of(rung.name))[1]
        if status.seconds:  # of a rung that is another one's run it is 0
            seconds = context.rounds * status.seconds + status.search_seconds
            taken[rung.slot] = (seconds, planned[rung.slot])
    return Pace(taken)


def explore_split(context: StudyContext) -> Exploration:
    """Look at the training split, with previews of the augmentations that the ladder uses."""
    previews: dict[str, AugmentationPreview] = {}
    for rung in context.ladder.rungs:
        built = build_augmentations(rung.recipe)
        for settings, augment in zip(rung.recipe.augment, built, strict=True):
            previews[settings.name] = AugmentationPreview(
                settings.name, settings.card.sentence, augment
            )
    dataset, split = context.job.dataset, context.job.split
    return explore_images(
        dataset.train.take(split.train),
        mirror_safe=dataset.mirror_safe,
        list_previews=lambda: list(previews.values()),
        num_val=sum(len(fold.val) for fold in context.folds) or len(split.val),
        original=dataset.sizes,
        seed=context.plan.seed,
    )


def climb_rung(rung: Rung, context: StudyContext, file: StudyFile, clock: Clock) -> None:
    """Set a rung on the best below it, do its work, and enter the outcome.

    A finished rung stays what it is, on the base it had. A rung that fails does not end the
    study. Records that cannot be read or written do: what was done so far is kept, and the study
    can be resumed.
    """
    entry, callback = file.find_rung(rung.slot), context.job.callback
    if entry.is_done:
        run = context.folder_of(entry.name)
        check_whole(*find_validated(run))
        callback.on_stage_end(entry.name, find_judged(run))
        return
    rung, entry = place_rung(rung, entry, context, file)
    allowed = allow_rung(rung.slot, context, file, clock)
    file.update(finished=None)
    entry = file.update_rung(entry, status="running", error=None)
    callback.on_stage_start(rung.name, rung.question)
    if entry.note:
        callback.on_message(entry.note)
    try:
        status = do_work(rung, context, allowed)
    except NotWorthwhileError as error:
        file.update_rung(entry, status="skipped", note=str(error))
        callback.on_message(f"{rung.name} is {error}")
        return
    except RecordError:
        raise
    except (UserError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        file.update_rung(entry, status="failed", error=reason)
        callback.on_stage_failed(rung.name, reason)
        return
    file.update_rung(entry, status="done")
    file.update(spent_seconds=clock.spent())
    callback.on_stage_end(rung.name, status)


def allow_rung(slot: str, context: StudyContext, file: StudyFile, clock: Clock) -> float:
    """Seconds that a rung may take, so that those after it still have theirs."""
    if context.budget is None:
        return math.inf
    later = [one.slot for one in file.record.rungs if one.status == "pending" and one.slot != slot]
    return find_left(context.budget, later, clock.spent(), measure_pace(context, file))


def do_work(rung: Rung, context: StudyContext, allowed: float = math.inf) -> ValidatedRun:
    """Train, tune or average, and enter whether the rung keeps the limits."""
    status, run = WORK[rung.work](rung, context, allowed), context.folder_of(rung.name)
    within_limits = context.plan.limits.allow(judge_run(run, status))
    status = status.change(within_limits=within_limits)
    store.write(run / STATUS, status)
    return judge_run(run, status)


def place_rung(
    rung: Rung, entry: RungRecord, context: StudyContext, file: StudyFile
) -> tuple[Rung, RungRecord]:
    """Build a rung on the best finished rung that it may build on, and enter which that is.

    A rung that was begun in an earlier session keeps the base it had, even if a better one has
    been finished since: what lies in its folder was made on that.
    """
    base, note = entry.builds_on, entry.note
    if entry.status == "pending":
        slots = {other.name: other.slot for other in file.finished_rungs()}
        finished = read_finished(context, file)
        below = {name: status for name, status in finished.items() if slots[name] in rung.after}
        base = choose_best(below, context.plan.limits, context.plan.judged_by)
        note = explain_base(list(below), base, METRIC_WORDS[context.plan.judged_by])
    recipe = read_run_recipe(context.folder_of(base)) if base else None
    placed = context.ladder.place(rung, recipe)
    if entry.status == "pending" and recipe is not None:
        note = " ".join(filter(None, [note, explain_length(placed.recipe, recipe)])) or None
    if entry.status == "pending" and rung.slot == "transfer" and context.start is not None:
        note = " ".join(filter(None, [note, compare_images(context.start, context.job.dataset)]))
    taken = {other.name for other in file.record.rungs if other.slot != rung.slot}
    if placed.name in taken:
        placed = placed.with_recipe(placed.recipe.model_copy(update={"name": rung.slot}))
    return placed, entry.change(name=placed.name, builds_on=base, note=note)


def explain_base(below: Sequence[str], base: str | None, figure: str = "accuracy") -> str | None:
    """Say so where a rung does not build on the last one it could have built on."""
    if base is None or base == below[-1]:
        return None
    later = below[below.index(base) + 1 :]
    who = " and ".join(later) if len(later) < 3 else f"none of the {len(later)} rungs after it"
    did = "did not raise" if len(later) < 3 else "raised"
    return (
        f"Builds on {base}, the best so far: {who} {did} validation {figure} above it within the "
        "limits."
    )


def explain_length(recipe: Recipe, base: Recipe) -> str | None:
    """Say so where a rung has another number of epochs than the one it builds on."""
    if recipe.epochs == base.epochs:
        return None
    return f"It trains for {recipe.epochs} epochs, {base.name} for {base.epochs}."


def test_winner(best: str, context: StudyContext) -> None:
    """Open the test set for the winner, unless these weights have been tested already.

    With `refit`, the model that is tested is the winner trained once more on training and
    validation images; the winner itself, with folds its first, is scored beside it, in the same
    opening.
    """
    job, run = context.job, context.folder_of(best)
    path = job.folder / TEST
    if context.plan.refit:
        refit_finished(run, job)
    if find_test_record(path, run) is not None:
        job.callback.on_message(f"The test result of {best} is kept; the test set stays sealed.")
        return
    model, validation_model = load_final(run)
    final = FinalModel(best, model, find_judged(run).val, validation_model)
    result = evaluate_on_test(final, job.dataset, job.folder, command=context.plan.command)
    store.write(path, result)
    if result.openings > 1:
        job.callback.on_message(
            f"Note: this is opening {result.openings} of the test set in this study; a figure "
            "seen more than once is no longer untouched. The ledger says when and for what."
        )
