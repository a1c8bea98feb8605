"""The trackers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from smallvision.tracking.to_mlflow import MlflowTracker
from smallvision.tracking.to_tensorboard import TensorBoardTracker
from smallvision.tracking.to_wandb import WandbTracker
from smallvision.tracking.tracker import Tracker, TrackerPlace

TrackerName: TypeAlias = Literal["mlflow", "tensorboard", "wandb"]


@dataclass(frozen=True)
class TrackerEntry:
    """A tracker of the table.

    Attributes:
        reach: makes one, which finds its runs at a place.
        folder: where its runs lie by default.
        has_server: whether it can have an address.
    """

    reach: Callable[[TrackerPlace], Tracker]
    folder: Path
    has_server: bool = True


TRACKERS: Mapping[str, TrackerEntry] = {
    "mlflow": TrackerEntry(MlflowTracker, Path("mlruns")),
    "tensorboard": TrackerEntry(TensorBoardTracker, Path("tensorboard"), has_server=False),
    "wandb": TrackerEntry(WandbTracker, Path("wandb-runs")),
}
