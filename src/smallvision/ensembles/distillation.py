"""Distillation: one network that learns from a finished model, and what is lost by it."""

from __future__ import annotations

from pathlib import Path

import torch

from smallvision.comparison.verdicts import describe_run, judge_pair, read_correct
from smallvision.data.split import find_val
from smallvision.ensembles.build import measure_latencies
from smallvision.errors import RecordError, SettingError
from smallvision.models import MODELS
from smallvision.predict import load_model
from smallvision.recipes import Recipe, override
from smallvision.recipes.builders import build_machine
from smallvision.records import store
from smallvision.records.layout import DISTILLED
from smallvision.records.model_folders import find_model, fingerprint_model
from smallvision.records.schema import CostRatio, Distillation, Teacher
from smallvision.records.schema.settings.networks import list_networks
from smallvision.runs.finished_run import find_validated
from smallvision.runs.job import Job, own_models
from smallvision.runs.results import Run
from smallvision.runs.run_data import TIMED
from smallvision.runs.train import run_recipe


def distill_run(teacher: Path, recipe: Recipe, job: Job) -> Distillation:
    """Train a recipe that names a teacher, or go on with that, and compare the two.

    Args:
        teacher: folder of the finished run that is learnt from.
        recipe: of the student; its `teacher` holds the fingerprint of the teacher's model.
        job: on the teacher's data and split, so that the student has seen no validation image
            through the teacher; its folder is that of the student's run.

    Returns: the content of `distilled.json`.

    Raises:
        RecordError: the folder belongs to another recipe, split or teacher, or cannot be written.
        FailedRunError: the loss became NaN or infinite, or memory ran out.
    """
    folder = job.folder
    status = run_recipe(recipe, job.offering([find_model(teacher), *own_models(teacher)]))
    if (known := store.read_if_there(folder / DISTILLED, Distillation)) is not None:
        return known
    taught_by, machine = find_validated(teacher)[1], build_machine(recipe)
    torch.set_num_threads(machine.threads)
    models = (load_model(folder, machine), load_model(teacher, machine))
    images = find_val(job.dataset, job.split).images[job.split.val[:TIMED]]
    latency, teacher_latency = measure_latencies(models, images)
    ratio = latency / teacher_latency
    # The student learnt from this one network, not from the teacher's repeats.
    right, teacher_right = (read_correct(run)[1] for run in (folder, teacher))
    verdict = judge_pair(right, teacher_right, describe_run(status), describe_run(taught_by))
    record = Distillation(
        teacher=Teacher(
            name=taught_by.name,
            model=recipe.teacher.model,
            accuracy=taught_by.val.accuracy,
            interval=taught_by.val.interval,
            n=taught_by.val.n,
            parameters=taught_by.parameters,
            size_bytes=taught_by.size_bytes,
            latency_seconds=teacher_latency,
        ),
        against_teacher=verdict.change(latency_ratio=ratio),
        cost=CostRatio(latency_ratio=ratio, size_ratio=status.size_bytes / taught_by.size_bytes),
    )
    store.write(folder / DISTILLED, record)
    return record


def find_teacher_run(run: Run | str | Path) -> Path:
    """The folder of a finished run that a student may learn from.

    Raises:
        RecordError: it is unfinished, damaged, or was trained on the validation images too.
    """
    folder, status = find_validated(run)
    if status.kind == "refit":
        raise RecordError(
            f"{folder} was trained on the validation images too, and a student would hear of them; "
            "name the run it was made from"
        )
    return folder


def name_teacher(recipe: Recipe, teacher: Path) -> Recipe:
    """A recipe that says by whom it is taught.

    Raises:
        SettingError: its name is then too long.
    """
    return override(
        recipe, [f"name={recipe.name}-distilled", f"teacher.model={fingerprint_model(teacher)}"]
    )


def check_teacher_fits(teacher: Path, recipe: Recipe) -> None:
    """Refuse random crops that the teacher cannot classify, before hours of training.

    Raises:
        SettingError: the teacher takes images of one size only.
        RecordError: it is damaged.
    """
    settings = load_model(teacher, build_machine(recipe)).settings
    any_size = all(MODELS[one.name].any_size for one in list_networks(settings))
    if recipe.random_crop_phase and not any_size:
        raise SettingError(
            "this teacher takes images of one size, and the recipe begins with random crops; add "
            "--set random_crop_phase=[]"
        )
