"""What a trained model reaches and costs."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from smallvision.data.split import Split
from smallvision.predict import SavedModel
from smallvision.records import store
from smallvision.records.layout import METRICS
from smallvision.records.nofollow import exists
from smallvision.records.predictions import Predictions, write_predictions
from smallvision.records.schema import Calibration, EpochMetrics, Rate, TrainingCourse
from smallvision.runs.run_data import RunData
from smallvision.shapes import Floats
from smallvision.stats.calibration import describe_calibration, fit_temperature, scale_logits
from smallvision.stats.course import judge_course
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.rates import rate_accuracy

# Clean training images measured at the end. The final figure deserves more than those of epochs.
CLEAN_AT_END = 10_000


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


def save_calibrated(
    model: SavedModel, data: RunData, split: Split, folder: Path, *, logits: Floats | None = None
) -> tuple[SavedModel, Rate, Calibration]:
    """Calibrate a model, save it with its validation predictions, and score it on validation.

    The temperature is fitted on validation, where the epoch was chosen too. It comes before
    saving, so that the manifest covers it.

    Args:
        model: with the best weights.
        data, split: of the run.
        folder: of the run.
        logits: of the validation images, float `(N, K)`, where they are known.

    Returns: the calibrated model, its validation figures and its calibration.
    """
    images, labels = (tensor.cpu().numpy() for tensor in data.val)
    logits = model.predict_logits(images) if logits is None else logits
    model = replace(model, temperature=fit_temperature(logits, labels))
    model.save(folder / "model")
    probabilities = scale_logits(logits, model.temperature)
    write_predictions(folder, Predictions(split.val, labels, probabilities.astype(np.float32)))
    calibration = describe_calibration(logits, labels, model.temperature)
    return model, rate_accuracy(probabilities, labels), calibration


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


def measure_cost(model: SavedModel, data: RunData, folder: Path) -> ModelCost:
    """What it takes to keep and to use a model that is saved in a run folder."""
    return ModelCost(
        parameters=model.count_parameters(),
        size_bytes=(folder / "model" / "model.safetensors").stat().st_size,
        latency_seconds=model.measure_latency(data.show_val()),
    )


def read_metrics(folder: Path) -> list[EpochMetrics]:
    """The epochs of a run that are finished; none before its first.

    Raises:
        RecordError: a line is damaged.
    """
    path = folder / METRICS
    return store.read_lines(path, EpochMetrics) if exists(path) else []


def median_speed(folder: Path) -> float:
    """Training images a second, the median over epochs, which one slow epoch does not move."""
    speeds = [metrics.images_per_second for metrics in read_metrics(folder)]
    return float(statistics.median(speeds)) if speeds else 0.0
