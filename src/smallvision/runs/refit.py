"""The final model: the chosen recipe once more, on training and validation images together."""

from __future__ import annotations

from pathlib import Path

from smallvision.compute.machine import Machine
from smallvision.predict import SavedModel, load_model
from smallvision.recipes import read_run_recipe
from smallvision.recipes.builders import build_machine
from smallvision.records import store
from smallvision.records.layout import REFIT, STATUS
from smallvision.records.model_folders import find_final, fingerprint_model
from smallvision.records.schema import TestRecord
from smallvision.runs.job import Job, Refit, own_models
from smallvision.runs.train import run_recipe

NOTE = (
    "Trained on training and validation images together; the validation figures are those of the "
    "same recipe trained on the training split alone."
)


def load_final(run: Path, machine: Machine | None = None) -> tuple[SavedModel, SavedModel | None]:
    """The model to test of a finished run, and its validation model if it is a refit.

    Args:
        run: its folder.
        machine: where to compute; by default as the run did.

    Raises:
        RecordError: one of them is damaged.
    """
    final, validation_model = find_final(run)
    machine = machine or build_machine(read_run_recipe(run))
    return (
        load_model(final, machine),
        load_model(validation_model, machine) if validation_model else None,
    )


def find_test_record(path: Path, run: Path) -> TestRecord | None:
    """The test result at a path, if it is of the very weights that a run would be tested with."""
    record = store.read_if_there(path, TestRecord)
    is_ours = record is not None and record.weights == fingerprint_model(find_final(run)[0])
    return record if is_ours else None


def refit_run(run: Path, job: Job) -> Path:
    """Train a finished run's recipe on training and validation images, into `RUN/refit/`.

    Nothing is chosen any more: the schedule is the same, and the weights are those at its end,
    since no image is left to tell a better epoch by. A refit that is finished is left as it is.

    Args:
        run: folder of a finished run that was trained.
        job: on the run's data and split.

    Returns: the refit's folder.

    Raises:
        RecordError: the run is damaged, or the folder cannot be written.
        FailedRunError: the loss became NaN or infinite, or memory ran out.
    """
    recipe, folder = read_run_recipe(run), run / REFIT
    job.callback.on_message(f"{recipe.name} once more, on training and validation images together")
    status = run_recipe(recipe, job.at(folder).offering(own_models(run)), Refit(run))
    if NOTE not in status.notes:
        store.write(folder / STATUS, status.change(notes=(*status.notes, NOTE)))
    return folder
