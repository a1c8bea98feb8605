"""The append-only list of every opening of a sealed test set."""

from __future__ import annotations

from pathlib import Path

from smallvision.records import store
from smallvision.records.nofollow import exists
from smallvision.records.schema import LedgerEntry

LEDGER = "ledger.jsonl"


def read_openings(folder: Path) -> list[LedgerEntry]:
    """All openings recorded in a study or run folder, oldest first.

    Raises:
        RecordError: the ledger is damaged.
    """
    path = folder / LEDGER
    return store.read_lines(path, LedgerEntry) if exists(path) else []


def record_opening(folder: Path, entry: LedgerEntry) -> int:
    """Append an opening, whose number is set here, and return how many there are now.

    Raises:
        RecordError: the ledger is damaged or cannot be written; then nothing may be opened.
    """
    read_openings(folder)  # a damaged ledger is found before it grows
    return store.append(folder / LEDGER, entry, number_as="opening")
