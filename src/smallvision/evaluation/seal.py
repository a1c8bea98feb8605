"""The one place where a sealed test set is opened."""

from __future__ import annotations

from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed import break_seal
from smallvision.records.ledger import record_opening


def open_test(
    dataset: DataSet, folder: Path, *, study: str, model: str, command: str
) -> tuple[ImageSet, int]:
    """Open the test set, after writing to the ledger that it is opened.

    Args:
        dataset: whose test set.
        folder: the study's, or the lone run's, where the ledger lies.
        study, model, command: for the ledger.

    Returns: the test images, and how often they have been opened in this study.

    Raises:
        RecordError: the ledger cannot be written; the seal then stays closed.
    """
    opening = record_opening(
        folder,
        study=study,
        model=model,
        command=command,
        n=len(dataset.test),
        data_fingerprint=dataset.test.fingerprint,
    )
    return break_seal(dataset.test), opening
