"""Measure prediction: the time for one image, and images a second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
import typer

from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import Measurement, describe_here, save
from benchmarks.tables import Table
from benchmarks.throughput.timing import Job, Throughput, measure_in_turns
from smallvision.compute.machine import Machine, choose_machine
from smallvision.format import format_short_count
from smallvision.predict import SavedModel, load_model
from smallvision.records.files import make_folder

BATCH = 1_000


class Prediction(Throughput):
    """How fast a saved model predicts."""

    latency_seconds: float
    """Median time for one image."""
    parameters: int
    """Parameter count."""


class PredictRecord(Measurement):
    """`predict.json`: saved models, from bytes to probabilities, with test-time augmentation."""

    title: ClassVar[str] = "Prediction"

    kind: Literal["predict"] = "predict"
    models: dict[str, Prediction]
    """By the folder of the model."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return (
            Table(
                ("model", "ms for one image", "images/s", "parameters"),
                [
                    (
                        name,
                        f"{model.latency_seconds * 1000:.1f}",
                        f"{model.images_per_second:,.0f}",
                        format_short_count(model.parameters),
                    )
                    for name, model in self.models.items()
                ],
                [model.images_per_second for model in self.models.values()],
            ),
        )


def predict(
    run: Annotated[list[Path], typer.Argument(metavar="RUN", help="Finished run folders.")],
    rounds: Rounds = 5,
    out: Out = OUT,
) -> None:
    """Measure the time to classify one image, and images a second."""
    machine = choose_machine()
    models = {str(folder): load_model(folder, machine) for folder in run}
    make_folder(out)  # an unwritable place is found before measuring
    save(measure_predict(models, machine, rounds), out)


def measure_predict(
    models: Mapping[str, SavedModel], machine: Machine, rounds: int
) -> PredictRecord:
    """Time saved models on random images.

    Args:
        models: by the name under which they are recorded.
        machine: how to compute.
        rounds: turns of each.
    """
    torch.set_num_threads(machine.threads)
    draw = np.random.default_rng(0)
    images = {
        name: draw.integers(0, 256, (BATCH, *model.shape), dtype=np.uint8)
        for name, model in models.items()
    }

    def predict_batch(name: str) -> Job:
        return lambda: len(models[name].predict(images[name]))

    measured = measure_in_turns({name: predict_batch(name) for name in models}, rounds)
    return PredictRecord(
        **describe_here(machine),
        models={
            name: Prediction(
                images_per_second=measured[name].images_per_second,
                rounds=measured[name].rounds,
                latency_seconds=model.measure_latency(images[name]),
                parameters=model.count_parameters(),
            )
            for name, model in models.items()
        },
    )
