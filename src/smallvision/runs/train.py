"""One run: a recipe on a split, from fresh weights to a saved model and its records."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smallvision.augment import Augmentation, build_normalizer
from smallvision.compute.environment import describe_environment
from smallvision.compute.machine import Machine
from smallvision.data.batches import TrainBatches, count_steps
from smallvision.data.dataset import DataSet
from smallvision.data.placement import fits
from smallvision.data.split import Split
from smallvision.errors import FailedRunError, RecordError
from smallvision.predict import SavedModel, build_teaching, fingerprint_model, load_model
from smallvision.recipes import Recipe
from smallvision.recipes.builders import (
    MIN_MICRO_BATCH,
    build_average,
    build_machine,
    build_model,
    build_optimizer,
    build_patience,
    build_schedule,
    build_tta,
    choose_micro_batch,
    prepare_model,
    scale_norm_momentum,
    schedule_augmentations,
)
from smallvision.recipes.keys import find_difference
from smallvision.recipes.toml import parse_recipe, read_run_recipe, sum_recipe, write_toml
from smallvision.records.fields import POOLED
from smallvision.records.files import (
    hash_file,
    make_folder,
    read_json,
    read_jsonl,
    write_json,
    write_npz,
    write_text,
)
from smallvision.records.layout import (
    METRICS,
    STATUS,
    TEACHER,
    paused_folder,
    remove_checkpoint,
)
from smallvision.records.weights import check_manifest, copy_tensors
from smallvision.runs.run_data import Material, check_split, gather_material
from smallvision.runs.warm_start import begin_with
from smallvision.shapes import Floats
from smallvision.stats import rate_accuracy
from smallvision.stats.calibration import describe_calibration, fit_temperature, scale_logits
from smallvision.stats.intervals import wilson_interval
from smallvision.training import (
    DivergedError,
    Examiner,
    Interruption,
    PrunedError,
    Recorder,
    State,
    Watcher,
    fit,
    restore_newest,
)

# Clean training images measured after each epoch, and once at the end. Half a percent of
# standard error is enough to see a gap grow; the final figure deserves more.
CLEAN_PER_EPOCH, CLEAN_AT_END = 2_000, 10_000
SLOWEST = 1 / 8  # of the planned learning rate; a run that diverges below that has other troubles
# Of the status of a run while it goes on.
KEPT = ("machine", "micro_batch", "slowdown", "moved", "notes")
PREPARED_WITH = 5_000  # training images that a fresh network may be measured on


def run_recipe(
    recipe: Recipe,
    dataset: DataSet,
    split: Split,
    folder: Path,
    *,
    watchers: Sequence[Watcher] = (),
    twin: Path | None = None,
    pooled: bool = False,
    teacher: Path | None = None,
    beginning: Path | None = None,
) -> dict[str, Any]:
    """Train a recipe in a run folder, or go on where an earlier sitting stopped.

    A folder that already holds this recipe on this split is resumed; a finished one is left as
    it is. On a CPU, with the same machine settings, a resumed run has the same bits as one that
    never stopped.

    Args:
        recipe: what to train.
        dataset: whose training images.
        split: which of them.
        folder: of the run; made if missing.
        watchers: told of every step and epoch, besides the recorder.
        twin: a finished run of this recipe on the training split alone; with one, training takes
            the validation images too, and all that is said of validation is the twin's.
        pooled: train on the validation images too without any twin: nothing is known of
            validation, and nothing is left to choose by it.
        teacher: folder of the model that the recipe's `teacher` tells of; the run keeps a copy,
            so that it can be resumed anywhere.
        beginning: folder of a run that may have been through the first cycles of this one; if so,
            they are not trained again, which changes no bit.

    Returns: the content of `status.json`.

    Raises:
        RecordError: the folder belongs to another recipe or split, or cannot be written.
        FailedRunError: the loss is no longer a number, or memory ran out; the status says so.
        PrunedError: a watcher gave the run up; the status says so.
    """
    make_folder(folder)
    status = open_run(folder, recipe, dataset, split, pooled=pooled)
    if status["status"] == "done":
        return status
    try:
        if teacher is not None:
            copy_tensors(teacher, folder / TEACHER)
        status |= train_recipe(
            recipe, dataset, split, folder, watchers, twin, pooled=pooled, beginning=beginning
        )
    except Exception as error:
        failure = explain_failure(error, recipe)
        ended = "pruned" if isinstance(error, PrunedError) else "failed"
        with suppress(RecordError):  # a full disk, perhaps, which is what the failure is about
            status = read_json(folder / STATUS)
            write_json(folder / STATUS, {**status, "status": ended, "error": str(failure)})
        raise failure from error
    write_json(folder / STATUS, status)
    return status


def explain_failure(error: Exception, recipe: Recipe) -> Exception:
    """Say in one line what a person can do about it, where that is known."""
    if is_exhausted(error):
        return FailedRunError(
            f"'{recipe.name}' ran out of memory; lower the model's width, or batch_size (it is "
            f"{recipe.batch_size})"
        )
    return error


def open_run(
    folder: Path, recipe: Recipe, dataset: DataSet, split: Split, *, pooled: bool
) -> dict[str, Any]:
    """Write what a run is about to do, or check that the folder is about just that.

    Returns: the status so far.

    Raises:
        RecordError: the folder was made for another recipe or split, or with or without the
            validation images.
    """
    fresh = {
        "schema": 1,
        "name": recipe.name,
        "data": dataset.name,
        "mirror_safe": dataset.mirror_safe,
        "status": "running",
        "error": None,
    } | ({"kind": POOLED} if pooled else {})
    written = folder / "recipe.toml"
    if written.exists() and read_run_recipe(folder) != recipe:
        raise RecordError(
            f"{folder} was made with other settings; use the same ones to resume, "
            "or name another folder with --out"
        )
    status = read_json(folder / STATUS) if (folder / STATUS).exists() else fresh
    if (status.get("kind") == POOLED) != pooled:
        raise RecordError(
            f"{folder} was made {'without' if pooled else 'with'} the validation images among the "
            "training images; name another folder with --out"
        )
    has_split = (folder / "split.json").exists()
    if has_split:
        check_split(folder, dataset, split)
    if status["status"] == "done":
        check_manifest(folder / "model")
        return status
    # The marker comes first: a kill in what follows leaves a folder that can be resumed. A recipe
    # that is there stays as an earlier version may have spelt it.
    known = {"recipe_sum": hash_file(written)} if written.exists() else sum_recipe(recipe)
    status |= {"status": "running", "error": None, **known}
    write_json(folder / STATUS, status)
    if not written.exists():
        note_recipe(folder, recipe)
    if not has_split:
        check_split(folder, dataset, split)
    write_json(folder / "environment.json", describe_environment())
    return status


def note_recipe(folder: Path, recipe: Recipe) -> None:
    """Write a run's recipe, as what it changes of the defaults and whole, which comes last."""
    defaults = parse_recipe({"model": {"name": recipe.model.name}}).plain()
    write_text(folder / "recipe.diff.toml", write_toml(find_difference(recipe.plain(), defaults)))
    write_text(folder / "recipe.toml", write_toml(recipe.plain()))


def train_recipe(
    recipe: Recipe,
    dataset: DataSet,
    split: Split,
    folder: Path,
    watchers: Sequence[Watcher],
    twin: Path | None,
    *,
    pooled: bool,
    beginning: Path | None,
) -> dict[str, Any]:
    """Build, fit, save and measure; returns the parts of the status that this decides."""
    machine = build_machine(recipe)
    news = note_machine(folder, machine)
    if beginning is not None:
        news += add_notes(folder, begin_with(beginning, folder, recipe, machine))
    machine.set_up()
    pooled = pooled or twin is not None
    material = gather_material(dataset, split, machine, pooled=pooled)
    while True:
        try:
            state = learn(recipe, dataset, material, machine, folder, watchers, news, pooled=pooled)
            break
        except DivergedError as error:
            news = roll_back(folder, error) if recipe.nonfinite == "roll-back" else []
            if not news:
                raise
        except (MemoryError, RuntimeError) as error:  # a GPU's OutOfMemoryError is the latter
            news = shrink_parts(folder, recipe, machine) if is_exhausted(error) else []
            if not news:
                raise
    saved = SavedModel(
        network=state.model.eval(),
        settings=recipe.model.model_dump(mode="json"),
        class_names=dataset.train.class_names,
        shape=dataset.train.shape,
        mean=tuple(material.mean),
        std=tuple(material.std),
        epoch=state.best.epoch,
        tta=build_tta(recipe),
        machine=machine,
    )
    return {
        "status": "done",
        "epochs_planned": recipe.epochs,
        "epochs_done": state.epoch,
        "best_epoch": state.best.epoch,
        "stopped": state.stopped,
        "images_per_second": median_speed(folder),
        **(
            measure_refit(saved, material, folder, twin, recipe.seed)
            if twin is not None
            else measure_pooled(saved, material, folder)
            if pooled
            else measure_run(saved, material, split, folder, recipe.seed)
        ),
        "seconds": state.seconds,
        **{name: value for name, value in read_json(folder / STATUS).items() if name in KEPT},
    }


def learn(
    recipe: Recipe,
    dataset: DataSet,
    material: Material,
    machine: Machine,
    folder: Path,
    watchers: Sequence[Watcher],
    news: Sequence[str],
    *,
    pooled: bool,
) -> State:
    """Build what training takes, go on from the newest checkpoint, if any, and train to the end.

    An interruption leaves a checkpoint amid its epoch behind. The watchers hear the news, and
    which damaged checkpoints were passed over.
    """
    normalize = build_normalizer(material.mean, material.std, machine.device)
    model = machine.place(build_model(recipe, dataset.train.shape, dataset.train.num_classes))
    prepare_model(
        recipe,
        model,
        # They may not lie on the device.
        lambda: normalize(material.sample(PREPARED_WITH, recipe.seed)[0].to(machine.device)),
    )
    num_train = len(material.train[1])
    batch_size = min(recipe.batch_size, num_train)
    steps = count_steps(num_train, batch_size)
    schedule = build_schedule(recipe, steps)
    status = read_json(folder / STATUS)
    micro_batch = status.get("micro_batch") or choose_micro_batch(recipe, machine)
    scale_norm_momentum(model, batch_size, micro_batch)
    batches = TrainBatches(
        *material.train,
        num_classes=dataset.train.num_classes,
        normalize=normalize,
        batch_size=batch_size,
        augmentations=schedule_augmentations(
            recipe, schedule.cycle_ends, steps, find_teacher(folder, recipe, machine)
        ),
        seed=recipe.seed,
        micro_batch=micro_batch,
        reads_ahead=not fits(material.train[0].nbytes, "cpu"),
    )
    average = build_average(recipe, model, schedule)
    state = State(model, build_optimizer(recipe, model), average)
    passed_over = add_notes(folder, restore_newest(folder, state))
    state.slowdown = status.get("slowdown") or 1.0
    recorder = Recorder(folder, schedule_kind=recipe.schedule.name, keep=recipe.checkpoints)
    # Naming the device keeps a CPU run from waking every GPU just to save its generator.
    devices = [torch.cuda.current_device()] if machine.device == "cuda" else []
    with torch.random.fork_rng(devices=devices), Interruption() as interruption:
        examiner = Examiner(
            train=material.sample(CLEAN_PER_EPOCH, recipe.seed),
            val=None if pooled else material.val,
            normalize=normalize,
            machine=machine,
            interruption=interruption,
        )
        try:
            fit(
                state,
                batches,
                schedule,
                examiner,
                name=recipe.name,
                epochs=recipe.epochs,
                patience=build_patience(recipe),
                machine=machine,
                watchers=[recorder, *watchers, interruption],
                skips=recipe.nonfinite == "skip",
                notes=[*news, *passed_over],
            )
        except (KeyboardInterrupt, SystemExit):
            recorder.pause(state)
            raise
    return state


def own_teacher(run: Path) -> Path | None:
    """The model that a run learnt from, for a refit or a repeat of it; None for most runs."""
    return run / TEACHER if (run / TEACHER).exists() else None


def find_teacher(folder: Path, recipe: Recipe, machine: Machine) -> Augmentation | None:
    """What a run learns from besides the labels, if anything.

    Raises:
        RecordError: the run holds no such model, or a damaged one.
    """
    settings = recipe.teacher
    if not settings.model:
        return None
    place = folder / TEACHER
    if not place.exists() or fingerprint_model(place) != settings.model:
        raise RecordError(f"{place} is not the teacher that '{recipe.name}' names; restore it")
    model = load_model(place, machine)
    return build_teaching(model, share=settings.share, temperature=settings.temperature)


def roll_back(folder: Path, error: DivergedError) -> list[str]:
    """Halve the learning rate of a run that diverged; it then goes on from its last checkpoint.

    Returns: what is to be said of it; nothing if it was tried often enough.
    """
    status = read_json(folder / STATUS)
    slowdown = (status.get("slowdown") or 1.0) / 2
    if slowdown < SLOWEST:
        return []
    remove_checkpoint(paused_folder(folder))  # of an epoch that is done again from its start
    note = f"rolled back, and went on at {slowdown:g} of the learning rate: {error}"
    return add_notes(folder, [note], slowdown=slowdown)


def shrink_parts(folder: Path, recipe: Recipe, machine: Machine) -> list[str]:
    """Halve the images that a run computes with at a time; the batch of a step stays what it is.

    Returns: what is to be said of it; nothing if they cannot be fewer.
    """
    status = read_json(folder / STATUS)
    before = status.get("micro_batch") or choose_micro_batch(recipe, machine) or recipe.batch_size
    smaller = min(before, recipe.batch_size) // 2
    if smaller < MIN_MICRO_BATCH:
        return []
    if machine.device == "cuda":
        torch.cuda.empty_cache()
    remove_checkpoint(paused_folder(folder))  # whose first steps took other parts
    note = f"memory ran out; batches were then made {smaller} images at a time, not {before}"
    return add_notes(folder, [note], micro_batch=smaller)


def is_exhausted(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of a GPU or of the machine."""
    words = "can't allocate memory", "not enough memory"
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        word in str(error) for word in words
    )


def add_notes(folder: Path, notes: list[str], **fields: Any) -> list[str]:
    """Keep what a person should know of a run, at once: a later sitting would not know."""
    status = read_json(folder / STATUS)
    write_json(folder / STATUS, {**status, "notes": [*status.get("notes", []), *notes], **fields})
    return notes


def note_machine(folder: Path, machine: Machine) -> list[str]:
    """Record how a run computes; say so if an earlier sitting computed otherwise."""
    status = read_json(folder / STATUS)
    before = status.get("machine") or machine.record()
    changed = [name for name, value in machine.record().items() if before.get(name) != value]
    status = {"notes": [], **status, "machine": machine.record()}
    if not changed:
        write_json(folder / STATUS, status)
        return []
    note = f"resumed with another {', '.join(changed)}, so the bits are not those of one sitting"
    write_json(folder / STATUS, {**status, "notes": [*status["notes"], note], "moved": True})
    return [note]


def median_speed(folder: Path) -> float:
    """Training images a second, the median over epochs, which one slow epoch does not move."""
    speeds = [line.get("images_per_second", 0.0) for line in read_jsonl(folder / METRICS)]
    return float(statistics.median(speeds)) if speeds else 0.0


def measure_run(
    model: SavedModel,
    material: Material,
    split: Split,
    folder: Path,
    seed: int,
    *,
    logits: Floats | None = None,
) -> dict[str, Any]:
    """Calibrate the best weights, save them, and score them on validation and training images.

    The temperature is fitted on validation, where the epoch was chosen too. It comes before
    saving, so that the manifest covers it.

    Args:
        logits: of the validation images, where they are known.
    """
    images, labels = (tensor.cpu().numpy() for tensor in material.val)
    logits = model.predict_logits(images) if logits is None else logits
    model = replace(model, temperature=fit_temperature(logits, labels))
    model.save(folder / "model")
    probabilities = scale_logits(logits, model.temperature)
    write_npz(
        make_folder(folder / "predictions") / "val.npz",
        indices=split.val,
        labels=labels,
        probabilities=probabilities.astype(np.float32),
    )
    val = rate_accuracy(probabilities, labels)
    train = rate_training(model, material, seed)
    return {
        **measure_cost(model, material, folder),
        "train": train,
        "val": val,
        "calibration": describe_calibration(logits, labels, model.temperature),
        "gap": train["accuracy"] - val["accuracy"],
        "within_limits": None,
    }


def measure_refit(
    model: SavedModel, material: Material, folder: Path, twin: Path, seed: int
) -> dict[str, Any]:
    """Save a model that was trained on the validation images too, and what its twin knows.

    No image is left to calibrate it on, so it takes its twin's temperature.
    """
    known = read_json(twin / STATUS)
    temperature = read_json(twin / "model" / "model.json")["temperature"]
    model = replace(model, temperature=temperature)
    model.save(folder / "model")
    return {
        "kind": "refit",
        **measure_cost(model, material, folder),
        "train": rate_training(model, material, seed),
        **{name: known[name] for name in ("val", "calibration", "gap", "within_limits")},
    }


def measure_pooled(model: SavedModel, material: Material, folder: Path) -> dict[str, Any]:
    """Save a model that was trained on all images and has nothing to be compared with.

    It is made to be fast, so its training accuracy is the one measured at the end of training.
    """
    model.save(folder / "model")
    last = read_jsonl(folder / METRICS)[-1]
    accuracy, n = last["train_accuracy"], last["train_n"]
    return {
        **measure_cost(model, material, folder),
        "train": {
            "accuracy": accuracy,
            "interval": list(wilson_interval(round(accuracy * n), n)),
            "n": n,
            "loss": last["train_loss"],
        },
    }


def rate_training(model: SavedModel, material: Material, seed: int) -> dict[str, Any]:
    """Accuracy on a sample of clean training images."""
    images, labels = (tensor.cpu().numpy() for tensor in material.sample(CLEAN_AT_END, seed))
    return rate_accuracy(model.predict(images), labels)


def measure_cost(model: SavedModel, material: Material, folder: Path) -> dict[str, Any]:
    """What it takes to keep and to use a model that is saved in a run folder."""
    return {
        "parameters": model.count_parameters(),
        "size_bytes": (folder / "model" / "model.safetensors").stat().st_size,
        "latency_seconds": model.measure_latency(material.show_val()),
    }
