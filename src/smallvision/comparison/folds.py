"""The out-of-fold answers of cross-validated runs, on the folds that all of them finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.layout import FOLDS_RECORD, list_folds
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import FoldSummary
from smallvision.shapes import Labels
from smallvision.stats.paired import Correct


@dataclass(frozen=True)
class CommonFolds:
    """The folds on which several runs are compared.

    Attributes:
        numbers: of those that all runs finished.
        num_folds: by how many the images were divided.
    """

    numbers: tuple[int, ...]
    num_folds: int


@dataclass(frozen=True, eq=False)
class FoldAnswers:
    """What the networks of a run's folds say of the images that they left out.

    Attributes:
        indices: int64 `(N,)`, of the images.
        labels: int64 `(N,)`, their classes.
        predicted: int64 `(N,)`, the classes that the networks say.
        folds: int64 `(N,)`, the fold that each image was left out of.
    """

    indices: Labels
    labels: Labels
    predicted: Labels
    folds: Labels

    @property
    def correct(self) -> Correct:
        """Whether the network was right, bool `(N,)`."""
        return np.asarray(self.predicted == self.labels)


def find_common_folds(runs: Sequence[Path]) -> CommonFolds | None:
    """The folds that all runs finished; None where one was not cross-validated in as many folds.

    Raises:
        RecordError: a `folds.json` is damaged.
    """
    found = [store.read_if_there(run / FOLDS_RECORD, FoldSummary) for run in runs]
    records = [record for record in found if record is not None]
    if len(records) < len(runs) or len({record.num_folds for record in records}) != 1:
        return None
    numbers = set.intersection(*(set(record.folds) for record in records))
    return CommonFolds(tuple(sorted(numbers)), records[0].num_folds)


def read_folds(run: Path, common: CommonFolds) -> FoldAnswers:
    """The answers of a run's folds, one fold after the other.

    Raises:
        RecordError: a fold or its predictions are missing or damaged.
    """
    places = list_folds(run)
    if lost := [number for number in common.numbers if number not in places]:
        raise RecordError(f"{run} has no finished fold {lost[0]}, which folds.json speaks of")
    found = [read_predictions(places[number]) for number in common.numbers]
    return FoldAnswers(
        indices=np.concatenate([one.indices for one in found]),
        labels=np.concatenate([one.labels for one in found]),
        predicted=np.concatenate([one.probabilities.argmax(axis=1) for one in found]),
        folds=np.repeat(common.numbers, [len(one.labels) for one in found]),
    )
