"""The append-only list of every opening of a sealed test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.records.files import append_line, now, read_jsonl

LEDGER = "ledger.jsonl"


def read_openings(folder: Path) -> list[dict[str, Any]]:
    """All openings recorded in a study or run folder, oldest first.

    Raises:
        RecordError: the ledger is damaged.
    """
    path = folder / LEDGER
    return read_jsonl(path) if path.exists() else []


def record_opening(
    folder: Path, *, study: str, model: str, command: str, n: int, data_fingerprint: str
) -> int:
    """Append an opening and return how many there are now.

    Raises:
        RecordError: the ledger cannot be written; then nothing may be opened.
    """
    read_openings(folder)  # a damaged ledger is found before it grows
    entry = {
        "time": now(),
        "command": command,
        "study": study,
        "model": model,
        "n": n,
        "data_fingerprint": data_fingerprint,
    }
    return append_line(folder / LEDGER, entry, number_as="opening")
