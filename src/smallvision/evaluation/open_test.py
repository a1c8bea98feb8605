"""The one place where a sealed test set is opened."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.storage.room import cache_folder
from smallvision.errors import UserError
from smallvision.records.files import make_folder, now
from smallvision.records.ledger import record_opening
from smallvision.records.schema import LedgerEntry

# In the cache: a ledger for each test set, of all that opened it here. The sources of the images
# tell it, since the same photographs at another size are the same test set.
LEDGERS = "openings"


@dataclass(frozen=True)
class Opening:
    """An opening of a test set.

    Attributes:
        number: among those of this study or lone run, from 1.
        on_machine: among all of these images on this machine, as far as its cache remembers; None
            where nothing can be kept there.
    """

    number: int
    on_machine: int | None


def open_test(
    dataset: DataSet, folder: Path, *, study: str, model: str, command: str
) -> tuple[ImageSet, Opening]:
    """Open the test set, after writing to the ledger that it is opened.

    Args:
        dataset: whose test set.
        folder: the study's, or the lone run's, where the ledger lies.
        study, model, command: for the ledger.

    Returns: the test images, and the how manyeth opening this is.

    Raises:
        RecordError: the ledger cannot be written; the seal then stays closed.
    """
    test = dataset.test
    entry = LedgerEntry(
        opening=1,  # the ledger counts
        time=now(),
        command=command,
        study=study,
        model=model,
        n=len(test),
        data_fingerprint=test.fingerprint,
        origin=test.origin,
    )
    number, on_machine = record_opening(folder, entry), None
    with suppress(UserError, OSError):  # a cache is no place to insist on
        place = cache_folder() / LEDGERS / test.origin.removeprefix("sha256:")[:16]
        on_machine = record_opening(make_folder(place), entry)
    return open_sealed_test(test), Opening(number, on_machine)
