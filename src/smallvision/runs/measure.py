"""What a trained model reaches and costs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from smallvision.data.split import Split
from smallvision.format import format_percent
from smallvision.predict import SavedModel
from smallvision.predict.layers import describe_network
from smallvision.recipes.planning import CLEAN_AT_END
from smallvision.records import store
from smallvision.records.layout import METRICS, NETWORK, list_folds, read_metrics
from smallvision.records.predictions import Predictions, read_predictions, write_predictions
from smallvision.records.schema import (
    Calibration,
    EpochMetrics,
    FoldSummary,
    PredictionSetsRecord,
    Rate,
    SetCoverage,
    TrainingCourse,
    UnlikeRecord,
)
from smallvision.runs.finished_run import find_validated
from smallvision.runs.run_data import RunData
from smallvision.shapes import Floats, Labels
from smallvision.stats.course import judge_course
from smallvision.stats.folds import fold_interval, mean_by_fold
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.probabilities.calibration import (
    describe_calibration,
    fit_temperature,
    take_logs,
)
from smallvision.stats.probabilities.coverage import measure_coverage
from smallvision.stats.probabilities.logits import pool_members, scale_logits
from smallvision.stats.probabilities.prediction_sets import ERROR_RATES, fit_least_probability
from smallvision.stats.probabilities.unlike import fit_limit, measure_energy
from smallvision.stats.rates import find_correct, mean_by_class, rate_accuracy

# Images that only the images alone tell: all one way, an exact test has p = 0.001.
LEAST_LOST = 11


@dataclass(frozen=True)
class ModelCost:
    """What it takes to keep and to use a model.

    Attributes:
        parameters: parameter count.
        size_bytes: of the weights on disk.
        latency_seconds: median time to classify one image.
    """

    parameters: int
    size_bytes: int
    latency_seconds: float


@dataclass(frozen=True, eq=False)
class CalibratedModel:
    """A saved model, and what it reaches on validation images.

    Attributes:
        model: with its temperature, its limit and its prediction sets.
        val: its accuracy.
        calibration: before and after its temperature.
        sets: how its prediction sets turn out on the images that they were fitted to.
    """

    model: SavedModel
    val: Rate
    calibration: Calibration
    sets: tuple[SetCoverage, ...]


def save_calibrated(
    model: SavedModel, data: RunData, split: Split, folder: Path, *, logits: Floats | None = None
) -> CalibratedModel:
    """Fit to validation what a model says beside a class, save it, and score it on validation.

    The temperature is fitted on validation, where the epoch was chosen too, and so are the limit
    of images that are unlike these and the prediction sets. All come before saving, so that the
    manifest covers them.

    Args:
        model: with the best weights.
        data, split: of the run.
        folder: of the run.
        logits: of each member for the validation images, float `(M, N, K)`, where they are known.
    """
    images, labels = data.list_val()
    members = model.predict_member_logits(images) if logits is None else logits
    logits = pool_members(members)
    temperature = fit_temperature(logits, labels)
    probabilities = scale_logits(logits, temperature)
    model = replace(
        model,
        temperature=temperature,
        unlike=UnlikeRecord(limit=fit_limit(measure_energy(members)), n=len(labels)),
        sets=fit_sets(probabilities, labels),
    )
    model.save(folder / "model")
    write_predictions(folder, Predictions(split.val, labels, probabilities.astype(np.float32)))
    return CalibratedModel(
        model,
        rate_accuracy(probabilities, labels),
        describe_calibration(logits, labels, temperature),
        measure_coverage(probabilities, labels, model.sets),
    )


def fit_sets(probabilities: Floats, labels: Labels) -> PredictionSetsRecord:
    """What a class takes to be in a prediction set, for each usual error rate."""
    return PredictionSetsRecord(
        error_rates=ERROR_RATES,
        least_probabilities=tuple(
            fit_least_probability(probabilities, labels, rate) for rate in ERROR_RATES
        ),
        n=len(labels),
    )


def summarize_folds(folder: Path, num_folds: int) -> FoldSummary:
    """Sum up a run and its other folds: what networks say of the images that they left out.

    The temperature is fitted on the logits of all folds together. The probabilities of a fold
    give them back, but for a constant per image: they were scaled by that fold's own.

    Args:
        folder: of the run, which is the first fold.
        num_folds: by how many the images were divided.

    Raises:
        RecordError: a fold is damaged.
    """
    places = list_folds(folder)
    found = [read_predictions(fold) for fold in places.values()]
    statuses = [find_validated(fold)[1] for fold in places.values()]
    labels = np.concatenate([one.labels for one in found])
    probabilities = np.concatenate([one.probabilities for one in found])
    logits = np.concatenate(
        [
            take_logs(one.probabilities) * np.float32(status.calibration.temperature)
            for one, status in zip(found, statuses, strict=True)
        ]
    )
    correct = find_correct(probabilities, labels)
    folds = np.repeat(list(places), [len(one.labels) for one in found])
    accuracies = mean_by_fold(correct, folds)
    val = rate_accuracy(probabilities, labels)
    return FoldSummary(
        num_folds=num_folds,
        folds=tuple(places),
        accuracies=tuple(accuracies),
        counts=tuple(len(one.labels) for one in found),
        failed=tuple(number for number in range(1, num_folds + 1) if number not in places),
        std=float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None,
        val=val.change(interval=fold_interval(correct, folds, num_folds)),
        calibration=describe_calibration(logits, labels, fit_temperature(logits, labels)),
        train=average_rates([status.train for status in statuses]),
    )


def average_rates(rates: Sequence[Rate]) -> Rate:
    """The mean accuracy and loss of rates, with the number of images of the first.

    The training images of folds are mostly the same, so that several folds are no more images.
    """
    accuracy, n = float(np.mean([rate.accuracy for rate in rates])), rates[0].n
    return Rate(
        accuracy=accuracy,
        interval=wilson_interval(round(accuracy * n), n),
        n=n,
        loss=float(np.mean([rate.loss for rate in rates])),
        by_class=mean_by_class([rate.by_class for rate in rates]),
    )


def rate_training(model: SavedModel, data: RunData, seed: int) -> Rate:
    """Accuracy on a sample of clean training images."""
    images, labels = (tensor.cpu().numpy() for tensor in data.sample(CLEAN_AT_END, seed))
    return rate_accuracy(model.predict(images), labels)


def rate_last_epoch(folder: Path) -> Rate:
    """Training accuracy as measured at the end of training, which costs nothing more."""
    last = read_metrics(folder)[-1]
    return Rate(
        accuracy=last.train_accuracy,
        interval=wilson_interval(round(last.train_accuracy * last.train_n), last.train_n),
        n=last.train_n,
        loss=last.train_loss,
    )


def judge_training(folder: Path, train: Rate, val: Rate) -> TrainingCourse:
    """What the epochs of a run that has come to its end say of it.

    Raises:
        RecordError: they are missing or damaged.
    """
    return judge_course(store.read_lines(folder / METRICS, EpochMetrics), train, val)


def tell_mirrored(folder: Path, model: SavedModel, val: Rate) -> tuple[str, ...]:
    """A sentence where means over mirror images are worse than the images alone, beyond chance.

    The epochs were judged on the images alone. Classes that change in a mirror, such as road signs,
    are confused by these means.

    Raises:
        RecordError: the epochs are damaged.
    """
    alone = [one.val_accuracy for one in read_metrics(folder) if one.epoch == model.epoch]
    if not (model.tta.mirror and alone and alone[-1] and alone[-1] > val.interval[1]):
        return ()
    if (alone[-1] - val.accuracy) * val.n < LEAST_LOST:
        return ()
    return (
        f"Judged by the mean over each image and its mirror image, {format_percent(val.accuracy)} "
        f"of the validation images are right, but {format_percent(alone[-1])} by the images alone: "
        "mirror images seem to change the class, so say --no-mirror.",
    )


def measure_cost(model: SavedModel, data: RunData, folder: Path) -> ModelCost:
    """What it takes to keep and to use a model that is saved in a run folder.

    Its layers are written beside it, for the report, which cannot build networks.
    """
    network = describe_network(model.network, model.shape)
    store.write(folder / NETWORK, network)
    return ModelCost(
        parameters=network.parameters,
        size_bytes=(folder / "model" / "model.safetensors").stat().st_size,
        latency_seconds=model.measure_latency(data.show_val()),
    )


def median_speed(folder: Path) -> float:
    """Training images a second, the median over epochs, which one slow epoch does not move."""
    speeds = [metrics.images_per_second for metrics in read_metrics(folder)]
    return float(statistics.median(speeds)) if speeds else 0.0
