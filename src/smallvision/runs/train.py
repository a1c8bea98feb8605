"""One run: a recipe on a split, from fresh weights to a saved model and its records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import torch
from torch import nn

from smallvision.augment import Augmentation, build_normalizer
from smallvision.compute.environment import describe_environment
from smallvision.compute.machine import Machine
from smallvision.data.loading.origin import describe_origin
from smallvision.errors import RecordError
from smallvision.optim import slow_down
from smallvision.predict import (
    SavedModel,
    build_distillation_targets,
    take_over,
)
from smallvision.recipes import Recipe
from smallvision.recipes.builders import (
    build_average,
    build_machine,
    build_model,
    build_optimizer,
    build_patience,
    build_schedule,
    build_tta,
    count_epoch_steps,
    prepare_model,
)
from smallvision.recipes.keys import find_difference
from smallvision.recipes.micro_batch import choose_micro_batch, scale_norm_momentum
from smallvision.recipes.planning import CLEAN_PER_EPOCH
from smallvision.recipes.toml import (
    parse_recipe,
    read_run_recipe,
    sum_recipe,
    write_toml,
)
from smallvision.records import store
from smallvision.records.files import make_folder, write_text
from smallvision.records.layout import (
    ENVIRONMENT,
    RECIPE,
    RECIPE_DIFF,
    SPLIT,
    START,
    STATUS,
    TEACHER,
    read_status,
)
from smallvision.records.model_folders import find_model
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    AllImagesRun,
    FinishedRun,
    ModelRecord,
    Rate,
    UnfinishedRun,
    ValidatedRun,
)
from smallvision.runs.finished_run import check_whole, find_judged
from smallvision.runs.helpers import Lesson, begin_lesson
from smallvision.runs.job import AllImages, Job, Mode, Refit, TrainingSplit, keep_models, load_named
from smallvision.runs.measure import (
    judge_training,
    measure_cost,
    median_speed,
    rate_last_epoch,
    rate_training,
    save_calibrated,
    tell_mirrored,
)
from smallvision.runs.resuming.recovery import (
    explain_failure,
    lacks_memory,
    roll_back,
    shrink_micro_batch,
)
from smallvision.runs.resuming.warm_start import continue_from
from smallvision.runs.run_data import TIMED, RunData, build_batches, check_split, load_run_data
from smallvision.runs.status_file import StatusFile
from smallvision.stats.intervals import estimate_gap
from smallvision.training import (
    Callbacks,
    DivergedError,
    Evaluator,
    Interruption,
    LoopSettings,
    PrunedError,
    Recorder,
    State,
    fit,
    restore_newest,
)
from smallvision.training.gradients import dismiss

PREPARED_WITH = 5_000  # training images that a fresh network may be measured on


@dataclass(frozen=True, eq=False)
class RunSetup:
    """A run under way.

    Attributes:
        recipe: what is trained.
        job: on what, and where.
        mode: which images it may learn from.
        machine: how it computes.
        data: the images.
        file: its status.
    """

    recipe: Recipe
    job: Job
    mode: Mode
    machine: Machine
    data: RunData
    file: StatusFile


@overload
def run_recipe(recipe: Recipe, job: Job, mode: TrainingSplit | Refit = ...) -> ValidatedRun: ...
@overload
def run_recipe(recipe: Recipe, job: Job, mode: AllImages) -> AllImagesRun: ...
@overload
def run_recipe(recipe: Recipe, job: Job, mode: Mode) -> ValidatedRun | AllImagesRun: ...
def run_recipe(
    recipe: Recipe, job: Job, mode: Mode = TrainingSplit()
) -> ValidatedRun | AllImagesRun:
    """Train a recipe in a run folder, or go on where an earlier session stopped.

    A folder that already holds this recipe on this split is resumed; a finished one is left as
    it is. On a CPU, with the same machine settings, a resumed run has the same bits as one that
    never stopped.

    Args:
        recipe: what to train.
        job: on what, and in which folder, which is made if missing. The run keeps copies of the
            models that the recipe names.
        mode: which images the run may learn from.

    Raises:
        RecordError: the folder belongs to another recipe or split, or cannot be written.
        FailedRunError: the loss became NaN or infinite, or memory ran out; the status says so.
        PrunedError: a callback gave the run up; the status says so.
    """
    make_folder(job.folder)
    status = open_run(recipe, job, mode)
    if isinstance(status, FinishedRun):
        return status
    file = StatusFile(job.folder, status)
    write_about_run(recipe, job)
    try:
        keep_models(recipe, job)
        finished = train_recipe(recipe, job, mode, file)
    except Exception as error:
        failure = explain_failure(error, recipe)
        with suppress(RecordError):  # a full disk, perhaps, which is what the failure is about
            file.end("pruned" if isinstance(error, PrunedError) else "failed", str(failure))
        raise failure from error
    store.write(job.folder / STATUS, finished)
    return finished


def open_run(recipe: Recipe, job: Job, mode: Mode) -> UnfinishedRun | ValidatedRun | AllImagesRun:
    """Check that a folder is new, or about just this run.

    Returns: the status so far.

    Raises:
        RecordError: the folder was made for another recipe or split, or with or without the
            validation images.
    """
    folder, written = job.folder, job.folder / RECIPE
    if exists(written) and read_run_recipe(folder) != recipe:
        raise RecordError(
            f"{folder} was made with other settings; use the same ones to resume, "
            "or name another folder with --out"
        )
    known = read_status(folder) if exists(folder / STATUS) else None
    if known is not None and known.kind != mode.kind:
        how = "without" if known.kind == TrainingSplit.kind else "with"
        raise RecordError(
            f"{folder} was made {how} the validation images among the training images; name "
            "another folder with --out"
        )
    if exists(folder / SPLIT):
        check_split(folder, job.dataset, job.split)
    if known is None:
        return UnfinishedRun(
            status="running",
            kind=mode.kind,
            name=recipe.name,
            data=job.dataset.name,
            origin=describe_origin(job.dataset),
            mirror_safe=job.dataset.mirror_safe,
            recipe_sum=sum_recipe(recipe),
        )
    if isinstance(known, FinishedRun):
        check_whole(folder, known)
        return known
    return known.change(
        status="running",
        error=None,
        origin=describe_origin(job.dataset) or known.origin,  # they may have been moved
        recipe_sum=known.recipe_sum if exists(written) else sum_recipe(recipe),
    )


def write_about_run(recipe: Recipe, job: Job) -> None:
    """Write what a run is about, after its status: a kill leaves a folder that can be resumed."""
    if not exists(job.folder / RECIPE):
        write_recipe(job.folder, recipe)
    if not exists(job.folder / SPLIT):
        check_split(job.folder, job.dataset, job.split)
    store.write(job.folder / ENVIRONMENT, describe_environment())


def write_recipe(folder: Path, recipe: Recipe) -> None:
    """Write a run's recipe, as what it changes of the defaults and whole, which comes last."""
    defaults = parse_recipe({"model": {"name": recipe.model.name}}).plain()
    write_text(folder / RECIPE_DIFF, write_toml(find_difference(recipe.plain(), defaults)))
    write_text(folder / RECIPE, write_toml(recipe.plain()))


def train_recipe(
    recipe: Recipe, job: Job, mode: Mode, file: StatusFile
) -> ValidatedRun | AllImagesRun:
    """Build, fit, save and measure; returns the final status, which is not written yet."""
    machine = build_machine(recipe)
    before = file.status.compute
    if before is not None and not recipe.compute.threads and before.threads < machine.threads:
        machine = machine.change(threads=before.threads)  # so that the bits stay the same
    notes = file.note_machine(machine)
    if isinstance(mode, TrainingSplit) and mode.warm_start is not None:
        notes += file.add_notes(continue_from(mode.warm_start, job.folder, recipe, machine))
    machine.set_up()
    data = load_run_data(
        job.dataset, job.split, machine, with_val=not isinstance(mode, TrainingSplit)
    )
    setup = RunSetup(recipe, job, mode, machine, data, file)
    while True:
        try:
            state = learn(setup, notes)
            break
        except DivergedError as error:
            rolls_back = recipe.nonfinite == "roll-back"
            notes = roll_back(job.folder, file, error) if rolls_back else []
            if not notes:
                raise
        except (MemoryError, RuntimeError) as error:  # a GPU's OutOfMemoryError is the latter
            exhausted = lacks_memory(error)
            notes = shrink_micro_batch(job.folder, file, recipe, machine) if exhausted else []
            if not notes:
                raise
    return finish_run(setup, state)


def learn(setup: RunSetup, notes: Sequence[str]) -> State:
    """Build what training takes, go on from the newest checkpoint, if any, and train to the end.

    An interruption leaves a checkpoint amid its epoch behind. The callback hears the notes, and
    which damaged checkpoints were passed over.
    """
    recipe, job, machine, data = setup.recipe, setup.job, setup.machine, setup.data
    normalize = build_normalizer(data.mean, data.std, machine.device)
    train = job.dataset.train
    model = machine.place(build_model(recipe, train.shape, train.num_classes))
    start = load_named(START, recipe, job.folder, machine)
    taken: list[nn.Parameter] = []
    if start is not None:
        taken = take_over(model, start, recipe.model, train.shape)
    else:
        prepare_model(
            recipe,
            model,
            # They may not lie on the device.
            lambda: normalize(data.sample(PREPARED_WITH, recipe.seed)[0].to(machine.device)),
        )
    batch_size = min(recipe.batch_size, len(data.train[1]))
    schedule = build_schedule(recipe, count_epoch_steps(recipe, len(data.train[1])))
    # Several processes make parts on a GPU too.
    chosen = choose_micro_batch(recipe, machine) if job.ranks is None else recipe.micro_batch
    micro_batch = setup.file.status.micro_batch or chosen
    scale_norm_momentum(model, batch_size, micro_batch)
    batches = build_batches(
        recipe, job.dataset, data, machine, batch_size, micro_batch, find_teacher(setup)
    )
    average = build_average(recipe, model, schedule)
    optimizer = build_optimizer(recipe, model)
    slow_down(optimizer, taken, recipe.start.rate)
    state = State(model, optimizer, average)
    passed_over = setup.file.add_notes(restore_newest(job.folder, state))
    state.slowdown = setup.file.status.slowdown or 1.0
    recorder = Recorder(job.folder, schedule_kind=recipe.schedule.name, keep=recipe.checkpoints)
    # Naming the device keeps a CPU run from waking every GPU just to save its generator.
    devices = [torch.cuda.current_device()] if machine.device == "cuda" else []
    if job.ranks is not None:
        with_val = not isinstance(setup.mode, TrainingSplit)
        begin_lesson(
            job.ranks,
            Lesson(
                recipe, job.split, with_val, machine, batch_size, micro_batch, data.mean, data.std
            ),
            model,
        )
    with torch.random.fork_rng(devices=devices), Interruption() as interruption:
        evaluator = Evaluator(
            train=data.sample(CLEAN_PER_EPOCH, recipe.seed),
            val=data.val if isinstance(setup.mode, TrainingSplit) else None,
            normalize=normalize,
            machine=machine,
            metric=recipe.metric,
            interruptible=interruption.at_once,
        )
        settings = LoopSettings(
            name=recipe.name,
            epochs=recipe.epochs,
            patience=build_patience(recipe),
            skip_nonfinite=recipe.nonfinite == "skip",
            notes=(*notes, *passed_over),
            ranks=job.ranks,
        )
        callback = Callbacks([recorder, job.callback, interruption])
        try:
            fit(state, batches, schedule, evaluator, settings, machine, callback)
        except (KeyboardInterrupt, SystemExit):
            recorder.pause(state)
            raise
        finally:
            if job.ranks is not None:
                dismiss(job.ranks)
    return state


def find_teacher(setup: RunSetup) -> Augmentation | None:
    """What a run learns from besides the labels, if anything.

    Raises:
        RecordError: the run holds no such model, or a damaged one, or one of other classes.
    """
    settings, train = setup.recipe.teacher, setup.job.dataset.train
    model = load_named(TEACHER, setup.recipe, setup.job.folder, setup.machine)
    if model is None:
        return None
    if model.class_names != train.class_names:
        data = setup.job.dataset.name
        raise RecordError(f"{model.folder} knows other classes than those of {data}")
    model.predict(train.images[:TIMED])  # refuses weights that would spoil every target
    return build_distillation_targets(model, share=settings.share, temperature=settings.temperature)


def finish_run(setup: RunSetup, state: State) -> ValidatedRun | AllImagesRun:
    """Save and measure the model; returns the final status."""
    job, data, seed = setup.job, setup.data, setup.recipe.seed
    model = build_saved_model(setup, state)
    if isinstance(setup.mode, TrainingSplit):
        found = save_calibrated(model, data, job.split, job.folder)
        setup.file.add_notes(tell_mirrored(job.folder, found.model, found.val))
        ended = end_run(setup, state, found.model, rate_training(found.model, data, seed))
        gap, bounds = estimate_gap(ended.train, found.val)
        return ended.extend(
            ValidatedRun,
            val=found.val,
            calibration=found.calibration,
            sets=found.sets,
            gap=gap,
            gap_interval=bounds,
            course=judge_training(job.folder, ended.train, found.val),
        )
    if isinstance(setup.mode, Refit):
        model, known = take_over_calibration(model, setup.mode.validation_model)
        model.save(job.folder / "model")
        ended = end_run(setup, state, model, rate_training(model, data, seed))
        return ended.extend(
            ValidatedRun,
            val=known.val,
            calibration=known.calibration,
            sets=known.sets,
            gap=known.gap,
            gap_interval=known.gap_interval,
            course=known.course,
            within_limits=known.within_limits,
        )
    model.save(job.folder / "model")
    return end_run(setup, state, model, rate_last_epoch(job.folder)).extend(AllImagesRun)


def build_saved_model(setup: RunSetup, state: State) -> SavedModel:
    """The trained network with all that a prediction needs."""
    train, made = setup.job.dataset.train, setup.job.dataset.preparation
    return SavedModel(
        network=state.model.eval(),
        settings=setup.recipe.model,
        class_names=train.class_names,
        shape=train.shape,
        mean=tuple(setup.data.mean),
        std=tuple(setup.data.std),
        epoch=state.best.epoch,
        tta=build_tta(setup.recipe),
        fit=made.fit if made else "crop",
        bits=made.bits if made else 16,
        machine=setup.machine,
    )


def take_over_calibration(
    model: SavedModel, validation_model: Path
) -> tuple[SavedModel, ValidatedRun]:
    """Calibrate a refit, for which no image is left, as its validation model was calibrated.

    Returns: the model, and the status of the validation model; both with the figures of all folds
        where that was cross-validated.

    Raises:
        RecordError: the validation model is unfinished, unvalidated or damaged.
    """
    known = find_judged(validation_model)
    twin = store.read(find_model(validation_model) / "model.json", ModelRecord)
    return replace(
        model, temperature=known.calibration.temperature, unlike=twin.unlike, sets=twin.sets
    ), known


def end_run(setup: RunSetup, state: State, model: SavedModel, train: Rate) -> FinishedRun:
    """What the status of every finished run holds."""
    cost = measure_cost(model, setup.data, setup.job.folder)
    return setup.file.status.extend(
        FinishedRun,
        status="done",
        epochs_planned=setup.recipe.epochs,
        epochs_done=state.epoch,
        best_epoch=state.best.epoch,
        stopped=state.stopped,
        seconds=state.seconds,
        images_per_second=median_speed(setup.job.folder),
        parameters=cost.parameters,
        size_bytes=cost.size_bytes,
        latency_seconds=cost.latency_seconds,
        train=train,
    )
