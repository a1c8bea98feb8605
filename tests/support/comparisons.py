"""Finished runs as a comparison reads them: no network is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.split import hash_indices
from smallvision.recipes import Recipe, parse_recipe
from smallvision.recipes.toml import sum_recipe, write_toml
from smallvision.records import store
from smallvision.records.files import hash_bytes, make_folder, write_text
from smallvision.records.layout import FOLDS_RECORD, SPLIT, STATUS
from smallvision.records.predictions import Predictions, write_predictions
from smallvision.runs.measure import summarize_folds
from smallvision.stats.paired import Correct
from smallvision.stats.rates import rate_accuracy
from tests.support.records import make_split_record, make_status


def write_finished_run(
    folder: Path, correct: Correct, recipe: Recipe, *, first: int = 0, **changes: Any
) -> Path:
    """Write the records of a finished run, as far as a comparison reads them.

    Args:
        folder: new.
        correct: bool `(N,)`, which of its validation images the run is right on.
        recipe: of the run.
        first: index of the first validation image.
        changes: fields of the status; `data` is the fingerprint of the images too.

    Returns: the folder.
    """
    n = len(correct)
    labels, indices = np.zeros(n, dtype=np.int64), np.arange(n) + first
    probabilities = np.stack([correct, ~correct], axis=1).astype(np.float32)
    write_predictions(folder, Predictions(indices, labels, probabilities))
    write_text(folder / "recipe.toml", write_toml(recipe.plain()))
    rate = rate_accuracy(probabilities, labels)
    known = {"name": folder.name, "recipe_sum": sum_recipe(recipe), "gap": 0.0}
    status = make_status(**{**known, "val": rate, "train": rate, **changes})
    split = make_split_record(
        val_hash=hash_indices(indices), data_fingerprint=hash_bytes(status.data.encode())
    )
    store.write(folder / SPLIT, split)
    store.write(folder / STATUS, status)
    return folder


def write_folds(folder: Path, *hits: int, folds: int = 3, shift: int = 0) -> Path:
    """Write a run and its other folds, as far as a comparison reads them.

    Args:
        folder: new; its name is that of the network too, with some width of its own.
        hits: of each fold, on how many of its 40 images it is right; -1 for one that failed.
        folds: by how many the images are divided.
        shift: of the indices of the images.

    Returns: the folder.
    """
    model = {"name": "mlp", "hidden": [4 + sum(map(ord, folder.name))]}
    recipe = parse_recipe({"name": folder.name, "model": model})
    for number, right in enumerate(hits, start=1):
        place = folder if number == 1 else folder / "folds" / str(number)
        if right >= 0:
            make_folder(place)
            answers = np.arange(40) < right
            write_finished_run(place, answers, recipe, first=40 * number + shift)
    store.write(folder / FOLDS_RECORD, summarize_folds(folder, folds))
    return folder
