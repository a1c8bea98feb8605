"""What a finished run gets wrong on its validation images; the test set stays sealed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.load import as_dataset
from smallvision.data.split import Split
from smallvision.errors import DataError, RecordError
from smallvision.evaluation import ErrorAnalysis, analyse_errors
from smallvision.predict import load_model
from smallvision.recipes import read_recipe
from smallvision.recipes.build import build_machine
from smallvision.records.files import read_json, read_npz
from smallvision.records.folder import STATUS, STUDY, find_study
from smallvision.study.library import check_data, read_finished
from smallvision.study.material import find_val
from smallvision.study.outcome import Run

FOLDER = "errors"  # within the run's


def explain(
    run: Run | str | Path,
    data: DataSet | str | Path | None = None,
    *,
    data_dir: str | Path | None = None,
) -> ErrorAnalysis:
    """Look at a run's errors on its validation images, and write what is seen to `RUN/errors/`.

    Args:
        run: a run or its folder.
        data: the data set it was trained on, by value, name or path; may be left out for a run
            of a study, which knows.
        data_dir: where to look for a named data set first.

    Raises:
        DataError: this is not the data the run was trained on, or it was not named.
        RecordError: the run is unfinished or damaged, or its folder cannot be written.
    """
    folder = run.folder if isinstance(run, Run) else Path(run)
    read_finished(folder)
    dataset = as_dataset(find_data(folder) if data is None else data, data_dir)
    return write_errors(folder, dataset, check_data(folder, dataset))


def find_data(folder: Path) -> str:
    """The name of the data set that a run's study is about.

    Raises:
        DataError: the run belongs to no study.
    """
    study = find_study(folder)
    if study is None:
        raise DataError(f"{folder} belongs to no study; name the data set it was trained on")
    return str(read_json(study / STUDY)["data"]["name"])


def explain_run(folder: Path, dataset: DataSet, split: Split) -> None:
    """Write `errors/` into the folder of a finished run whose data and split are known."""
    write_errors(folder, dataset, split)


def write_errors(folder: Path, dataset: DataSet, split: Split) -> ErrorAnalysis:
    """Analyse a finished run's errors and write them into its folder.

    Raises:
        RecordError: the model or its predictions are missing, damaged or of other images, or the
            folder cannot be written.
    """
    images = find_val(dataset, split).take(split.val)
    path = folder / "predictions" / "val.npz"
    indices, labels, probabilities = read_npz(path, "indices", "labels", "probabilities")
    if not (np.array_equal(indices, split.val) and np.array_equal(labels, images.labels)):
        raise RecordError(f"{path} holds predictions for other images than the run's validation")
    analysis = analyse_errors(
        load_model(folder, build_machine(read_recipe(folder / "recipe.toml"))),
        images.images,
        labels,
        indices,
        images.class_names,
        name=read_json(folder / STATUS)["name"],
        probabilities=probabilities,
    )
    analysis.write(folder / FOLDER)
    return analysis
