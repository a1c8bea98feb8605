"""Prediction: how long one image takes, and how many a second go through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from benchmarks.records import begin_record
from benchmarks.throughput.timing import alternate
from smallvision.compute.machine import Machine
from smallvision.predict import SavedModel

BATCH = 1_000


def bench_predict(
    models: Mapping[str, SavedModel],
    machine: Machine,
    *,
    rounds: int = 5,
    command: str = "smallvision.bench.bench_predict()",
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Time saved models on random images, from bytes to probabilities, all views included.

    Args:
        models: by the name under which they are recorded.
        machine: how to compute.
        rounds: turns of each.
        command: for the record.
        say: told how it goes.

    Returns: a record; in `models`, by name, median seconds for one image, images a second, and
        parameters.
    """
    torch.set_num_threads(machine.threads)
    generator = np.random.default_rng(0)

    images = {
        name: generator.integers(0, 256, (BATCH, *model.shape), dtype=np.uint8)
        for name, model in models.items()
    }

    def predict(name: str) -> Callable[[], int]:
        return lambda: len(models[name].predict(images[name]))

    rates = alternate({name: predict(name) for name in models}, rounds=rounds, say=say)
    return {
        **begin_record("predict", command, machine),
        "models": {
            name: {
                **rates[name],
                "latency_seconds": model.measure_latency(images[name]),
                "parameters": model.count_parameters(),
            }
            for name, model in models.items()
        },
    }
