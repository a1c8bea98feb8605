"""What a finished run gets wrong on its validation images; the test set stays sealed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.split import Split, find_val
from smallvision.errors import RecordError
from smallvision.evaluation import ErrorAnalysis, LabelledImages, analyse_errors
from smallvision.predict import load_model
from smallvision.recipes import read_run_recipe
from smallvision.recipes.builders import build_machine
from smallvision.records.layout import read_status
from smallvision.records.locks import sweep
from smallvision.records.predictions import find_predictions, read_predictions
from smallvision.runs.finished_run import find_dataset, find_validated
from smallvision.runs.results import Run
from smallvision.shapes import Floats
from smallvision.stats.images.nearest_average import average_rows

FOLDER = "errors"  # within the run's


def explain(
    run: Run | str | Path,
    data: DataSet | str | Path | None = None,
    *,
    data_dir: str | Path | None = None,
) -> ErrorAnalysis:
    """Look at a run's errors on its validation images, and write what is seen to `RUN/errors/`.

    Args:
        run: a run or its folder; of a study, its winner is taken.
        data: the data set it was trained on, by value, name or path; None for the one that the run
            remembers.
        data_dir: where to look for a named data set first.

    Raises:
        DataError: this is not the data the run was trained on, or it was not named.
        RecordError: the run is unfinished or damaged, or its folder cannot be written.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "mlp", settings=["epochs=1"])
    >>> found = sv.explain(run)
    >>> found.record.n, found.record.errors < 60
    (287, True)
    """
    folder, _ = find_validated(run)
    return explain_run(folder, *find_dataset(folder, data, data_dir))


def explain_run(folder: Path, dataset: DataSet, split: Split) -> ErrorAnalysis:
    """Analyse the errors of a finished run whose data and split are known, into its folder.

    Raises:
        RecordError: the model or its predictions are missing, damaged or of other images, or the
            folder cannot be written.
    """
    images, train = find_val(dataset, split).take(split.val), dataset.train.take(split.train)
    indices, labels, probabilities = read_predictions(folder, images.num_classes)
    if not (np.array_equal(indices, split.val) and np.array_equal(labels, images.labels)):
        raise RecordError(
            f"{find_predictions(folder)} holds predictions for other images than the run's "
            "validation"
        )
    analysis = analyse_errors(
        load_model(folder, build_machine(read_run_recipe(folder))),
        LabelledImages(
            images.images,
            labels,
            indices,
            images.class_names,
            average_images(train),
            images.files,
        ),
        name=read_status(folder).name,
        probabilities=probabilities,
    )
    analysis.write(folder / FOLDER)
    sweep(folder)  # of what a kill left of an earlier one
    return analysis


def average_images(images: ImageSet) -> Floats:
    """The mean image of each class, `(K, C * H * W)`; NaN for a class without images."""
    averages = average_rows(images.images, images.labels, images.num_classes)
    averages[images.counts == 0] = np.nan
    return averages
