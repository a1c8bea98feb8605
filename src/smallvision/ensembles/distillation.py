"""Distillation: one network that learns from a finished model, and what is lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from smallvision.comparison.verdicts import judge_pair, read_correct
from smallvision.data.dataset import DataSet
from smallvision.data.split import Split, find_val
from smallvision.ensembles.build import measure_latencies
from smallvision.errors import RecordError, SettingError
from smallvision.models import MODELS
from smallvision.predict import find_model, fingerprint_model, load_model
from smallvision.recipes import Recipe, override
from smallvision.recipes.builders import build_machine
from smallvision.records.files import read_json, write_json
from smallvision.records.layout import DISTILLED, REFIT, STATUS
from smallvision.runs.finished_run import find_finished
from smallvision.runs.results import Run
from smallvision.runs.run_data import TIMED
from smallvision.runs.train import run_recipe
from smallvision.training import Watcher


def distill_run(
    teacher: Path,
    recipe: Recipe,
    dataset: DataSet,
    split: Split,
    folder: Path,
    *,
    watchers: Sequence[Watcher] = (),
) -> dict[str, Any]:
    """Train a recipe that names a teacher, or go on with that, and compare the two.

    Args:
        teacher: folder of the finished run that is learnt from.
        recipe: of the student; its `teacher` holds the fingerprint of the teacher's model.
        dataset, split: those of the teacher, so that the student has seen no validation image
            through its eyes.
        folder: of the student's run.
        watchers: told of every step and epoch.

    Returns: the content of `distilled.json`.

    Raises:
        RecordError: the folder belongs to another recipe, split or teacher, or cannot be written.
        FailedRunError: the loss is no longer a number, or memory ran out.
    """
    status = run_recipe(
        recipe, dataset, split, folder, watchers=watchers, teacher=find_model(teacher)
    )
    if (folder / DISTILLED).exists():
        return read_json(folder / DISTILLED)
    known, machine = read_json(teacher / STATUS), build_machine(recipe)
    torch.set_num_threads(machine.threads)
    models = (load_model(folder, machine), load_model(teacher, machine))
    images = find_val(dataset, split).images[split.val[:TIMED]]
    mine, taught_by = measure_latencies(models, images)
    ratio = mine / taught_by
    # The student learnt from this one network, not from the teacher's repeats.
    right, known_right = (read_correct(run)[1] for run in (folder, teacher))
    verdict = judge_pair(right, known_right, status, known)
    record = {
        "schema": 1,
        "teacher": {
            "name": known["name"],
            "model": recipe.teacher.model,
            **{key: known["val"][key] for key in ("accuracy", "interval", "n")},
            "parameters": known["parameters"],
            "size_bytes": known["size_bytes"],
            "latency_seconds": taught_by,
        },
        "against_teacher": {**verdict, "latency_ratio": ratio},
        "cost": {
            "latency_ratio": ratio,
            "size_ratio": status["size_bytes"] / known["size_bytes"],
        },
    }
    write_json(folder / DISTILLED, record)
    return read_json(folder / DISTILLED)


def find_teaching_run(run: Run | str | Path) -> Path:
    """The folder of a finished run that a student may learn from.

    Raises:
        RecordError: it is unfinished, damaged, or was trained on the validation images too.
    """
    folder, status = find_finished(run)
    if status.get("kind") == REFIT:
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


def refuse_teacher(recipe: Recipe) -> None:
    """Refuse a recipe that names a teacher, where there is none to learn from.

    Raises:
        SettingError: it does.
    """
    if recipe.teacher.model:
        raise SettingError(
            f"'{recipe.name}' learns from a teacher; train it by `smallvision distill TEACHER "
            "RECIPE`, or add --set teacher.model="
        )


def check_teaching(teacher: Path, recipe: Recipe) -> None:
    """Refuse windows that a teacher cannot look at, before hours of training.

    Raises:
        SettingError: it takes images of one size only.
        RecordError: it is damaged.
    """
    settings = load_model(teacher, build_machine(recipe)).settings
    names = [member["name"] for member in settings.get("members", [settings])]
    if recipe.windows and not all(MODELS[name].any_size for name in names):
        raise SettingError(
            "this teacher takes images of one size, and the recipe begins with windows; add "
            "--set windows=[]"
        )
