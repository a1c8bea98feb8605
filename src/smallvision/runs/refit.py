"""The final model: the chosen recipe once more, on training and validation images together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.predict import SavedModel, fingerprint_model, load_model
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.recipes.builders import build_machine
from smallvision.records.files import read_json, write_json
from smallvision.records.layout import REFIT, STATUS, is_finished
from smallvision.runs.train import own_teacher, run_recipe
from smallvision.training import Watcher

NOTE = (
    "Trained on training and validation images together; what is said of validation is measured on "
    "its twin, trained on the training split alone."
)


def find_final(run: Path) -> tuple[Path, Path | None]:
    """The model to test of a finished run: its refit, beside its twin, or itself without one."""
    refit = run / REFIT
    return (refit, run) if is_finished(refit) else (run, None)


def load_final(run: Path) -> tuple[SavedModel, SavedModel | None]:
    """The model to test of a finished run, and its twin if it is a refit.

    Raises:
        RecordError: one of them is damaged.
    """
    final, twin = find_final(run)
    machine = build_machine(read_run_recipe(run))
    return load_model(final, machine), load_model(twin, machine) if twin else None


def recall_test(path: Path, run: Path) -> dict[str, Any] | None:
    """The test result at a path, if it is of the very weights that a run would be tested with."""
    record = read_json(path) if path.exists() else {}
    return record if record.get("weights") == fingerprint_model(find_final(run)[0]) else None


def refit_run(
    run: Path,
    dataset: DataSet,
    split: Split,
    *,
    watchers_for: Callable[[Recipe], Sequence[Watcher]] = lambda _recipe: (),
) -> Path:
    """Train a finished run's recipe on training and validation images, into `RUN/refit/`.

    Nothing is chosen any more: the schedule is the same, and the weights are those at its end,
    since no image is left to tell a better epoch by. A refit that is finished is left as it is.

    Args:
        run: folder of a finished run that was trained, the twin.
        dataset, split: those of the run.
        watchers_for: called with a recipe before its training begins; gives its watchers.

    Returns: the refit's folder.

    Raises:
        RecordError: the run is damaged, or the folder cannot be written.
        FailedRunError: the loss is no longer a number, or memory ran out.
    """
    recipe = read_run_recipe(run)
    folder = run / REFIT
    status = run_recipe(
        recipe,
        dataset,
        split,
        folder,
        watchers=watchers_for(recipe),
        twin=run,
        teacher=own_teacher(run),
    )
    if NOTE not in status["notes"]:
        write_json(folder / STATUS, {**status, "notes": [*status["notes"], NOTE]})
    return folder
